"""Things dropped one by one onto what supports them, until all lie still: places of rest, by physics."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sim.physics import Friction, Physics
from sim.scene import DISTRACTOR, SUPPORT, Block, Body, Scene
from sim.solids import Solid

DROP_M = 0.003
RAY_SPACING_M = 0.004
MOST_RAYS = 64  # along each side of what a thing covers
STILL_M, STILL_RAD, STILL_S = 3e-4, 5e-3, 0.25  # on uneven ground things tremble by less than that for ever
DAMPING = 0.9  # share of speed lost per second: in air thin things rock on uneven ground for ever
STEP_S = 1 / 480  # thin things must not pass through the triangles of uneven ground
FALLEN_M = 0.5
LEVEL = ("plane", "box")


@dataclass(frozen=True, eq=False)
class Settled:
    """poses: (4, 4) of each thing, that of its scaled mesh, in the order given. time_s: how long it took."""

    poses: tuple[np.ndarray, ...]
    time_s: float


def settle(
    things: Sequence[Block | Body | Solid],
    supports: Sequence[Body | Solid] = (),
    masses_kg: Sequence[float] | None = None,
    friction: Friction | None = None,
    longest_s: float = 8.0,
) -> Settled:
    """Where things come to rest that are let fall where they are, above what is under them.

    Each keeps its place and turn in the plane, and is raised or lowered to just above the support, and above those
    before it where they overlap: they may end up on each other. supports: the plane z = 0 where none are given.
    Equal arguments give equal poses on one machine. Raises ValueError for a thing that falls off the support, or is
    not at rest after longest_s.
    """
    solids = [Solid.of(thing) for thing in things]
    masses = [None] * len(solids) if masses_kg is None else list(masses_kg)
    if len(masses) != len(solids):
        raise ValueError(f"masses_kg has {len(masses)} masses for {len(solids)} things: give one for each.")
    physics = Physics(None, supports, friction, step_s=STEP_S, damping=DAMPING)
    try:
        bodies = []
        for solid, mass in zip(solids, masses, strict=True):
            bodies.append(physics.add(_above(solid, physics), mass))
        time_s = _run(physics, solids, bodies, longest_s)
        return Settled(tuple(physics.pose(body) for body in bodies), time_s)
    finally:
        physics.close()


def stands_level(scene: Scene) -> bool:
    """Whether the support is flat, so that a sampled scene is at rest as it is."""
    return all(body.mesh in LEVEL for body in scene.bodies if body.label == SUPPORT)


def settle_scene(scene: Scene, friction: Friction | None = None) -> Scene:
    """The scene with its block and its distractors at rest on its support; all else, the robot too, as it was.

    Raises ValueError as `settle` does.
    """
    supports = [body for body in scene.bodies if body.label == SUPPORT]
    movable = [number for number, body in enumerate(scene.bodies) if body.label >= DISTRACTOR]
    settled = settle([scene.block, *(scene.bodies[number] for number in movable)], supports, friction=friction)
    bodies = list(scene.bodies)
    for number, pose in zip(movable, settled.poses[1:], strict=True):
        bodies[number] = replace(bodies[number], pose=pose)
    return replace(scene, block=block_at(scene.block, settled.poses[0]), bodies=tuple(bodies))


def block_at(block: Block, middle: np.ndarray) -> Block:
    """The block with its middle at a pose (4, 4); its x axis points the way that its yaw says."""
    pose = middle.copy()
    pose[:3, 3] -= block.size_m[2] / 2 * pose[:3, 2]
    yaw = float(np.arctan2(pose[1, 0], pose[0, 0]) % np.pi)
    return replace(block, x_m=float(pose[0, 3]), y_m=float(pose[1, 3]), yaw_rad=yaw, pose=pose)


def _above(solid: Solid, physics: Physics) -> Solid:
    """The solid just above all that is under it."""
    points = solid.corners @ solid.pose[:3, :3].T + solid.pose[:3, 3]
    low, high = points.min(axis=0), points.max(axis=0)
    counts = np.clip(np.ceil((high - low)[:2] / RAY_SPACING_M) + 1, 2, MOST_RAYS).astype(int)
    grid = np.meshgrid(*(np.linspace(low[i], high[i], counts[i]) for i in range(2)), indexing="ij")
    heights = physics.heights(np.stack(grid, axis=-1).reshape(-1, 2))
    if not np.isfinite(heights).any():
        x, y = solid.pose[:2, 3]
        raise ValueError(f"there is no support under the {solid.name} at ({x:.3f}, {y:.3f}) m: place it over one.")
    pose = solid.pose.copy()
    pose[2, 3] += np.max(heights, where=np.isfinite(heights), initial=-np.inf) + DROP_M - low[2]
    return replace(solid, pose=pose)


def _run(physics: Physics, solids: Sequence[Solid], bodies: Sequence[int], longest_s: float) -> float:
    """Let time run until all is still; the time that it took, the stillness left out."""
    floor = min((solid.pose[2, 3] for solid in solids), default=0.0) - FALLEN_M
    before = np.array([physics.pose(body) for body in bodies]).reshape(-1, 4, 4)
    window = round(STILL_S / STEP_S)
    for number in range(max(1, int(longest_s / STILL_S))):
        for _ in range(window):
            physics.fall()
        now = np.array([physics.pose(body) for body in bodies]).reshape(-1, 4, 4)
        moved = np.linalg.norm(now[:, :3, 3] - before[:, :3, 3], axis=1)
        turned = np.linalg.norm(now[:, :3, :3] - before[:, :3, :3], axis=(1, 2)) / np.sqrt(2)
        if number > 0 and (moved < STILL_M).all() and (turned < STILL_RAD).all():
            return number * STILL_S
        for solid, height in zip(solids, now[:, 2, 3], strict=True):
            if height < floor:
                raise ValueError(f"the {solid.name} fell off the support: place it farther from its edge.")
        before = now
    restless = solids[int((moved / STILL_M + turned / STILL_RAD).argmax())].name
    raise ValueError(
        f"the {restless} did not come to rest within {longest_s:g} s: give more time (longest_s), or a place where it "
        "does not roll."
    )
