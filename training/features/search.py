"""Models of a folder ranked for a picture by the features of their views, with the pose of the best view."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from perception.errors import BlockworldError
from sim.random_streams import stream
from sim.renderers import Renderer
from sim.shapes.controlled import Look, cut_out, on_background, picture
from training.features.adaptation import Adaptation
from training.features.exemplars import Exemplars
from training.features.networks import Network
from training.features.pairs import WHITE, Textures, grey

ENDINGS = (".obj", ".ply", ".stl", ".off", ".glb")
AZIMUTHS = 24
ELEVATIONS_RAD = (0.1, 0.4, 0.75)
FILL = 0.95
NEGATIVES = 256
BATCH = 16


@dataclass(frozen=True)
class Ranked:
    """A model, its score and the view of it that is most like the picture. Angles in rad."""

    mesh: str
    score: float
    look: Look


def meshes_in(folder: Path) -> list[str]:
    """Names of the meshes of a folder for `sim.meshes`. Raises BlockworldError where there are none."""
    found = sorted(one for one in folder.rglob("*") if one.suffix.lower() in ENDINGS)
    if not found:
        raise BlockworldError(f"there is no model in {folder}: name a folder of {', '.join(ENDINGS)} files.")
    return [f"file/{one}" for one in found]


def looks() -> list[Look]:
    """The views of each model, in grey."""
    return [
        Look(azimuth_rad=float(azimuth), elevation_rad=elevation, fill=FILL)
        for elevation in ELEVATIONS_RAD
        for azimuth in 2 * np.pi * np.arange(AZIMUTHS) / AZIMUTHS
    ]


def on_white(renderer: Renderer, mesh: str, look: Look, size_px: int) -> np.ndarray:
    """(size_px, size_px, 3) uint8: a view on white, the thing from edge to edge as in a tight box."""
    drawn = picture(renderer, mesh, look, size_px)
    return squared(_box_of(drawn, np.asarray((drawn < 250).any(axis=2)), mesh), size_px, WHITE)


def cropped(renderer: Renderer, mesh: str, look: Look, size_px: int) -> np.ndarray:
    """(size_px, size_px, 4) uint8: the same as `cut_out` gives it."""
    drawn = cut_out(renderer, mesh, look, size_px)
    return squared(_box_of(drawn, drawn[..., 3] > 127, mesh), size_px, (0, 0, 0, 0))


def _box_of(drawn: np.ndarray, there: np.ndarray, mesh: str) -> np.ndarray:
    rows, columns = np.nonzero(there)
    if not len(rows):
        raise BlockworldError(f"nothing is seen of {mesh.removeprefix('file/')}: give a mesh with triangles.")
    return drawn[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def squared(image: np.ndarray, size_px: int, border: Sequence[int] | None = None) -> np.ndarray:
    """(size_px, size_px, C) of a picture of any proportions, continued to a square by a colour, or by its edges."""
    height, width = image.shape[:2]
    side = max(height, width)
    down, across = side - height, side - width
    kind = cv2.BORDER_REPLICATE if border is None else cv2.BORDER_CONSTANT
    full = cv2.copyMakeBorder(
        image, down // 2, down - down // 2, across // 2, across - across // 2, kind, value=border or (0, 0, 0, 0)
    )
    method = cv2.INTER_AREA if side > size_px else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(full, (size_px, size_px), interpolation=method))


class ModelSearch:
    """Views of models, as exemplars with calibrated scores."""

    def __init__(
        self, network: Network, layer: str, renderer: Renderer, meshes: Sequence[str], size_px: int,
        adaptation: Adaptation | None = None, progress: Callable[[int], object] = lambda count: None,
    ) -> None:  # fmt: skip
        """Render the models. Raises ValueError for a mesh that cannot be read."""
        self._network, self._layer, self._size_px, self._adaptation = network, layer, size_px, adaptation
        self._meshes, self._looks = meshes, looks()
        features = []
        for mesh in meshes:
            views = np.stack([on_white(renderer, mesh, one, size_px) for one in self._looks])
            features += [self._features(views[i : i + BATCH], adapted=False) for i in range(0, len(views), BATCH)]
            progress(1)
        behind, rng = Textures(), stream(0, 0, "windows without a thing")
        windows = [np.stack([behind.behind(rng, size_px) for _ in range(BATCH)]) for _ in range(NEGATIVES // BATCH)]
        negatives = np.concatenate([self._features(one) for one in windows])
        self._exemplars = Exemplars(np.concatenate(features)).calibrated(negatives)

    def ranked(self, image: np.ndarray) -> list[Ranked]:
        """The models, best first, for a picture (H, W, 3) uint8 RGB that shows one thing and little else."""
        scores = self._exemplars.scores(self._features(squared(image, self._size_px)[None]))[0]
        table = scores.reshape(len(self._meshes), len(self._looks))
        order = np.argsort(-table.max(axis=1), kind="stable")
        return [Ranked(self._meshes[i], float(table[i].max()), self._looks[int(table[i].argmax())]) for i in order]

    def _features(self, images: np.ndarray, adapted: bool = True) -> np.ndarray:
        found = self._network.features(grey(images), (self._layer,))[self._layer]
        if adapted and self._adaptation is not None:
            found = self._adaptation(found)
        return found.reshape(len(found), -1)


def overlay(renderer: Renderer, image: np.ndarray, found: Ranked, size_px: int) -> np.ndarray:
    """(size_px, size_px, 3): the picture with the model, coloured, over it, where a thing that fills it would be."""
    look = replace(found.look, foreground=(0.95, 0.45, 0.1))
    thing = cropped(renderer, found.mesh, look, size_px).astype(np.float32)
    behind = squared(image, size_px).astype(np.float32)
    return np.rint(on_background(thing.astype(np.uint8), behind) * 0.6 + behind * 0.4).astype(np.uint8)
