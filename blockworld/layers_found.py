"""Masks that were found, as a table, as JSON, and as a picture."""

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.errors import ImageError
from perception.layers.kept import KeptLayers
from perception.layers.picture import premultiplied, read_rgba, scaled
from perception.layers.search import Hit, MaskIndex
from perception.layers.svg import hexadecimal
from training.art.panels import Panel, as_png, side_by_side
from training.art.pictures import Picture

SHOWN = 12
"""Masks on the picture of them."""
_SIDE_PX = 460
_PAPER, _FAINT = 250, 0.16


def found_table(hits: Sequence[Hit], masks: MaskIndex) -> str:
    """CSV with a line for each."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["rank", "distance", "picture", "layer", "colour"])
    writer.writerows(_row(rank, one, masks) for rank, one in enumerate(hits, 1))
    return out.getvalue()


def found_json(picture: str, layer: int, by: str, hits: Sequence[Hit], masks: MaskIndex) -> str:
    """The same, and what was looked for."""
    names = ("rank", "distance", "picture", "layer", "colour")
    found = [dict(zip(names, _row(rank, one, masks), strict=True)) for rank, one in enumerate(hits, 1)]
    asked = {"picture": picture, "layer": layer, "by": by}
    return json.dumps({"asked": asked, "found": found}, indent=1, ensure_ascii=False) + "\n"


def found_picture(
    source: Path, query: KeptLayers, layer: int, hits: Sequence[Hit], masks: MaskIndex, folder: Path
) -> bytes:
    """A PNG file: pictures, of which what is outside of the mask is faint. folder: that the index is of."""
    asked = _panel(source, query.small[layer], query.made.layers[layer].colour, f"layer {layer + 1}, looked for")
    found = [
        _panel(
            folder / one.entry.picture, masks.small[one.number], masks.colours[one.number],
            f"{rank}: {one.distance:.3f}, layer {one.entry.layer + 1}",
        )
        for rank, one in enumerate(hits[:SHOWN], 1)
    ]  # fmt: skip
    return as_png(side_by_side(asked, found))


def faded(picture: NDArray[np.float32], mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) of a picture (H, W, 4), colours multiplied with how opaque, on paper: faint outside of a mask."""
    height, width = picture.shape[:2]
    share = cv2.resize(mask, (width, height), interpolation=cv2.INTER_CUBIC).astype(np.float32)[..., None] / 255
    rgb = 255 * picture[..., :3] + _PAPER * (1 - picture[..., 3:])
    return np.rint(_PAPER + (rgb - _PAPER) * (_FAINT + (1 - _FAINT) * share)).clip(0, 255).astype(np.uint8)


def on_paper(path: Path, longest: int, colour: NDArray[np.float32], mask: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(H, W, 4), colours multiplied with how opaque, of a picture's file; of one that is gone, its mask's colour."""
    try:
        whole = premultiplied(read_rgba(path))
    except ImageError:
        whole = np.broadcast_to(np.array([*colour, 1], np.float32), (*mask.shape, 4)).copy()
    share = longest / max(whole.shape[:2])
    height, width = (max(1, round(side * share)) for side in whole.shape[:2])
    return scaled(whole, width, height)


def _panel(path: Path, mask: NDArray[np.uint8], colour: NDArray[np.float32], words: str) -> Panel:
    rgb = faded(on_paper(path, _SIDE_PX, colour, mask), mask)
    height, width = rgb.shape[:2]
    return Panel(Picture((width, height), rgb), (0, 0, width, height), (path.name, words))


def _row(rank: int, one: Hit, masks: MaskIndex) -> tuple[int, float, str, int, str]:
    colour = hexadecimal(masks.colours[one.number])
    return rank, round(one.distance, 5), one.entry.picture, one.entry.layer + 1, colour
