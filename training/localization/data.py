"""Images of one or more data sets in memory, with the places of a task's points in them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sim.dataset import Sample, complete_shards, read_config, read_shard, rgb
from sim.dataset.labels import channel_pixels
from sim.keypoints import Task, channels
from sim.robots import RobotDescription, load_robot
from training.localization.canonical import canonical_samples

STORED_AS = {"tool": "coarse"}
"""Whose images those of a task are."""


@dataclass(frozen=True)
class Samples:
    """Images (N, H, W, 3) uint8; points (N, K, 2, 2) float32 px of one task's channels, and poses (N, 3) float32 of
    the block (x m, y m, yaw rad in [0, pi), in base, for fine in the clamp's frame); NaN for what is absent."""

    images: Tensor
    points: Tensor
    poses: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def part(self, indices: Tensor | slice) -> "Samples":
        """Those images."""
        return Samples(self.images[indices], self.points[indices], self.poses[indices])


def load_samples(task: Task, folders: Sequence[Path]) -> Samples:
    """The images of the data sets that suit the task: tool takes the overview images in which the clamp hovers.

    Where the points are follows from each image's record, whatever keypoints were stored. Raises ValueError where a
    folder has no images, or images of another size or for another task.
    """
    configs = [read_config(folder) for folder in folders]
    size = (configs[0].height, configs[0].width)
    for folder, config in zip(folders, configs, strict=True):
        if STORED_AS.get(config.task, config.task) != STORED_AS.get(task, task):
            raise ValueError(f"{folder} holds images of task {config.task}, not of {task}: choose another data set.")
        if (config.height, config.width) != size:
            raise ValueError(
                f"{folder} holds images of {config.width} x {config.height} px, {folders[0]} of {size[1]} x {size[0]}: "
                "build them in one size."
            )
    images = torch.empty((sum(config.images for config in configs), *size, 3), dtype=torch.uint8)
    points: list[np.ndarray] = []
    poses: list[np.ndarray] = []
    for folder, config in zip(folders, configs, strict=True):
        before = len(points)
        for image, places, pose in _load(folder, task, load_robot(config.robot)):
            images[len(points)] = torch.from_numpy(image)
            points.append(places)
            poses.append(pose)
        if len(points) == before:
            raise ValueError(f"{folder} holds no images for {task}: build them with `blockworld dataset build`.")
    return Samples(
        images[: len(points)], *(torch.from_numpy(np.stack(rows).astype(np.float32)) for rows in (points, poses))
    )


def held_out_samples(task: Task, folders: Sequence[Path]) -> Samples:
    """Images to measure on, as the network is to see them. Raises as `load_samples`."""
    samples = load_samples(task, folders)
    if task != "block":
        return samples
    return Samples(*canonical_samples(samples.images, samples.points), samples.poses)


def _load(
    folder: Path, task: Task, description: RobotDescription
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    wanted = channels(task, description)

    def read(sample: Sample) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        record = sample.record
        return rgb(sample), channel_pixels(record, wanted, description.robot), _pose(record, task)

    with ThreadPoolExecutor(2) as pool:  # OpenCV decodes without holding the interpreter's lock
        for path in complete_shards(folder):
            found = [sample for sample in read_shard(path) if task != "tool" or sample.record["robot"]["hovers"]]
            yield from pool.map(read, found)


def _pose(record: dict[str, Any], task: Task) -> np.ndarray:
    """(3,) x, y, yaw of the block."""
    if "block" in record.get("absent", ()):
        return np.full(3, np.nan)
    block = np.array(record["block"]["T_base_block"])
    if task == "fine":
        block = np.linalg.inv(np.array(record["robot"]["T_base_clamp"])) @ block
    return np.array([block[0, 3], block[1, 3], np.arctan2(block[1, 0], block[0, 0]) % np.pi])
