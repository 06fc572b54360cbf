"""A room with a table on which the robot stands: the stage of the sets lab and adv."""

import numpy as np

from benchmarks.photoreal import patterns, skies
from benchmarks.photoreal.props import Props, at, linear
from benchmarks.photoreal.shapes import cable, rounded_box, turned
from sim.renderers.cycles_studio import Lamp, Panorama, Surface
from sim.scene import ROOM, SUPPORT


def furnish(props: Props, rng: np.random.Generator) -> None:
    """Table, plate under the robot, floor, walls, furniture, lamps."""
    _table(props, rng)
    drop = rng.uniform(0.70, 0.95)
    _floor(props, rng, -drop)
    _walls(props, rng, -drop)
    _furniture(props, rng, -drop)
    _lamps(props, rng)


def _table(props: Props, rng: np.random.Generator) -> None:
    kind = rng.integers(5)
    if kind == 0:
        top = Surface(
            (1, 1, 1), props.picture(patterns.wood(rng)), 0.9, rng.uniform(0.3, 0.6), box=True, coat=0.2
        )
    elif kind == 1:
        image = props.picture(patterns.brushed(rng, rng.uniform(0.5, 0.75)))
        top = Surface((1, 1, 1), image, 1.0, rng.uniform(0.35, 0.5), metallic=0.9, box=True)
    elif kind == 2:
        top = Surface((1, 1, 1), props.picture(patterns.woven(rng)), 2.5, 0.9, specular=0.2, box=True)
    else:
        top = Surface((1, 1, 1), props.picture(patterns.laminate(rng)), 1.3, rng.uniform(0.2, 0.5), box=True)
    length, width = rng.uniform(1.3, 2.2), rng.uniform(1.3, 2.6)
    centre = rng.uniform(0.75, 0.95) * length / 2 - 0.25
    props.put(rounded_box((length, width, 0.04), 0.004), at(centre, 0, -0.02), top, SUPPORT)
    steel = Surface(linear((0.35, 0.36, 0.37)), roughness=0.4, metallic=0.7)
    for x in (centre - length / 2 + 0.08, centre + length / 2 - 0.08):
        for y in (-width / 2 + 0.08, width / 2 - 0.08):
            props.put(rounded_box((0.06, 0.06, 0.9), 0.004), at(x, y, -0.49), steel, ROOM)
    plate = Surface((1, 1, 1), props.picture(patterns.brushed(rng, 0.6)), 2.0, 0.4, metallic=0.9, box=True)
    props.put(rounded_box((0.32, 0.30, 0.004), 0.001), at(-0.045, 0, 0.002), plate, SUPPORT)
    if rng.random() < 0.7:  # the robot's own cable, behind it
        bend = rng.uniform(-0.3, 0.3)
        t = np.linspace(0, 1, 30)[:, None]
        start, end = np.array((-0.16, 0.0, 0.05)), np.array((centre - length / 2 - 0.05, bend, 0.012))
        line = start + (end - start) * t + np.sin(np.pi * t) * np.array((0, bend, -0.02))
        line[:, 2] = np.maximum(line[:, 2], 0.012)
        props.put(cable(line, 0.008), np.eye(4), Surface(linear((0.1, 0.1, 0.1)), roughness=0.5), ROOM)


def _floor(props: Props, rng: np.random.Generator, level: float) -> None:
    kind = rng.integers(3)
    image = (
        patterns.wood(rng, planks=5)
        if kind == 0
        else patterns.terrazzo(rng)
        if kind == 1
        else patterns.concrete(rng, rng.uniform(0.35, 0.65))
    )
    surface = Surface(
        (1, 1, 1), props.picture(image), rng.uniform(0.5, 0.9), rng.uniform(0.25, 0.7), box=True
    )
    props.put(rounded_box((16.0, 16.0, 0.1), 0.001), at(0, 0, level - 0.05), surface, ROOM)


