"""What an image of a data set costs apart from drawing it: sampling its scene, lens and sensor, and writing it.

One process on one core; images of 224 x 224 by `gl`, preset `train`, unless a row says otherwise.
"""

import io
import os
import time
from collections.abc import Callable, Sequence
from statistics import mean, median
from typing import Any

import cv2
import numpy as np
from _report import arguments, check, finish
from PIL import Image

from sim.dataset import DatasetConfig
from sim.dataset.images import decode_rgb, encode_rgb
from sim.dataset.studio import Studio, shots_of
from sim.optics import photograph
from sim.randomization import PRESETS, preset, sample_scene
from sim.renderers import Frame, Renderer, Shot
from sim.scene import Scene

SEED = 61_007
SCENES, QUICK_SCENES = 60, 8
VIEWS = 3
REPEATS = 3


def opencv(*settings: int) -> Callable[[np.ndarray], bytes]:
    """OpenCV's PNG with these settings."""
    return lambda rgb: cv2.imencode(".png", rgb[..., ::-1], settings)[1].tobytes()


def webp(rgb: np.ndarray) -> bytes:
    """Pillow's lossless WebP, the fastest."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "WEBP", lossless=True, quality=0, method=0)
    return buffer.getvalue()


FASTEST = "PNG by OpenCV, its fastest"
RUN_LENGTHS = (cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)
UP = (cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP)
CODECS: dict[str, Callable[[np.ndarray], bytes]] = {
    "png": lambda rgb: encode_rgb(rgb, "png"),
    FASTEST: opencv(cv2.IMWRITE_PNG_COMPRESSION, 1, *RUN_LENGTHS, *UP),
    "PNG by OpenCV, its defaults": opencv(),
    "WebP by Pillow, lossless": webp,
    "jpeg": lambda rgb: encode_rgb(rgb, "jpeg"),
}


def milliseconds(work: Callable[[Any], Any], things: Sequence[Any], repeats: int = REPEATS) -> float:
    """Median over the things of the least processor time of `repeats`."""

    def once(thing: Any) -> float:
        begin = time.process_time()
        work(thing)
        return 1e3 * (time.process_time() - begin)

    return median(min(once(thing) for _ in range(repeats)) for thing in things)


def sampling(scenes: int) -> list[dict[str, Any]]:
    """A row per preset."""
    rows = []
    for name in PRESETS:
        config = preset(name)
        for index in range(scenes):  # so that meshes and textures are there
            sample_scene("coarse", SEED, index, VIEWS, config)
        each = milliseconds(lambda i, config=config: sample_scene("coarse", SEED, i, VIEWS, config), range(scenes))
        rows.append({"what": f"sampling, preset {name}, {VIEWS} views", "ms": each, "ms_per_image": each / VIEWS})
    return rows


class Drawn:
    """A renderer that has drawn already."""

    name = device = "drawn"

    def __init__(self, renderer: Renderer) -> None:
        self._renderer, self._frames = renderer, None

    def render(self, scene: Scene, shots: Sequence[Shot]) -> list[Frame]:
        """See `sim.renderers.Renderer`; draws the first time alone."""
        self._frames = self._frames or self._renderer.render(scene, shots)
        return self._frames

    def close(self) -> None:
        """The renderer stays open."""


def developing(studio: Studio, scenes: int) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The row of lens and sensor, and the images."""

    def photographs(scene: Scene, drawn: Drawn) -> list[Frame]:
        return photograph(drawn, scene, shots_of(scene, studio.config, studio.description), scene.views)

    chosen = [(studio.scene(index), Drawn(studio.renderer)) for index in range(scenes)]
    images = [frame.rgb for scene, drawn in chosen for frame in photographs(scene, drawn)]
    spent = milliseconds(lambda one: photographs(*one), chosen, repeats=1)  # again, it would know the lens
    return {"what": "lens and sensor", "ms_per_image": spent / VIEWS}, images


def codecs(images: Sequence[np.ndarray]) -> list[dict[str, Any]]:
    """A row per codec."""
    rows = []
    for name, encode in CODECS.items():
        files = [encode(image) for image in images]
        errors = [np.abs(decode_rgb(file).astype(int) - image).max() for file, image in zip(files, images, strict=True)]
        rows.append(
            {
                "what": name,
                "encode_ms": milliseconds(encode, images),
                "decode_ms": milliseconds(decode_rgb, files),
                "kB": mean(map(len, files)) / 1e3,
                "largest_error": int(max(errors)),
            }
        )
    return rows


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__ or "")
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    scenes = QUICK_SCENES if options.quick else SCENES
    studio = Studio(DatasetConfig(task="coarse", seed=SEED, scenes=scenes, views=VIEWS, width=224, height=224))
    developed, images = developing(studio, scenes)
    coded = codecs(images)
    encode = {row["what"]: row["encode_ms"] for row in coded}
    checks = [
        check("png against OpenCV's fastest (ratio of encoding times)", encode[FASTEST] / encode["png"], ">=", 3.0),
        check("largest error of png", coded[0]["largest_error"], "==", 0),
    ]
    finish([*sampling(scenes), developed, *coded], checks, options.quick)


if __name__ == "__main__":
    main()
