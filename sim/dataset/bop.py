"""Export to the format of the BOP benchmark (Hodan et al., ECCV 2018; github.com/thodan/bop_toolkit,
docs/bop_datasets_format.md).

Each scene is a BOP scene, and its block is an object of its own, for a BOP model has one size: object s + 1 belongs to
scene s. BOP knows pinholes only, with a principal point anywhere, so images with radial distortion are resampled
without it. Lengths are in mm, and pixel centres lie at whole numbers there.
"""

import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from sim.dataset.images import DEPTH_UNIT_M, decode_units, encode_labels, encode_rgb, encode_units
from sim.dataset.labels import CORNERS, block_corners, shot_of, view_of
from sim.dataset.reader import rgb, segmentation
from sim.dataset.tar import Sample
from sim.optics import to_image
from sim.scene import BLOCK

MM = 1000.0
SPLIT = "train"
FACES = ((0, 3, 2, 1), (4, 5, 6, 7), (0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7))
CANVAS = 3
"""Silhouettes are counted within so many image sizes, as in the BOP toolkit."""


def export_bop(samples: Iterable[Sample], out: Path) -> int:
    """Write the samples into `out`; gives the number of images. They need depth and segmentation."""
    models: dict[str, Any] = {}
    (out / "models").mkdir(parents=True)
    images = 0
    for scene, group in groupby(samples, key=lambda sample: sample.record["scene"]):
        folder = out / SPLIT / f"{scene:06d}"
        tables: dict[str, dict[str, Any]] = {"scene_camera": {}, "scene_gt": {}, "scene_gt_info": {}}
        for sample in group:
            image = str(sample.record["view"])
            tables["scene_camera"][image] = camera = camera_of(sample.record)
            absent = "block" in sample.record["absent"]
            info = _write_image(folder, sample)
            tables["scene_gt"][image] = [] if absent else [pose_of(sample.record)]
            tables["scene_gt_info"][image] = [] if absent else [info]
            size = sample.record["block"]["size_m"]
            if not images:
                _write_json(out / "camera.json", _sensor(camera, sample.record))
            images += 1
        for name, table in tables.items():
            _write_json(folder / f"{name}.json", table)
        models[str(scene + 1)] = _write_model(out / "models" / f"obj_{scene + 1:06d}.ply", size)
    _write_json(out / "models" / "models_info.json", models)
    return images


def camera_of(record: dict[str, Any]) -> dict[str, Any]:
    """The entry of scene_camera.json."""
    shot, view = shot_of(record), view_of(record)
    camera = view.camera
    middle = np.array([camera.width / 2, camera.height / 2]) + view.lens.shift_px
    scale = np.array([shot.width / (shot.u1 - shot.u0), shot.height / (shot.v1 - shot.v0)])
    (fx, fy), (cx, cy) = camera.focal_px * scale, shot.from_image(middle) - 0.5
    pose = camera.T_camera_base
    return {
        "cam_K": [float(value) for value in (fx, 0, cx, 0, fy, cy, 0, 0, 1)],
        "cam_R_w2c": pose[:3, :3].ravel().tolist(),
        "cam_t_w2c": (MM * pose[:3, 3]).tolist(),
        "depth_scale": DEPTH_UNIT_M * MM,
    }


def pose_of(record: dict[str, Any]) -> dict[str, Any]:
    """The entry of scene_gt.json."""
    pose = view_of(record).camera.T_camera_base @ np.array(record["block"]["T_base_block"])
    return {
        "cam_R_m2c": pose[:3, :3].ravel().tolist(),
        "cam_t_m2c": (MM * pose[:3, 3]).tolist(),
        "obj_id": record["scene"] + 1,
    }


def silhouette(corners_px: np.ndarray, width: int, height: int) -> tuple[np.ndarray, tuple[int, int]]:
    """Pixels whose centres lie in the convex hull of corners (N, 2) px: (H, W) bool, and its left top corner.

    The array reaches as far as the hull does, also outside of the image, within CANVAS image sizes.
    """
    margin = (CANVAS - 1) // 2
    size = np.array([width, height])
    low = np.clip(np.floor(corners_px.min(0)), -margin * size, (margin + 1) * size).astype(int)
    high = np.clip(np.ceil(corners_px.max(0)), -margin * size, (margin + 1) * size).astype(int)
    x, y = np.meshgrid(np.arange(low[0], high[0]) + 0.5, np.arange(low[1], high[1]) + 0.5)
    hull = cv2.convexHull(corners_px.astype(np.float32))[:, 0].astype(np.float64)
    inside = np.ones(x.shape, bool)
    turn = np.sign(cv2.contourArea(hull.astype(np.float32), oriented=True))
    for (ax, ay), (bx, by) in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        inside &= turn * ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) >= 0
    return inside, (int(low[0]), int(low[1]))


