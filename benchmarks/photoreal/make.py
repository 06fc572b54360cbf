"""Make the photoreal sets: `python -m benchmarks.photoreal.make lab field adv --poses 60 --out DIR`.

Poses are made in turn over the sets. Whatever ends the run, the same command goes on where it stopped: an image that
is there is complete, and is not made again. When all are there, each set gets its ground truth and its manifest.
"""

import argparse
import json
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.photoreal import camera as lens
from benchmarks.photoreal.draws import SERIES, SETS, draws
from benchmarks.photoreal.layout import CAMERAS, POSTURES, Layout, sample_layout
from benchmarks.photoreal.panda import parts
from benchmarks.photoreal.records import sha256, write_whole
from benchmarks.photoreal.stages import Stage, build
from perception.robot import Robot
from sim.renderers import Shot
from sim.renderers.cycles_studio import Quality, Studio
from sim.scene import BLOCK, View

SAMPLES, BOUNCES = 4, 3
BLENDER = "4.5"
LABEL_SHARE = 0.5  # size of the label picture, as a share of the image's
LINKS = (*(f"panda_link{number}" for number in range(8)), "panda_hand", "clamp")
DEPTH_SPARE_M = 0.01


def make(names: list[str], poses: Sequence[int], out: Path, threads: int, robot: Robot) -> None:
    """Images and notes of the poses of the sets, those that are missing."""
    studio: Studio | None = None
    total = len(names) * len(poses) * len(POSTURES) * CAMERAS
    done, began, drawn = 0, time.monotonic(), 0
    try:
        for pose in poses:
            for name in names:
                todo = [
                    (posture, number)
                    for posture in POSTURES
                    for number in range(CAMERAS)
                    if not _image(out, name, pose, posture, number).exists()
                ]
                done += len(POSTURES) * CAMERAS - len(todo)
                if not todo:
                    continue
                studio = studio or Studio(threads)
                studio.forget()
                layout = sample_layout(name, pose, robot)
                stage = build(name, pose, layout, robot, studio)
                for posture, number in todo:
                    _photograph(studio, name, pose, layout, stage, posture, number, out)
                    done, drawn = done + 1, drawn + 1
                each = (time.monotonic() - began) / drawn
                print(
                    f"{time.strftime('%H:%M:%S')} {name} {pose:03d}: {done} of {total} images, {each:.2f} s an image,"
                    f" {each * (total - done) / 60:.0f} min left",
                    flush=True,
                )
    finally:
        if studio is not None:
            studio.close()


def _stem(pose: int, posture: str, number: int) -> str:
    return f"{pose:03d}_{posture}_{number}"


def _image(out: Path, name: str, pose: int, posture: str, number: int) -> Path:
    return out / name / "images" / f"{_stem(pose, posture, number)}.webp"


def _photograph(
    studio: Studio, name: str, pose: int, layout: Layout, stage: Stage, posture: str, number: int, out: Path
) -> None:
    """One image and, before it, the note of what it shows."""
    view, joints = layout.views[number], layout.joints[posture]
    shot = lens.window(view)
    scene = stage.with_robot(joints)
    key = int(draws(name, pose, f"paths {posture} {number}").integers(2**31))
    quality = Quality(SAMPLES, 0.0, BOUNCES, True, key, linear=True, persistent=True)
    radiance = studio.draw(scene, [shot], quality, geometry=False)[0].rgb
    small = replace(shot, width=round(shot.width * LABEL_SHARE), height=round(shot.height * LABEL_SHARE))
    label = studio.draw(scene, [small], quality, colour=False)[0]
    exposure = lens.sample_exposure(draws(name, pose, f"exposure {number}"))
    noise = draws(name, pose, f"noise {posture} {number}")
    data = lens.compressed(lens.develop(lens.bend(view, shot, radiance), exposure, noise))
    note = {
        "file": f"{_stem(pose, posture, number)}.webp",
        "posture": posture,
        "camera": number,
        "T_base_block": np.round(stage.T_base_block, 7).tolist(),
        "exposure": lens.as_record(exposure),
        **_seen(view, small, label.depth, label.segmentation, _points(layout, stage, joints), layout, stage),
    }
    notes = out / name / "notes" / f"{_stem(pose, posture, number)}.json"
    write_whole(notes, json.dumps(note).encode())
    write_whole(_image(out, name, pose, posture, number), data)


def _points(layout: Layout, stage: Stage, joints: np.ndarray) -> dict[str, np.ndarray]:
    """Points (3,) in the base frame: the block's centre, ends and corners, the robot's link origins and the clamp."""
    half = np.array(layout.size_m) / 2
    block = {"block_centre": (0, 0, 0), "block_end_0": (-half[0], 0, 0), "block_end_1": (half[0], 0, 0)}
    for corner in range(8):
        x, y, z = (1 if corner >> axis & 1 else -1 for axis in range(3))
        block[f"block_corner_{corner}"] = (x * half[0], y * half[1], (z + 1) * half[2])
    pose = stage.T_base_block
    found = {key: pose[:3, :3] @ np.array(place) + pose[:3, 3] for key, place in block.items()}
    poses = stage.robot.link_poses(joints)
    return found | {link: poses[link][:3, 3] for link in LINKS}


