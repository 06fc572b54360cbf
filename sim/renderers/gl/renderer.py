"""Images by OpenGL: Mesa's software rasterizer on a CPU, or a graphics processor.

Four passes per shot. `surface` notes what is visible at a grid of half a pixel: normal, body, place in the texture.
`visibility` tells for a quarter of the pixels how much of each light arrives. `shade` lights the pixels' centres
alone. `resolve` smooths edges by giving the samples between the centres the light of the centre beside them that shows
the same surface. Depth and label are thus those of the pixel's centre exactly, and light, the costly part, is computed
once per pixel however small the triangles are. Shadow maps are drawn once per scene and serve all of its shots.
"""

from collections.abc import Sequence

import numpy as np

from sim.renderers import Frame, Shot
from sim.renderers.gl.bodies import BODIES, Bodies
from sim.renderers.gl.context import COLOR, DEPTH, Context
from sim.renderers.gl.lamps import LAMPS, LIGHTS, MAP_SIZE, lamp_block, shadow_view
from sim.renderers.gl.programs import BLOCKS, UNITS, Programs, write
from sim.renderers.gl.targets import WORD_LIGHTS, ShadowMaps, Targets
from sim.renderers.gl.textures import TexturePool
from sim.renderers.gl.window import WINDOW, clip_from_base, window_block
from sim.scene import Scene
from sim.stage import bodies

NOTHING = np.full(4, 0xFFFFFFFF, np.uint32)
NO_BODY = np.full(4, np.inf, np.float32)
FARTHEST = np.ones(1, np.float32)
# From clip coordinates to places and depths in [0, 1].
HALVED = np.array([[0.5, 0, 0, 0.5], [0, 0.5, 0, 0.5], [0, 0, 0.5, 0.5], [0, 0, 0, 1]])


class GlRenderer:
    """Holds an OpenGL context: use it in the thread that made it, and `close` it.

    `device` says what decides the bytes of a picture: the driver and its version.
    """

    name = "gl"

    def __init__(self) -> None:
        self._context = Context()
        gl = self._gl = self._context.gl
        self.device = f"{gl.info['GL_RENDERER']}, {gl.info['GL_VERSION']}"
        self._programs = Programs(gl)
        self._bodies = Bodies(gl, self._programs)
        self._textures = TexturePool(self._context)
        self._targets = Targets(gl)
        self._shadow_maps = ShadowMaps(gl)
        self._lamps = gl.buffer(reserve=LAMPS.itemsize)
        self._window = gl.buffer(reserve=WINDOW.itemsize)
        self._lamps.bind_to_uniform_block(BLOCKS["Lamps"])
        self._window.bind_to_uniform_block(BLOCKS["Window"])

    def render(self, scene: Scene, shots: Sequence[Shot]) -> list[Frame]:
        """One frame per shot; see `sim.renderers.Renderer`. Raises ValueError for a scene that is too large."""
        with self._gl:
            self._place(scene)
            return [self._draw(shot) for shot in shots]

    def close(self) -> None:
        """Give the context back. May be called twice."""
        self._gl.release()

    def _place(self, scene: Scene) -> None:
        """Everything that the shots of a scene share: bodies, materials, lights and their shadow maps."""
        shown = bodies(scene)
        if len(shown) > BODIES or len(scene.lights) > LIGHTS:
            raise ValueError(
                f"a scene of {len(shown)} bodies and {len(scene.lights)} lights is too much for the renderer gl: "
                f"give it at most {BODIES} and {LIGHTS}."
            )
        layers = self._textures.layers([*(body.material.texture for body in shown), scene.environment.backdrop])
        centres, radii = self._bodies.place(shown, layers[:-1])
        self._light(scene, layers[-1], centres, radii)

    def _light(self, scene: Scene, backdrop: int, centres: np.ndarray, radii: np.ndarray) -> None:
        """Write the lights, those with a shadow first, and draw their shadow maps side by side."""
        gl = self._gl
        shadowed = [light for light in scene.lights if light.shadow and len(centres)]
        plain = [light for light in scene.lights if not (light.shadow and len(centres))]
        self._visibility = self._programs.visibility(len(shadowed)) if shadowed else None
        self._width_of_shares = int(len(shadowed) > WORD_LIGHTS)
        self._shade = self._programs.shade(len(shadowed), len(plain))
        data = lamp_block([*shadowed, *plain], scene.environment, backdrop)
        if shadowed:
            target, maps = self._shadow_maps.of(len(shadowed))
            target.use()
            self._context.glClearBufferfv(DEPTH, 0, FARTHEST.ctypes.data)
            self._context.glClearBufferfv(COLOR, 0, NO_BODY.ctypes.data)
            gl.front_face = "ccw"
            maps.use(UNITS["shadows"])
        for number, (light, lamp) in enumerate(zip(shadowed, data["lights"], strict=False)):
            view, (texel, near, far) = shadow_view(light, centres, radii)
            lamp["map_from_base"] = (HALVED @ view).T  # columns, as GLSL takes them
            lamp["map"] = texel, 0, near, far
            gl.viewport = (number * MAP_SIZE, 0, MAP_SIZE, MAP_SIZE)
            write(self._programs.shadow, "clip_from_base", view)
            lamp_scale = (0.0, 1.0, 0.0) if light.kind != "directional" else (far - near, 0.0, near)
            self._programs.shadow["scale"] = lamp_scale
            self._bodies.draw_shadows()
        self._lamps.write(data)

    def _draw(self, shot: Shot) -> Frame:
        gl = self._gl
        width, height = shot.width, shot.height
        target = self._targets.of(width, height)
        write(self._programs.surface, "clip_from_base", clip_from_base(shot))
        self._window.write(window_block(shot))

        target.surface.use()
        gl.viewport = (0, 0, 2 * width + 1, 2 * height + 1)
        self._context.glClearBufferuiv(COLOR, 0, NOTHING.ctypes.data)
        self._context.glClearBufferfv(DEPTH, 0, FARTHEST.ctypes.data)
        gl.front_face = "cw"  # the picture is drawn upside down
        self._bodies.draw()

        gl.enable_only(gl.NOTHING)
        target.surfaces.use(UNITS["surfaces"])
        target.places.use(UNITS["places"])
        target.depths.use(UNITS["depths"])
        target.radiances.use(UNITS["radiances"])
        self._textures.array.use(UNITS["textures"])
        if self._visibility is not None:
            target.visibility[self._width_of_shares].use()
            gl.viewport = (0, 0, width // 2 + 1, height // 2 + 1)
            self._visibility.render(vertices=3)
        target.visibilities[self._width_of_shares].use(UNITS["visibilities"])
        target.shade.use()
        gl.viewport = (0, 0, width, height)
        self._shade.render(vertices=3)
        target.words.use()
        gl.viewport = (0, 0, width, height)
        self._programs.resolve.render(vertices=3)

        pixels = np.empty((height, width, 8), np.uint8)
        target.words.read_into(pixels, viewport=(0, 0, width, height), components=2, dtype="u4")
        return Frame(pixels[..., :3], pixels.view(np.float32)[..., 1], pixels[..., 3])