def _walls(props: Props, rng: np.random.Generator, level: float) -> None:
    tone = rng.uniform(0.55, 0.92) + rng.normal(0, 0.04, 3)
    image = props.picture(patterns.painted(rng, tuple(np.clip(tone, 0, 1))))
    paint = Surface((1, 1, 1), image, 0.35, 0.8, specular=0.2, box=True)
    wood = Surface(linear(np.clip(tone * 0.5, 0, 1)), roughness=0.5)
    for x, y, along_x in ((-rng.uniform(1.2, 3.0), 0, False), (0, 4.2, True), (0, -4.2, True)):
        size = (10.0, 0.1, 2.6) if along_x else (0.1, 9.0, 2.6)
        props.put(rounded_box(size, 0.002), at(x, y, level + 1.3), paint, ROOM)
        skirting = (10.0, 0.13, 0.09) if along_x else (0.13, 9.0, 0.09)
        props.put(rounded_box(skirting, 0.004), at(x, y, level + 0.045), wood, ROOM)


def _furniture(props: Props, rng: np.random.Generator, level: float) -> None:
    """Cupboards, crates, a bin, pipes: outside the table, inside the walls."""
    for _ in range(int(rng.integers(3, 8))):
        angle, away = rng.uniform(0, 2 * np.pi), rng.uniform(1.9, 3.6)
        x, y = 0.5 + away * np.cos(angle), away * np.sin(angle)
        if x < -0.9 or (x > 1.5 and abs(y) < 3.0):  # nothing in the wall, nothing where cameras stand
            continue
        size = (rng.uniform(0.3, 0.8), rng.uniform(0.3, 0.9), rng.uniform(0.3, 1.3))
        kind = rng.random()
        if kind < 0.35:
            look = Surface(
                (1, 1, 1), props.picture(patterns.cardboard(rng)), 1.5, 0.9, specular=0.2, box=True
            )
        elif kind < 0.6:
            look = Surface((1, 1, 1), props.picture(patterns.wood(rng)), 1.0, 0.5, box=True)
        else:
            look = Surface(linear(rng.uniform(0.1, 0.9, 3)), roughness=rng.uniform(0.3, 0.7))
        yaw = rng.choice([0, np.pi / 2]) + rng.normal(0, 0.1)
        if kind > 0.85:
            radius = size[0] / 3
            bucket = turned(
                [(0, 0), (radius * 0.8, 0), (radius, size[2] / 2), (radius * 0.96, size[2] / 2), (0, 0.02)]
            )
            props.put(bucket, at(x, y, level), look, ROOM)
        else:
            props.put(rounded_box(size, 0.01), at(x, y, level + size[2] / 2, yaw), look, ROOM)


def _lamps(props: Props, rng: np.random.Generator) -> None:
    """Ceiling lights of one temperature, sometimes a desk lamp or the sun through a window; a room around."""
    props.world = Panorama(props.picture(skies.room(rng)), float(rng.uniform(0.5, 1.0)))
    warm = skies.kelvin(rng.uniform(2900, 6500))
    for _ in range(int(rng.integers(1, 4))):
        place = (rng.uniform(-0.6, 1.8), rng.uniform(-1.6, 1.6), rng.uniform(1.7, 2.6))
        colour = tuple(float(value) for value in warm / warm.max())
        props.lamps.append(
            Lamp("area", place, colour, float(rng.uniform(15, 60)), float(rng.uniform(0.08, 0.5)))
        )
    if rng.random() < 0.35:
        angle, height = rng.uniform(-np.pi, np.pi), np.radians(rng.uniform(30, 60))
        towards = (np.cos(angle) * np.cos(height), np.sin(angle) * np.cos(height), np.sin(height))
        glow = skies.kelvin(5200)
        props.lamps.append(
            Lamp(
                "directional",
                tuple(map(float, towards)),
                tuple(map(float, glow / glow.max())),
                float(rng.uniform(1, 5)),
                np.radians(0.4),
            )
        )
