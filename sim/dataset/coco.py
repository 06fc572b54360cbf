"""Export to the format of COCO keypoints and instances (Lin et al., ECCV 2014; cocodataset.org/#format-data).

Images stay as they are, lens and all. Keypoints count from pixel centres, as COCO's do, and boxes from the image's
corner. Masks are run lengths, down the columns.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from sim.dataset.images import EXTENSIONS
from sim.dataset.reader import segmentation
from sim.dataset.tar import Sample
from sim.scene import BLOCK, DISTRACTOR, ROBOT

CATEGORIES = {BLOCK: 1, ROBOT: 2, DISTRACTOR: 3}
Keypoint = tuple[str, list[float] | None, int]


def export_coco(samples: Iterable[Sample], out: Path) -> int:
    """Write the samples into `out`: images/ and annotations.json; gives the number of images. They need
    segmentation."""
    (out / "images").mkdir(parents=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    categories: list[dict[str, Any]] = []
    for sample in samples:
        record = sample.record
        extension = next(name for name in EXTENSIONS.values() if name in sample.files)
        name = f"{sample.key}.{extension}"
        (out / "images" / name).write_bytes(sample.files[extension])
        size = {"width": record["width"], "height": record["height"]}
        images.append({"id": len(images) + 1, "file_name": name, **size})
        categories = categories or categories_of(record)
        for annotation in annotations_of(sample):
            place = {"id": len(annotations) + 1, "image_id": len(images)}
            annotations.append(place | annotation)
    info = {"description": "Blockworld: rendered images of a robot and a block", "version": "1.0"}
    table = {"info": info, "licenses": [], "images": images, "annotations": annotations, "categories": categories}
    (out / "annotations.json").write_text(json.dumps(table, separators=(",", ":")) + "\n", encoding="utf-8")
    return len(images)


def categories_of(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Block and robot with the names of their keypoints, and distractors without any."""
    return [
        _category(BLOCK, "block", [name for name, _, _ in _keypoints(record, BLOCK)]),
        _category(ROBOT, record["robot"]["name"], [name for name, _, _ in _keypoints(record, ROBOT)]),
        {"id": CATEGORIES[DISTRACTOR], "name": "distractor", "supercategory": "thing"},
    ]


def annotations_of(sample: Sample) -> list[dict[str, Any]]:
    """One annotation for each thing that shows: block, robot and every distractor."""
    labels = segmentation(sample)
    assert labels is not None
    found = []
    for label in np.unique(labels).tolist():
        kind = DISTRACTOR if label >= DISTRACTOR else label
        if kind not in CATEGORIES:
            continue
        mask = labels == label
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        box = (columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)
        annotation = {
            "category_id": CATEGORIES[kind],
            "segmentation": {"size": list(mask.shape), "counts": run_lengths(mask)},
            "area": int(mask.sum()),
            "bbox": [int(value) for value in box],
            "iscrowd": 0,
        }
        if kind != DISTRACTOR:
            points = [_triplet(place, state) for _, place, state in _keypoints(sample.record, kind)]
            annotation["keypoints"] = [value for point in points for value in point]
            annotation["num_keypoints"] = sum(state > 0 for _, _, state in points)
        found.append(annotation)
    return found


def run_lengths(mask: np.ndarray) -> list[int]:
    """COCO's uncompressed run lengths of (H, W) bool: column by column, zeros first."""
    flat = np.concatenate([[0], mask.ravel(order="F").astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(flat))
    ends = edges if edges.size and edges[-1] == mask.size else np.append(edges, mask.size)
    return np.diff(ends, prepend=0).tolist()


def _keypoints(record: dict[str, Any], kind: int) -> list[Keypoint]:
    """Name, pixel and visibility of each point; the points of a channel with several are numbered."""
    return [
        (channel["name"] if len(channel["px"]) == 1 else f"{channel['name']}_{number}", place, state)
        for channel in record["keypoints"]
        if (channel["kind"] == "block") == (kind == BLOCK)
        for number, (place, state) in enumerate(zip(channel["px"], channel["visibility"], strict=True), start=1)
    ]


def _triplet(place: list[float] | None, state: int) -> tuple[float, float, int]:
    if place is None or state == 0:
        return 0, 0, 0
    return round(place[0] - 0.5, 3), round(place[1] - 0.5, 3), state


def _category(label: int, name: str, keypoints: list[str]) -> dict[str, Any]:
    return {
        "id": CATEGORIES[label],
        "name": name,
        "supercategory": "thing",
        "keypoints": keypoints,
        "skeleton": [],
    }
