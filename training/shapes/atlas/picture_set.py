"""Sets of pictures and drawings of shapes on disk, in parts that survive an interruption."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from training.shapes.atlas.parts_on_disk import Rows, make_parts


class PictureSetConfig(BaseModel):
    """Views of the shapes of a set of surfaces, by their numbers there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folder: Path
    views: int = Field(default=1, gt=0)
    """Of each shape."""
    size_px: int = Field(default=128, ge=32)
    seed: int = 0
    part: int = Field(default=240, gt=0)
    """Pictures of one file."""


class PictureSet:
    """Of each of N views: picture (S, S, 3) and drawing (S, S), uint8. View i shows shape i % (number of shapes)."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @classmethod
    def built(cls, config: PictureSetConfig, meshes: list[str], progress: bool = True) -> Self:
        """The set of views of these meshes (names of `sim.meshes`), of which what is missing is made on all cores.

        Raises BlockworldError for a folder with pictures of another configuration.
        """
        described = f"{config.model_dump_json(exclude={'folder', 'views'})} {len(meshes)} {meshes[0]} {meshes[-1]}"
        views = [(meshes[i % len(meshes)], i) for i in range(config.views * len(meshes))]
        make_parts(config.folder, "pictures", described, views, config.part, partial(rendered, config), progress)
        return cls(Rows(config.folder, "pictures", len(views), config.part))

    def picture(self, index: int) -> np.ndarray:
        """(S, S, 3) uint8 RGB."""
        return self._rows[index][..., :3]

    def drawing(self, index: int) -> np.ndarray:
        """(S, S, 3) uint8, dark lines on light paper."""
        return np.repeat(self._rows[index][..., 3:], 3, axis=2)


def rendered(config: PictureSetConfig, views: Sequence[tuple[str, int]]) -> np.ndarray:
    """(N, S, S, 4) uint8: pictures, and drawings as the fourth channel."""
    from sim.optics import photograph
    from sim.random_streams import stream
    from sim.renderers import Shot, open_renderer
    from sim.shapes.drawing import drawn
    from sim.shapes.views import view_of

    size, renderer = config.size_px, open_renderer("gl")
    rows = np.empty((len(views), size, size, 4), np.uint8)
    for row, (mesh, index) in zip(rows, views, strict=True):
        scene = view_of(mesh, config.seed, index, 2 * size)
        view = scene.views[0]
        frame = photograph(renderer, scene, [Shot.whole(view.camera, oversampling=1.0)], [view])[0]
        row[..., :3] = cv2.resize(frame.rgb, (size, size), interpolation=cv2.INTER_AREA)
        row[..., 3] = drawn(frame.depth, view.camera, size, stream(config.seed, index, "drawing"))
    renderer.close()
    return rows
