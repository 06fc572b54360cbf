"""Images by OpenGL: Mesa's software rasterizer on a CPU, or a graphics processor.

Three passes per shot. `surface` notes what is visible at a grid of half a pixel: normal, body, place in the texture.
`shade` lights the pixels' centres alone. `resolve` smooths edges by giving the samples between the centres the light
of the centre beside them that shows the same surface. Depth and label are thus those of the pixel's centre exactly,
and light, the costly part, is computed once per pixel however small the triangles are. Shadow maps are drawn once
per scene and serve all of its shots.
"""

from collections import OrderedDict
from collections.abc import Sequence
from importlib import resources

import moderngl
import numpy as np

from sim.renderers import Frame, Shot
from sim.renderers.gl.context import COLOR, DEPTH, Context
from sim.renderers.gl.lamps import LAMPS, LIGHTS, MAP_SIZE, block, linear
from sim.renderers.gl.meshes import MeshPool
from sim.renderers.gl.textures import TexturePool
from sim.scene import ROOM, SUPPORT, Body, Scene
from sim.stage import bodies

NEAR_M, FAR_M = 0.05, 50.0
BODIES = 1023
TARGETS = 4
INSTANCE = np.dtype(
    [("rows", "f4", (3, 4)), ("stretch", "f4", 4), ("repeats", "f4")]
)
MATERIAL = np.dtype([("colour", "f4", 4), ("finish", "f4", 4)])
WINDOW = np.dtype([("base_from_ray", "f4", (4, 4)), ("eye", "f4", 4), ("planes", "f4", 4), ("image", "f4", 4)])
COMMAND = np.dtype(
    [("count", "u4"), ("instances", "u4"), ("first_index", "u4"), ("base_vertex", "i4"), ("base_instance", "u4")]
)


