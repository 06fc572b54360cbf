"""Data sets on disk: shards of rendered shots with the pixels of their keypoints.

A shard is a function of the configuration and its number alone, written whole or not at all. So a build can be
interrupted, resumed and spread over workers, and gives the same bytes.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field

from perception.camera import Camera
from perception.crop import window
from perception.robot import Robot
from sim.keypoints import CLOSE_UP, OVERVIEW, locate
from sim.random_streams import stream
from sim.randomization import sample_scene
from sim.renderers import Renderer, Shot, open_renderer
from sim.scene import Scene

CROP_SCALE_ERROR = 0.15
CROP_SHIFT_ERROR = 0.06


class DatasetConfig(BaseModel):
    """What a data set holds. Sizes are in pixels of the stored images."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Literal["coarse", "tool", "fine"]
    renderer: str = "tiny"
    seed: int = 0
    scenes: int = Field(gt=0)
    views: int = Field(default=3, gt=0, le=8)
    width: int = Field(gt=0, le=1920)
    height: int = Field(gt=0, le=1920)
    oversampling: float = Field(default=1.25, ge=1, le=4)
    shard_scenes: int = Field(default=100, gt=0)

    @property
    def shards(self) -> int:
        """Number of shards, the last one perhaps shorter."""
        return -(-self.scenes // self.shard_scenes)

    @property
    def fingerprint(self) -> str:
        """Names the contents: equal configurations share it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


def build(config: DatasetConfig, out: Path, workers: int = 1) -> Iterator[int]:
    """Write the shards that are missing in `out`; yields the number of images of each as it is finished.

    Raises ValueError where `out` holds a data set of another configuration.
    """
    out.mkdir(parents=True, exist_ok=True)
    _claim(config, out)
    missing = [shard for shard in range(config.shards) if not shard_path(out, shard).exists()]
    with ProcessPoolExecutor(max_workers=workers) as pool:
        pending = [pool.submit(_write_shard, config, out, shard) for shard in missing]
        try:
            for done in as_completed(pending):
                yield done.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def shard_path(out: Path, shard: int) -> Path:
    """File of one shard."""
    return out / f"shard-{shard:05d}.npz"


def read_config(out: Path) -> DatasetConfig:
    """The configuration of the data set in `out`; raises ValueError where there is none."""
    path = out / "config.yaml"
    if not path.is_file():
        raise ValueError(f"{out} holds no data set: build one there with `blockworld dataset build`.")
    return DatasetConfig.model_validate(yaml.safe_load(path.read_text()))


def read_shards(out: Path) -> Iterator[dict[str, np.ndarray]]:
    """The shards present in `out` in order, each as images (N, H, W, 3) uint8 and points (N, K, 2, 2) float32 px,
    joints (N, 9), hover (N,) bool."""
    for path in sorted(out.glob("shard-*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            yield {name: arrays[name] for name in arrays.files}


def _claim(config: DatasetConfig, out: Path) -> None:
    text = yaml.safe_dump(config.model_dump(), sort_keys=False)
    path = out / "config.yaml"
    if path.exists() and read_config(out) != config:
        raise ValueError(f"{out} already holds another data set (see {path}): choose an empty folder.")
    path.write_text(text)


@cache
def _worker_state(renderer: str) -> tuple[Renderer, Robot]:
    """One renderer per worker process: its textures and meshes are loaded once."""
    return open_renderer(renderer), Robot.load("panda")


def _write_shard(config: DatasetConfig, out: Path, shard: int) -> int:
    renderer, robot = _worker_state(config.renderer)
    first = shard * config.shard_scenes
    samples = [
        sample
        for index in range(first, min(first + config.shard_scenes, config.scenes))
        for sample in render_scene(config, index, renderer, robot)
    ]
    arrays = {name: np.stack([sample[name] for sample in samples]) for name in samples[0]}
    handle, scratch = tempfile.mkstemp(dir=out, suffix=".part")
    with os.fdopen(handle, "wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    Path(scratch).replace(shard_path(out, shard))
    return len(samples)


def shots_of(scene: Scene, config: DatasetConfig, robot: Robot) -> list[Shot]:
    """The shots of a scene: whole images for coarse and tool, crops around the clamp for fine."""
    if config.task != "fine":
        return [
            Shot.whole(camera, config.width, config.height, config.oversampling) for camera in scene.cameras
        ]
    rng = stream(config.seed, scene.index, "crop")
    clamp = robot.clamp_pose(scene.joints)
    return [close_up(camera, clamp, rng, config) for camera in scene.cameras]


def close_up(
    camera: Camera, T_base_clamp: np.ndarray, rng: np.random.Generator, config: DatasetConfig
) -> Shot:
    """The crop that the runtime would take, with the errors that its camera and clamp estimates will have."""
    clamp_px, _ = camera.project(T_base_clamp[:3, 3])
    exact = window(camera, T_base_clamp, clamp_px)
    side = exact.side * np.exp(rng.uniform(-CROP_SCALE_ERROR, CROP_SCALE_ERROR))
    centre = np.array([exact.u0, exact.v0]) + exact.side / 2
    u, v = centre + rng.normal(0, CROP_SHIFT_ERROR * exact.side, 2) - side / 2
    return Shot(camera, u, v, u + side, v + side, config.width, config.height, config.oversampling)


def render_scene(
    config: DatasetConfig, index: int, renderer: Renderer, robot: Robot
) -> list[dict[str, np.ndarray]]:
    """The samples of one scene, one per view."""
    scene = sample_scene(config.task, config.seed, index, config.views, robot)
    shots = shots_of(scene, config, robot)
    channels = CLOSE_UP if config.task == "fine" else OVERVIEW
    hovers = abs(robot.clamp_pose(scene.joints)[2, 2] + 1) < 1e-2
    return [
        {
            "images": frame.rgb,
            "points": locate(channels, scene, shot, robot).astype(np.float32),
            "joints": scene.joints.astype(np.float32),
            "hover": np.array(hovers),
        }
        for frame, shot in zip(renderer.render(scene, shots), shots, strict=True)
    ]
