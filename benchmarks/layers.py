"""Layers of pictures: how close to the picture, in how many parts, how fast; beside vtracer, SLIC's and plain k-means.

Held-out emoji of 128 px, which no network was trained on, and photographs scaled to that. PSNR is the mean of the
pictures' own, of RGB and how opaque, colours multiplied with that. `svg` rows are what is written, one path for each
layer, as pixels; the others are masks as they are. vtracer has the best of 90 settings that give at most as many paths
as there are layers. Rows of the editor are medians of 30 recolours, from the event of the colour's field until the
frame that shows it is done, in a browser without a screen. Then search by mask (`_layers_search`), beside masks as
pixels and Hu's moments. The data are read where --emoji and --photographs say.
"""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from _layers_editor import recolouring
from _layers_peers import clustered, components, rasterised, vtraced
from _layers_search import search_rows
from _report import arguments, check, finish
from _timing import timed

from perception.layers.decompose import EFFORTS, decompose
from perception.layers.network import LayersNetwork
from perception.layers.picture import Rgba, premultiplied, read_rgba, scaled, unmultiplied
from perception.layers.rendering import masks_at, render
from perception.layers.svg import svg
from training.layers.config import PicturesConfig
from training.layers.sources import PictureSet

SIDE_PX = 128
DATA = Path(__file__).parents[2] / "shared" / "data"
COUNTS, QUICK_COUNTS = (5, 10, 20), (10,)


def emoji(source: Path, count: int) -> list[Rgba]:
    """Held-out ones."""
    held_out = PictureSet.opened(PicturesConfig(source=source, size_px=SIDE_PX), True)
    return [unmultiplied(held_out[i].astype(np.float32) / 255) for i in range(min(count, len(held_out)))]


