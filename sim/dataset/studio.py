"""From the number of a scene to its images with labels, as they are stored."""

import json
import weakref
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import version
from typing import Any

import cv2
import numpy as np

from perception.configuration import validated
from perception.crop import window
from sim.dataset.config import DatasetConfig
from sim.dataset.images import DEPTH_UNIT_M, EXTENSIONS, encode_depth, encode_labels, encode_rgb
from sim.dataset.tar import key_of, pack
from sim.keypoints import Channel, Points, Task, channels, locate, points_of, visibility
from sim.optics import photograph, to_image
from sim.random_streams import stream
from sim.randomization import sample_scene
from sim.renderers import Frame, Renderer, Shot, open_renderer
from sim.robots import RobotDescription, load_robot
from sim.scene import BLOCK, DISTRACTOR, ROBOT, Block, Scene, View

CROP_SCALE_ERROR = 0.15
CROP_SHIFT_ERROR = 0.06
DOWNWARD = 1e-2
BLOCK_SIDE_M = 0.26
DECOY_HEIGHT_M = 0.02  # of the middle of what may be taken for a block
EMPTY_SHARE = 0.2  # of the pictures without a block show the ground on which it would lie


@dataclass(frozen=True)
class Picture:
    """One view of a scene: what was photographed, and the labels that go with it."""

    view: int
    shot: Shot
    frame: Frame
    record: dict[str, Any]


class Studio:
    """Renderer, robot and ranges of one configuration, opened once for many scenes."""

    def __init__(self, config: DatasetConfig, instead: bool = False) -> None:
        """instead: another renderer may draw where the configuration's does not run, which is nothing for a data set:
        that is drawn by one renderer alone. Else ValueError is raised there."""
        self.config = config
        self.description: RobotDescription = load_robot(config.robot)
        self.channels: tuple[Channel, ...] = channels(stored_task(config), self.description)
        self.ranges = config.ranges()
        self.renderer: Renderer = open_renderer(config.renderer, instead)
        weakref.finalize(self, self.renderer.close).atexit = False

    @property
    def device(self) -> str:
        """What draws."""
        return self.renderer.device

    @cached_property
    def maker(self) -> str:
        """What decides the bytes beside the configuration: what draws, and the versions of what draws at random,
        resamples and compresses."""
        versions = f"numpy {version('numpy')}, OpenCV {cv2.__version__}, ISA-L {version('isal')}"
        return f"{self.device} with {versions}"

    def scene(self, index: int) -> Scene:
        """The scene of that number."""
        config = self.config
        task = "coarse" if config.task == "block" else config.task
        return sample_scene(task, config.seed, index, config.views, self.ranges, self.description)

    def photograph(self, scene: Scene, views: range | None = None) -> list[Picture]:
        """Its images by those views, or by all."""
        chosen = views or range(len(scene.views))
        every = shots_of(scene, self.config, self.description)
        shots = [every[view] for view in chosen]
        frames = photograph(self.renderer, scene, shots, [scene.views[view] for view in chosen])
        points = points_of(self.channels, scene, self.description)
        common = self._record_of_scene(scene)
        return [
            Picture(view, shot, frame, common | self._record_of_view(scene, points, view, shot, frame))
            for view, shot, frame in zip(chosen, shots, frames, strict=True)
        ]

    def packed(self, index: int) -> bytes:
        """The entries of a scene in its shard."""
        return b"".join(
            pack(key_of(index, picture.view), self._files(picture), picture.record)
            for picture in self.photograph(self.scene(index))
        )

    def _files(self, picture: Picture) -> dict[str, bytes]:
        frame, config = picture.frame, self.config
        files = {EXTENSIONS[config.codec]: encode_rgb(frame.rgb, config.codec)}
        if config.depth:
            files["depth.png"] = encode_depth(frame.depth)
        if config.segmentation:
            files["segmentation.png"] = encode_labels(frame.segmentation)
        return files

    def _record_of_scene(self, scene: Scene) -> dict[str, Any]:
        """What the records of all views of a scene share."""
        robot = self.description.robot
        clamp = robot.clamp_pose(scene.joints)
        return {
            "task": self.config.task,
            "seed": scene.seed,
            "scene": scene.index,
            "robot": {
                "name": robot.name,
                "joints": dict(zip(robot.joint_names, _numbers(scene.joints), strict=True)),
                "T_base_clamp": _numbers(clamp),
                "hovers": bool(abs(clamp[2, 2] + 1) < DOWNWARD),
            },
            "block": {
                "size_m": _numbers(scene.block.size_m),
                "T_base_block": _numbers(scene.block.T_base_block),
            },
            "absent": [name for name, label in (("robot", ROBOT), ("block", BLOCK)) if label in scene.absent],
            "depth_unit_m": DEPTH_UNIT_M,
        }

    def _record_of_view(self, scene: Scene, points: Points, view: int, shot: Shot, frame: Frame) -> dict[str, Any]:
        seen = scene.views[view]
        pixels, visible = locate(points, shot, seen), visibility(points, shot, frame, seen)
        return {
            "view": view,
            "width": shot.width,
            "height": shot.height,
            "window_px": [shot.u0, shot.v0, shot.u1, shot.v1],
            "camera": _camera(seen),
            "keypoints": [
                {
                    "name": channel.name,
                    "kind": channel.kind,
                    "px": [_pixel(point) for point in row[: channel.modes]],
                    "visibility": [int(value) for value in state[: channel.modes]],
                }
                for channel, row, state in zip(self.channels, pixels, visible, strict=True)
            ],
        }


