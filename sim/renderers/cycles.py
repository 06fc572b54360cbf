"""Path-traced pictures by Blender's Cycles, for test sets that no training image came from.

Surfaces are Blender's principled ones, shadows are as soft as the lamps are large, light bounces. Blender runs in a
process of its own (`sim.renderers.cycles_process`). The picture is rendered with few paths a pixel and denoised by
Open Image Denoise; depth and label come from a second, unfiltered pass through the pixels' centres.
"""

from collections.abc import Sequence

import numpy as np

from sim.meshes import load_mesh
from sim.renderers import Frame, Shot
from sim.renderers.cycles_studio import HalfSpheres, Item, Lamp, Quality, Set, Studio, Surface
from sim.scene import Body, Colour, Environment, Light, Material, Scene, Texture
from sim.stage import bodies
from sim.textures import pixels

TEXTURE_PX = 512

# What Blender needs so that a white surface, facing the lamp squarely (at 1 m from points and areas), sends back 1.
ENERGY = {"directional": np.pi, "point": 4 * np.pi**2, "area": np.pi**2}


class CyclesRenderer:
    """Draws scenes in a child process that has Blender. Not safe across threads.

    Raises `sim.renderers.cycles_process.BlenderError`, one sentence, where there is no Blender or where it died.
    """

    name = "cycles"

    def __init__(self, quality: Quality | None = None, threads: int = 0) -> None:
        self._studio = Studio(threads)
        self._quality = quality or Quality()
        self.device = f"Blender {self._studio.version} Cycles on {self._studio.device}, {self._quality}"

    def render(self, scene: Scene, shots: Sequence[Shot]) -> list[Frame]:
        """One frame per shot; see `sim.renderers.Renderer`."""
        items = [self._item(body) for body in bodies(scene)]
        stage = Set(items, [lamp(light) for light in scene.lights], self._world(scene.environment))
        return self._studio.draw(stage, shots, self._quality)

    def close(self) -> None:
        """End Blender. May be called twice."""
        self._studio.close()

    def _item(self, body: Body) -> Item:
        self._studio.need_mesh(body.mesh, load_mesh(body.mesh))
        pose = body.pose @ np.diag([*body.scale, 1.0])
        return Item(body.mesh, pose, self._surface(body.material), body.label)

    def _surface(self, material: Material) -> Surface:
        return Surface(
            linear(material.rgb),
            self._picture(material.texture),
            material.repeats,
            material.roughness,
            material.metallic,
            material.specular,
        )

    def _picture(self, texture: Texture | None) -> str | None:
        if texture is None:
            return None
        name = f"{texture.family}/{texture.seed}/{texture.path or ''}"
        self._studio.need_picture(name, pixels(texture, TEXTURE_PX))
        return name

    def _world(self, environment: Environment) -> HalfSpheres:
        return HalfSpheres(
            environment.ambient,
            linear(environment.sky),
            linear(environment.ground),
            self._picture(environment.backdrop),
        )


def linear(rgb: Colour) -> Colour:
    """Linear values of an sRGB colour in [0, 1] (IEC 61966-2-1)."""
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in map(float, rgb))
    return red, green, blue


def lamp(light: Light) -> Lamp:
    """Blender's lamp that sends as much light to the scene."""
    vector = tuple(float(value) for value in light.vector)
    energy = float(light.intensity * ENERGY[light.kind])
    return Lamp(light.kind, vector, linear(light.rgb), energy, float(light.radius), light.shadow)  # type: ignore[arg-type]
