"""Joint positions: anywhere, or hovering over the block; clear of the support, the block and the robot itself."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from sim.inverse_kinematics import facing, hover_pose, solve
from sim.meshes import load_mesh
from sim.random_streams import stream
from sim.randomization.arms import balls_of
from sim.randomization.boxes import Boxes, bounds
from sim.randomization.config import RandomizationConfig, RobotRanges
from sim.randomization.draws import happens, within
from sim.randomization.supports import Support
from sim.robots import RobotDescription
from sim.scene import Block, Body

Task = Literal["coarse", "tool", "fine"]

TRIES = 400
START_SPREAD_RAD = 0.15
STEPS = 20  # of the solver: it gets there in about six, or hardly ever
POSTURE_CLEARANCE_M = 0.01
BLOCK_DISTANCE_M = 0.15  # in random postures the hand stays this far from the block, so that it can be seen


def sample_joints(
    task: Task,
    seed: int,
    index: int,
    config: RandomizationConfig,
    description: RobotDescription,
    block: Block,
    support: Support,
) -> np.ndarray:
    """Joint positions (J,) as the task needs them.

    coarse: anywhere in part of the scenes, else hovering. tool and fine: the clamp points down over the block.
    """
    rng, ranges = stream(seed, index, "joints"), config.robot
    is_open, opening = happens(rng, ranges.open_share), within(rng, ranges.opening_share)
    if happens(rng, ranges.random_share) and task == "coarse":
        return _anywhere(rng, description, block, support, ranges.clearance_m, opening)
    reach = ranges.fine_offset_m if task == "fine" else ranges.hover_offset_m
    return _hovering(rng, description, block, support, ranges, reach, 1.0 if is_open else opening)


def random_posture(
    rng: np.random.Generator,
    description: RobotDescription,
    block: Block,
    things: Sequence[Body] = (),
    ground_m: float = 0.0,
) -> np.ndarray:
    """Joint positions (J,) anywhere above a support that is ground_m high at most, clear of the block and of the boxes
    around things: where a robot may wait or go."""
    balls, boxes = balls_of(description), boxes_of(things)
    free = ~balls.grounded  # things may lie close to the robot's foot
    for _ in range(TRIES):
        joints = _anywhere(rng, description, block, None, ground_m + POSTURE_CLEARANCE_M, rng.random())
        centres = balls.placed(description.robot.link_poses(joints))
        if boxes.gaps_to_balls(centres[free], balls.radii[free]).min(initial=np.inf) >= POSTURE_CLEARANCE_M:
            return joints
    raise ValueError(
        f"robot {description.name}: none of {TRIES} random postures is clear of the {len(things)} things around; "
        "let there be fewer (distractors.count)."
    )


def is_clear(
    description: RobotDescription,
    joints: np.ndarray,
    block: Block,
    support: Support | None,
    clearance_m: float,
) -> bool:
    """Whether the robot's balls keep clearance_m from support and block, and do not meet each other."""
    balls = balls_of(description)
    centres = balls.placed(description.robot.link_poses(joints))
    free = ~balls.grounded
    ground = 0.0 if support is None else support.height(centres[free, 0], centres[free, 1])
    if (centres[free, 2] - balls.radii[free] - ground).min() < clearance_m or balls.meets_itself(centres):
        return False
    return float(block_box(block).gaps_to_balls(centres, balls.radii).min()) >= clearance_m


def block_box(block: Block) -> Boxes:
    """The block as a box."""
    half = np.array(block.size_m) / 2
    return Boxes.of(
        block.T_base_block[None], np.array([-half[0], -half[1], 0]), np.array([half[0], half[1], 2 * half[2]])
    )


def boxes_of(bodies: Sequence[Body]) -> Boxes:
    """The boxes around the meshes of bodies."""
    boxes = Boxes.none()
    for body in bodies:
        low, high = (np.array(body.scale) * corner for corner in bounds(load_mesh(body.mesh)))
        boxes = boxes.and_(Boxes.of(body.pose[None], low, high))
    return boxes


def _anywhere(
    rng: np.random.Generator,
    description: RobotDescription,
    block: Block,
    support: Support | None,
    clearance_m: float,
    opening: float,
) -> np.ndarray:
    arm, lower, upper = list(description.arm), description.lower, description.upper
    for _ in range(TRIES):
        joints = _with_opening(description.home, description, opening)
        joints[arm] += description.arm_spread_rad * rng.uniform(-1, 1, len(arm))
        joints = np.clip(joints, lower, upper)
        clamp = description.robot.clamp_pose(joints)[:3, 3]
        away = np.linalg.norm(clamp - block.T_base_block[:3, 3]) >= BLOCK_DISTANCE_M
        if away and is_clear(description, joints, block, support, clearance_m):
            return joints
    raise ValueError(
        f"robot {description.name}: none of {TRIES} random postures keeps {clearance_m:g} m from support and block; "
        "lower robot.clearance_m or correct home and arm_spread_rad of its description."
    )


def _hovering(
    rng: np.random.Generator,
    description: RobotDescription,
    block: Block,
    support: Support,
    ranges: RobotRanges,
    reach_m: float,
    opening: float,
) -> np.ndarray:
    place, arm = block.T_base_block[:3, 3], list(description.arm)
    for _ in range(TRIES):
        offset = reach_m * rng.uniform(-1, 1, 2)
        position = place + np.array([*offset, within(rng, description.hover_height_m)])
        yaw = rng.uniform(-np.pi, np.pi)
        start = _with_opening(facing(description, position, yaw), description, opening)
        start[arm] += START_SPREAD_RAD * rng.standard_normal(len(arm))
        joints = solve(description.robot, hover_pose(position, yaw), start, STEPS)
        if joints is not None and is_clear(description, joints, block, support, ranges.clearance_m):
            return joints
    raise ValueError(
        f"robot {description.name}: in none of {TRIES} tries did the clamp hover over a block at x {place[0]:.2f} m, "
        f"y {place[1]:.2f} m, {ranges.clearance_m:g} m clear of it; lower robot.clearance_m or block.height_m, or "
        "correct reach_m and hover_height_m of its description."
    )


def _with_opening(joints: np.ndarray, description: RobotDescription, opening: float) -> np.ndarray:
    """A copy with the gripper at a share of fully open."""
    closed, widest = description.opening
    joints = joints.copy()
    joints[list(description.fingers)] = closed + opening * (widest - closed)
    return joints
