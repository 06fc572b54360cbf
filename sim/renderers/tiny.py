"""Images by PyBullet's TinyRenderer: software only, no system library, one light with a shadow map.

Its traps, each held by a test: light arguments left out of a call keep their last value, so every call passes all of
them; a light exactly along +z is degenerate; textures are never freed, so a fixed pool is loaded once per process;
texels are sampled nearest, so frames are drawn larger and averaged down.
"""

import tempfile
from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from perception.robot import Robot
from sim.bullet import pybullet
from sim.panda import panda_urdf
from sim.randomization import TEXTURES
from sim.renderers import Frame, Shot
from sim.scene import Block, Light, Material, Scene
from sim.textures import texture

NEAR_M, FAR_M = 0.05, 12.0
SHADOW_MAP_DISTANCE_M = 3.0
LEAST_LIGHT_TILT = 0.05


class TinyRenderer:
    """One physics client that holds the robot, the support and the current block. Not safe across threads."""

    def __init__(self) -> None:
        self._client = pybullet.connect(pybullet.DIRECT)
        self._robot = Robot.load("panda")
        flags = pybullet.URDF_ENABLE_CACHED_GRAPHICS_SHAPES
        self._body = pybullet.loadURDF(
            str(panda_urdf()), useFixedBase=True, flags=flags, physicsClientId=self._client
        )
        self._joints = _joint_indices(self._body, self._robot.joint_names, self._client)
        self._tones = _tones(self._body, self._client)
        self._plane = self._mesh_body("plane.obj", (1.0, 1.0, 1.0))
        self._textures = _load_textures(self._client)
        self._block: int | None = None

    def render(self, scene: Scene, shots: Sequence[Shot]) -> list[Frame]:
        """One frame per shot; see `sim.renderers.Renderer`."""
        self._place(scene)
        background = _background(scene.background)
        return [self._draw(shot, scene.light, background) for shot in shots]

    def close(self) -> None:
        """Disconnect from the physics client. May be called twice."""
        if self._client >= 0:
            pybullet.disconnect(self._client)
            self._client = -1

    def _place(self, scene: Scene) -> None:
        for index, value in zip(self._joints, scene.joints, strict=True):
            pybullet.resetJointState(self._body, index, value, physicsClientId=self._client)
        for link, shape, dark in self._tones:
            self._paint(self._body, scene.robot_dark if dark else scene.robot_light, link, shape)
        self._paint(self._plane, scene.plane)
        self._replace_block(scene.block)

    def _replace_block(self, block: Block) -> None:
        if self._block is not None:
            pybullet.removeBody(self._block, physicsClientId=self._client)
        self._block = self._mesh_body("cube.obj", block.size_m)
        position, turn = _centre(block)
        pybullet.resetBasePositionAndOrientation(self._block, position, turn, physicsClientId=self._client)
        self._paint(self._block, block.material)

    def _mesh_body(self, name: str, scale: Sequence[float]) -> int:
        path = resources.files("sim") / "assets" / name
        shape = pybullet.createVisualShape(
            pybullet.GEOM_MESH, fileName=str(path), meshScale=list(scale), physicsClientId=self._client
        )
        return pybullet.createMultiBody(0, -1, shape, physicsClientId=self._client)

    def _paint(self, body: int, material: Material, link: int = -1, shape: int = -1) -> None:
        pybullet.changeVisualShape(
            body,
            link,
            shapeIndex=shape,
            textureUniqueId=-1 if material.texture is None else self._textures[material.texture % TEXTURES],
            rgbaColor=(*material.rgb, 1.0),
            physicsClientId=self._client,
        )

    def _draw(self, shot: Shot, light: Light, background: np.ndarray) -> Frame:
        width, height = round(shot.width * shot.oversampling), round(shot.height * shot.oversampling)
        _, _, rgba, depth, _ = pybullet.getCameraImage(
            width,
            height,
            viewMatrix=view_matrix(shot),
            projectionMatrix=projection_matrix(shot),
            renderer=pybullet.ER_TINY_RENDERER,
            flags=pybullet.ER_NO_SEGMENTATION_MASK,
            physicsClientId=self._client,
            **light_arguments(light),
        )
        rgb = np.asarray(rgba, np.uint8).reshape(height, width, 4)[..., :3]
        buffer = np.asarray(depth, np.float32).reshape(height, width)
        empty = buffer >= 1.0
        behind = cv2.resize(background, (width, height), interpolation=cv2.INTER_LINEAR)
        rgb = np.where(empty[..., None], behind, rgb)
        small = cv2.resize(rgb, (shot.width, shot.height), interpolation=cv2.INTER_AREA)
        metres = np.where(empty, np.inf, FAR_M * NEAR_M / (FAR_M - (FAR_M - NEAR_M) * buffer))
        rows = ((np.arange(shot.height) + 0.5) * shot.oversampling).astype(int)
        columns = ((np.arange(shot.width) + 0.5) * shot.oversampling).astype(int)
        return Frame(small, metres[np.ix_(rows, columns)])


