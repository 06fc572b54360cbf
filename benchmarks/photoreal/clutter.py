"""What lies about in the set adv: paper, and things that could be taken for a block but have not its proportions.

Blocks are 60-120 x 25-55 x 30-60 mm, at least 1.3 times as long as wide. Nothing here is a cuboid within these.
"""

from collections.abc import Callable

import numpy as np
from scipy.spatial import ConvexHull

from benchmarks.photoreal import patterns
from benchmarks.photoreal.draws import draws
from benchmarks.photoreal.layout import Layout
from benchmarks.photoreal.panda import surface_points
from benchmarks.photoreal.props import Props, at, linear
from benchmarks.photoreal.shapes import cable, rounded_box, sheet, turned
from perception.robot import Robot
from sim.meshes import Mesh
from sim.renderers.cycles_studio import Surface
from sim.scene import DISTRACTOR

MOST = 18
Place = tuple[float, float, float, float]  # x, y, radius, height in m
Thing = tuple[Mesh, np.ndarray, float, Surface]  # mesh, its pose at the origin, height in m, surface


def _paper(rng: np.random.Generator, props: Props) -> Thing:
    width, height = [(0.210, 0.297), (0.148, 0.210), (0.105, 0.148), (0.076, 0.076)][rng.integers(4)]
    bend = rng.uniform(0.0, 0.03)
    image = props.picture(patterns.printed(rng))
    look = Surface((1, 1, 1), image, roughness=0.8, specular=0.2)
    return sheet(rng, width, height, bend), np.eye(4), bend + 0.002, look


def _strip(rng: np.random.Generator, props: Props) -> Thing:
    """A flat piece as long and wide as a block: card, tape, a label."""
    size = (rng.uniform(0.06, 0.12), rng.uniform(0.025, 0.055), rng.uniform(0.0008, 0.006))
    return rounded_box(size, 0.0004), at(0, 0, size[2] / 2), size[2], _painted(rng, props)


def _book(rng: np.random.Generator, props: Props) -> Thing:
    size = (rng.uniform(0.17, 0.26), rng.uniform(0.11, 0.18), rng.uniform(0.012, 0.045))
    return rounded_box(size, 0.002), at(0, 0, size[2] / 2), size[2], _painted(rng, props)


def _carton(rng: np.random.Generator, props: Props) -> Thing:
    """A box larger than any block."""
    size = (rng.uniform(0.13, 0.22), rng.uniform(0.07, 0.15), rng.uniform(0.05, 0.13))
    image = props.picture(patterns.cardboard(rng) if rng.random() < 0.5 else patterns.camouflage(rng))
    return (
        rounded_box(size, 0.002),
        at(0, 0, size[2] / 2),
        size[2],
        Surface((1, 1, 1), image, 4.0, 0.7, box=True),
    )


def _cube(rng: np.random.Generator, props: Props) -> Thing:
    """As wide as long: dice, toy bricks, blocks on end."""
    side = rng.uniform(0.025, 0.055)
    size = (side * rng.uniform(1.0, 1.1), side, rng.uniform(0.02, 0.13))
    return rounded_box(size, 0.003), at(0, 0, size[2] / 2), size[2], _painted(rng, props)


def _bar(rng: np.random.Generator, props: Props) -> Thing:
    """Longer than any block, or thinner."""
    size = (rng.uniform(0.15, 0.30), rng.uniform(0.015, 0.04), rng.uniform(0.012, 0.035))
    return rounded_box(size, 0.002), at(0, 0, size[2] / 2), size[2], _painted(rng, props)


def _mug(rng: np.random.Generator, props: Props) -> Thing:
    radius, height = rng.uniform(0.034, 0.045), rng.uniform(0.08, 0.11)
    wall = 0.004
    mesh = turned(
        [
            (0, 0),
            (radius * 0.9, 0),
            (radius, 0.006),
            (radius, height),
            (radius - wall, height),
            (radius - wall, 0.008),
            (0, 0.008),
        ]
    )
    return mesh, np.eye(4), height, Surface(linear(rng.uniform(0.1, 0.95, 3)), roughness=0.15, coat=0.6)


