"""Where cameras stand. All of the block is in the picture, and the robot hides no more of it than allowed."""

from math import cos, radians, sin

import numpy as np

from perception.camera import Camera
from sim.optics import to_image
from sim.random_streams import stream
from sim.randomization.boxes import balls_stop
from sim.randomization.config import CameraRanges, RandomizationConfig
from sim.randomization.draws import within
from sim.robots import RobotDescription
from sim.scene import Block, Lens, View

TRIES = 32
LAST_RESORT = 8  # of the tries look at the block itself


def sample_camera(
    seed: int,
    index: int,
    number: int,
    config: RandomizationConfig,
    description: RobotDescription,
    lens: Lens,
    shown: np.ndarray,
    clamp_m: np.ndarray | None,
    balls: tuple[np.ndarray, np.ndarray],
) -> Camera:
    """The pinhole of camera `number`. shown (P, 3): points of the block. clamp_m (3,): a place that has to be in the
    picture too. balls: centres (K, 3) and radii (K,) of the robot's. All m.

    Should the robot hide too much from all places that were tried, the one that shows most is taken. Raises
    ValueError where none has the block in its picture.
    """
    rng, ranges = stream(seed, index, f"camera {number}"), config.camera
    wanted = shown if clamp_m is None else np.concatenate([shown, clamp_m[None]])
    best: tuple[float, Camera] | None = None
    for attempt in range(TRIES):
        goal = shown.mean(axis=0) if attempt >= TRIES - LAST_RESORT else description.camera_target_m
        camera = _camera(rng, ranges, goal, description.span_m)
        if not _holds(View(camera, lens), wanted, ranges.least_margin_px):
            continue
        hidden = float(balls_stop(*balls, camera.position_m, shown).mean())
        if hidden <= ranges.most_hidden_share:
            return camera
        if best is None or hidden < best[0]:
            best = (hidden, camera)
    if best is None:
        raise ValueError(
            f"none of {TRIES} cameras had all of the block {ranges.least_margin_px:g} px inside its picture; lower "
            "camera.least_margin_px or camera.target_spread_m, or raise camera.framing_spans."
        )
    return best[1]


def block_points(block: Block) -> np.ndarray:
    """(13, 3) points of the block's surface, just inside it: corners, and the middles of top and sides."""
    pose = block.T_base_block
    return np.asarray((_POINTS * block.size_m) @ pose[:3, :3].T + pose[:3, 3])


_POINTS = np.array(
    [(u, v, w) for u in (-0.49, 0.49) for v in (-0.49, 0.49) for w in (0.02, 0.98)]
    + [(0, 0, 0.98), (0.49, 0, 0.5), (-0.49, 0, 0.5), (0, 0.49, 0.5), (0, -0.49, 0.5)]
)


def _camera(rng: np.random.Generator, ranges: CameraRanges, goal: np.ndarray, span_m: float) -> Camera:
    focal = ranges.width_px * within(rng, ranges.focal_widths)
    distance = focal / ranges.height_px * span_m * within(rng, ranges.framing_spans)
    azimuth, elevation = radians(within(rng, ranges.azimuth_deg)), radians(within(rng, ranges.elevation_deg))
    target = goal + ranges.target_spread_m * rng.standard_normal(3)
    way = np.array([cos(elevation) * cos(azimuth), cos(elevation) * sin(azimuth), sin(elevation)])
    roll = radians(within(rng, ranges.roll_deg))
    return Camera.looking_at(target + distance * way, target, focal, ranges.width_px, ranges.height_px, roll)


def _holds(view: View, points: np.ndarray, margin_px: float) -> bool:
    """Whether the real image holds all points (N, 3), margin_px inside its edges."""
    pinhole, depth = view.camera.project(points)
    real, size = to_image(view, pinhole), (view.camera.width, view.camera.height)
    return bool(
        (depth > 0).all() and (real >= margin_px).all() and (real <= np.subtract(size, margin_px)).all()
    )
