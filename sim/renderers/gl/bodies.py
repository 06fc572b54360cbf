"""The bodies of a scene on the device: what draws them all with one call."""

from collections.abc import Sequence

import moderngl
import numpy as np

from sim.renderers.gl.lamps import linear
from sim.renderers.gl.meshes import MeshPool
from sim.renderers.gl.programs import BLOCKS, Programs
from sim.renderers.gl.textures import SIZE
from sim.scene import ROOM, SUPPORT, Body

BODIES = 1023  # as many as the surface buffer has numbers for, and one for nothing
INSTANCE = np.dtype([("rows", "f4", (3, 4)), ("stretch", "f4", 4), ("repeats", "f4")])
MATERIAL = np.dtype([("colour", "f4", 4), ("finish", "f4", 4)])
COMMAND = np.dtype(
    [("count", "u4"), ("instances", "u4"), ("first_index", "u4"), ("base_vertex", "i4"), ("base_instance", "u4")]
)


class Bodies:
    """Poses, materials and draw commands of the scene that was placed last."""

    def __init__(self, gl: moderngl.Context, programs: Programs) -> None:
        self._gl, self._programs = gl, programs
        self._meshes = MeshPool(gl)
        self._instances = gl.buffer(reserve=BODIES * INSTANCE.itemsize)
        self._commands = gl.buffer(reserve=BODIES * COMMAND.itemsize)
        self._materials = gl.buffer(reserve=BODIES * MATERIAL.itemsize)
        self._materials.bind_to_uniform_block(BLOCKS["Materials"])
        self._bind()

    def place(self, shown: Sequence[Body], layers: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Write what is shown, with the layers of its textures. Returns balls about all bodies that cast shadows:
        centres (N, 3) and radii (N,), m."""
        places, sizes = self._meshes.place([body.mesh for body in shown])
        if self._meshes.vertices is not self._bound:
            self._bind()
        scales = np.array([body.scale for body in shown])
        poses = np.array([body.pose[:3] for body in shown])
        self._write_instances(poses, scales, [body.material.repeats for body in shown])
        self._write_materials(shown, layers, texels_per_m(shown, scales, sizes[:, 4:]))
        # The support and the room about it cast none: they would only make the maps coarser.
        casting = np.array([body.label not in (SUPPORT, ROOM) for body in shown])
        commands = np.zeros(len(shown), COMMAND)
        commands["count"], commands["first_index"], commands["base_vertex"], closed = places.T
        commands["instances"], commands["base_instance"] = 1, np.arange(len(shown))
        order = np.lexsort((closed, ~casting))  # open ones first among those that cast shadows
        self._commands.write(commands[order])
        self._count, self._casters = len(shown), int(casting.sum())
        self._open = int(np.sum(casting & (closed == 0)))
        centres = np.einsum("nij,nj->ni", poses[..., :3], sizes[:, :3] * scales) + poses[..., 3]
        return centres[casting], (sizes[:, 3] * np.abs(scales).max(axis=1))[casting]

    def draw(self) -> None:
        """All bodies, with the program `surface`: shells that are open, as parts of robots are, from both sides."""
        self._gl.enable_only(moderngl.DEPTH_TEST)
        self._surface.render_indirect(self._commands, moderngl.TRIANGLES, self._open)
        self._gl.enable_only(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        self._surface.render_indirect(self._commands, moderngl.TRIANGLES, self._count - self._open, first=self._open)

    def draw_shadows(self) -> None:
        """The bodies that cast shadows, with the program `shadow`: what faces the light alone, since the backs of an
        open shell stand in the shadow of its front but for the hole."""
        self._gl.enable_only(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        self._shadow.render_indirect(self._commands, moderngl.TRIANGLES, self._casters)

    def _write_instances(self, poses: np.ndarray, scales: np.ndarray, repeats: list[float]) -> None:
        data = np.zeros(len(poses), INSTANCE)
        data["rows"] = poses
        data["rows"][..., :3] *= scales[:, None]
        data["stretch"][:, :3], data["stretch"][:, 3] = 1 / scales**2, np.arange(len(poses))
        data["repeats"] = repeats
        self._instances.write(data)

    def _write_materials(self, shown: Sequence[Body], layers: Sequence[int], texels_per_m: np.ndarray) -> None:
        data = np.zeros(len(shown), MATERIAL)
        data["colour"][:, :3] = linear([body.material.rgb for body in shown])
        # As the fraction of the layer's number, of twelve bits, so that no layer rounds it otherwise than another.
        density = np.rint(4096 * (np.log2(texels_per_m) + 32) / 64).clip(1, 4095) / 4096
        data["colour"][:, 3] = np.where(np.array(layers) < 0, -1, layers + density)
        data["finish"] = [
            (body.material.roughness, body.material.metallic, body.material.specular, body.label) for body in shown
        ]
        self._materials.write(data)

    def _bind(self) -> None:
        gl, meshes = self._gl, self._meshes
        self._bound = meshes.vertices
        rows = ("model_x", "model_y", "model_z")
        self._surface = gl.vertex_array(
            self._programs.surface,
            [
                (meshes.vertices, "3f 3f 2f", "position", "normal", "uv"),
                (self._instances, "4f 4f 4f 4f 1f /i", *rows, "stretch", "repeats"),
            ],
            meshes.indices,
        )
        self._shadow = gl.vertex_array(
            self._programs.shadow,
            [(meshes.vertices, "3f 20x", "position"), (self._instances, "4f 4f 4f 20x /i", *rows)],
            meshes.indices,
        )


def texels_per_m(shown: Sequence[Body], scales: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """(N,) how many texels of its texture lie along a metre of each body, as a mean over its surface; scales (N, 3)
    and the areas (N, 4) of its mesh along x, y and z (m2) and in UV."""
    x, y, z = np.abs(scales).T
    area = (areas[:, :3] * np.stack([y * z, z * x, x * y], axis=1)).sum(axis=1)
    repeats = np.array([body.material.repeats for body in shown])
    return np.maximum(SIZE * repeats * np.sqrt(areas[:, 3] / np.maximum(area, 1e-12)), 1e-6)
