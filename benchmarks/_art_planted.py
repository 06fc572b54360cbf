"""How well copied details are found: planted copies in 105 photographs of paintings, by features of ImageNet, by these
standardised, by features learned on the copies without labels, and by SIFT and RANSAC of OpenCV.

Of each group of five pictures with a detail in common (of three by --quick) one is asked about, in turn, so that all
media are. Pictures, features, checkpoints and scores are kept in a folder, and what is there is not made again.
"""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.art.annotations import DetectionQuery, Region, read_detections
from training.art.backbone import ResNetBackbone, open_backbone
from training.art.boxes import Box
from training.art.evaluation import evaluate_detection
from training.art.gallery import KeptFeatures, NamedFeatures
from training.art.index import index_folder, open_store
from training.art.learning.config import LearningConfig
from training.art.learning.reading import usable_pictures
from training.art.learning.train import learn
from training.art.metrics import detection_scores
from training.art.pictures import read_picture
from training.art.planted.collection import PlantedConfig, make_benchmark, pictures_in

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
PAINTINGS = SHARED / "paintings"
IMAGENET = SHARED / "backbones" / "resnet18_imagenet_conv1-layer3_bnfolded.npz"
QUICK = 6
"""Pictures, in groups of three, and no learning."""
SETTINGS = LearningConfig(
    rounds=2, sources=50, proposals=60, proposal_scales=(68, 60, 49), searched=60, pairs=120, batch=2,
    least_votes=0.2, learning_rate=5e-5,
)  # fmt: skip
"""Of learning, from trials with ten other pictures; how long two rounds take was not measured."""
PLAIN, STANDARDISED, LEARNED, SIFT = "ImageNet", "ImageNet, standardised", "learned, standardised", "SIFT + RANSAC"
RATIO, RANSAC_PX, LEAST_MATCHES = 0.8, 6.0, 4


def planted(quick: bool, folder: Path) -> list[dict]:
    """A row for each way to find them; none where this machine has no paintings. folder: keeps what is made."""
    if not PAINTINGS.is_dir():
        print(f"planted copies: skipped, since {PAINTINGS} is not there")
        return []
    bench = Bench(folder / ("quick" if quick else "all"), quick)
    for standardise, name in ((False, PLAIN), (True, STANDARDISED)):
        bench.features(name, lambda given=standardise: open_backbone(_imagenet(), given))
    bench.row(SIFT, "keypoints", lambda: found_by_sift(bench.copies, bench.queries))
    if not quick:
        bench.features(LEARNED, bench.learned)
    return bench.rows


class Bench:
    """Planted copies in a folder, and the rows so far."""

    def __init__(self, folder: Path, quick: bool) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.copies = folder, folder / "copies"
        files = pictures_in(PAINTINGS)
        config, used = (PlantedConfig(group=3), files[:QUICK]) if quick else (PlantedConfig(), files)
        annotations = make_benchmark(PAINTINGS, self.copies, config, used)
        self.queries = one_of_each(read_detections(annotations))
        self._log = folder / "scores.jsonl"
        lines = self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []
        self._known = dict(json.loads(line) for line in lines)
        self.rows: list[dict] = []

    def row(self, features: str, ranked_by: str, measure: Callable[[], float]) -> None:
        """One more, or that of before."""
        key = f"{features}, {ranked_by}"
        if key not in self._known:
            begin = time.process_time()
            score = measure()
            self._known[key] = {
                "planted copies": features, "ranked by": ranked_by, "mAP %": round(100 * score, 1),
                "queries": len(self.queries), "pictures": len(pictures_in(self.copies)),
                "processor s": round(time.process_time() - begin, 1),
            }  # fmt: skip
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps([key, self._known[key]]) + "\n")
        self.rows.append(self._known[key])

    def features(self, name: str, backbone: Callable[[], ResNetBackbone]) -> None:
        """Two rows of features: by the cosine and by discovery."""
        made: list[NamedFeatures] = []

        def measured(verify: bool) -> float:
            if not made:
                made.append(self._indexed(name, backbone()))
            return evaluate_detection(self.queries, made[0], verify=verify, progress=True).mean

        for ranked_by, verify in (("cosine", False), ("discovery", True)):
            self.row(name, ranked_by, lambda given=verify: measured(given))

    def learned(self) -> ResNetBackbone:
        """The backbone with weights learned on the copies, as `blockworld art learn --standardise` does."""
        out = self.folder / "learned.pth"
        pictures, _ = usable_pictures(self.copies)
        learn(
            pictures, open_backbone(_imagenet(), True), SETTINGS, out, self.folder / f"{out.name}.learning", True
        )
        return open_backbone(out)

    def _indexed(self, name: str, backbone: ResNetBackbone) -> NamedFeatures:
        store, extractor = open_store(backbone, self.folder / "features" / name)
        found = index_folder(self.copies, store, extractor, progress=True)
        return NamedFeatures(KeptFeatures(store), {one.path.name: one.digest for one in found.pictures})


