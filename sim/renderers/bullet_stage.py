"""Bodies and textures inside PyBullet, for renderers that draw with it, without memory that grows.

PyBullet never frees a texture, nor the vertices that a visual shape was made of, and it keeps every file that it has
read. Only the end of a client frees them, and only when files were not kept. So meshes go in by files that are
forgotten at once, and a client that has taken up enough is replaced by a fresh one.
"""

import tempfile
from collections import OrderedDict
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from sim import textures
from sim.bullet import pybullet
from sim.meshes import Mesh, load_mesh
from sim.renderers.shells import is_closed, two_sided
from sim.scene import Body, Texture

TEXTURE_SIZE = 128
MOST_TEXTURES = 256  # in one client, 0.1 MB each
MOST_BODIES = 1500
KEPT_MESHES = 64  # files

_Shape = tuple[str, float, tuple[float, float, float]]  # mesh, repeats of its texture, scale: fixed once made


class BulletStage:
    """One physics client that shows a list of bodies. Not safe across threads."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="blockworld-meshes-")
        self._numbers = count()
        self._files: OrderedDict[_Shape, Path] = OrderedDict()
        self.client = -1
        self._connect()

    def show(self, bodies: Sequence[Body], tint: np.ndarray) -> np.ndarray:
        """Show these bodies and nothing else, their colours times tint (3,).

        Where two surfaces meet, PyBullet shows the body that was made last. So that this is the same whatever was
        shown before, bodies stay only as far as the list is that of the last time, and the rest is made anew:
        begin the list with what stays the same. Returns (N,) uint8, the label of each number in a segmentation.
        """
        if self._made > MOST_BODIES or len(self._textures) > MOST_TEXTURES:
            self._connect()
        shapes = [_shape(body) for body in bodies]
        kept = 0
        while kept < min(len(shapes), len(self._shown)) and self._shown[kept][0] == shapes[kept]:
            kept += 1
        while len(self._shown) > kept:
            pybullet.removeBody(self._shown.pop()[1], physicsClientId=self.client)
        self._shown += [(shape, self._make(shape)) for shape in shapes[kept:]]
        handles = [handle for _, handle in self._shown]
        labels = np.zeros(max(handles) + 1, np.uint8)
        for handle, body in zip(handles, bodies, strict=True):
            self._place(handle, body, tint)
            labels[handle] = body.label
        return labels

    def close(self) -> None:
        """Disconnect and remove the files. May be called twice."""
        if self.client >= 0:
            pybullet.disconnect(self.client)
            self.client = -1
        self._folder.cleanup()

    def _connect(self) -> None:
        if self.client >= 0:
            pybullet.disconnect(self.client)
        self.client = pybullet.connect(pybullet.DIRECT)
        self._made = 0
        self._shown: list[tuple[_Shape, int]] = []
        self._textures: dict[Texture, int] = {}

    def _make(self, shape: _Shape) -> int:
        path = self._file(shape)
        self._keep_files(False)
        visual = pybullet.createVisualShape(pybullet.GEOM_MESH, fileName=str(path), physicsClientId=self.client)
        handle = pybullet.createMultiBody(0, -1, visual, physicsClientId=self.client)
        self._keep_files(True)
        self._made += 1
        return handle

    def _place(self, handle: int, body: Body, tint: np.ndarray) -> None:
        turn = Rotation.from_matrix(body.pose[:3, :3]).as_quat()
        pybullet.resetBasePositionAndOrientation(
            handle, body.pose[:3, 3].tolist(), turn.tolist(), physicsClientId=self.client
        )
        texture = body.material.texture
        pybullet.changeVisualShape(
            handle,
            -1,
            textureUniqueId=-1 if texture is None else self._texture(texture),
            rgbaColor=(*(np.array(body.material.rgb) * tint).tolist(), 1.0),
            physicsClientId=self.client,
        )

    def _file(self, shape: _Shape) -> Path:
        if shape not in self._files:
            name, repeats, scale = shape
            self._files[shape] = Path(self._folder.name) / f"{next(self._numbers)}.obj"
            mesh = load_mesh(name)
            if not is_closed(mesh):  # PyBullet's flag for faces with two sides has no effect on TinyRenderer
                mesh = two_sided(mesh)
            self._files[shape].write_text(wavefront(mesh, repeats, scale))
            if len(self._files) > KEPT_MESHES:
                self._files.popitem(last=False)[1].unlink()
        self._files.move_to_end(shape)
        return self._files[shape]

    def _texture(self, texture: Texture) -> int:
        if texture not in self._textures:
            path = Path(self._folder.name) / "texture.png"
            cv2.imwrite(str(path), textures.pixels(texture, TEXTURE_SIZE)[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
            self._keep_files(False)
            self._textures[texture] = pybullet.loadTexture(str(path), physicsClientId=self.client)
            self._keep_files(True)
        return self._textures[texture]

    def _keep_files(self, kept: bool) -> None:
        """Whether PyBullet keeps the files that it reads: a switch of the whole process, on when it starts."""
        pybullet.setPhysicsEngineParameter(enableFileCaching=int(kept), physicsClientId=self.client)


def wavefront(mesh: Mesh, repeats: float = 1.0, scale: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> str:
    """The scaled mesh as text of Wavefront's OBJ format, its UV times `repeats` and moved to positive numbers.

    PyBullet wraps a texture by the fraction of a coordinate, which is negative for a negative one; and it would scale
    vertices but not turn normals.
    """
    vertices = mesh.vertices * np.array(scale)
    normals = mesh.normals / np.array(scale)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    uv = mesh.uv * repeats
    uv = uv - np.floor(uv.min(axis=0))
    corners = np.repeat(mesh.faces.reshape(-1) + 1, 3)
    return (
        ("v %.9g %.9g %.9g\n" * len(vertices)) % tuple(vertices.ravel().tolist())
        + ("vt %.9g %.9g\n" * len(uv)) % tuple(uv.ravel().tolist())
        + ("vn %.9g %.9g %.9g\n" * len(normals)) % tuple(normals.ravel().tolist())
        + ("f %d/%d/%d %d/%d/%d %d/%d/%d\n" * len(mesh.faces)) % tuple(corners.tolist())
    )


def _shape(body: Body) -> _Shape:
    repeats = body.material.repeats if body.material.texture is not None else 1.0
    return body.mesh, repeats, body.scale
