"""From radiance to what a cheap camera writes: lens, exposure, noise, sharpening, compression.

It shares nothing with `sim.sensor`, from whose images networks learn.
"""

import io
from dataclasses import asdict, dataclass

import cv2
import numpy as np
from PIL import Image

from sim.renderers import Shot
from sim.scene import View

BYTES = 24_000  # at most, of one image
QUALITIES = (88, 80, 72, 64, 56, 48, 40, 30, 20, 10)
BALANCE = 0.45


@dataclass(frozen=True)
class Exposure:
    """stops: from a metered exposure. red, blue: gains left after white balance. shot, read: noise, as standard
    deviations of linear values at 1 and at 0. blur_px; sharpen: strength; falloff: light lost in the corners."""

    stops: float
    red: float
    blue: float
    shot: float
    read: float
    blur_px: float
    sharpen: float
    falloff: float


def sample_exposure(rng: np.random.Generator) -> Exposure:
    """One camera's way of taking pictures."""
    return Exposure(
        *(
            float(value)
            for value in (
                np.clip(rng.normal(0, 0.25), -0.5, 0.5),
                *np.exp(rng.normal(0, 0.04, 2)),
                rng.uniform(0.008, 0.03),
                rng.uniform(0.001, 0.004),
                rng.uniform(0.3, 0.75),
                rng.uniform(0, 0.7),
                rng.uniform(0.05, 0.3),
            )
        )
    )


def pinhole_points(view: View, image_px: np.ndarray) -> np.ndarray:
    """Pixels (..., 2) of the pinhole that the lens brings to pixels (..., 2) of the image: `image_points` inverted."""
    half = np.array((view.camera.width, view.camera.height)) / 2
    bent = (image_px - half - view.lens.shift_px) / view.camera.focal_px
    straight = bent
    for _ in range(12):
        r2 = (straight**2).sum(axis=-1, keepdims=True)
        straight = bent / (1 + view.lens.k1 * r2 + view.lens.k2 * r2**2)
    return straight * view.camera.focal_px + half


def image_points(view: View, pinhole_px: np.ndarray) -> np.ndarray:
    """Pixels (..., 2) of the image for pixels (..., 2) of the pinhole: Brown's radial distortion, then the shift."""
    half = np.array((view.camera.width, view.camera.height)) / 2
    straight = (pinhole_px - half) / view.camera.focal_px
    r2 = (straight**2).sum(axis=-1, keepdims=True)
    return (
        straight * (1 + view.lens.k1 * r2 + view.lens.k2 * r2**2) * view.camera.focal_px
        + half
        + view.lens.shift_px
    )


def window(view: View) -> Shot:
    """The part of the pinhole's picture that the image needs, at the pinhole's own resolution."""
    width, height = view.camera.width, view.camera.height
    u, v = np.linspace(0, width, 33), np.linspace(0, height, 33)
    border = np.concatenate(
        [np.stack(np.broadcast_arrays(a, b), -1) for a, b in ((u, 0), (u, height), (0, v), (width, v))]
    ).reshape(-1, 2)
    needed = pinhole_points(view, border)
    u0, v0 = np.floor(needed.min(axis=0)) - 2
    u1, v1 = np.ceil(needed.max(axis=0)) + 2
    return Shot(view.camera, float(u0), float(v0), float(u1), float(v1), int(u1 - u0), int(v1 - v0))


def bend(view: View, shot: Shot, picture: np.ndarray, nearest: bool = False) -> np.ndarray:
    """The window's picture as the lens shows it, at the image's size."""
    v, u = np.mgrid[: view.camera.height, : view.camera.width] + 0.5
    places = pinhole_points(view, np.stack([u, v], axis=-1))
    places = shot.from_image(places).astype(np.float32) - 0.5
    how = cv2.INTER_NEAREST if nearest else cv2.INTER_CUBIC
    return cv2.remap(picture, places[..., 0], places[..., 1], how, borderMode=cv2.BORDER_REPLICATE)


def develop(radiance: np.ndarray, exposure: Exposure, rng: np.random.Generator) -> np.ndarray:
    """(H, W, 3) uint8 sRGB of linear radiance (H, W, 3)."""
    light = np.maximum(cv2.GaussianBlur(radiance, (0, 0), exposure.blur_px), 0)
    height, width = light.shape[:2]
    y, x = np.mgrid[:height, :width]
    away = np.hypot(x - width / 2, y - height / 2) / np.hypot(width / 2, height / 2)
    light = light * (1 - exposure.falloff * away**2)[..., None]
    grey = light @ (0.2126, 0.7152, 0.0722)
    metered = 0.55 * np.exp(np.log(grey + 1e-4).mean()) + 0.45 * grey.mean()
    gain = min(0.20 / metered * 2**exposure.stops, 1.6 / np.percentile(grey, 98))
    mean = light.reshape(-1, 3).mean(axis=0)
    balance = (mean[1] / mean) ** BALANCE  # towards a grey mean, part of the way
    light = light * gain * balance * (exposure.red, 1.0, exposure.blue)
    noise = rng.normal(0, 1, light.shape) * np.sqrt(exposure.shot**2 * light + exposure.read**2)
    noise = 0.6 * noise + 0.4 * cv2.GaussianBlur(
        noise, (0, 0), 0.9
    )  # what the colour filter's interpolation leaves
    light = np.maximum(light + noise, 0)
    light = np.where(light < 0.6, light, 0.6 + 0.4 * (1 - np.exp(-(light - 0.6) / 0.4)))  # a soft shoulder
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-8) ** (1 / 2.4) - 0.055)
    soft = cv2.GaussianBlur(coded, (0, 0), 1.2)
    return (np.clip(coded + exposure.sharpen * (coded - soft), 0, 1) * 255 + 0.5).astype(np.uint8)


def compressed(image: np.ndarray) -> bytes:
    """The image as WebP, of the highest of QUALITIES that takes at most BYTES."""
    for quality in QUALITIES:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "WEBP", quality=quality, method=4)
        if len(buffer.getvalue()) <= BYTES:
            break
    return buffer.getvalue()


def as_record(exposure: Exposure) -> dict[str, float]:
    """For the ground truth."""
    return {name: round(value, 5) for name, value in asdict(exposure).items()}
