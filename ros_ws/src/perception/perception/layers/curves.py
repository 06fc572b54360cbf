"""Closed borders as cubic Bezier curves: fewest pieces within a tolerance, smooth but for their corners.

Pieces are fitted by least squares and halved where they are farthest off (Schneider, "An algorithm for automatically
fitting digitized curves", Graphics Gems, 1990), between corners: points at which a border turns at once.
"""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Piece = Points
"""(4, 2), control points of a cubic Bezier curve, or (2, 2), ends of a straight line."""
_CORNER_RAD = 0.85
"""By which a border turns within a corner's window at least."""
_WINDOW = 4.0
"""Half of that window, in tolerances, where points are near enough to each other."""
_FEWEST_POINTS = 3
_STRAIGHT, _ALONG = 0.5, 0.996
"""A line is off by this part of the tolerance at most, and the border leaves its ends along it, by the cosine."""
_ROUNDS = 5  # of fitting anew after each point was moved to its place along the curve
_HOPELESS = 6.0
"""Tolerances by which a curve may be off that this could still help."""


def fitted(points: Points, tolerance: float) -> list[Piece]:
    """Pieces of a closed border (K, 2), K >= 3, each from the end of the one before; each point is within the tolerance
    of them."""
    loop = points[np.any(points != np.roll(points, 1, axis=0), axis=1)]
    if len(loop) < _FEWEST_POINTS:
        return []
    corners = _corners(loop, tolerance)
    first = corners[0] if len(corners) else 0
    loop, corners = np.roll(loop, -first, axis=0), [one - first for one in corners]
    closed = np.concatenate([loop, loop[:1]])
    if not corners:  # all of it is smooth, its beginning too
        along = _unit(loop[1] - loop[-1])
        return _pieces(closed, along, -along, tolerance)
    found = []
    for begin, end in zip(corners, [*corners[1:], len(loop)], strict=True):
        part = closed[begin : end + 1]
        found += _pieces(part, _leaving(part, tolerance), _leaving(part[::-1], tolerance), tolerance)
    return found


def sampled(pieces: list[Piece], each: int = 16) -> Points:
    """(K, 2): points along pieces, `each` of a curve."""
    at = np.arange(each)[:, None] / each
    return np.concatenate([one[:1] if len(one) == 2 else _value(one, at[:, 0]) for one in pieces])


def _corners(loop: Points, tolerance: float) -> list[int]:
    """Indices of points at which a border turns the most within a window, if by enough."""
    ends = np.concatenate([loop, loop[:1]])
    steps = np.linalg.norm(np.diff(ends, axis=0), axis=1)
    length, at = float(steps.sum()), np.concatenate([[0], np.cumsum(steps)])
    window = min(max(_WINDOW * tolerance, 3 * length / len(loop)), length / 6)
    behind, ahead = (
        np.stack([np.interp((at[:-1] + shift) % length, at, ends[:, k]) for k in (0, 1)], axis=1)
        for shift in (-window, window)
    )
    before, after = loop - behind, ahead - loop
    cross = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
    turns = np.abs(np.arctan2(cross, (before * after).sum(axis=1)))
    found: list[int] = []
    for one in np.argsort(-turns, kind="stable"):
        if turns[one] < _CORNER_RAD:
            break
        apart = np.abs(at[found] - at[one])
        if not len(apart) or np.minimum(apart, length - apart).min() > window:
            found.append(int(one))
    return sorted(found)


def _pieces(points: Points, leaves: Points, arrives: Points, tolerance: float) -> list[Piece]:
    """leaves, arrives: directions in which the border goes from its first point, and back from its last one."""
    todo, found = [(points, leaves, arrives)], []
    while todo:
        part, begin, end = todo.pop()
        piece, worst = _piece(part, begin, end, tolerance)
        if piece is not None:
            found.append(piece)
            continue
        middle = min(max(worst, 1), len(part) - 2)
        along = _unit(part[min(middle + 2, len(part) - 1)] - part[max(middle - 2, 0)])
        todo += [(part[middle:], along, end), (part[: middle + 1], begin, -along)]
    return found


