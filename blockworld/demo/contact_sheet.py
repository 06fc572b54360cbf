"""One picture of a demo: episodes side by side, from the coarse estimate to the lifted block."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from blockworld.demo.episodes import Episode

KINDS = ("coarse", "fine", "final")
MOST_EPISODES = 4
TILE_PX = (320, 240)
GAP_PX = 8
PAPER = (255, 255, 255)


def write_contact_sheet(episodes: Sequence[Episode], pictures: Path, out: Path) -> bool:
    """Write a sheet with a column per episode and a row per kind of picture, each by one and the same camera.

    Shows the first MOST_EPISODES that have every kind of picture; False, and nothing written, without any.
    """
    columns: list[np.ndarray] = []
    for episode in episodes:
        cameras = set.intersection(*(set(episode.pictures.get(kind, {})) for kind in KINDS))
        if cameras and len(columns) < MOST_EPISODES:
            # Cameras alternate, so that the sheet shows more than one of them.
            camera = sorted(cameras)[len(columns) % len(cameras)]
            columns.append(_column([pictures / episode.pictures[kind][camera] for kind in KINDS]))
    if not columns:
        return False
    sheet = np.concatenate(columns, axis=1)[:, :-GAP_PX]
    return bool(cv2.imwrite(str(out), sheet))


def _column(files: Sequence[Path]) -> np.ndarray:
    """The pictures of files below one another, each with a gap to its right, and gaps between them."""
    width, height = TILE_PX
    column = np.full((len(files) * (height + GAP_PX) - GAP_PX, width + GAP_PX, 3), PAPER, np.uint8)
    for row, file in enumerate(files):
        picture = cv2.imread(str(file))
        if picture is None:
            continue
        tile = cv2.resize(picture, TILE_PX, interpolation=cv2.INTER_AREA)
        top = row * (height + GAP_PX)
        column[top : top + height, :width] = tile
    return column