def _write_image(folder: Path, sample: Sample) -> dict[str, Any]:
    """The pictures of one image; gives its entry of scene_gt_info.json."""
    record = sample.record
    shot, view = shot_of(record), view_of(record)
    labels, units = segmentation(sample), decode_units(sample.files["depth.png"])
    assert labels is not None
    colours, units, labels = _undistorted(record, rgb(sample), units, labels)
    visible = labels == BLOCK
    corners = shot.from_image(view.camera.project(block_corners(record))[0] + view.lens.shift_px)
    whole, (left, top) = silhouette(corners, shot.width, shot.height)
    mask = _placed(whole, left, top, visible.shape)
    name = f"{record['view']:06d}"
    pictures = {
        f"rgb/{name}.png": encode_rgb(colours, "png"),
        f"depth/{name}.png": encode_units(units),
        f"mask/{name}_000000.png": encode_labels(mask.astype(np.uint8) * 255),
        f"mask_visib/{name}_000000.png": encode_labels(visible.astype(np.uint8) * 255),
    }
    for path, data in pictures.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    full = int(whole.sum())
    return {
        "bbox_obj": _box(whole, left, top),
        "bbox_visib": _box(visible, 0, 0),
        "px_count_all": full,
        "px_count_valid": int((mask & (units > 0)).sum()),
        "px_count_visib": int(visible.sum()),
        "visib_fract": min(1.0, int(visible.sum()) / full) if full else 0.0,
    }


def _undistorted(record: dict[str, Any], colours: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """The same pictures without radial distortion: colours between pixels, the others those of the nearest pixel."""
    view, shot = view_of(record), shot_of(record)
    if view.lens.k1 == view.lens.k2 == 0:
        return [colours, *others]
    u, v = np.meshgrid(np.arange(shot.width) + 0.5, np.arange(shot.height) + 0.5)
    size = (shot.u1 - shot.u0, shot.v1 - shot.v0)
    pinhole = np.stack([u, v], -1) * (size[0] / shot.width, size[1] / shot.height) + (shot.u0, shot.v0)
    source = (shot.from_image(to_image(view, pinhole - view.lens.shift_px)) - 0.5).astype(np.float32)
    maps = source[..., 0], source[..., 1]
    return [cv2.remap(colours, *maps, cv2.INTER_LINEAR), *(cv2.remap(o, *maps, cv2.INTER_NEAREST) for o in others)]


def _placed(inside: np.ndarray, left: int, top: int, shape: tuple[int, int]) -> np.ndarray:
    """The part of the silhouette that lies in the image."""
    mask = np.zeros(shape, bool)
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + inside.shape[1], shape[1]), min(top + inside.shape[0], shape[0])
    if x0 < x1 and y0 < y1:
        mask[y0:y1, x0:x1] = inside[y0 - top : y1 - top, x0 - left : x1 - left]
    return mask


def _box(mask: np.ndarray, left: int, top: int) -> list[int]:
    """x, y, width and height of what is set; -1 where nothing is, as in the BOP toolkit."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not rows.size:
        return [-1, -1, -1, -1]
    width, height = columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1
    return [int(value) for value in (columns[0] + left, rows[0] + top, width, height)]


def symmetries_of(size_mm: np.ndarray) -> list[list[float]]:
    """The turns, but none, that leave a box of that size as it is: 4 x 4, row by row, mm. They are about its middle,
    and the model's origin is the middle of its bottom face."""
    middle, found = np.array([0, 0, size_mm[2] / 2]), []
    for turn in Rotation.create_group("O").as_matrix().round():  # of a cube
        if (abs(turn) @ size_mm == size_mm).all() and (turn != np.eye(3)).any():
            matrix = np.eye(4)
            matrix[:3, :3], matrix[:3, 3] = turn, middle - turn @ middle
            found.append((matrix + 0.0).ravel().tolist())
    return found


def _write_model(path: Path, size_m: list[float]) -> dict[str, Any]:
    """The block as a PLY; gives its entry of models_info.json."""
    vertices = CORNERS * size_m * MM
    lines = ["ply", "format ascii 1.0", f"element vertex {len(vertices)}"]
    lines += [f"property float {axis}" for axis in "xyz"]
    lines += [f"element face {2 * len(FACES)}", "property list uchar int vertex_indices", "end_header"]
    lines += [" ".join(f"{value:.6f}" for value in vertex) for vertex in vertices]
    lines += [f"3 {a} {b} {c}\n3 {a} {c} {d}" for a, b, c, d in FACES]
    path.write_text("\n".join(lines) + "\n", encoding="ascii")
    low, extent = vertices.min(0), np.ptp(vertices, axis=0)
    return {
        "diameter": float(np.linalg.norm(extent)),
        **{f"min_{axis}": float(value) for axis, value in zip("xyz", low, strict=True)},
        **{f"size_{axis}": float(value) for axis, value in zip("xyz", extent, strict=True)},
        "symmetries_discrete": symmetries_of(extent),
    }


def _sensor(camera: dict[str, Any], record: dict[str, Any]) -> dict[str, Any]:
    k = camera["cam_K"]
    size = {"width": record["width"], "height": record["height"]}
    return {"fx": k[0], "fy": k[4], "cx": k[2], "cy": k[5], "depth_scale": camera["depth_scale"], **size}


def _write_json(path: Path, table: dict[str, Any]) -> None:
    path.write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
