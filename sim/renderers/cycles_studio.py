"""What Blender is asked to draw, in numbers: bodies with surfaces, lamps, surroundings, shots.

`Studio` keeps the process that has Blender and knows which meshes and pictures it holds, so that each travels once.
The renderer `cycles` and the photoreal test sets both draw through it.
"""

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from sim.meshes import Mesh
from sim.renderers import Frame, Shot
from sim.renderers.cycles_process import BlenderProcess

MOST_MESHES, MOST_PICTURES = 256, 96
Y_UP = np.diag([1.0, -1.0, -1.0, 1.0])  # Blender's cameras look along -z with y up

Linear = tuple[float, float, float]


@dataclass(frozen=True)
class Quality:
    """samples: paths per pixel at most; noise: adaptive sampling stops below it (0 never does); bounces of light;
    denoise: by Open Image Denoise; seed of the sampler; linear: pictures are radiance in float32, unclipped, instead of
    8-bit sRGB; persistent: Blender keeps what it made of the meshes, which is faster for many pictures of one set, but
    then a picture may differ by a grey level with what was drawn before it."""

    samples: int = 16
    noise: float = 0.0
    bounces: int = 4
    denoise: bool = True
    seed: int = 0
    linear: bool = False
    persistent: bool = False


@dataclass(frozen=True)
class Surface:
    """Blender's principled surface. Colours are linear; pictures are named as in `Studio.need_picture`.

    image multiplies rgb, and so does the mesh's own colour where `tint` is set; `gloss` replaces the roughness;
    `relief` is a picture of heights, `relief_m` metres high. Pictures repeat `repeats` times across a unit of UV, or,
    where `box` is set, across a metre of the mesh's own coordinates, projected from three sides.
    """

    rgb: Linear = (0.8, 0.8, 0.8)
    image: str | None = None
    repeats: float = 1.0
    roughness: float = 0.6
    metallic: float = 0.0
    specular: float = 0.5
    coat: float = 0.0
    tint: bool = False
    gloss: str | None = None
    relief: str | None = None
    relief_m: float = 0.0
    box: bool = False


@dataclass(frozen=True, eq=False)
class Item:
    """A mesh named as in `Studio.need_mesh`; pose (4, 4) maps it, scaled, to the base frame; label 0 to 255."""

    mesh: str
    pose: np.ndarray
    surface: Surface
    label: int


@dataclass(frozen=True)
class Lamp:
    """kind, vector, radius and shadow as of `sim.scene.Light`; rgb linear; energy in Blender's unit, W or W/m²."""

    kind: str
    vector: tuple[float, float, float]
    rgb: Linear
    energy: float
    radius: float = 0.0
    shadow: bool = True


@dataclass(frozen=True)
class Panorama:
    """Surroundings by an equirectangular picture of linear radiance, seen and shining, times strength."""

    image: str
    strength: float = 1.0
    kind: str = "panorama"


@dataclass(frozen=True)
class HalfSpheres:
    """Surroundings that shine `ambient` times `sky` from above and `ground` from below, linear; the camera sees
    `backdrop`, a picture, tinted by `sky`."""

    ambient: float
    sky: Linear
    ground: Linear
    backdrop: str | None = None
    kind: str = "halves"


@dataclass(frozen=True)
class Set:
    """All that stands and shines."""

    items: Sequence[Item]
    lamps: Sequence[Lamp]
    world: Panorama | HalfSpheres


@dataclass
class _Held:
    """Which things of one kind the child holds, and which of them it will be sent."""

    most: int
    known: OrderedDict[str, None] = field(default_factory=OrderedDict)
    new: dict[str, Any] = field(default_factory=dict)

    def touch(self, key: str) -> bool:
        """Whether the child lacks it; then it is to be put into `new`."""
        lacking = key not in self.known
        self.known[key] = None
        self.known.move_to_end(key)
        return lacking

    def surplus(self, needed: set[str]) -> list[str]:
        """Keys to drop, oldest first, none of those needed now."""
        gone = [key for key in self.known if key not in needed][: max(0, len(self.known) - self.most)]
        for key in gone:
            del self.known[key]
        return gone