def one_of_each(queries: Sequence[DetectionQuery]) -> list[DetectionQuery]:
    """One query of each category: the first of the first, the second of the second, ..."""
    categories: dict[str, list[DetectionQuery]] = {}
    for query in queries:
        categories.setdefault(query.category, []).append(query)
    return [of_one[number % len(of_one)] for number, of_one in enumerate(categories.values())]


def found_by_sift(folder: Path, queries: Sequence[DetectionQuery]) -> float:
    """mAP of boxes: keypoints of the box matched in each picture (ratio test), an affine map by RANSAC, ranked by how
    many agree with it."""
    detector, matcher = cv2.SIFT_create(), cv2.BFMatcher(cv2.NORM_L2)
    points: dict[str, NDArray[np.float32]] = {}
    vectors: dict[str, NDArray[np.float32]] = {}
    for path in pictures_in(folder):
        found, described = detector.detectAndCompute(cv2.cvtColor(read_picture(path).rgb, cv2.COLOR_RGB2GRAY), None)
        points[path.name] = np.array([one.pt for one in found], np.float32).reshape(-1, 2)
        vectors[path.name] = described if described is not None else np.empty((0, 128), np.float32)
    ranked = []
    for query in queries:
        x, y, w, h = query.query.box
        name = query.query.picture
        inside = ((points[name] >= (x, y)) & (points[name] <= (x + w, y + h))).all(axis=1)
        here, asked = points[name][inside], vectors[name][inside]
        found_boxes = []
        for other in points:
            if other == name or len(asked) < LEAST_MATCHES or len(vectors[other]) < 2:
                continue
            pairs = matcher.knnMatch(asked, vectors[other], 2)
            good = [best for best, second in pairs if best.distance < RATIO * second.distance]
            box, count = _agreeing(here[[one.queryIdx for one in good]], points[other][[one.trainIdx for one in good]],
                                   query.query.box)
            if count:
                found_boxes.append((count, Region(other, box)))
        ranked.append([one for _, one in sorted(found_boxes, key=lambda one: -one[0])])
    return detection_scores(queries, ranked).mean


def _agreeing(here: NDArray[np.float32], there: NDArray[np.float32], box: Box) -> tuple[Box, int]:
    """The box around what the affine map makes of a box, and how many matches agree; 0 where there is no map."""
    if len(here) < LEAST_MATCHES:
        return box, 0
    affine, agree = cv2.estimateAffine2D(here, there, method=cv2.RANSAC, ransacReprojThreshold=RANSAC_PX)
    if affine is None:
        return box, 0
    x, y, w, h = box
    corners = np.array([[x, y], [x + w, y], [x, y + h], [x + w, y + h]]) @ affine[:, :2].T + affine[:, 2]
    low, high = corners.min(axis=0), corners.max(axis=0)
    return (float(low[0]), float(low[1]), *(float(one) for one in high - low)), int(agree.sum())  # type: ignore[return-value]


def _imagenet() -> Path | None:
    """Published weights where this machine has them; else they are downloaded."""
    return IMAGENET if IMAGENET.is_file() else None