def _piece(points: Points, leaves: Points, arrives: Points, tolerance: float) -> tuple[Piece | None, int]:
    """A piece that is near enough; or none, and at which point to halve: the farthest one, or the middle of a border
    that is too long for one curve by far."""
    chord = points[-1] - points[0]
    far = float(np.linalg.norm(chord))
    if len(points) == 2:
        return points, 0
    if far > 0:
        way, beside = chord / far, points - points[0]
        off = np.abs(beside[:, 0] * way[1] - beside[:, 1] * way[0])
        if off.max() <= _STRAIGHT * tolerance and min(way @ leaves, -way @ arrives) > _ALONG:
            return points[[0, -1]], 0
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    at = np.concatenate([[0], np.cumsum(steps)]) / steps.sum()
    worst = len(points) // 2
    for _ in range(_ROUNDS):
        piece = _least_squares(points, at, leaves, arrives)
        error = np.linalg.norm(_value(piece, at) - points, axis=1)
        worst = int(error.argmax())
        if error[worst] <= tolerance:
            return piece, worst
        if error[worst] > _HOPELESS * tolerance:
            return None, int(np.searchsorted(at, 0.5))
        at = _nearest(piece, points, at)
    return None, worst


def _least_squares(points: Points, at: Points, leaves: Points, arrives: Points) -> Piece:
    """The curve from the first to the last point whose inner control points lie in these directions."""
    first, last = points[0], points[-1]
    shares = np.stack([(1 - at) ** 3, 3 * at * (1 - at) ** 2, 3 * at**2 * (1 - at), at**3], axis=1)
    rest = points - (shares[:, :2].sum(axis=1)[:, None] * first + shares[:, 2:].sum(axis=1)[:, None] * last)
    basis = np.stack([shares[:, 1:2] * leaves, shares[:, 2:3] * arrives], axis=2).reshape(-1, 2)
    lengths, *_ = np.linalg.lstsq(basis, rest.ravel(), rcond=None)
    far = float(np.linalg.norm(last - first)) or float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
    if lengths.min() < 1e-3 * far or lengths.max() > 3 * far:
        lengths = np.full(2, far / 3)
    return np.stack([first, first + lengths[0] * leaves, last + lengths[1] * arrives, last])


def _value(piece: Piece, at: Points) -> Points:
    t = at[:, None]
    return (1 - t) ** 3 * piece[0] + 3 * t * (1 - t) ** 2 * piece[1] + 3 * t**2 * (1 - t) * piece[2] + t**3 * piece[3]


def _nearest(piece: Piece, points: Points, at: Points) -> Points:
    """Where along a curve points are nearest: one step of Newton's from where they were."""
    t = at[:, None]
    first, second = 3 * np.diff(piece, axis=0), 6 * np.diff(piece, 2, axis=0)
    slope = (1 - t) ** 2 * first[0] + 2 * t * (1 - t) * first[1] + t**2 * first[2]
    bend = (1 - t) * second[0] + t * second[1]
    off = _value(piece, at) - points
    below = (slope**2).sum(axis=1) + (off * bend).sum(axis=1)
    step = (off * slope).sum(axis=1) / np.where(np.abs(below) > 1e-12, below, np.inf)
    return np.clip(at - step, 0, 1)


def _leaving(points: Points, tolerance: float) -> Points:
    """In which direction a border goes from its first point: to those within some tolerances of it."""
    from_it = points[1:] - points[0]
    far = np.linalg.norm(from_it, axis=1)
    near = from_it[: max(1, int(np.searchsorted(far > _WINDOW / 2 * tolerance, True)))]
    return _unit(near.mean(axis=0))


def _unit(vector: Points) -> Points:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 0 else np.array([1.0, 0.0])
