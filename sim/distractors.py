"""Things that lie around a block: meshes by name, `distractor/KIND/SEED`, in metres.

Each stands on z = 0 with its box centred on the z axis. A unit of UV is 0.1 m.
"""

from collections.abc import Callable

import numpy as np

from sim.meshes import Mesh, mesh_of, revolved
from sim.meshes import box as unit_box
from sim.random_streams import stream

UV_M = 0.1
SEGMENTS = 16
Maker = Callable[[np.random.Generator], list[Mesh]]


def load_distractor(name: str) -> Mesh:
    """The mesh KIND/SEED; raises ValueError for a kind that there is not."""
    kind, _, seed = name.partition("/")
    if kind not in _MAKERS or not seed.isdigit():
        raise ValueError(
            f"there is no mesh 'distractor/{name}': name it distractor/KIND/SEED with KIND one of {', '.join(KINDS)}."
        )
    return _standing(_joined(_MAKERS[kind](stream(int(seed), 0, f"distractor {kind}"))))


def _cuboid(length: float, width: float, height: float, at: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    """A box whose bottom face's centre is `at`."""
    mesh = unit_box()
    size = np.array([length, width, height])
    uv = mesh.uv.copy()
    for face in range(6):
        u, v = (face // 2 + 1) % 3, (face // 2 + 2) % 3
        uv[4 * face : 4 * face + 4] *= size[[u, v]] / UV_M
    return mesh_of(mesh.vertices * size + at + np.array([0, 0, height / 2]), mesh.faces, uv, mesh.normals)


def _turned(profile: list[tuple[float, float]], segments: int = SEGMENTS) -> Mesh:
    """A profile of (radius, z) in m, from the bottom up and outside, turned about z."""
    points = np.array(profile, float)
    mesh = revolved(points, segments)
    length = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
    return mesh_of(
        mesh.vertices, mesh.faces, mesh.uv * (2 * np.pi * points[:, 0].max(), length) / UV_M, mesh.normals
    )


def _extruded(outline: np.ndarray, height: float) -> Mesh:
    """A star-shaped outline (N, 2) in m, counter-clockwise about its first point's fan, raised from z = 0."""
    count = len(outline)
    low = np.column_stack([outline, np.zeros(count)])
    high = low + np.array([0, 0, height])
    along = np.cumsum([0.0, *np.linalg.norm(np.roll(outline, -1, 0) - outline, axis=1)])
    vertices, normals, uv, faces = [], [], [], []
    for k in range(count):
        n = (k + 1) % count
        edge = outline[n] - outline[k]
        normal = np.array([edge[1], -edge[0], 0.0]) / np.linalg.norm(edge)
        first = 4 * k
        vertices += [low[k], low[n], high[n], high[k]]
        normals += [normal] * 4
        uv += [(along[k], 0), (along[k + 1], 0), (along[k + 1], height), (along[k], height)]
        faces += [(first, first + 1, first + 2), (first, first + 2, first + 3)]
    for points, up in ((low, -1.0), (high, 1.0)):
        first = len(vertices)
        vertices += list(points)
        normals += [np.array([0, 0, up])] * count
        uv += [tuple(point[:2]) for point in points]
        for a, b, c in _ears(outline):
            faces.append((first + a, first + b, first + c) if up > 0 else (first + a, first + c, first + b))
    return mesh_of(np.array(vertices), np.array(faces), np.array(uv) / UV_M, np.array(normals))


def _ears(outline: np.ndarray) -> list[tuple[int, int, int]]:
    """Triangles of a simple counter-clockwise polygon, by cutting ears (Meisters, 1975)."""
    left = list(range(len(outline)))
    triangles = []

    def area(a: int, b: int, c: int) -> float:
        (ax, ay), (bx, by), (cx, cy) = outline[a], outline[b], outline[c]
        return float((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))

    while len(left) > 3:
        for k in range(len(left)):
            a, b, c = left[k - 1], left[k], left[(k + 1) % len(left)]
            inside = (
                p
                for p in left
                if p not in (a, b, c) and min(area(a, b, p), area(b, c, p), area(c, a, p)) >= -1e-12
            )
            if area(a, b, c) > 0 and next(inside, None) is None:
                triangles.append((a, b, c))
                left.pop(k)
                break
        else:
            raise ValueError("the outline crosses itself or runs clockwise")
    return [*triangles, (left[0], left[1], left[2])]


def _lying(mesh: Mesh) -> Mesh:
    """The mesh on its side: z becomes x."""
    return _moved(mesh, np.array([(0.0, 0, 1), (0, 1, 0), (-1, 0, 0)]))


def _moved(mesh: Mesh, turn: np.ndarray | None = None, by: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    turn = np.eye(3) if turn is None else turn
    return mesh_of(mesh.vertices @ turn.T + by, mesh.faces, mesh.uv, mesh.normals @ turn.T)


def _joined(meshes: list[Mesh]) -> Mesh:
    offsets = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    return mesh_of(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.faces + offset for mesh, offset in zip(meshes, offsets[:-1], strict=True)]),
        np.concatenate([mesh.uv for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
    )


def _standing(mesh: Mesh) -> Mesh:
    """The mesh moved so that its box stands on z = 0 about the z axis."""
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    return mesh_of(mesh.vertices - (*((low + high) / 2)[:2], low[2]), mesh.faces, mesh.uv, mesh.normals)


def _ball(rng: np.random.Generator) -> list[Mesh]:
    radius = rng.uniform(0.018, 0.04)
    angles = np.linspace(-np.pi / 2, np.pi / 2, 10)
    return [_turned([(radius * max(np.cos(a), 0.0), radius * np.sin(a)) for a in angles], 18)]


def _book(rng: np.random.Generator) -> list[Mesh]:
    length, width, height = rng.uniform(0.12, 0.2), rng.uniform(0.09, 0.14), rng.uniform(0.012, 0.035)
    cover = 0.002
    return [
        _cuboid(length, width, cover),
        _cuboid(length - 0.006, width - 0.006, height - 2 * cover, (0, 0.002, cover)),
        _cuboid(length, width, cover, (0, 0, height - cover)),
        _cuboid(length, cover, height - 2 * cover, (0, width / 2 - cover / 2, cover)),
    ]


def _bottle(rng: np.random.Generator) -> list[Mesh]:
    radius, height = rng.uniform(0.02, 0.035), rng.uniform(0.11, 0.2)
    neck, shoulder = rng.uniform(0.3, 0.5) * radius, rng.uniform(0.55, 0.75) * height
    mesh = _turned(
        [
            (0, 0),
            (radius, 0),
            (radius, shoulder),
            (0.75 * radius, shoulder + 0.4 * (height - shoulder)),
            (neck, shoulder + 0.7 * (height - shoulder)),
            (neck, height),
            (0, height),
        ]
    )
    return [_lying(mesh) if rng.random() < 0.4 else mesh]


def _bowl(rng: np.random.Generator) -> list[Mesh]:
    radius, height, wall = rng.uniform(0.045, 0.075), rng.uniform(0.03, 0.05), 0.004
    angles = np.linspace(0.2, 1, 5) * np.pi / 2
    outside = [(radius * np.sin(a), height * (1 - np.cos(a))) for a in angles]
    inside = [(r - wall, max(z, 0.002) + wall * 0.6) for r, z in outside[::-1][1:]]
    return [_turned([(0, 0), *outside, (radius - wall, height), *inside, (0, wall)], 20)]


def _box(rng: np.random.Generator) -> list[Mesh]:
    """A carton: larger than a block."""
    return [_cuboid(*rng.uniform((0.09, 0.07, 0.065), (0.18, 0.12, 0.14)))]


def _can(rng: np.random.Generator) -> list[Mesh]:
    radius, height = rng.uniform(0.026, 0.035), rng.uniform(0.08, 0.125)
    rim = 0.92 * radius
    return [
        _turned(
            [
                (0, 0.002),
                (rim, 0),
                (radius, 0.006),
                (radius, height - 0.006),
                (rim, height),
                (0, height - 0.004),
            ]
        )
    ]


def _card(rng: np.random.Generator) -> list[Mesh]:
    """Flat, with the outline of a block."""
    return [_cuboid(rng.uniform(0.06, 0.12), rng.uniform(0.025, 0.055), rng.uniform(0.001, 0.008))]


def _cube(rng: np.random.Generator) -> list[Mesh]:
    """As high and wide as a block, but hardly longer than wide."""
    side = rng.uniform(0.025, 0.055)
    return [_cuboid(side * rng.uniform(1.0, 1.12), side, rng.uniform(0.03, 0.06))]


def _cup(rng: np.random.Generator) -> list[Mesh]:
    radius, height, wall = rng.uniform(0.032, 0.042), rng.uniform(0.07, 0.1), 0.003
    foot = radius * rng.uniform(0.7, 1.0)
    body = _turned(
        [(0, 0), (foot, 0), (radius, height), (radius - wall, height), (foot - wall, wall), (0, wall)], 18
    )
    if rng.random() < 0.3:
        return [body]
    turns = np.linspace(-np.pi / 2, np.pi / 2, 7)
    middle = (foot + radius) / 2
    path = [
        (middle + 0.6 * radius * np.cos(t) - 0.002, 0.0, height * (0.52 + 0.28 * np.sin(t))) for t in turns
    ]
    return [body, _tube(np.array(path), 0.0045)]


def _tube(path: np.ndarray, radius: float, sides: int = 6) -> Mesh:
    """A tube (open at its ends) along points (N, 3)."""
    tangents = np.gradient(path, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    across = np.cross(tangents, (0.0, 1.0, 0.001))
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    other = np.cross(tangents, across)
    turns = 2 * np.pi * np.arange(sides + 1) / sides
    normals = across[:, None] * np.cos(turns)[None, :, None] + other[:, None] * np.sin(turns)[None, :, None]
    vertices = path[:, None] + radius * normals
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(path, axis=0), axis=1))])
    uv = np.stack(np.broadcast_arrays(turns[None] * radius, along[:, None]), axis=-1) / UV_M
    rows = sides + 1
    faces = []
    for k in range(len(path) - 1):
        for side in range(sides):
            a, b = k * rows + side, k * rows + side + 1
            faces += [(a, b, b + rows), (a, b + rows, a + rows)]
    return mesh_of(vertices.reshape(-1, 3), np.array(faces), uv.reshape(-1, 2), normals.reshape(-1, 3))