class GlRenderer:
    """Holds an OpenGL context: use it in the thread that made it, and `close` it."""

    def __init__(self) -> None:
        self._context = Context()
        gl = self._gl = self._context.gl
        self._surface = self._program("surface")
        self._shadow = self._program("shadow")
        self._shade = self._program("shade", "screen")
        self._resolve = self._program("resolve", "screen")
        self._meshes = MeshPool(gl)
        self._textures = TexturePool(self._context)
        self._instances = gl.buffer(reserve=BODIES * INSTANCE.itemsize)
        self._commands = gl.buffer(reserve=BODIES * COMMAND.itemsize)
        self._blocks = {
            "Materials": gl.buffer(reserve=BODIES * MATERIAL.itemsize),
            "Lamps": gl.buffer(reserve=LAMPS.itemsize),
            "Window": gl.buffer(reserve=WINDOW.itemsize),
        }
        units = {"surfaces": 0, "depths": 1, "radiances": 2, "textures": 3, "shadows": 4}
        for program in (self._shade, self._resolve):
            for name, unit in units.items():
                if name in program:
                    program[name] = unit
            for binding, (name, buffer) in enumerate(self._blocks.items()):
                if name in program:
                    program[name].binding = binding
                buffer.bind_to_uniform_block(binding)
        self._shadows = gl.depth_texture((LIGHTS * MAP_SIZE, MAP_SIZE))
        self._shadows.compare_func = ""
        self._shadows.filter = (gl.NEAREST, gl.NEAREST)
        self._shadow_target = gl.framebuffer([], self._shadows)
        self._screen_shade = gl.vertex_array(self._shade, [])
        self._screen_resolve = gl.vertex_array(self._resolve, [])
        self._targets: OrderedDict[tuple[int, int], _Target] = OrderedDict()
        self._arrays: tuple | None = None

    def render(self, scene: Scene, shots: Sequence[Shot]) -> list[Frame]:
        """One frame per shot; see `sim.renderers.Renderer`."""
        shown = bodies(scene)
        self._place(scene, shown)
        return [self._draw(shot) for shot in shots]

    def close(self) -> None:
        """Give the context back. May be called twice."""
        self._gl.release()

    def _program(self, name: str, vertices: str | None = None) -> moderngl.Program:
        folder = resources.files("sim.renderers.gl") / "shaders"
        return self._gl.program(
            vertex_shader=(folder / f"{vertices or name}.vert").read_text(),
            fragment_shader=(folder / f"{name}.frag").read_text(),
        )

    def _place(self, scene: Scene, shown: list[Body]) -> None:
        """Everything that the shots of a scene share: bodies, materials, lights and their shadow maps."""
        if len(shown) > BODIES:
            raise ValueError(f"a scene of {len(shown)} bodies is too much for this renderer; at most {BODIES}.")
        count = len(shown)
        materials = [body.material for body in shown]
        layers = self._textures.layers([material.texture for material in materials] + [scene.environment.backdrop])
        places = self._meshes.place([body.mesh for body in shown])
        commands = np.zeros(count, COMMAND)
        commands["count"], commands["first_index"], commands["base_vertex"] = places.T
        commands["instances"], commands["base_instance"] = 1, np.arange(count)
        casting = np.array([body.label not in (SUPPORT, ROOM) for body in shown])
        order = np.argsort(~casting, kind="stable")
        self._count, self._casters = count, int(casting.sum())
        self._commands.write(commands[order])

        scales = np.array([body.scale for body in shown])
        poses = np.array([body.pose[:3] for body in shown])
        data = np.zeros(count, INSTANCE)
        data["rows"] = poses
        data["rows"][..., :3] *= scales[:, None]
        data["stretch"][:, :3], data["stretch"][:, 3] = 1 / scales**2, np.arange(count)
        data["repeats"] = [material.repeats for material in materials]
        self._instances.write(data)

        looks = np.zeros(count, MATERIAL)
        looks["colour"][:, :3] = linear([material.rgb for material in materials])
        looks["colour"][:, 3] = layers[:-1]
        looks["finish"] = [
            (material.roughness, material.metallic, material.specular, body.label)
            for material, body in zip(materials, shown, strict=True)
        ]
        self._blocks["Materials"].write(looks)
        centres = np.array([body.pose[:3, 3] for body, casts in zip(shown, casting, strict=True) if casts])
        middle = (centres.min(axis=0) + centres.max(axis=0)) / 2
        ball = np.array([*middle, np.linalg.norm(centres - middle, axis=1).max() + 0.2])
        lamps = block(scene.lights, scene.environment, layers[-1], ball)
        self._blocks["Lamps"].write(lamps)
        self._bind()
        self._draw_shadows(lamps)

    def _bind(self) -> None:
        if self._arrays and self._arrays[0] is self._meshes.vertices:
            return
        meshes, instances = self._meshes, self._instances
        content = [(meshes.vertices, "3f 3f 2f", "position", "normal", "uv")]
        names = ("model_x", "model_y", "model_z", "stretch", "repeats")
        surface = self._gl.vertex_array(
            self._surface, [*content, (instances, "4f 4f 4f 4f 1f /i", *names)], meshes.indices
        )
        shadow = self._gl.vertex_array(
            self._shadow,
            [(meshes.vertices, "3f 20x", "position"), (instances, "4f 4f 4f 20x /i", *names[:3])],
            meshes.indices,
        )
        self._arrays = (meshes.vertices, surface, shadow)

    def _draw_shadows(self, lamps: np.ndarray) -> None:
        gl = self._gl
        self._shadow_target.use()
        self._shadow_target.clear(depth=1.0)
        gl.enable_only(gl.DEPTH_TEST | gl.CULL_FACE)
        gl.front_face = "ccw"
        half = np.array([[0.5, 0, 0, 0.5], [0, 0.5, 0, 0.5], [0, 0, 0.5, 0.5], [0, 0, 0, 1]])
        for number, lamp in enumerate(lamps["lights"]):
            if lamp["map"][0]:
                gl.viewport = (number * MAP_SIZE, 0, MAP_SIZE, MAP_SIZE)
                self._shadow["clip_from_base"].write(lamp["map_from_base"].tobytes())
                self._arrays[2].render_indirect(self._commands, gl.TRIANGLES, self._casters)
                lamp["map_from_base"] = lamp["map_from_base"] @ half.T.astype(np.float32)
        self._blocks["Lamps"].write(lamps)

    def _draw(self, shot: Shot) -> Frame:
        gl, context = self._gl, self._context
        target = self._target(shot.width, shot.height)
        clip, window = _window(shot)
        self._surface["clip_from_base"].write(clip.T.astype(np.float32).tobytes())
        self._blocks["Window"].write(window)

        target.surface.use()
        context.glClearBufferuiv(COLOR, 0, np.full(4, 0xFFFFFFFF, np.uint32).ctypes.data)
        context.glClearBufferfv(DEPTH, 0, np.ones(1, np.float32).ctypes.data)
        gl.enable_only(gl.DEPTH_TEST | gl.CULL_FACE)
        gl.front_face = "cw"  # the picture is drawn with its first row at the bottom
        self._arrays[1].render_indirect(self._commands, gl.TRIANGLES, self._count)

        gl.enable_only(gl.NOTHING)
        target.surfaces.use(0)
        target.depths.use(1)
        self._textures.array.use(3)
        self._shadows.use(4)
        target.shade.use()
        self._screen_shade.render(vertices=3)
        target.radiances.use(2)
        target.packed.use()
        self._screen_resolve.render(vertices=3)

        pixels = np.empty((shot.height, shot.width, 8), np.uint8)
        target.packed.read_into(pixels, components=2, dtype="u4")
        return Frame(pixels[..., :3], pixels.view(np.float32)[..., 1], pixels[..., 3])

    def _target(self, width: int, height: int) -> "_Target":
        size = (width, height)
        if size not in self._targets:
            if len(self._targets) >= TARGETS:
                self._targets.popitem(last=False)[1].release()
            self._targets[size] = _Target(self._gl, width, height)
        self._targets.move_to_end(size)
        return self._targets[size]