@lru_cache(maxsize=1)
def studio(config_json: str) -> Studio:
    """The process's studio for a configuration (`DatasetConfig.model_dump_json()`): meshes load once; that of another
    configuration is given back. Raises ValueError and BlockworldError, one sentence, for what is not here."""
    return Studio(validated(DatasetConfig, json.loads(config_json), "the data set"))


def stored_task(config: DatasetConfig) -> Task:
    """The task whose keypoints the data set holds: tool learns from the images of coarse."""
    return "coarse" if config.task == "tool" else config.task


def shots_of(scene: Scene, config: DatasetConfig, description: RobotDescription) -> list[Shot]:
    """The shots of a scene: whole images for coarse and tool, crops around the clamp for fine, the block for block, or
    where there is none what may be taken for it."""
    size = (config.width, config.height)
    if config.task == "block":
        middles = _decoys(scene) if BLOCK in scene.absent else [_middle_of(scene.block)] * len(scene.views)
        return [around(view, middle, config) for view, middle in zip(scene.views, middles, strict=True)]
    if config.task != "fine":
        return [Shot.whole(camera, *size, config.oversampling) for camera in scene.cameras]
    rng = stream(config.seed, scene.index, "crop")
    clamp = description.robot.clamp_pose(scene.joints)
    return [close_up(view, clamp, rng, config) for view in scene.views]


def around(view: View, middle_m: np.ndarray, config: DatasetConfig) -> Shot:
    """The square of BLOCK_SIDE_M around a point (3,)."""
    pixel, depth = view.camera.project(middle_m)
    u, v = (float(part) for part in to_image(view, pixel))
    half = BLOCK_SIDE_M / 2 * view.camera.focal_px / float(depth)
    return Shot(view.camera, u - half, v - half, u + half, v + half, config.width, config.height, config.oversampling)


def _middle_of(block: Block) -> np.ndarray:
    return np.asarray((block.T_base_block @ (0.0, 0.0, block.size_m[2] / 2, 1.0))[:3])


def _decoys(scene: Scene) -> list[np.ndarray]:
    """The middle of something else for every view: of one of the things around that the camera has in front of it, or,
    in a share of the cases and where there is none, of the block that is not there."""
    rng = stream(scene.seed, scene.index, "decoy")
    things = [body.pose[:3, 3] + (0.0, 0.0, DECOY_HEIGHT_M) for body in scene.bodies if body.label >= DISTRACTOR]
    chosen = []
    for view in scene.views:
        near = [middle for middle in things if _in_view(view, middle)]
        empty = rng.random() < EMPTY_SHARE or not near
        chosen.append(_middle_of(scene.block) if empty else near[int(rng.integers(len(near)))])
    return chosen


def _in_view(view: View, middle_m: np.ndarray) -> bool:
    (u, v), depth = view.camera.project(middle_m)
    return bool(depth > 0 and 0 <= u < view.camera.width and 0 <= v < view.camera.height)


def close_up(view: View, T_base_clamp: np.ndarray, rng: np.random.Generator, config: DatasetConfig) -> Shot:
    """The crop that the runtime would take, with the errors that its camera and clamp estimates will have."""
    camera = view.camera
    clamp_px = to_image(view, camera.project(T_base_clamp[:3, 3])[0])
    exact = window(camera, T_base_clamp, clamp_px)
    side = exact.side * np.exp(rng.uniform(-CROP_SCALE_ERROR, CROP_SCALE_ERROR))
    centre = np.array([exact.u0, exact.v0]) + exact.side / 2
    u, v = (float(corner) for corner in centre + rng.normal(0, CROP_SHIFT_ERROR * exact.side, 2) - side / 2)
    return Shot(camera, u, v, u + side, v + side, config.width, config.height, config.oversampling)


def _camera(view: View) -> dict[str, Any]:
    camera, lens = view.camera, view.lens
    return {
        "focal_px": float(camera.focal_px),
        "width": camera.width,
        "height": camera.height,
        "T_camera_base": _numbers(camera.T_camera_base),
        "lens": {"shift_px": _numbers(lens.shift_px), "k1": float(lens.k1), "k2": float(lens.k2)},
    }


def _pixel(point: np.ndarray) -> list[float] | None:
    return [round(float(value), 4) for value in point] if np.isfinite(point).all() else None


def _numbers(values: Any) -> Any:
    return np.asarray(values, dtype=np.float64).tolist()