def _cylinder(rng: np.random.Generator) -> list[Mesh]:
    """A lying rod with the length and thickness of a block."""
    radius, length = rng.uniform(0.0125, 0.028), rng.uniform(0.06, 0.12)
    return [_lying(_turned([(0, 0), (radius, 0), (radius, length), (0, length)]))]


def _hammer(rng: np.random.Generator) -> list[Mesh]:
    length, thick = rng.uniform(0.16, 0.24), rng.uniform(0.012, 0.017)
    head = rng.uniform(0.06, 0.09)
    handle = _lying(
        _turned([(0, 0), (thick, 0), (0.75 * thick, 0.4 * length), (0.6 * thick, length), (0, length)], 10)
    )
    return [
        _moved(handle, by=(0, 0, thick)),
        _cuboid(0.024, head, 0.026, (length, 0, thick - 0.013)),
        _cuboid(0.03, 0.016, 0.032, (length, head / 2, thick - 0.016)),
    ]


def _l_shape(rng: np.random.Generator) -> list[Mesh]:
    """A block with a piece missing."""
    length, width = rng.uniform(0.06, 0.12), rng.uniform(0.05, 0.075)
    leg, wall = rng.uniform(0.3, 0.55) * length, rng.uniform(0.35, 0.55) * width
    outline = [(0, 0), (length, 0), (length, wall), (leg, wall), (leg, width), (0, width)]
    return [_extruded(np.array(outline), rng.uniform(0.03, 0.06))]


