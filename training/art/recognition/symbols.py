"""Line drawings of marks as paper makers used them, drawn by a program: a body, what stands on it, and what is in it.

Every mark is drawn from a seed and its number. Many share a body, so that they are told apart by proportions and by
what is added, as the thousands of a published catalogue are.
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Line = NDArray[np.float64]
"""(N, 2) x, y of a polyline; a mark is within [-1, 1]^2, y downwards."""
Random = np.random.Generator


@dataclass(frozen=True, eq=False)
class Symbol:
    """One mark."""

    lines: tuple[Line, ...]
    body: str


def symbol(seed: int, number: int) -> Symbol:
    """The mark of that number."""
    random = np.random.default_rng((seed, number))
    body = sorted(BODIES)[random.integers(len(BODIES))]
    lines = [*BODIES[body](random)]
    low, high = _extent(lines)
    if random.random() < 0.75:
        top = TOPS[sorted(TOPS)[random.integers(len(TOPS))]](random)
        size = random.uniform(0.28, 0.45)
        lines += [one * size + [(low[0] + high[0]) / 2, low[1] - size] for one in top]
    if random.random() < 0.6:
        charge = CHARGES[sorted(CHARGES)[random.integers(len(CHARGES))]](random)
        size = random.uniform(0.2, 0.32)
        lines += [one * size + [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2] for one in charge]
    low, high = _extent(lines)
    scale = 1.8 / (high - low).max()
    return Symbol(tuple((one - (low + high) / 2) * scale for one in lines), body)


def drawing(mark: Symbol, side_px: int = 320, width_px: float = 3.0) -> NDArray[np.uint8]:
    """(S, S) uint8: black on white, as a catalogue prints it."""
    return 255 - strokes(mark.lines, np.eye(2, 3) * 0.5 + [[0, 0, 0.5], [0, 0, 0.5]], side_px, width_px)


def strokes(
    lines: tuple[Line, ...], affine: NDArray[np.float64], side_px: int, width_px: float
) -> NDArray[np.uint8]:
    """(S, S) uint8, 255 on the lines; affine (2, 3): from the mark to [0, 1]^2 of the picture."""
    fine, bits = 2, 4
    scale = side_px * fine
    canvas = np.zeros((scale, scale), np.uint8)
    thick = max(1, round(width_px * fine))
    for line in lines:
        points = (line @ affine[:, :2].T + affine[:, 2]) * scale * (1 << bits)
        cv2.polylines(canvas, [np.rint(points).astype(np.int32)], False, 255, thick, cv2.LINE_AA, bits)
    return np.asarray(cv2.resize(canvas, (side_px, side_px), interpolation=cv2.INTER_AREA), np.uint8)


def _extent(lines: list[Line]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    points = np.concatenate(lines)
    return points.min(axis=0), points.max(axis=0)


def _arc(x: float, y: float, rx: float, ry: float, begin: float = 0.0, end: float = 360.0) -> Line:
    angle = np.deg2rad(np.linspace(begin, end, 40))
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def _points(*points: tuple[float, float]) -> Line:
    return np.array(points, np.float64)


def _smooth(*points: tuple[float, float]) -> Line:
    """A curve through points (Catmull and Rom)."""
    given = np.array([points[0], *points, points[-1]], np.float64)
    t = np.linspace(0, 1, 12, endpoint=False)[:, None]
    parts = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(given, given[1:], given[2:], given[3:], strict=False)
    ]
    return np.concatenate([*parts, given[-1:]])


def _mirrored(*lines: Line) -> list[Line]:
    return [one for line in lines for one in (line, line * [-1, 1])]


def _bull(r: Random) -> list[Line]:
    wide, long, horn = r.uniform(0.3, 0.5), r.uniform(0.55, 0.9), r.uniform(0.35, 0.7)
    side = _smooth((wide, -0.3), (wide * 0.95, 0.1), (wide * r.uniform(0.35, 0.7), long * 0.8), (0, long))
    ear = _smooth((wide, -0.2), (wide + 0.35, -0.25), (wide + 0.3, 0.0), (wide, 0.0))
    horns = _smooth((0.12, -0.35), (wide, -0.45), (wide + 0.25, -0.45 - horn * 0.4), (wide * 0.8, -0.45 - horn))
    eye = _arc(wide * 0.45, -0.05, 0.07, 0.05)
    return [*_mirrored(side, ear, horns, eye), _points((-wide, -0.35), (wide, -0.35))]


def _shield(r: Random) -> list[Line]:
    wide, long = r.uniform(0.5, 0.75), r.uniform(0.7, 1.0)
    edge = _smooth((wide, -0.6), (wide, 0.0), (wide * r.uniform(0.5, 0.8), long * 0.6), (0, long))
    lines = [*_mirrored(edge), _smooth((-wide, -0.6), (0, -0.6 + r.uniform(-0.12, 0.12)), (wide, -0.6))]
    if r.random() < 0.5:
        lines += _mirrored(edge * 0.85 + [0, 0.03])
    if r.random() < 0.4:
        lines.append(_points((-wide, 0.3), (wide, -0.45)))
    return lines


def _pot(r: Random) -> list[Line]:
    wide, neck, high = r.uniform(0.35, 0.6), r.uniform(0.15, 0.3), r.uniform(0.5, 0.8)
    side = _smooth((neck, -high), (neck, -0.3), (wide, 0.15), (neck * 1.2, 0.6), (wide * 0.8, 0.75))
    handle = _smooth((neck, -high + 0.1), (neck + 0.5, -0.45), (wide + 0.25, 0.2), (wide, 0.25))
    bands = [_points((-x, y), (x, y)) for x, y in ((neck, -high), (neck, -0.3), (wide * 0.8, 0.75))]
    return [*_mirrored(side), handle, *bands] + ([handle * [-1, 1]] if r.random() < 0.4 else [])


def _crown(r: Random) -> list[Line]:
    tines, wide, high = int(r.integers(3, 7)), r.uniform(0.6, 0.9), r.uniform(0.4, 0.8)
    x = np.linspace(-wide, wide, 2 * tines - 1)
    y = np.where(np.arange(2 * tines - 1) % 2 == 0, -high, -0.05 - r.uniform(0, 0.2))
    lines = [np.stack([x * 1.1, y], axis=1), _points((-wide, 0.15), (wide, 0.15)), _points((-wide, 0.35), (wide, 0.35))]
    lines += _mirrored(_points((wide * 1.1, -high), (wide, 0.15), (wide, 0.35)))
    return lines + [_arc(a * 1.1, -high - 0.08, 0.07, 0.07) for a in x[::2]]


def _anchor(r: Random) -> list[Line]:
    wide, bar = r.uniform(0.5, 0.8), r.uniform(0.25, 0.5)
    fluke = _points((wide, 0.3), (wide + 0.12, 0.55), (wide - 0.2, 0.5))
    lines = [_points((0, -0.6), (0, 0.8)), _smooth((-wide, 0.35), (-wide * 0.6, 0.7), (0, 0.8), (wide * 0.6, 0.7),
                                                   (wide, 0.35)), _points((-bar, -0.35), (bar, -0.35))]
    if r.random() < 0.5:
        lines.append(_arc(0, 0.0, 1.0, 1.0))
    return [*lines, *_mirrored(fluke), _arc(0, -0.72, 0.12, 0.12)]


def _tower(r: Random) -> list[Line]:
    wide, high, teeth = r.uniform(0.3, 0.5), r.uniform(0.5, 0.8), int(r.integers(3, 6))
    x = np.repeat(np.linspace(-wide * 1.3, wide * 1.3, 2 * teeth), 2)[1:-1]
    y = np.where((np.arange(len(x)) // 2) % 2 == 0, -high - 0.18, -high)
    lines = [np.stack([x, np.roll(y, 1)], axis=1), *_mirrored(_points((wide * 1.3, -high - 0.1), (wide, -high + 0.15),
             (wide, 0.8), (wide * 1.4, 0.9))), _points((-wide * 1.4, 0.9), (wide * 1.4, 0.9))]
    lines.append(_smooth((-0.15, 0.9), (-0.15, 0.5), (0, 0.35), (0.15, 0.5), (0.15, 0.9)))
    return lines + [_points((-wide, a), (wide, a)) for a in r.uniform(-high + 0.3, 0.2, int(r.integers(0, 4)))]


def _letter(r: Random) -> list[Line]:
    """A monogram of strokes between points of a grid."""
    grid = [(a, b) for a in (-0.5, 0.0, 0.5) for b in (-0.7, 0.0, 0.7)]
    lines = [_points((-0.5, -0.7), (-0.5, 0.7))]
    for _ in range(int(r.integers(3, 6))):
        a, b = r.choice(len(grid), 2, replace=False)
        middle = ((grid[a][0] + grid[b][0]) / 2 + r.uniform(-0.3, 0.3), (grid[a][1] + grid[b][1]) / 2)
        lines.append(_smooth(grid[a], middle, grid[b]) if r.random() < 0.6 else _points(grid[a], grid[b]))
    return lines


def _hand(r: Random) -> list[Line]:
    palm, lines = r.uniform(0.35, 0.5), []
    for x in np.linspace(-palm, palm, 4):
        top, half = -r.uniform(0.5, 0.95), palm / 4
        lines.append(_smooth((x - half, 0.0), (x - half, top), (x, top - 0.1), (x + half, top), (x + half, 0.0)))
    thumb = _smooth((palm * 1.2, 0.3), (palm + 0.35, -0.1), (palm + 0.45, -0.05), (palm * 1.2, 0.55))
    cuff = r.uniform(0.3, 0.5)
    return [*lines, thumb, *_mirrored(_points((palm * 1.25, 0.0), (cuff, 0.8))), _points((-cuff, 0.8), (cuff, 0.8)),
            _points((-cuff * 1.2, 0.95), (cuff * 1.2, 0.95))]


def _flower(r: Random) -> list[Line]:
    """A lily."""
    wide, high = r.uniform(0.5, 0.8), r.uniform(0.3, 0.6)
    leaf = _smooth((0.08, 0.3), (0.2, -0.2), (wide, -high), (wide + 0.15, -0.1), (wide * 0.75, 0.1))
    middle = _smooth((0.0, 0.3), (r.uniform(0.15, 0.3), -0.3), (0, -0.95))
    foot = _smooth((0.08, 0.4), (0.2, 0.6), (wide * 0.6, 0.75))
    return [*_mirrored(leaf, middle, foot), _points((-0.3, 0.3), (0.3, 0.3)), _points((-0.3, 0.4), (0.3, 0.4)),
            _points((0, 0.4), (0, 0.9))]


def _bell(r: Random) -> list[Line]:
    wide, high = r.uniform(0.5, 0.8), r.uniform(0.5, 0.8)
    side = _smooth((0.0, -high), (wide * 0.4, -high + 0.15), (wide * 0.5, 0.1), (wide, 0.55))
    lines = [*_mirrored(side), _smooth((-wide, 0.55), (0, 0.55 + r.uniform(0, 0.15)), (wide, 0.55)),
             _arc(0, 0.72, 0.12, 0.12), _arc(0, -high - 0.12, 0.14, 0.12)]
    return lines + [_points((-wide * a, b), (wide * a, b)) for a, b in ((0.6, 0.2), (0.75, 0.38))[: r.integers(0, 3)]]


def _wheel(r: Random) -> list[Line]:
    spokes, inner, turn = int(r.integers(3, 9)), r.uniform(0.15, 0.45), r.uniform(0, 360)
    angles = np.deg2rad(turn + np.arange(spokes) * 360 / spokes)
    lines = [_arc(0, 0, 0.8, 0.8), _arc(0, 0, inner, inner)]
    lines += [np.array([[inner, inner], [0.8, 0.8]]) * [np.cos(one), np.sin(one)] for one in angles]
    return lines + ([_arc(0, 0, 0.9, 0.9)] if r.random() < 0.4 else [])


def _fish(r: Random) -> list[Line]:
    fat, tail = r.uniform(0.25, 0.45), r.uniform(0.2, 0.4)
    back = _smooth((-0.9, 0), (-0.4, -fat), (0.3, -fat * 0.5), (0.6, -0.05), (0.9, -tail))
    fin = _smooth((-0.3, -fat), (0.0, -fat - 0.25), (0.25, -fat * 0.6))
    scales = [_arc(a, 0, 0.1, fat * 0.6, -70, 70) for a in np.linspace(-0.45, 0.3, int(r.integers(1, 5)))]
    return [back, back * [1, -1], fin, _points((0.9, -tail), (0.8, 0), (0.9, tail)), _arc(-0.65, -0.08, 0.04, 0.04),
            *scales]


def _horn(r: Random) -> list[Line]:
    bend, mouth = r.uniform(0.3, 0.7), r.uniform(0.2, 0.35)
    outer = _smooth((-0.8, -0.3), (-0.5, bend), (0.3, bend + 0.1), (0.8, -0.2))
    inner = _smooth((-0.7, -0.3), (-0.35, bend - 0.3), (0.2, bend - 0.25), (0.8 - mouth, -0.35))
    band = _smooth((-0.7, -0.3), (0.0, -0.9 - r.uniform(0, 0.2)), (0.6, -0.3))
    return [outer, inner, band, _arc(0.8 - mouth / 2, -0.28, mouth / 2, 0.12), _points((-0.8, -0.3), (-0.7, -0.3))]


def _cross(r: Random) -> list[Line]:
    arm = r.uniform(0.3, 0.6)
    return [_points((0, -1), (0, 1)), _points((-arm, -0.3), (arm, -0.3))]


def _star(r: Random) -> list[Line]:
    rays, inner = int(r.integers(4, 8)), r.uniform(0.3, 0.55)
    angle = np.deg2rad(-90 + np.arange(2 * rays + 1) * 180 / rays)
    radius = np.where(np.arange(2 * rays + 1) % 2 == 0, 1.0, inner)
    return [np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)]


def _stem(r: Random) -> list[Line]:
    lines = [_points((0, 1), (0, -0.3))]
    for angle in np.deg2rad(np.arange(5) * 72 + r.uniform(0, 72)):
        lines.append(_arc(0.35 * np.cos(angle), -0.55 + 0.35 * np.sin(angle), 0.22, 0.22))
    return lines


def _serpent(r: Random) -> list[Line]:
    side = -1.0 if r.random() < 0.5 else 1.0
    wave = _smooth((0, 1), (0.5, 0.6), (-0.4, 0.1), (0.5, -0.4), (0, -1)) * [side, 1]
    return [_points((0, -1), (0, 1)), wave]


def _ring(r: Random) -> list[Line]:
    inner = r.uniform(0.4, 0.75)
    return [_arc(0, 0, 0.9, 0.9), _arc(0, 0, inner, inner)]


def _bars(r: Random) -> list[Line]:
    count, turned = int(r.integers(2, 5)), r.random() < 0.5
    lines = [_points((-0.8, y), (0.8, y)) for y in np.linspace(-0.7, 0.7, count)]
    return [one[:, ::-1] for one in lines] if turned else lines


def _trefoil(r: Random) -> list[Line]:
    around = np.deg2rad(np.arange(3) * 120 - 90 + (180 if r.random() < 0.5 else 0))
    return [_arc(0.45 * np.cos(one), 0.45 * np.sin(one), 0.4, 0.4) for one in around]


Maker = Callable[[Random], list[Line]]
BODIES: dict[str, Maker] = {
    "anchor": _anchor, "bell": _bell, "bull": _bull, "crown": _crown, "fish": _fish, "hand": _hand, "horn": _horn,
    "letter": _letter, "lily": _flower, "pot": _pot, "shield": _shield, "tower": _tower, "wheel": _wheel,
}  # fmt: skip
TOPS: dict[str, Maker] = {
    "cross": _cross, "crown": _crown, "serpent": _serpent, "star": _star, "stem": _stem, "trefoil": _trefoil
}
CHARGES: dict[str, Maker] = {
    "bars": _bars, "cross": _cross, "letter": _letter, "lily": _flower, "ring": _ring, "star": _star,
    "trefoil": _trefoil,
}  # fmt: skip
