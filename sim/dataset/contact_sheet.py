"""A web page, one file, that shows images of a data set with their labels drawn in."""

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from sim.dataset.folder import present_images, read_config, read_device, shard_path
from sim.dataset.labels import EDGES, block_corners, to_pixels
from sim.dataset.reader import complete_shards, read_samples, rgb
from sim.dataset.tar import Sample

THUMBNAIL_PX = 320
QUALITY = 82


def write_contact_sheet(data: Path, out: Path, images: int) -> int:
    """Write the page with at most so many images, evenly spaced over the complete shards; gives their number.

    Raises ValueError where there are none.
    """
    config = read_config(data)
    shards = complete_shards(data)
    count = sum(len(config.scenes_of(shard)) for shard in range(config.shards) if shard_path(data, shard) in shards)
    total = count * config.views
    if not total:
        raise ValueError(f"{data} has no complete shard yet: go on with `blockworld dataset build`.")
    chosen = set(np.linspace(0, total - 1, min(images, total)).round().astype(int).tolist())
    cards = [card(sample) for number, sample in enumerate(read_samples(data)) if number in chosen]
    template = Environment(
        loader=PackageLoader("sim", "assets"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    ).get_template("contact_sheet.html.j2")
    stored = sum(path.stat().st_size for path in shards)
    page = template.render(
        name=data.resolve().name,
        config=config.model_dump(mode="json"),
        device=read_device(data),
        facts={
            "present": present_images(config, data),
            "images": config.images,
            "shards": f"{len(shards)} of {config.shards}",
            "kilobytes": stored / total / 1000,
        },
        edges=json.dumps(EDGES),
        cards=json.dumps(cards, separators=(",", ":")).replace("<", "\\u003c"),
    )
    out.write_text(page, encoding="utf-8")
    return len(cards)


def card(sample: Sample) -> dict[str, Any]:
    """What the page knows of one image; places are shares of its width and height."""
    record = sample.record
    size = np.array([record["width"], record["height"]], float)
    corners = to_pixels(record, block_corners(record)) / size
    points = [
        {"name": channel["name"], "kind": channel["kind"], "at": _rounded(np.array(place) / size), "seen": state}
        for channel in record["keypoints"]
        for place, state in zip(channel["px"], channel["visibility"], strict=True)
        if place is not None
    ]
    centre = next((c["visibility"][0] for c in record["keypoints"] if c["name"] == "block_centre"), 0)
    block, there = record["block"], "block" not in record["absent"]
    pose = np.array(block["T_base_block"])
    return {
        "key": sample.key,
        "scene": record["scene"],
        "view": record["view"],
        "size": [record["width"], record["height"]],
        "src": _thumbnail(rgb(sample)),
        "box": [_rounded(corner) for corner in corners] if there and np.isfinite(corners).all() else [],
        "points": points,
        "block": centre,
        "hovers": record["robot"]["hovers"],
        "focal": round(record["camera"]["focal_px"]),
        "size_mm": [round(1000 * side) for side in block["size_m"]],
        "place_mm": [round(1000 * value) for value in pose[:2, 3]],
        "yaw_deg": round(float(np.degrees(np.arctan2(pose[1, 0], pose[0, 0])) % 180)),
        "files": sorted(sample.files),
    }


def _thumbnail(image: np.ndarray) -> str:
    scale = THUMBNAIL_PX / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


def _rounded(place: np.ndarray) -> list[float]:
    return [round(float(value), 4) for value in place]
