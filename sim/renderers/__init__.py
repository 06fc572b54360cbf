"""Renderers behind one contract: a scene and shots in, frames out."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from perception.camera import Camera
from sim.scene import Scene


@dataclass(frozen=True)
class Shot:
    """What to photograph: the part u0..u1, v0..v1 (px) of a camera's image, drawn at width x height pixels.

    `oversampling` is how many samples a pixel averages along each axis, for renderers that do not smooth edges.
    """

    camera: Camera
    u0: float
    v0: float
    u1: float
    v1: float
    width: int
    height: int
    oversampling: float = 2.0

    @classmethod
    def whole(
        cls, camera: Camera, width: int | None = None, height: int | None = None, oversampling: float = 2.0
    ) -> "Shot":
        """The camera's whole image, at its own size unless another is given."""
        size = (width or camera.width, height or camera.height)
        return cls(camera, 0.0, 0.0, float(camera.width), float(camera.height), *size, oversampling)

    def from_image(self, points_px: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of this shot for pixels (..., 2) of the camera's image."""
        scale = (self.width / (self.u1 - self.u0), self.height / (self.v1 - self.v0))
        return (np.asarray(points_px) - (self.u0, self.v0)) * scale


@dataclass(frozen=True)
class Frame:
    """One shot through the pinhole: rgb (H, W, 3) uint8 sRGB; depth (H, W) float32 metres along the optical axis, inf
    for nothing; segmentation (H, W) uint8 labels of `sim.scene`. Depth and label are those at the pixels' centres."""

    rgb: np.ndarray
    depth: np.ndarray
    segmentation: np.ndarray


class Renderer(Protocol):
    """Draws scenes through their pinholes; lens and sensor are `sim.optics`'s.

    Equal arguments give equal bytes on one machine, whatever was drawn before. Pixel centres lie at integer + 0.5.
    `name` is the one that it is registered under, `device` what else decides the bytes: a driver and its version.
    """

    name: str
    device: str

    def render(self, scene: Scene, shots: Sequence[Shot]) -> list[Frame]:
        """One frame per shot."""
        ...

    def close(self) -> None:
        """Give back what the renderer holds."""
        ...


def _tiny() -> Renderer:
    from sim.renderers.tiny import TinyRenderer

    return TinyRenderer()


def _gl() -> Renderer:
    from sim.renderers.gl.renderer import GlRenderer

    return GlRenderer()


def _cycles() -> Renderer:
    from sim.renderers.cycles import CyclesRenderer

    return CyclesRenderer()


RENDERERS: dict[str, Callable[[], Renderer]] = {"tiny": _tiny, "gl": _gl, "cycles": _cycles}


def open_renderer(name: str, instead: bool = True) -> Renderer:
    """The renderer registered under `name`; raises ValueError that lists the names for another one.

    instead: where OpenGL does not work, `tiny` draws in place of `gl` and a warning says so; else ValueError does.
    """
    if name not in RENDERERS:
        raise ValueError(f"there is no renderer {name!r}; choose one of: {', '.join(RENDERERS)}.")
    if name == "gl" and (reason := _no_opengl()):
        broken = f"OpenGL does not work here ({reason})"
        if not instead:
            raise ValueError(f"{broken}: install its driver (libegl1, libgl1-mesa-dri), or choose the renderer 'tiny'.")
        warnings.warn(f"{broken}, so 'tiny' draws in place of 'gl'.", stacklevel=2)
        name = "tiny"
    return RENDERERS[name]()


def _no_opengl() -> str | None:
    from sim.renderers.gl.probe import failure

    return failure()