def _seen(
    view: View, shot: Shot, depth: np.ndarray, labels: np.ndarray, points: dict, layout: Layout, stage: Stage
) -> dict:
    """Where the points are in the image and whether they are seen, and how much of the block is."""
    places, distance = view.camera.project(np.array(list(points.values())))
    image = lens.image_points(view, places)
    at = shot.from_image(places)
    visible = []
    for (u, v), (column, row), far in zip(image, at, distance, strict=True):
        inside = far > 0 and 0 <= u < view.camera.width and 0 <= v < view.camera.height
        if not inside:
            visible.append(0)
            continue
        column, row = min(int(column), shot.width - 1), min(int(row), shot.height - 1)
        visible.append(2 if depth[max(row, 0), max(column, 0)] > far - DEPTH_SPARE_M else 1)
    corners = at[[number for number, key in enumerate(points) if key.startswith("block_corner")]]
    outline = cv2.convexHull(corners.astype(np.float32))
    frame = np.array([(0, 0), (shot.width, 0), (shot.width, shot.height), (0, shot.height)], np.float32)
    area, _ = cv2.intersectConvexConvex(outline, frame)
    whole = cv2.contourArea(outline)
    seen = float((labels == BLOCK).sum() / max(whole, 1e-6)) if area else 0.0
    return {
        "block_seen": round(min(1.0, seen), 3),
        "points_px": {key: _rounded(px) for key, px in zip(points, image, strict=True)},
        "visible": dict(zip(points, visible, strict=True)),
    }


def _rounded(px: np.ndarray) -> list[float | None]:
    return [round(float(value), 2) if np.isfinite(value) else None for value in px]


def _truth(name: str, pose: int, robot: Robot, notes: list[dict]) -> dict:
    """The line of a pose in truth.jsonl."""
    layout = sample_layout(name, pose, robot)
    T_base_block = notes[0]["T_base_block"]
    x, y = T_base_block[0][3], T_base_block[1][3]
    return {
        "pose": pose,
        "block": {
            "size_m": [round(value, 6) for value in layout.size_m],
            "x_m": x,
            "y_m": y,
            "yaw_rad": round(float(np.arctan2(T_base_block[1][0], T_base_block[0][0])), 6),
            "T_base_block": T_base_block,
        },
        "joints": {posture: np.round(joints, 7).tolist() for posture, joints in layout.joints.items()},
        "T_base_clamp": {
            posture: np.round(robot.clamp_pose(joints), 7).tolist()
            for posture, joints in layout.joints.items()
        },
        "cameras": [
            {
                "width": view.camera.width,
                "height": view.camera.height,
                "focal_px": view.camera.focal_px,
                "T_camera_base": view.camera.T_camera_base.tolist(),
                "shift_px": view.lens.shift_px,
                "k1": view.lens.k1,
                "k2": view.lens.k2,
            }
            for view in layout.views
        ],
        "pictures": [{key: value for key, value in note.items() if key != "T_base_block"} for note in notes],
    }


def finish(name: str, poses: range, out: Path, robot: Robot) -> None:
    """Ground truth and manifest of a set whose images are all there; raises SystemExit that names one that is not."""
    folder, lines = out / name, []
    for pose in poses:
        notes = []
        for posture in POSTURES:
            for number in range(CAMERAS):
                image = _image(out, name, pose, posture, number)
                if not image.exists():
                    raise SystemExit(f"{image} is not there yet: run the same command again.")
                notes.append(json.loads((folder / "notes" / f"{image.stem}.json").read_text()))
        lines.append(json.dumps(_truth(name, pose, robot, notes), separators=(",", ":")))
    write_whole(folder / "truth.jsonl", ("\n".join(lines) + "\n").encode())
    files = [folder / "truth.jsonl", *sorted((folder / "images").glob("*.webp"))]
    manifest = {
        "set": name,
        "poses": len(poses),
        "images": len(files) - 1,
        "bytes": sum(file.stat().st_size for file in files),
        "series": SERIES,
        "samples": SAMPLES,
        "bounces": BOUNCES,
        "blender": BLENDER,
        "command": f"python -m benchmarks.photoreal.make {name} --poses {len(poses)} --first {poses.start}",
        "sha256": {str(file.relative_to(folder)): sha256(file) for file in files},
    }
    write_whole(folder / "manifest.json", (json.dumps(manifest, indent=1) + "\n").encode())
    print(
        f"{name}: {manifest['images']} images of {len(poses)} poses, {manifest['bytes'] / 1e6:.1f} MB in {folder}"
    )


def main() -> None:
    """See the module's docstring."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="+", choices=SETS, help="which sets")
    parser.add_argument("--poses", type=int, default=60, help="poses per set (60)")
    parser.add_argument("--first", type=int, default=0, help="number of the first pose (0); others are other poses")
    parser.add_argument(
        "--out", type=Path, default=Path("data/photoreal"), help="folder of the sets (data/photoreal)"
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="processes, each with a Blender of its own (1)"
    )
    parser.add_argument(
        "--threads", type=int, default=0, help="threads of each Blender (as many as there are cores)"
    )
    chosen = parser.parse_args()
    poses = range(chosen.first, chosen.first + chosen.poses)
    robot = Robot.load("panda")
    parts()  # read once, before the workers part
    workers = [
        multiprocessing.Process(
            target=make,
            args=(chosen.sets, poses[worker :: chosen.workers], chosen.out, chosen.threads, robot),
        )
        for worker in range(chosen.workers)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise SystemExit("not all images were made; the same command goes on where this one stopped.")
    for name in chosen.sets:
        finish(name, poses, chosen.out, robot)


if __name__ == "__main__":
    main()
