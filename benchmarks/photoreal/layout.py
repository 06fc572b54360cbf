"""Where things are in a pose of a photoreal set: block, cameras, and the robot's three postures."""

from dataclasses import dataclass

import numpy as np

from benchmarks.photoreal.draws import draws
from benchmarks.photoreal.panda import FINGER_OPEN_M, REST, SPREAD_RAD, reach, surface_points
from perception.camera import Camera
from perception.robot import Robot
from sim.scene import Lens, View

IMAGE_SIZE = (480, 360)
CAMERAS = 3
POSTURES = ("overview", "fine0", "fine90")
LENGTH_M, WIDTH_M, HEIGHT_M = (0.060, 0.120), (0.025, 0.055), (0.030, 0.060)
LEAST_ASPECT = 1.3
WORKSPACE_X_M, WORKSPACE_Y_M, REACH_M = (0.25, 0.64), (-0.40, 0.40), (0.34, 0.64)
HOVER_M = (0.11, 0.17)
OFFSET_M = 0.04
GAP_M = 0.025  # between the robot and whatever stands on the ground


@dataclass(frozen=True, eq=False)
class Layout:
    """size_m of the block, its place on the ground; joints (9,) of each of POSTURES; one view per camera."""

    size_m: tuple[float, float, float]
    x_m: float
    y_m: float
    yaw_rad: float
    joints: dict[str, np.ndarray]
    views: tuple[View, ...]

    def footprint(self, spare_m: float = 0.0) -> np.ndarray:
        """Corners (4, 2) of the block's outline seen from above, grown by spare_m."""
        half = np.array(self.size_m[:2]) / 2 + spare_m
        corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * half
        cos, sin = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        return corners @ np.array([(cos, sin), (-sin, cos)]) + (self.x_m, self.y_m)

    def inside(self, points: np.ndarray, spare_m: float = 0.0) -> np.ndarray:
        """Which of the points (N, 2 or 3) lie over the block's outline, grown by spare_m."""
        cos, sin = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        along = (points[:, :2] - (self.x_m, self.y_m)) @ np.array([(cos, -sin), (sin, cos)])
        return np.all(np.abs(along) < np.array(self.size_m[:2]) / 2 + spare_m, axis=1)


def sample_layout(name: str, pose: int, robot: Robot) -> Layout:
    """Pose `pose` of the set `name`: equal arguments, equal layout."""
    shape, place = draws(name, pose, "block shape"), draws(name, pose, "block place")
    width = shape.uniform(*WIDTH_M)
    size = (
        float(shape.uniform(max(LENGTH_M[0], LEAST_ASPECT * width), LENGTH_M[1])),
        float(width),
        float(shape.uniform(*HEIGHT_M)),
    )
    while True:
        x, y = place.uniform(*WORKSPACE_X_M), place.uniform(*WORKSPACE_Y_M)
        if REACH_M[0] <= np.hypot(x, y) <= REACH_M[1]:
            break
    bare = Layout(size, float(x), float(y), float(place.uniform(-np.pi / 2, np.pi / 2)), {}, ())
    postures = draws(name, pose, "postures")
    joints = {"overview": _anywhere(postures, robot, bare), **_hovering(postures, robot, bare)}
    cameras = draws(name, pose, "cameras")
    views = tuple(_view(cameras) for _ in range(CAMERAS))
    return Layout(bare.size_m, bare.x_m, bare.y_m, bare.yaw_rad, joints, views)


def _anywhere(rng: np.random.Generator, robot: Robot, layout: Layout) -> np.ndarray:
    """A posture that touches neither ground, block nor the robot's own base, and leaves the block in sight."""
    lower, upper = (
        np.array([getattr(joint, side) for joint in robot.moving[:7]]) for side in ("lower", "upper")
    )
    while True:
        arm = np.clip(REST + rng.uniform(-SPREAD_RAD, SPREAD_RAD), lower, upper)
        joints = np.append(arm, [rng.uniform(0, FINGER_OPEN_M)] * 2)
        points = surface_points(robot, joints, first_link=3)
        hand = surface_points(robot, joints, first_link=6)
        near = np.linalg.norm(points - (layout.x_m, layout.y_m, 0.03), axis=1).min()
        if points[:, 2].min() > 0.10 and near > 0.15 and np.hypot(*hand[:, :2].T).min() > 0.16:
            return joints


def _hovering(rng: np.random.Generator, robot: Robot, layout: Layout) -> dict[str, np.ndarray]:
    """The clamp over the block, pointing down, at two orientations 90 degrees apart."""
    while True:
        place = np.array((layout.x_m, layout.y_m, 0)) + np.append(
            rng.uniform(-OFFSET_M, OFFSET_M, 2), rng.uniform(*HOVER_M)
        )
        yaw, opening = rng.uniform(-np.pi, np.pi), rng.uniform(0.02, FINGER_OPEN_M)
        found = {}
        for posture, turn in (("fine0", 0.0), ("fine90", np.pi / 2)):
            cos, sin = np.cos(yaw + turn), np.sin(yaw + turn)
            target = np.eye(4)
            target[:3, :3] = ((cos, sin, 0), (sin, -cos, 0), (0, 0, -1))
            target[:3, 3] = place
            start = REST.copy()
            start[0] = np.arctan2(place[1], place[0])
            start[6] = rng.uniform(-1.5, 2.5)
            arm = reach(robot, target, start)
            if arm is None:
                break
            joints = np.append(arm, (opening, opening))
            points = surface_points(robot, joints, first_link=2)
            over = layout.inside(points, GAP_M)
            if points[:, 2].min() < 0.06 or (over.any() and points[over, 2].min() < layout.size_m[2] + GAP_M):
                break
            found[posture] = joints
        if len(found) == 2:
            return found


def _view(rng: np.random.Generator) -> View:
    """An uncalibrated camera in front of or beside the robot that sees the workspace and most of the arm."""
    width, height = IMAGE_SIZE
    focal = width * rng.uniform(0.8, 1.6)
    distance = focal / height * rng.uniform(0.95, 1.4)
    azimuth, elevation = np.radians(rng.uniform(-110, 110)), np.radians(rng.uniform(18, 60))
    target = np.array([0.36, 0.0, 0.20]) + rng.normal(0, 0.05, 3)
    towards = np.array(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)]
    )
    roll = rng.normal(0, np.radians(2))
    camera = Camera.looking_at(target + distance * towards, target, focal, width, height, roll)
    wide = (width / focal) ** 2  # short lenses bend more
    shift = rng.normal(0, 0.008 * width, 2)
    k1, k2 = float(rng.uniform(-0.10, 0.05) * wide), float(rng.uniform(-0.02, 0.02) * wide)
    lens = Lens((float(shift[0]), float(shift[1])), k1, k2)
    return View(camera, lens)
