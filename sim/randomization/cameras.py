"""Cameras with their lenses. All of the block is in the picture, and the robot hides no more of it than allowed."""

import numpy as np

from perception.camera import Camera
from sim.random_streams import stream
from sim.randomization.boxes import balls_stop
from sim.randomization.config import CameraRanges, LensRanges, RandomizationConfig
from sim.randomization.draws import within
from sim.robots import RobotDescription
from sim.scene import Block, Lens

TRIES = 24
LAST_RESORT = 4  # of the tries look at the block itself


def sample_camera(
    seed: int,
    index: int,
    view: int,
    config: RandomizationConfig,
    description: RobotDescription,
    block: Block,
    clamp_m: np.ndarray | None,
    balls: tuple[np.ndarray, np.ndarray],
) -> tuple[Camera, Lens]:
    """Camera number `view`. clamp_m (3,): a place that has to be in the picture too. balls: the robot's centres and
    radii.

    Should the robot hide too much from all places that were tried, the one that shows most is taken.
    """
    rng, lens = stream(seed, index, f"camera {view}"), _lens(stream(seed, index, f"lens {view}"), config.lens)
    shown = block_points(block)
    wanted = shown if clamp_m is None else np.concatenate([shown, clamp_m[None]])
    best: tuple[float, Camera] | None = None
    for number in range(TRIES):
        goal = shown.mean(axis=0) if number >= TRIES - LAST_RESORT else description.camera_target_m
        camera = _camera(rng, config.camera, goal, description.span_m)
        if not _holds(camera, lens, wanted, config.camera.least_margin_px) and number < TRIES - 1:
            continue
        eye = np.broadcast_to(camera.position_m, shown.shape)
        hidden = float(balls_stop(*balls, eye, shown).mean())
        if hidden <= config.camera.most_hidden_share:
            return camera, lens
        if best is None or hidden < best[0]:
            best = (hidden, camera)
    assert best is not None  # the last try is kept whatever it shows
    return best[1], lens


def block_points(block: Block) -> np.ndarray:
    """(13, 3) points of the block's surface, just inside it: corners, and the middles of top and sides."""
    x, y, z = np.array(block.size_m) * (0.49, 0.49, 0.98)
    local = [(u * x, v * y, w) for u in (-1, 1) for v in (-1, 1) for w in (0.02 * z, z)]
    local += [(0, 0, z), (x, 0, z / 2), (-x, 0, z / 2), (0, y, z / 2), (0, -y, z / 2)]
    pose = block.T_base_block
    return np.asarray(np.array(local) @ pose[:3, :3].T + pose[:3, 3])


def _camera(rng: np.random.Generator, ranges: CameraRanges, goal: np.ndarray, span_m: float) -> Camera:
    focal = ranges.width_px * within(rng, ranges.focal_widths)
    distance = focal / ranges.height_px * span_m * within(rng, ranges.framing_spans)
    azimuth, elevation = np.radians((within(rng, ranges.azimuth_deg), within(rng, ranges.elevation_deg)))
    target = goal + ranges.target_spread_m * rng.standard_normal(3)
    way = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    roll = float(np.radians(within(rng, ranges.roll_deg)))
    return Camera.looking_at(target + distance * way, target, focal, ranges.width_px, ranges.height_px, roll)


def _lens(rng: np.random.Generator, ranges: LensRanges) -> Lens:
    shift = (within(rng, ranges.shift_px), within(rng, ranges.shift_px))
    return Lens(shift, within(rng, ranges.k1), within(rng, ranges.k2))


def _holds(camera: Camera, lens: Lens, points: np.ndarray, margin_px: float) -> bool:
    """Whether the real image holds all points (N, 3), margin_px inside its edges."""
    pinhole, depth = camera.project(points)
    size = np.array([camera.width, camera.height])
    ideal = (pinhole - size / 2) / camera.focal_px
    square = (ideal**2).sum(axis=-1, keepdims=True)
    real = ideal * (1 + lens.k1 * square + lens.k2 * square**2) * camera.focal_px + size / 2 + lens.shift_px
    return bool((depth > 0).all() and (real >= margin_px).all() and (real <= size - margin_px).all())
