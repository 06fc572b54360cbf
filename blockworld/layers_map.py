"""A map of masks as one page without anything outside of it: similar masks are near each other, by t-SNE."""

import base64
import hashlib
import io
import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray
from PIL import Image

from blockworld.layers_found import on_paper
from perception.errors import BlockworldError
from perception.layers.descriptors import ANGLES, By, distances
from perception.layers.grid import Floats
from perception.layers.search import MaskIndex
from perception.layers.svg import hexadecimal

FEWEST = 3
"""Masks of a map."""
_PERPLEXITY, _COMPONENTS, _NEAR = 30.0, 50, 12
_MASK_PX, _PICTURE_PX = 40, 128
_LIGHT = 0.72
"""Of how light colours are, from which they are shown on a dark ground."""
_LUMA = np.array([0.2126, 0.7152, 0.0722])


def chosen(masks: MaskIndex, by: By, most: int) -> NDArray[np.int64]:
    """Which masks a map shows: all that can be compared, or so many of them, evenly spread. Raises BlockworldError for
    fewer than three."""
    able = np.arange(len(masks.entries)) if by == "parameters" else np.flatnonzero(masks.shapes.any(axis=(1, 2)))
    if len(able) < FEWEST:
        raise BlockworldError(f"a map takes at least {FEWEST} masks, but there are {len(able)}: index more pictures.")
    return able if len(able) <= most else able[np.linspace(0, len(able) - 1, most).round().astype(int)]


def places(features: Floats, seed: int = 0) -> Floats:
    """(N, 2) in [0, 1]^2 of vectors (N, D): t-SNE (van der Maaten and Hinton, 2008) of their principal components."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    count = min(_COMPONENTS, *features.shape)
    reduced = PCA(count, random_state=seed).fit_transform(features.astype(np.float32))
    perplexity = min(_PERPLEXITY, (len(features) - 1) / 3)
    found = TSNE(2, perplexity=perplexity, init="random", random_state=seed).fit_transform(reduced)
    low, high = found.min(axis=0), found.max(axis=0)
    return np.asarray((found - low) / np.maximum(high - low, 1e-9), np.float32)


def page(masks: MaskIndex, some: NDArray[np.int64], by: By, folder: Path, told: Callable[[str], None]) -> str:
    """The page of some masks. folder: that the index is of. told: called with what is done."""
    told(f"placing {len(some)} masks")
    shapes = masks.shapes[some].astype(np.float32)
    # Turning rolls a shape's samples, which leaves their spectrum's magnitudes as they are.
    features = {
        "parameters": lambda: masks.parameters[some],
        "shape": lambda: shapes.reshape(len(some), -1),
        "turned": lambda: np.abs(np.fft.rfft(shapes, axis=2)).reshape(len(some), -1) / np.sqrt(ANGLES),
    }[by]()
    at = places(np.asarray(features, np.float32))
    names = list(dict.fromkeys(masks.entries[k].picture for k in some))
    number = {name: k for k, name in enumerate(names)}
    colours = masks.colours[some]
    told(f"looking at {len(names)} pictures")
    first = {masks.entries[k].picture: k for k in reversed(some)}
    pictures = [_picture(folder / name, masks, int(first[name])) for name in names]
    data = {
        "at": np.round(at, 5).tolist(),
        "picture": [number[masks.entries[k].picture] for k in some],
        "layer": [masks.entries[k].layer + 1 for k in some],
        "colour": [hexadecimal(one) for one in colours],
        "light": (colours @ _LUMA > _LIGHT).tolist(),
        "near": _nearest(masks, some, by),
        "names": names,
        "masks": _sheet([_mask(masks.small[k], masks.colours[k]) for k in some], "PNG"),
        "pictures": _sheet(pictures, "JPEG"),
    }
    script = files("blockworld").joinpath("layers_map.js").read_text(encoding="utf-8")
    checksum = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    how = {"parameters": "parameters", "shape": "shape", "turned": "shape, in any orientation"}[by]
    environment = Environment(loader=PackageLoader("blockworld", "."), autoescape=True, undefined=StrictUndefined)
    return environment.get_template("layers_map.html.j2").render(
        folder=folder.name, told=f"{len(some)} masks of {len(names)} pictures, compared by {how}", checksum=checksum,
        script=script, data=json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
    )  # fmt: skip


def _nearest(masks: MaskIndex, some: NDArray[np.int64], by: By) -> list[list[tuple[int, float]]]:
    vectors = masks.parameters[some] if by == "parameters" else masks.shapes[some].astype(np.float32)
    found = []
    for k in range(len(some)):
        far = distances(vectors[k], vectors, by)
        far[k] = np.inf
        order = np.argsort(far, kind="stable")[: min(_NEAR, len(some) - 1)]
        found.append([(int(one), round(float(far[one]), 3)) for one in order])
    return found


def _mask(small: NDArray[np.uint8], colour: Floats) -> NDArray[np.uint8]:
    """(S, S, 4): a mask in its colour, in the middle of a square."""
    share = _MASK_PX / max(small.shape)
    height, width = (max(1, round(side * share)) for side in small.shape)
    found = np.zeros((_MASK_PX, _MASK_PX, 4), np.uint8)
    found[..., :3] = np.rint(255 * np.clip(colour, 0, 1))
    top, left = (_MASK_PX - height) // 2, (_MASK_PX - width) // 2
    found[top : top + height, left : left + width, 3] = cv2.resize(small, (width, height), interpolation=cv2.INTER_AREA)
    return found


def _picture(path: Path, masks: MaskIndex, first: int) -> NDArray[np.uint8]:
    """(S, S, 3): a picture on paper, in the middle of a square."""
    whole = on_paper(path, _PICTURE_PX, masks.colours[first], masks.small[first])
    rgb = np.rint(255 * np.clip(whole[..., :3] + 1 - whole[..., 3:], 0, 1)).astype(np.uint8)
    found = np.full((_PICTURE_PX, _PICTURE_PX, 3), (241, 238, 231), np.uint8)
    top, left = ((_PICTURE_PX - side) // 2 for side in rgb.shape[:2])
    found[top : top + rgb.shape[0], left : left + rgb.shape[1]] = rgb
    return found


def _sheet(cells: list[NDArray[np.uint8]], kind: str) -> dict[str, Any]:
    """Squares side by side, row by row, as one picture in a data URI."""
    side, columns = cells[0].shape[0], int(np.ceil(np.sqrt(len(cells))))
    rows = -(-len(cells) // columns)
    whole = np.zeros((rows * side, columns * side, cells[0].shape[2]), np.uint8)
    for number, one in enumerate(cells):
        row, column = divmod(number, columns)
        whole[row * side : (row + 1) * side, column * side : (column + 1) * side] = one
    file = io.BytesIO()
    Image.fromarray(whole).save(file, kind, **({"quality": 82} if kind == "JPEG" else {"optimize": True}))
    encoded = base64.b64encode(file.getvalue()).decode()
    return {"file": f"data:image/{kind.lower()};base64,{encoded}", "side": side, "columns": columns,
            "width": columns * side, "height": rows * side}  # fmt: skip