def photographs(folder: Path, count: int) -> list[Rgba]:
    """Evenly spread over a folder, the middle square of each."""
    paths = sorted(folder.glob("*.jpg"))
    chosen = paths[:: max(1, len(paths) // count)][:count]
    found = []
    for path in chosen:
        picture = premultiplied(read_rgba(path))
        side = min(picture.shape[:2])
        top, left = ((length - side) // 2 for length in picture.shape[:2])
        found.append(unmultiplied(scaled(picture[top : top + side, left : left + side], SIDE_PX, SIDE_PX)))
    return found


def figures(found: np.ndarray, picture: Rgba) -> dict[str, float]:
    """Of one picture."""
    target = premultiplied(picture)
    error = found - target
    psnr = -10 * float(np.log10((error**2).mean() + 1e-10))
    return {"PSNR dB": psnr, "l1": float(np.abs(error).mean()), "SSIM": ssim(found, target)}


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity (Wang et al., 2004) of pictures in [0, 1], mean over pixels and channels."""
    mean_a, mean_b = (cv2.GaussianBlur(one, (11, 11), 1.5) for one in (a, b))
    square_a, square_b = (cv2.GaussianBlur(one * one, (11, 11), 1.5) for one in (a, b))
    product = cv2.GaussianBlur(a * b, (11, 11), 1.5) - mean_a * mean_b
    variances = square_a - mean_a**2 + square_b - mean_b**2
    share = (2 * mean_a * mean_b + 1e-4) * (2 * product + 9e-4)
    return float((share / ((mean_a**2 + mean_b**2 + 1e-4) * (variances + 9e-4))).mean())


def ours(network: LayersNetwork, pictures: list[Rgba], count: int, effort: str) -> tuple[list[dict], list[dict]]:
    """Figures of each picture: of masks as they are, and of the SVG."""
    soft, written = [], []
    for picture in pictures:
        seconds = timed(lambda shown=picture: decompose(network, shown, count, EFFORTS[effort]), 1) if (
            effort == "fast") else float("nan")  # fmt: skip
        made = decompose(network, picture, count, EFFORTS[effort])
        parts = [components(mask > 0.5) for mask in masks_at(network, made, SIDE_PX, SIDE_PX)]
        text = svg(network, made)
        own = {"components": float(np.mean(parts)), "s": seconds}
        soft.append(figures(render(network, made, SIDE_PX, SIDE_PX), picture) | own)
        straight = {"of polygons": float(len(svg(network, made, polygons=True)))}
        written.append(
            figures(rasterised(text, SIDE_PX, SIDE_PX), picture) | own | {"SVG bytes": float(len(text))} | straight
        )
    return soft, written


def averaged(label: str, of: str, count: int, rows: list[dict]) -> dict:
    """One row of the table."""
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    return {"method": label, "of": of, "layers": count} | {k: v for k, v in means.items() if v == v}


def table(network: LayersNetwork, of: str, pictures: list[Rgba], count: int, efforts: list[str]) -> list[dict]:
    """Rows of all methods."""
    rows = []
    for effort in efforts:
        soft, written = ours(network, pictures, count, effort)
        rows += [averaged(effort, of, count, soft), averaged(f"{effort}, svg", of, count, written)]
    traced, colours, places = [], [], []
    for picture in pictures:
        found, paths, size = vtraced(picture, count)
        traced.append(figures(found, picture) | {"paths": float(paths), "SVG bytes": float(size)})
        for label, nearness in ((colours, 0.0), (places, 1.0)):
            found, parts = clustered(picture, count, nearness)
            label.append(figures(found, picture) | {"components": parts})
    named = (("vtracer", traced), ("k-means", colours), ("k-means of colour and place (SLIC)", places))
    return rows + [averaged(label, of, count, found) for label, found in named]


def speed(network: LayersNetwork, picture: Rgba, quick: bool) -> list[dict]:
    """Ten layers found, and painted at 3840 x 2160. floor: what evaluating every mask at every pixel would compute."""
    found = timed(lambda: decompose(network, picture, 10))
    made = decompose(network, picture, 10, EFFORTS["good"])
    painted = timed(lambda: render(network, made, 3840, 2160), 1)
    dense = 10 * 3840 * 2160 * 2 * (2 * 128 + 2 * 128 * 128 + 128) / 1e12
    return [
        *recolouring(network, replace(made, width=3840, height=2160), quick),
        {"method": "10 layers found, encoder alone", "of": f"{SIDE_PX} px", "layers": 10, "s": found},
        {"method": "rendered", "of": "3840 x 2160 px", "layers": 10, "s": painted, "TFLOP at every pixel": dense},
    ]


def checks_of(rows: list[dict]) -> list[dict]:
    """Figures against their targets."""
    found = {(row["method"], row["of"], row["layers"]): row for row in rows}
    checks = []
    for of in ("emoji", "photographs"):
        peer, plain = found.get(("vtracer", of, 10)), found.get(("k-means", of, 10))
        if peer is None or plain is None:
            continue
        for label in ("good", "good, svg"):
            gain = found[label, of, 10]["PSNR dB"] - peer["PSNR dB"]
            checks.append(check(f"{of}, 10 layers, {label}: PSNR above vtracer, dB", gain, ">=", 3.0))
        share = plain["components"] / max(found["good", of, 10]["components"], 1e-9)
        checks.append(check(f"{of}: components of k-means over those of layers", share, ">=", 5.0))
    for (method, of, _), row in found.items():
        if method.startswith("editor: recolour"):
            checks.append(check(f"{method}, {of}, s", row["s"], "<=", 0.05))
    quick = found["10 layers found, encoder alone", f"{SIDE_PX} px", 10]["s"]
    checks.append(check("10 layers at 128 px, s", quick, "<=", 0.15))
    checks.append(check("3840 x 2160 px of 10 layers, s", found["rendered", "3840 x 2160 px", 10]["s"], "<=", 1.5))
    return checks


def main() -> None:
    """Print the table."""
    options = arguments(
        __doc__ or "",
        emoji="the .zip of emoji",
        photographs="folder of photographs",
        pictures="how many of each, by default 12 and 8",
    )
    network = LayersNetwork.open("layers_flat")
    counts = QUICK_COUNTS if options.quick else COUNTS
    efforts = ["fast", "good"] if options.quick else ["fast", "good", "best"]
    source, folder = Path(options.emoji or DATA / "emoji" / "fxemoji_128px.zip"), DATA / "paintings"
    folder = Path(options.photographs) if options.photographs else folder
    rows: list[dict] = []
    many = int(options.pictures) if options.pictures else None
    if source.exists():
        pictures = emoji(source, many or (2 if options.quick else 12))
        rows += [row for count in counts for row in table(network, "emoji", pictures, count, efforts)]
    else:
        print(f"skipped: there are no emoji at {source}")
    if folder.is_dir() and any(folder.glob("*.jpg")):
        pictures = photographs(folder, many or (2 if options.quick else 8))
        rows += [row for count in counts for row in table(network, "photographs", pictures, count, efforts)]
    else:
        print(f"skipped: there are no photographs in {folder}")
    disc = np.zeros((SIDE_PX, SIDE_PX, 4), np.uint8)
    cv2.circle(disc, (64, 64), 40, (200, 60, 20, 255), -1)
    rows += speed(network, disc, options.quick) + search_rows(network, options.quick)
    finish(rows, checks_of(rows), options.quick)


if __name__ == "__main__":
    main()
