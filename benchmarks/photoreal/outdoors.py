"""Rough ground under the sky: gravel or dirt with stones, grass and twigs. The stage of the set field."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from benchmarks.photoreal import patterns, skies
from benchmarks.photoreal.layout import Layout
from benchmarks.photoreal.props import Props, at, linear
from benchmarks.photoreal.shapes import cable, ground, heap, rounded_box, stone
from sim.meshes import Mesh, mesh_of
from sim.renderers.cycles_studio import Lamp, Panorama, Surface
from sim.scene import ROOM, SUPPORT

FINE_M, FINE_STEP_M = 1.25, 0.0045  # half the side of the patch with all its pebbles
PLATE_M = 0.27
Hills = Callable[[np.ndarray, np.ndarray], np.ndarray]


def grow(props: Props, rng: np.random.Generator, pose: int, layout: Layout) -> np.ndarray:
    """Builds ground, plants and sky; returns the ground's points (N, 3) under the block."""
    gravel = pose % 5 not in (1, 3)
    x = np.arange(-FINE_M, FINE_M, FINE_STEP_M) + 0.4
    y = np.arange(-FINE_M, FINE_M, FINE_STEP_M)
    hills = _hills(rng)
    heights, tint = (_gravel if gravel else _dirt)(rng, x, y)
    heights = heights + hills(*np.meshgrid(x, y, indexing="ij"))
    near = np.hypot(*np.meshgrid(x + 0.04, y, indexing="ij"))
    heights = np.minimum(heights, -0.012 + 0.5 * np.clip(near - PLATE_M, 0, None))
    edge = np.maximum(np.abs(x - 0.4)[:, None], np.abs(y)[None])
    heights = heights - np.clip((edge - FINE_M + 0.1) / 0.1, 0, 1) * 0.03
    soil = props.picture(patterns.soil(rng, rng.uniform(0, 1)))
    bumps = props.picture(patterns.clouds(rng, slope=0.7))
    earth = Surface(
        (1.0, 1.0, 1.0), soil, 1.0, rng.uniform(0.8, 1.0), specular=0.2, relief=bumps, relief_m=0.01
    )
    fine = Surface(
        (1.0, 1.0, 1.0),
        None if gravel else soil,
        1.0,
        rng.uniform(0.65, 0.95),
        specular=0.3,
        tint=True,
        relief=bumps,
        relief_m=0.002 if gravel else 0.006,
    )
    span = 2 * FINE_M
    wide = np.concatenate([[-40, -15], np.arange(-5, 5.01, 0.1), [15, 40]])
    far = ground(hills(*np.meshgrid(wide, wide, indexing="ij")) - 0.03, wide, wide)
    if gravel:  # the patch, repeated as a picture
        far = replace(far, uv=((far.uv - (x[0], y[0])) / span).astype(np.float32))
        shade = 0.35 + 0.45 * _unit(heights)[..., None]  # the gaps between pebbles are dark
        colours = ((tint * shade) ** (1 / 2.2) * 255).astype(np.uint8).transpose(1, 0, 2)[::-1]
        earth = replace(earth, image=props.picture(colours), relief_m=0.015)
        earth = replace(earth, relief=props.picture(_unit(heights).T[::-1].copy()))
    else:
        mean = tint.mean(axis=(0, 1))
        earth = replace(earth, rgb=tuple(float(value) for value in mean))
        blend = np.clip((edge - FINE_M + 0.35) / 0.3, 0, 1)[..., None]
        tint = tint * (1 - blend) + mean * blend
    mesh = ground(heights, x, y)
    props.put(mesh, np.eye(4), fine, SUPPORT, tint.reshape(-1, 3))
    props.put(far, np.eye(4), earth, SUPPORT)
    plate = Surface((1, 1, 1), props.picture(patterns.brushed(rng, 0.5)), 2.0, 0.5, metallic=0.8, box=True)
    props.put(rounded_box((0.36, 0.34, 0.012), 0.002), at(-0.045, 0, -0.006), plate, SUPPORT)
    stones, colours = _stones(rng, 900 if gravel else 1800, 0.010, 0.030, hills, layout, near=1.3)
    rocks, greys = _stones(rng, 500, 0.02, 0.10, hills, layout, near=4.0, clear=0.9)
    rough = Surface((1, 1, 1), None, 1.0, rng.uniform(0.6, 0.9), specular=0.3, tint=True)
    props.put(stones, np.eye(4), rough, SUPPORT, colours)
    props.put(rocks, np.eye(4), rough, SUPPORT, greys)
    _plants(props, rng, hills, layout)
    _sky(props, rng)
    points = np.concatenate([mesh.vertices, stones.vertices])
    return points[layout.inside(points)]