class _Target:
    """What the passes write for pictures of one size."""

    def __init__(self, gl: moderngl.Context, width: int, height: int) -> None:
        fine = (2 * width + 1, 2 * height + 1)
        self.surfaces = gl.texture(fine, 2, dtype="u4")
        self.depths = gl.depth_texture(fine)
        self.depths.compare_func = ""
        self.radiances = gl.texture((width, height), 4, dtype="f4")
        words = gl.texture((width, height), 2, dtype="u4")
        for texture in (self.surfaces, self.depths, self.radiances, words):
            texture.filter = (gl.NEAREST, gl.NEAREST)
        self.surface = gl.framebuffer([self.surfaces], self.depths)
        self.shade = gl.framebuffer([self.radiances])
        self.packed = gl.framebuffer([words])
        self._all = [self.surfaces, self.depths, self.radiances, words, self.surface, self.shade, self.packed]

    def release(self) -> None:
        for one in self._all:
            one.release()


def _window(shot: Shot) -> tuple[np.ndarray, np.ndarray]:
    """Clip coordinates from the base frame (4, 4) on the grid of half pixels, and the uniform block of the shot."""
    camera = shot.camera
    step_u, step_v = (shot.u1 - shot.u0) / shot.width, (shot.v1 - shot.v0) / shot.height
    # The grid has 2 N + 1 samples, the outer ones on the window's border, so it spans a quarter of a pixel more.
    left, right = shot.u0 - 0.25 * step_u, shot.u1 + 0.25 * step_u
    top, bottom = shot.v0 - 0.25 * step_v, shot.v1 + 0.25 * step_v
    cx, cy, focal = camera.width / 2, camera.height / 2, camera.focal_px
    lens = np.zeros((4, 4))
    lens[0, 0], lens[0, 2] = 2 * focal / (right - left), (2 * cx - left - right) / (right - left)
    lens[1, 1], lens[1, 2] = 2 * focal / (bottom - top), (2 * cy - top - bottom) / (bottom - top)
    lens[2, 2] = (FAR_M + NEAR_M) / (FAR_M - NEAR_M)
    lens[2, 3] = -2 * FAR_M * NEAR_M / (FAR_M - NEAR_M)
    lens[3, 2] = 1.0
    window = np.zeros((), WINDOW)
    ray = np.array([[step_u, 0, shot.u0 - cx], [0, step_v, shot.v0 - cy], [0, 0, focal]]) / focal
    window["base_from_ray"][:3, :3] = (camera.T_camera_base[:3, :3].T @ ray).T
    window["eye"][:3] = camera.position_m
    window["planes"][:2] = NEAR_M, FAR_M
    window["image"] = (
        shot.u0 / camera.width, shot.v0 / camera.height, step_u / camera.width, step_v / camera.height,
    )
    return lens @ camera.T_camera_base, window