def _prism(rng: np.random.Generator) -> list[Mesh]:
    """A bar with a cross-section of three, five, six or eight corners, lying on a face or standing."""
    sides = int(rng.choice([3, 5, 6, 8]))
    radius, length = rng.uniform(0.018, 0.034), rng.uniform(0.04, 0.11)
    turns = np.pi / sides + 2 * np.pi * np.arange(sides) / sides
    mesh = _extruded(radius * np.stack([np.cos(turns), np.sin(turns)], axis=1), length)
    return [_lying(mesh) if rng.random() < 0.6 else mesh]


def _ring(rng: np.random.Generator) -> list[Mesh]:
    """A roll of tape."""
    outer, height = rng.uniform(0.03, 0.055), rng.uniform(0.012, 0.03)
    inner = outer * rng.uniform(0.5, 0.8)
    return [_turned([(inner, 0), (outer, 0), (outer, height), (inner, height), (inner, 0)], 24)]


def _stack(rng: np.random.Generator) -> list[Mesh]:
    """Two stacked cuboids of different size."""
    length, width, height = rng.uniform(0.05, 0.09), rng.uniform(0.03, 0.05), rng.uniform(0.012, 0.025)
    share = rng.uniform(0.4, 0.75)
    return [
        _cuboid(length, width, height),
        _cuboid(length * share, width * share, height, (0.1 * length, 0, height)),
    ]


def _screwdriver(rng: np.random.Generator) -> list[Mesh]:
    thick, grip, shaft = rng.uniform(0.010, 0.016), rng.uniform(0.07, 0.1), rng.uniform(0.06, 0.12)
    rod = rng.uniform(0.0025, 0.004)
    profile = [
        (0, 0),
        (0.8 * thick, 0),
        (thick, 0.15 * grip),
        (0.8 * thick, 0.6 * grip),
        (thick, 0.85 * grip),
        (0.5 * thick, grip),
        (rod, grip),
        (rod, grip + 0.9 * shaft),
        (1.4 * rod, grip + 0.93 * shaft),
        (0, grip + shaft),
    ]
    return [_lying(_turned(profile, 10))]