def _hills(rng: np.random.Generator) -> Hills:
    """Heights in m of the ground without its stones, about 1 cm up and down."""
    waves = rng.normal(0, 1, (10, 2)) * np.geomspace(1.5, 9, 10)[:, None]
    phases = rng.uniform(0, 2 * np.pi, 10)
    sizes = rng.uniform(0.2, 1, 10) / np.geomspace(1, 5, 10)
    sizes *= rng.uniform(0.004, 0.009) / np.sqrt((sizes**2).sum() / 2)

    def hills(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        total = np.zeros(np.shape(x))
        for wave, phase, size in zip(waves, phases, sizes, strict=True):
            total += size * np.sin(wave[0] * x + wave[1] * y + phase)
        return total

    return hills


def _gravel(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Heights (X, Y) and linear colours (X, Y, 3) of pebbles that lie side by side, sand between them; it tiles."""
    size = rng.uniform(0.011, 0.022)
    count = int(1.5 * (2 * FINE_M / size) ** 2)
    span = 2 * FINE_M
    middles = rng.uniform(0, span, (count, 2))
    radii = size * rng.uniform(0.35, 0.85, count) * np.where(rng.random(count) < 0.08, 1.5, 1.0)
    long, turn = rng.uniform(0.6, 1.0, count), rng.uniform(0, np.pi, count)
    grid = np.stack(np.meshgrid(x - x[0], y - y[0], indexing="ij"), axis=-1).reshape(-1, 2) % span
    _, near = cKDTree(middles, boxsize=span).query(grid, k=5)
    away = (grid[:, None] - middles[near] + span / 2) % span - span / 2
    cos, sin = np.cos(turn[near]), np.sin(turn[near])
    along, across = away[..., 0] * cos + away[..., 1] * sin, away[..., 1] * cos - away[..., 0] * sin
    q = (along**2 + (across / long[near]) ** 2) / radii[near] ** 2
    dome = np.sqrt(np.clip(1 - q**1.4, 0, None)) * radii[near] * 0.75
    dome = dome + rng.uniform(-0.3, 0.3, count)[near] * radii[near]
    dome = np.where(q < 1, dome, -1.0)
    top = dome.argmax(axis=1)
    which = near[np.arange(len(near)), top]
    height = dome.max(axis=1)
    base = rng.uniform(0.28, 0.55) * np.array([1, rng.uniform(0.92, 1), rng.uniform(0.80, 1)])
    tones = np.clip(
        base * np.exp(rng.normal(0, 0.28, (count, 1))) + rng.normal(0, 0.010, (count, 3)), 0.02, 0.95
    )
    sand = base * 0.55
    speck = rng.uniform(0.88, 1.12, (len(grid), 1))
    bare = height < -0.5
    colours = np.where(bare[:, None], sand, tones[which]) * speck
    height = np.where(bare, -0.35 * size, height) - 0.4 * size
    shape = (len(x), len(y))
    return height.reshape(shape), np.clip(colours, 0, 1).reshape(*shape, 3) ** 2.2


def _unit(heights: np.ndarray) -> np.ndarray:
    return ((heights - heights.min()) / (heights.max() - heights.min())).astype(np.float32)


def _dirt(rng: np.random.Generator, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Heights (X, Y) and linear colours (X, Y, 3) of earth with crumbs, dry and wet in places."""

    def spread(slope: float) -> np.ndarray:
        field = patterns.clouds(rng, 1024, slope)
        return field[: len(x), : len(y)]

    height = 0.012 * (spread(1.6) - 0.5) + 0.006 * (spread(0.9) - 0.5)
    wet = np.clip(spread(2.0) * 2 - 0.6, 0, 1)[..., None]
    colours = (
        (1.0 - 0.5 * wet) * rng.uniform(0.8, 1.1) * np.array((1, rng.uniform(0.93, 1), rng.uniform(0.85, 1)))
    )
    return height, np.clip(colours * np.ones((*height.shape, 3)), 0, 1)


def _stones(
    rng: np.random.Generator,
    count: int,
    least: float,
    most: float,
    hills: Hills,
    layout: Layout,
    near: float,
    clear: float = 0.0,
) -> tuple[Mesh, np.ndarray]:
    """Loose stones, none of them on the robot's plate nor, as a rule, large ones under the block."""
    kinds = [stone(rng, 1 if most < 0.05 else 2) for _ in range(10)]
    places = np.stack([rng.uniform(-near, near, count) + 0.4, rng.uniform(-near, near, count)], axis=1)
    sizes = least * (most / least) ** rng.power(0.45, count)
    keep = (np.hypot(places[:, 0] + 0.04, places[:, 1]) > PLATE_M + sizes / 2) & (
        np.hypot(places[:, 0] - 0.4, places[:, 1]) > clear
    )
    keep &= ~(layout.inside(places, 0.02) & (sizes > 0.014))
    places, sizes = places[keep], sizes[keep]
    count = len(places)
    z = hills(places[:, 0], places[:, 1]) + rng.uniform(-0.15, 0.1, count) * sizes
    yaw = rng.uniform(0, 2 * np.pi, count)
    turns = Rotation.from_euler("zxy", np.stack([yaw, *rng.normal(0, 0.3, (2, count))], axis=1)).as_matrix()
    base = rng.uniform(0.22, 0.45) * np.array((1, rng.uniform(0.93, 1), rng.uniform(0.82, 1)))
    tones = (
        np.clip(base * np.exp(rng.normal(0, 0.3, (count, 1))) + rng.normal(0, 0.02, (count, 3)), 0.03, 0.95)
        ** 2.2
    )
    which = rng.integers(0, len(kinds), count)
    return heap(kinds, which, np.column_stack([places, z]), turns, sizes, tones)


def _plants(props: Props, rng: np.random.Generator, hills: Hills, layout: Layout) -> None:
    """Tufts of grass and twigs, away from the robot and the block."""
    blades, colours = [], []
    for _ in range(int(rng.integers(4, 30))):
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.35, 2.5)
        middle = np.array((0.4 + away * np.cos(angle), away * np.sin(angle)))
        if np.hypot(*(middle - (layout.x_m, layout.y_m))) < 0.16 or np.hypot(*middle) < 0.3:
            continue
        tone = (
            np.array((0.22, 0.33, 0.09)) * rng.uniform(0.5, 1.3) + np.array((0.2, 0.12, 0.02)) * rng.random()
        )
        for _ in range(int(rng.integers(15, 60))):
            root = np.append(middle + rng.normal(0, 0.02, 2), 0)
            root[2] = hills(root[0], root[1]) - 0.01
            lean = rng.normal(0, 0.35, 2)
            height, turn = rng.uniform(0.03, 0.10), rng.uniform(0, np.pi)
            side = 0.0015 * np.array((np.cos(turn), np.sin(turn), 0))
            bend = np.append(lean * height * 0.35, height * 0.6), np.append(lean * height, height * 0.95)
            blades.append(
                [root - side, root + side, root + bend[0] - side, root + bend[0] + side, root + bend[1]]
            )
            colours.append(np.repeat(np.clip(tone * rng.uniform(0.7, 1.3), 0, 1)[None] ** 1.5, 5, axis=0))
    if blades:
        faces = np.array([(0, 1, 3), (0, 3, 2), (2, 3, 4)])
        every = (faces[None] + 5 * np.arange(len(blades))[:, None, None]).reshape(-1, 3)
        mesh = mesh_of(np.array(blades).reshape(-1, 3), every)
        props.put(
            mesh, np.eye(4), Surface((1, 1, 1), roughness=0.7, tint=True), ROOM, np.concatenate(colours)
        )
    for _ in range(int(rng.integers(0, 7))):
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(0.4, 1.5)
        middle = np.array((0.4 + away * np.cos(angle), away * np.sin(angle)))
        if np.hypot(*(middle - (layout.x_m, layout.y_m))) < 0.3 or np.hypot(*middle) < 0.45:
            continue
        line = np.cumsum(
            rng.normal(0, 0.006, (14, 2)) + 0.018 * np.array((np.cos(angle * 3), np.sin(angle * 3))), 0
        )
        line += middle
        points = np.column_stack([line, hills(line[:, 0], line[:, 1]) + 0.006])
        bark = Surface(linear((0.30, 0.22, 0.15)), roughness=0.9)
        props.put(cable(points, rng.uniform(0.0015, 0.004)), np.eye(4), bark, ROOM)


def _sky(props: Props, rng: np.random.Generator) -> None:
    azimuth, height = rng.uniform(-np.pi, np.pi), np.radians(rng.uniform(22, 70))
    cover = rng.uniform(0, 1)
    props.world = Panorama(props.picture(skies.sky(rng, azimuth, height, cover)), 1.0)
    towards = (np.cos(height) * np.cos(azimuth), np.cos(height) * np.sin(azimuth), np.sin(height))
    glow = skies.kelvin(rng.uniform(4300, 6000))
    veil = np.clip((cover - 0.5) * 2, 0, 1)  # clouds before the sun dim it and soften its shadows
    props.lamps.append(
        Lamp(
            "directional",
            tuple(map(float, towards)),
            tuple(map(float, glow / glow.max())),
            float(9.0 * (1 - 0.9 * veil)),
            float(np.radians(0.27 + 12 * veil)),
        )
    )