class Studio:
    """Draws sets. Not safe across threads. threads: of Blender, 0 for as many as there are cores."""

    def __init__(self, threads: int = 0) -> None:
        self._blender = BlenderProcess(threads)
        self.version, self.device = self._blender.version, self._blender.device
        self._meshes, self._pictures = _Held(MOST_MESHES), _Held(MOST_PICTURES)
        self._forgotten: list[str] = []

    def close(self) -> None:
        """End Blender. May be called twice."""
        self._blender.close()

    def need_mesh(self, name: str, mesh: Mesh, tint: np.ndarray | None = None) -> None:
        """Make a mesh known under a name that it alone has; tint (N, 3) is a linear colour per vertex."""
        if self._meshes.touch(name):
            self._meshes.new[name] = (mesh, tint)

    def need_picture(self, name: str, pixels: np.ndarray) -> None:
        """Make a picture (H, W[, 3]) known under a name that it alone has: uint8 sRGB, or float32 linear values."""
        if self._pictures.touch(name):
            self._pictures.new[name] = pixels

    def forget(self) -> None:
        """Give up all meshes and pictures: those of the next set are to be made known anew."""
        for held in (self._meshes, self._pictures):
            self._forgotten += [key for key in held.known if key not in held.new]
            held.known.clear()
            held.new.clear()

    def draw(
        self,
        stage: Set,
        shots: Sequence[Shot],
        quality: Quality,
        colour: bool = True,
        geometry: bool = True,
    ) -> list[Frame]:
        """One frame per shot; where `colour` or `geometry` is off, that part of a frame is empty (0, 0)."""
        surfaces = {_name(item.surface): asdict(item.surface) for item in stage.items}
        header: dict[str, Any] = {
            "drop": self._forgotten
            + self._meshes.surplus({item.mesh for item in stage.items} | set(self._meshes.new))
            + self._pictures.surplus(_pictures(stage) | set(self._pictures.new)),
            "meshes": {key: f"mesh/{number}" for number, key in enumerate(self._meshes.new)},
            "images": {key: f"image/{number}" for number, key in enumerate(self._pictures.new)},
            "items": [
                {"mesh": item.mesh, "surface": _name(item.surface), "label": item.label}
                for item in stage.items
            ],
            "surfaces": surfaces,
            "lights": [asdict(lamp) for lamp in stage.lamps],
            "world": asdict(stage.world),
            "shots": [{**_window(shot), "colour": colour, "geometry": geometry} for shot in shots],
            "quality": asdict(quality),
        }
        arrays = {
            "poses": np.array([item.pose for item in stage.items]).reshape(-1, 4, 4),
            "cameras": np.array([np.linalg.inv(shot.camera.T_camera_base) @ Y_UP for shot in shots]),
        }
        for key, (mesh, tint) in self._meshes.new.items():
            name = header["meshes"][key]
            arrays |= {
                f"{name}/{part}": getattr(mesh, part) for part in ("vertices", "normals", "uv", "faces")
            }
            if tint is not None:
                arrays[f"{name}/tint"] = tint
        arrays |= {header["images"][key]: picture for key, picture in self._pictures.new.items()}
        found = self._blender.ask(header, arrays)
        self._meshes.new.clear()
        self._pictures.new.clear()
        self._forgotten.clear()
        return [
            Frame(
                found.get(f"rgb/{number}", np.empty((0, 0, 3), np.uint8)),
                found.get(f"depth/{number}", np.empty((0, 0), np.float32)),
                found.get(f"label/{number}", np.empty((0, 0), np.uint8)),
            )
            for number in range(len(shots))
        ]


def _name(surface: Surface) -> str:
    return json.dumps(asdict(surface))


def _pictures(stage: Set) -> set[str]:
    used = {
        name for item in stage.items for name in (item.surface.image, item.surface.gloss, item.surface.relief)
    }
    used.add(stage.world.image if isinstance(stage.world, Panorama) else stage.world.backdrop)
    return {name for name in used if name}


def _window(shot: Shot) -> dict[str, Any]:
    """The window as lens and shift of a sensor of unit width."""
    camera = shot.camera
    wide, high = shot.u1 - shot.u0, shot.v1 - shot.v0
    return {
        "width": shot.width,
        "height": shot.height,
        "focal": camera.focal_px / wide,
        "pixel_aspect": (high / shot.height) / (wide / shot.width),
        "shift": (
            ((shot.u0 + shot.u1) / 2 - camera.width / 2) / wide,
            (camera.height / 2 - (shot.v0 + shot.v1) / 2) / wide,
        ),
    }