def _centre(block: Block) -> tuple[Sequence[float], Sequence[float]]:
    """Position and quaternion (x, y, z, w) of the block's middle in the base frame."""
    half_height = block.size_m[2] / 2
    if block.pose is None:
        turn = pybullet.getQuaternionFromEuler((0, 0, block.yaw_rad))
        return (block.x_m, block.y_m, half_height), turn
    position = block.pose[:3, 3] + half_height * block.pose[:3, 2]
    return position.tolist(), Rotation.from_matrix(block.pose[:3, :3]).as_quat().tolist()


def light_arguments(light: Light) -> dict:
    """Every light argument of getCameraImage, never a part of them: what is left out keeps its last value."""
    direction = np.array(light.direction) / np.linalg.norm(light.direction)
    if (
        np.hypot(*direction[:2]) < LEAST_LIGHT_TILT
    ):  # the shadow camera's up vector is z, so straight down is undefined
        direction = np.array([LEAST_LIGHT_TILT, 0.0, direction[2]])
    return {
        "lightDirection": tuple(direction * SHADOW_MAP_DISTANCE_M),
        "lightColor": light.rgb,
        "lightDistance": SHADOW_MAP_DISTANCE_M,
        "shadow": int(light.shadow),
        "lightAmbientCoeff": light.ambient,
        "lightDiffuseCoeff": light.diffuse,
        "lightSpecularCoeff": light.specular,
    }


def view_matrix(shot: Shot) -> list[float]:
    """OpenGL's view matrix (camera x right, y up, z backward), column by column."""
    flip = np.diag([1.0, -1.0, -1.0, 1.0])
    return (flip @ shot.camera.T_camera_base).T.ravel().tolist()


def projection_matrix(shot: Shot) -> list[float]:
    """The frustum through the shot's window: off-centre for a crop, so that a crop is drawn at full resolution."""
    camera = shot.camera
    near = NEAR_M / camera.focal_px
    left, right = (shot.u0 - camera.width / 2) * near, (shot.u1 - camera.width / 2) * near
    bottom, top = (camera.height / 2 - shot.v1) * near, (camera.height / 2 - shot.v0) * near
    return list(pybullet.computeProjectionMatrix(left, right, bottom, top, NEAR_M, FAR_M))


def _joint_indices(body: int, names: Sequence[str], client: int) -> list[int]:
    infos = (
        pybullet.getJointInfo(body, i, physicsClientId=client)
        for i in range(pybullet.getNumJoints(body, physicsClientId=client))
    )
    by_name = {info[1].decode(): info[0] for info in infos}
    return [by_name[name] for name in names]


def _tones(body: int, client: int) -> list[tuple[int, int, bool]]:
    """(link, shape index, is dark) of every visual shape of the decimated robot."""
    seen: dict[int, int] = {}
    tones = []
    for data in pybullet.getVisualShapeData(body, physicsClientId=client):
        link, file = data[1], data[4].decode()
        tones.append((link, seen.get(link, 0), "_dark" in file))
        seen[link] = seen.get(link, 0) + 1
    return tones


def _load_textures(client: int) -> list[int]:
    """Handles of the pool. PyBullet reads files only, and keeps the pixels once read."""
    with tempfile.TemporaryDirectory() as folder:
        handles = []
        for seed in range(TEXTURES):
            path = Path(folder) / f"{seed}.png"
            cv2.imwrite(str(path), texture(seed)[..., ::-1])
            handles.append(pybullet.loadTexture(str(path), physicsClientId=client))
        return handles


@cache
def _pattern(seed: int) -> np.ndarray:
    return texture(seed)


def _background(material: Material) -> np.ndarray:
    """What is seen where nothing stands: the material's texture, tinted, in a blurred 64 x 64 picture."""
    pixels = _pattern(material.texture if material.texture is not None else 0)
    return cv2.resize(pixels * np.array(material.rgb), (64, 64), interpolation=cv2.INTER_AREA).astype(
        np.uint8
    )
