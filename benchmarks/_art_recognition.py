"""How often a photograph of a mark in paper is given its drawing, of many, beside peers: drawn by a program, from a
seed that nothing was chosen by."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from _report import check
from numpy.typing import NDArray

from training.art.backbone import digest, open_backbone, to_onnx
from training.art.features import Features
from training.art.matching import single
from training.art.network import Network, fastest_engine
from training.art.pictures import Picture
from training.art.recognition.accuracy import accuracy
from training.art.recognition.lines import lines_of
from training.art.recognition.marks import QUERY_CELLS, MarkExtractor
from training.art.recognition.orientations import ORIENTATIONS, oriented
from training.art.recognition.photographs import photograph
from training.art.recognition.recognizer import ranked_classes
from training.art.recognition.symbols import drawing, symbol

HELD_OUT = 20260
MARKS, QUICK = 60, 6
WEIGHTS = Path(__file__).resolve().parents[2] / "shared" / "data" / "backbones" / (
    "resnet18_imagenet_conv1-layer3_bnfolded.npz"
)
Scores = NDArray[np.float64]
Image = NDArray[np.uint8]


def recognition(quick: bool) -> list[dict]:
    """Rows of each method: top-1 and top-5 of all marks; nothing where there are no weights of ImageNet."""
    if not WEIGHTS.is_file():
        print(f"recognition: left out, {WEIGHTS} is not there")
        return []
    count = QUICK if quick else MARKS
    marks = [symbol(HELD_OUT, number) for number in range(count)]
    drawings = [np.repeat(drawing(mark)[..., None], 3, axis=2) for mark in marks]
    photographs = [photograph(mark, HELD_OUT + 1, number)[0] for number, mark in enumerate(marks)]
    backbone = open_backbone(WEIGHTS, standardise=True)
    extractor = MarkExtractor(Network(to_onnx(backbone), fastest_engine()), digest(backbone), backbone.stride)
    references = [extractor.features(_picture(one)) for one in drawings]
    labels = [str(number) for number in range(count)]
    rows = []

    def row(name: str, ranked: Callable[[Image], list[str]]) -> None:
        begin = time.perf_counter()
        found = accuracy(labels, [ranked(one) for one in photographs])
        spent = 1000 * (time.perf_counter() - begin) / count
        rows.append({
            "recognition": f"{count} drawings, a photograph of each: {name}", "top-1 %": 100 * found.top_1,
            "top-5 %": 100 * found.top_5, "ms a photograph": spent,
        })  # fmt: skip

    row("cells that agree about a shift (ours)", lambda one: [
        each.label for each in ranked_classes(extractor.query(_picture(one)), lambda n: references[n], labels)
    ])  # fmt: skip
    row("cosine of features in place", lambda one: _by(_in_place(extractor, one, references)))
    row("cosine of averaged features", lambda one: _by(_averaged(extractor, one, references)))
    # The peers are given what features are made of here: without shading, faint lines as strong as bold ones.
    drawings, photographs = ([lines_of(one) for one in each] for each in (drawings, photographs))
    hogs = np.stack([_hog(one) for one in drawings])
    row("HOG, nearest", lambda one: _by(_best(one, lambda turned: hogs @ _hog(turned))))
    described = [_sift(one) for one in drawings]
    row("SIFT, ratio test and RANSAC", lambda one: _by(_sifted(one, described)))
    return rows


def recognition_checks(rows: list[dict]) -> list[dict]:
    """Ours beside the best of the peers."""
    shares = {row["recognition"]: row["top-1 %"] for row in rows if "recognition" in row}
    ours = [value for name, value in shares.items() if name.endswith("(ours)")]
    if not ours:
        return []
    peers = [value for name, value in shares.items() if not name.endswith("(ours)")]
    return [check("recognition: top-1 over the best peer, points", ours[0] - max(peers), ">", 0.0)]


def _picture(rgb: Image) -> Picture:
    return Picture((rgb.shape[1], rgb.shape[0]), rgb)


def _by(scores: Scores) -> list[str]:
    return [str(one) for one in np.argsort(-scores, kind="stable")]


def _best(rgb: Image, scores: Callable[[Image], NDArray[Any]]) -> Scores:
    """The best over all orientations."""
    turned = [scores(np.ascontiguousarray(oriented(rgb, one))) for one in ORIENTATIONS]
    return np.asarray(np.max(turned, axis=0), np.float64)


def _usual(features: Features) -> NDArray[np.float32]:
    return single(min(features.grids, key=lambda one: abs(max(one.shape[:2]) - QUERY_CELLS)))


def _in_place(extractor: MarkExtractor, rgb: Image, references: list[Features]) -> Scores:
    there = np.stack([_usual(one).reshape(-1) for one in references])
    here = np.stack([single(grid).reshape(-1) for grid in extractor.query(_picture(rgb)).grids])
    return np.asarray((there @ here.T).max(axis=1), np.float64)


def _averaged(extractor: MarkExtractor, rgb: Image, references: list[Features]) -> Scores:
    def means(grids: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        found = np.stack([grid.mean(axis=(0, 1)) for grid in grids])
        return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-6), np.float32)

    here = means([single(grid) for grid in extractor.query(_picture(rgb)).grids])
    return np.asarray((means([_usual(one) for one in references]) @ here.T).max(axis=1), np.float64)


def _sifted(rgb: Image, described: list[tuple[NDArray[np.float32], NDArray[np.float32]]]) -> Scores:
    """As it is and mirrored, light and dark exchanged or not; SIFT itself is the same for what is turned."""
    seen = (np.ascontiguousarray(one) for side in (rgb, rgb[:, ::-1]) for one in (side, 255 - side))
    return np.asarray(np.max([_sift_scores(one, described) for one in seen], axis=0), np.float64)


def _hog(rgb: Image) -> NDArray[np.float32]:
    # Gradients without a sign, as it has them: lines are dark in drawings, light in photographs.
    hog = cv2.HOGDescriptor((128, 128), (32, 32), (16, 16), (16, 16), 9)
    grey = cv2.resize(rgb, (128, 128), interpolation=cv2.INTER_AREA)[..., 0]
    found = np.asarray(hog.compute(grey), np.float32).reshape(-1)
    return np.asarray(found / max(float(np.linalg.norm(found)), 1e-6), np.float32)


def _sift(rgb: Image) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    grey = np.ascontiguousarray(rgb[..., 0])
    sift = cv2.SIFT.create(400, contrastThreshold=0.02)
    points, described = sift.detectAndCompute(grey, None)
    places = np.array([one.pt for one in points], np.float32).reshape(-1, 2)
    return places, np.zeros((0, 128), np.float32) if described is None else np.asarray(described, np.float32)


def _sift_scores(rgb: Image, references: list[tuple[NDArray[np.float32], NDArray[np.float32]]]) -> Scores:
    places, described = _sift(rgb)
    scores = np.zeros(len(references))
    for number, (others, theirs) in enumerate(references):
        if min(len(described), len(theirs)) < 2:
            continue
        pairs = cv2.BFMatcher().knnMatch(described, theirs, 2)
        good = [a for a, b in pairs if a.distance < 0.85 * b.distance]
        if len(good) >= 3:
            here, there = places[[one.queryIdx for one in good]], others[[one.trainIdx for one in good]]
            _, inliers = cv2.estimateAffinePartial2D(here, there, ransacReprojThreshold=12.0)
            scores[number] = 0 if inliers is None else int(inliers.sum())
    return scores