def _tin(rng: np.random.Generator, props: Props) -> Thing:
    radius, height = rng.uniform(0.02, 0.05), rng.uniform(0.05, 0.15)
    mesh = turned(
        [
            (0, 0),
            (radius, 0),
            (radius, height),
            (radius * 0.93, height),
            (radius * 0.93, height - 0.003),
            (0, height - 0.003),
        ]
    )
    if rng.random() < 0.5:
        return mesh, np.eye(4), height, Surface(linear((0.7, 0.7, 0.72)), roughness=0.25, metallic=1.0)
    return mesh, np.eye(4), height, Surface((1, 1, 1), props.picture(patterns.camouflage(rng)), roughness=0.4)


def _bottle(rng: np.random.Generator, props: Props) -> Thing:
    r, h = rng.uniform(0.028, 0.04), rng.uniform(0.16, 0.24)
    mesh = turned(
        [
            (0, 0),
            (r * 0.95, 0),
            (r, 0.006),
            (r, h * 0.6),
            (r * 0.85, h * 0.7),
            (r * 0.4, h * 0.82),
            (r * 0.36, h * 0.9),
            (r * 0.42, h * 0.9),
            (r * 0.42, h),
            (0, h),
        ]
    )
    return mesh, np.eye(4), h, Surface(linear(rng.uniform(0.05, 0.8, 3)), roughness=0.2, coat=0.5)


def _roll(rng: np.random.Generator, props: Props) -> Thing:
    """A roll of tape lying flat."""
    outer, high = rng.uniform(0.035, 0.06), rng.uniform(0.018, 0.05)
    inner = outer * rng.uniform(0.5, 0.8)
    mesh = turned([(inner, 0), (outer, 0), (outer, high), (inner, high), (inner, 0)])
    return mesh, np.eye(4), high, Surface(linear(rng.uniform(0.1, 0.9, 3)), roughness=0.4)


def _ball(rng: np.random.Generator, props: Props) -> Thing:
    radius = rng.uniform(0.015, 0.04)
    angles = np.linspace(-np.pi / 2, np.pi / 2, 25)
    profile = [(float(max(0.0, radius * np.cos(a))), float(radius * (1 + np.sin(a)))) for a in angles]
    return turned(profile), np.eye(4), 2 * radius, Surface(linear(rng.uniform(0.1, 0.9, 3)), roughness=0.5)


def _pen(rng: np.random.Generator, props: Props) -> Thing:
    r, length = rng.uniform(0.004, 0.007), rng.uniform(0.11, 0.17)
    half = length / 2
    mesh = turned([(0, -half), (r * 0.4, -half), (r, -half + 0.015), (r, half), (0, half)], 16)
    pose = np.eye(4)
    pose[:3, :3] = ((0, 0, 1), (0, 1, 0), (-1, 0, 0))
    pose[2, 3] = r
    return mesh, pose, 2 * r, Surface(linear(rng.uniform(0.05, 0.9, 3)), roughness=0.3)


def _lead(rng: np.random.Generator, props: Props) -> Thing:
    """A piece of cable."""
    t = np.linspace(0, 1, 60)
    turns, size = rng.uniform(0.5, 2.5), rng.uniform(0.04, 0.09)
    radius = size * (0.6 + 0.4 * np.sin(2 * np.pi * t * rng.uniform(0.5, 1.5) + 1))
    thick = rng.uniform(0.002, 0.004)
    angle = 2 * np.pi * turns * t
    line = np.column_stack(
        [radius * np.cos(angle), radius * np.sin(angle), thick + 2 * thick * (t * turns % 1 > 0.9)]
    )
    return cable(line, thick), np.eye(4), 4 * thick, Surface(linear(rng.uniform(0.02, 0.8, 3)), roughness=0.5)


