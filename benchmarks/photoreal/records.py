"""Files of the photoreal sets and their ground truth, without Blender: where they lie, how they are written and read.

SET/images/PPP_POSTURE_C.webp   the image of camera C of pose PPP
SET/truth.jsonl                 a line per pose
SET/manifest.json               how the set was made, and a SHA-256 of every file
"""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from perception.camera import Camera
from sim.scene import Lens, View

HERE = Path(__file__).resolve().parent


class PhotorealError(ValueError):
    """A set is missing, incomplete or damaged; the message says which file, and what to do."""


@dataclass(frozen=True, eq=False)
class Picture:
    """One image of a pose and what holds for it.

    joints (9,) rad and m; T_base_clamp (4, 4); opening_m between the fingers. block_seen: share of the block's
    outline that nothing hides, 0 to 1. points_px: where points of block and robot are in the image (lens included),
    NaN behind the camera; visible: 0 outside the image, 1 hidden, 2 seen.
    """

    file: Path
    posture: str
    camera: int
    view: View
    joints: np.ndarray
    T_base_clamp: np.ndarray
    opening_m: float
    block_seen: float
    points_px: dict[str, np.ndarray]
    visible: dict[str, int]

    def rgb(self) -> np.ndarray:
        """(H, W, 3) uint8 sRGB."""
        with Image.open(self.file) as image:
            return np.asarray(image.convert("RGB"))


@dataclass(frozen=True, eq=False)
class Pose:
    """One block in its place, and its nine pictures: three cameras in each of three postures of the robot."""

    index: int
    size_m: tuple[float, float, float]
    x_m: float
    y_m: float
    yaw_rad: float
    T_base_block: np.ndarray
    pictures: tuple[Picture, ...]

    def of(self, posture: str) -> tuple[Picture, ...]:
        """The pictures of one posture, by camera: "overview", "fine0" or "fine90"."""
        return tuple(picture for picture in self.pictures if picture.posture == posture)


def read_set(name: str, root: Path = HERE) -> Iterator[Pose]:
    """The poses of the set `name` under `root`, in order; raises PhotorealError where there is none."""
    file = root / name / "truth.jsonl"
    if not file.is_file():
        raise PhotorealError(
            f"there is no photoreal set at {file.parent}; make it with `python -m benchmarks.photoreal.make`."
        )
    with file.open() as lines:
        for line in lines:
            yield pose_of(json.loads(line), file.parent)


def pose_of(record: dict[str, Any], folder: Path) -> Pose:
    """A pose as its line in truth.jsonl tells it."""
    pictures = []
    for entry in record["pictures"]:
        camera = record["cameras"][entry["camera"]]
        view = View(
            Camera(camera["focal_px"], camera["width"], camera["height"], np.array(camera["T_camera_base"])),
            Lens(tuple(camera["shift_px"]), camera["k1"], camera["k2"]),
        )
        joints = np.array(record["joints"][entry["posture"]])
        points = {
            name: np.array([np.nan if v is None else v for v in px])
            for name, px in entry["points_px"].items()
        }
        pictures.append(
            Picture(
                folder / "images" / entry["file"],
                entry["posture"],
                entry["camera"],
                view,
                joints,
                np.array(record["T_base_clamp"][entry["posture"]]),
                float(joints[7:].sum()),
                entry["block_seen"],
                points,
                dict(entry["visible"]),
            )
        )
    block = record["block"]
    return Pose(
        record["pose"],
        tuple(block["size_m"]),
        block["x_m"],
        block["y_m"],
        block["yaw_rad"],
        np.array(block["T_base_block"]),
        tuple(pictures),
    )


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that whoever looks sees the old one, or none, or all of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_bytes(data)
    scratch.replace(path)


def sha256(path: Path) -> str:
    """Hexadecimal digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def check_set(name: str, root: Path = HERE) -> dict[str, Any]:
    """The manifest of a set whose every file is there and as it was written; raises PhotorealError otherwise."""
    folder = root / name
    file = folder / "manifest.json"
    if not file.is_file():
        raise PhotorealError(f"{file} is missing: the set is not finished, or not there.")
    manifest: dict[str, Any] = json.loads(file.read_text())
    for relative, digest in manifest["sha256"].items():
        path = folder / relative
        if not path.is_file():
            raise PhotorealError(f"{path} is missing: make the set anew, or check it out again.")
        if sha256(path) != digest:
            raise PhotorealError(f"{path} is not the file that the manifest names: check it out again.")
    return manifest