def _sheet(rng: np.random.Generator) -> list[Mesh]:
    """A sheet of paper, its edges or a corner curled up."""
    length, width = rng.uniform(0.08, 0.21), rng.uniform(0.06, 0.148)
    lines = 11
    u, v = np.meshgrid(np.linspace(-0.5, 0.5, lines), np.linspace(-0.5, 0.5, lines), indexing="ij")
    angle = rng.uniform(-np.pi, np.pi)
    along = u * length * np.cos(angle) + v * width * np.sin(angle)
    start = along.max() * rng.uniform(0.2, 0.8)
    z = rng.uniform(1.0, 7.0) * np.clip(along - start, 0, None) ** 2 + 0.001
    z += 0.0015 * (1 + np.sin(rng.uniform(20, 60) * (u * length + v * width)))
    top = np.stack([u * length, v * width, z], axis=-1).reshape(-1, 3)
    i, j = (index.ravel() for index in np.mgrid[: lines - 1, : lines - 1])
    a, b, c, d = i * lines + j, (i + 1) * lines + j, (i + 1) * lines + j + 1, i * lines + j + 1
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    upper = mesh_of(top, faces, (top[:, :2] + 0.5) / UV_M)
    lower = mesh_of(top - (0, 0, 0.0004), faces[:, ::-1], upper.uv, -upper.normals)
    return [upper, lower]


def _stone(rng: np.random.Generator) -> list[Mesh]:
    mesh = _turned([(np.cos(a).clip(0), np.sin(a)) for a in np.linspace(-np.pi / 2, np.pi / 2, 8)], 12)
    direction = mesh.vertices / np.linalg.norm(mesh.vertices, axis=1, keepdims=True)
    bumps = 1 + sum(
        rng.uniform(0.03, 0.12) * np.sin(direction @ rng.normal(0, 2.5, 3) + rng.uniform(0, 6))
        for _ in range(5)
    )
    size = rng.uniform((0.02, 0.016, 0.012), (0.045, 0.035, 0.028))
    shaped = direction * np.asarray(bumps)[:, None] * size
    normals = direction / size
    return [
        mesh_of(shaped, mesh.faces, mesh.uv * 0.1, normals / np.linalg.norm(normals, axis=1, keepdims=True))
    ]


def _wedge(rng: np.random.Generator) -> list[Mesh]:
    """As long and wide as a block, with a sloping top."""
    length, width, height = rng.uniform(0.06, 0.12), rng.uniform(0.025, 0.055), rng.uniform(0.03, 0.06)
    cut = rng.uniform(0.0, 0.5)
    outline = np.array(
        [(0, 0), (length, 0), (cut * length, height), (0, height)]
        if cut > 0.05
        else [(0, 0), (length, 0), (0, height)]
    )
    upright = _extruded(outline, width)
    return [_moved(upright, np.array([(1.0, 0, 0), (0, 0, -1), (0, 1, 0)]))]


def _wrench(rng: np.random.Generator) -> list[Mesh]:
    length, thick = rng.uniform(0.12, 0.19), rng.uniform(0.006, 0.01)
    jaw, bar = rng.uniform(0.014, 0.02), rng.uniform(0.006, 0.009)
    turns = np.radians(np.linspace(35, 325, 9))
    head = jaw * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    notch = np.array(
        [(0.35 * jaw, -0.5 * jaw), (-0.2 * jaw, -0.4 * jaw), (-0.2 * jaw, 0.4 * jaw), (0.35 * jaw, 0.5 * jaw)]
    )
    open_end = _extruded(np.concatenate([head, notch]), thick)
    ring = _turned([(0.5 * jaw, 0), (jaw, 0), (jaw, thick), (0.5 * jaw, thick), (0.5 * jaw, 0)])
    return [
        _moved(open_end, by=(length / 2, 0, 0)),
        _cuboid(length - 1.6 * jaw, 2 * bar, 0.7 * thick, (0, 0, 0.15 * thick)),
        _moved(ring, by=(-length / 2, 0, 0)),
    ]


_MAKERS: dict[str, Maker] = {
    "ball": _ball, "book": _book, "bottle": _bottle, "bowl": _bowl, "box": _box, "can": _can, "card": _card,
    "cube": _cube, "cup": _cup, "cylinder": _cylinder, "hammer": _hammer, "l_shape": _l_shape, "prism": _prism,
    "ring": _ring, "screwdriver": _screwdriver, "sheet": _sheet, "stack": _stack, "stone": _stone, "wedge": _wedge,
    "wrench": _wrench,
}  # fmt: skip
KINDS = tuple(_MAKERS)