THINGS: tuple[tuple[Callable[[np.random.Generator, Props], Thing], float], ...] = (
    (_paper, 5),
    (_strip, 2),
    (_book, 1.5),
    (_carton, 1.5),
    (_cube, 3),
    (_bar, 2),
    (_mug, 1),
    (_tin, 1.5),
    (_bottle, 0.7),
    (_roll, 1),
    (_ball, 1),
    (_pen, 1),
    (_lead, 1),
)


def _painted(rng: np.random.Generator, props: Props) -> Surface:
    if rng.random() < 0.35:
        return Surface((1, 1, 1), props.picture(patterns.wood(rng)), 5.0, 0.6, box=True)
    return Surface(linear(rng.uniform(0.05, 0.95, 3)), roughness=rng.uniform(0.2, 0.8))


def strew(props: Props, name: str, pose: int, layout: Layout, robot: Robot) -> None:
    """Lay things about, clear of the block, of each other and of the robot in all its postures."""
    rng = draws(name, pose, "clutter")
    robots = np.concatenate([surface_points(robot, joints) for joints in layout.joints.values()])
    weights = np.array([weight for _, weight in THINGS])
    taken: list[Place] = []
    papers = 0
    for number in range(int(rng.integers(12, MOST + 1))):
        make = THINGS[rng.choice(len(THINGS), p=weights / weights.sum())][0]
        mesh, rest, height, surface = make(rng, props)
        corners = (mesh.vertices @ rest[:3, :3].T)[:, :2]
        radius = float(np.linalg.norm(corners, axis=1).max())
        for _ in range(60):
            if rng.random() < 0.45:  # near the block, where it matters
                angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.08, 0.30)
                x, y = layout.x_m + away * np.cos(angle), layout.y_m + away * np.sin(angle)
            else:
                x, y = rng.uniform(0.15, 0.85), rng.uniform(-0.6, 0.6)
            yaw = rng.uniform(0, 2 * np.pi)
            cos, sin = np.cos(yaw), np.sin(yaw)
            outline = corners @ np.array([(cos, sin), (-sin, cos)]) + (x, y)
            flat = make is _paper
            if _free(outline, (x, y, radius, height), layout, taken, robots, flat):
                break
        else:
            continue
        lift = 0.0
        if flat:  # sheets may overlap, one above the other
            papers += 1
            lift = 0.0006 * papers
        else:
            taken.append((x, y, radius, height))
        props.put(mesh, at(x, y, lift, yaw) @ rest, surface, DISTRACTOR + number)


def _free(
    outline: np.ndarray, place: Place, layout: Layout, taken: list[Place], robots: np.ndarray, flat: bool
) -> bool:
    x, y, radius, height = place
    if layout.inside(outline, 0.012).any() or np.hypot(x, y) < radius + 0.20:
        return False
    block = layout.footprint()
    if np.linalg.norm(block - (x, y), axis=1).min() < radius and _covers(outline, block):
        return False
    over = np.hypot(robots[:, 0] - x, robots[:, 1] - y) < radius + 0.02
    if over.any() and robots[over, 2].min() < height + 0.02:
        return False
    if flat:
        return all(np.hypot(x - a, y - b) > r + 0.5 * radius for a, b, r, _ in taken)
    return all(np.hypot(x - a, y - b) > radius + r + 0.005 for a, b, r, _ in taken)


def _covers(outline: np.ndarray, block: np.ndarray) -> bool:
    """Whether the convex hull of an outline (N, 2) holds a corner of the block or crosses it."""
    edges = ConvexHull(outline).equations
    fine = np.concatenate(
        [
            block,
            *(block + (np.roll(block, -1, 0) - block) * t for t in (0.25, 0.5, 0.75)),
            block.mean(0, keepdims=True),
        ]
    )
    return bool((fine @ edges[:, :2].T + edges[:, 2] < 0.01).all(axis=1).any())
