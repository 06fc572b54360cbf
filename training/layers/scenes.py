"""Pictures without end: overlapping shapes of one colour or a gradient, and pictures turned, scaled and recoloured.

Shapes that cover each other, in sizes of a power law, have the statistics of photographs ("dead leaves", Lee, Mumford
and Huang, 2001). All pictures are (S, S, 4) uint8, colours multiplied with how opaque they are.
"""

import cv2
import numpy as np

_FEWEST, _MOST = 2, 24
_SHIFT = 4  # fractional bits of OpenCV's coordinates


def leaves(rng: np.random.Generator, size: int) -> np.ndarray:
    """Shapes over a background, of few colours as in graphics, or of many, shaded and noisy as in photographs."""
    photo = rng.random() < 0.5
    palette = rng.integers(0, 256, (int(rng.integers(2, 12)), 3))
    picture: np.ndarray = np.zeros((size, size, 4), np.uint8)
    if photo or rng.random() < 0.5:
        picture = background(rng, size)
    for _ in range(int(np.exp(rng.uniform(np.log(_FEWEST), np.log(_MOST))))):
        colour = palette[rng.integers(len(palette))].astype(float)
        if photo:
            colour = np.clip(colour + rng.normal(0, 20, 3), 0, 255)
        mask = _shape(rng, size)
        left, top, width, height = cv2.boundingRect(mask)
        inside = slice(top, top + height), slice(left, left + width)
        if rng.random() < (0.6 if photo else 0.15):
            ramp = _ramp(rng, size)[inside] * rng.uniform(10, 80)
            shade = np.clip(colour + ramp[..., None], 0, 255).astype(np.uint8)
            over = np.concatenate([shade, np.full((height, width, 1), 255, np.uint8)], axis=2)
        else:
            over = np.broadcast_to(np.array([*colour, 255], np.uint8), (height, width, 4))
        picture[inside] = _over(picture[inside], over, mask[inside])
    if photo:
        noise = cv2.resize(rng.normal(0, 1, (size // 2, size // 2, 3)).astype(np.float32), (size, size))
        picture[..., :3] = np.clip(picture[..., :3] + rng.uniform(0, 12) * noise, 0, 255).astype(np.uint8)
        if rng.random() < 0.5:
            picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.2))
    return picture


def augmented(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """A picture turned, scaled and moved, in other colours; half of the time on a background."""
    size = len(picture)
    angle = rng.normal(0, 15) if rng.random() < 0.7 else rng.uniform(-180, 180)
    scale = np.exp(rng.normal(0, 0.3))
    turn = np.asarray(cv2.getRotationMatrix2D((size / 2, size / 2), angle, scale), np.float64)
    turn[:, 2] += rng.normal(0, 0.1 * size, 2)
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    moved = cv2.warpAffine(np.ascontiguousarray(picture), turn, (size, size), flags=cv2.INTER_LINEAR)
    if rng.random() < 0.6:
        moved = recoloured(rng, moved)
    return _over(background(rng, size), moved, None) if rng.random() < 0.5 else moved


def recoloured(rng: np.random.Generator, picture: np.ndarray) -> np.ndarray:
    """The same in other hues: channels exchanged, each of another contrast."""
    alpha = picture[..., 3:].astype(np.float32)
    colour = picture[..., rng.permutation(3)].astype(np.float32)
    if rng.random() < 0.2:
        colour = alpha - colour
    gain, shift = rng.uniform(0.6, 1.2, 3), rng.uniform(-0.15, 0.15, 3)
    colour = np.clip(colour * gain + alpha * shift, 0, alpha)
    return np.concatenate([colour, alpha], axis=2).astype(np.uint8)


def background(rng: np.random.Generator, size: int) -> np.ndarray:
    """Opaque: one colour, a gradient, or clouds of two."""
    a, b = rng.integers(0, 256, (2, 3))
    kind = rng.random()
    if kind < 0.4:
        share = np.zeros((size, size))
    elif kind < 0.8:
        share = 0.5 + 0.5 * _ramp(rng, size)
    else:
        coarse = rng.random((int(rng.integers(3, 9)),) * 2).astype(np.float32)
        share = np.clip(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), 0, 1)
    colour = a + share[..., None] * (b - a)
    return np.concatenate([colour, np.full((size, size, 1), 255)], axis=2).astype(np.uint8)


def _shape(rng: np.random.Generator, size: int) -> np.ndarray:
    """(S, S) uint8: an ellipse, a polygon, a round blob, a stroke or a ring, anywhere."""
    mask = np.zeros((size, size), np.uint8)
    radius = size * 0.5 * rng.uniform(0.06**2, 1) ** 0.5 * rng.uniform(0.3, 1)
    centre, kind = rng.uniform(-0.05, 1.05, 2) * size, rng.random()
    if kind < 0.3:
        axes = radius * np.array([1.0, rng.uniform(0.3, 1)])
        angle, thick = rng.uniform(0, 180), -1 if rng.random() < 0.8 else max(1, int(radius * rng.uniform(0.1, 0.4)))
        cv2.ellipse(mask, _fixed(centre), _fixed(axes), angle, 0, 360, 255, thick, cv2.LINE_AA, _SHIFT)
    elif kind < 0.9:
        corners = int(rng.integers(3, 9))
        turn = np.sort(rng.uniform(0, 2 * np.pi, corners)) if rng.random() < 0.5 else (
            rng.uniform(0, 2 * np.pi) + 2 * np.pi * np.arange(corners) / corners)  # fmt: skip
        reach = radius * rng.uniform(0.4, 1.2, corners)
        if kind > 0.6:  # round: a closed curve through these
            fine = np.linspace(0, 2 * np.pi, 48, endpoint=False)
            closed = np.concatenate([turn - 2 * np.pi, turn, turn + 2 * np.pi])
            turn, reach = fine, _smooth(np.interp(fine, closed, np.tile(reach, 3)))
        squeeze = np.array([1.0, rng.uniform(0.4, 1)])
        points = np.stack([np.cos(turn), np.sin(turn)], axis=1) * reach[:, None] * squeeze
        angle = rng.uniform(0, np.pi)
        points = points @ np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        cv2.fillPoly(mask, [_integers(points + centre)], 255, cv2.LINE_AA, _SHIFT)
    else:
        points = centre + np.cumsum(rng.normal(0, radius / 2, (int(rng.integers(2, 6)), 2)), axis=0)
        thick = max(1, int(rng.uniform(0.02, 0.1) * size))
        cv2.polylines(mask, [_integers(points)], False, 255, thick, cv2.LINE_AA, _SHIFT)
    return mask


def _smooth(values: np.ndarray) -> np.ndarray:
    kernel = np.hanning(13)[1:-1]
    return np.convolve(np.concatenate([values[-5:], values, values[:5]]), kernel / kernel.sum(), "valid")


def _fixed(point: np.ndarray) -> tuple[int, int]:
    x, y = np.rint(point * (1 << _SHIFT)).astype(int)
    return int(x), int(y)


def _integers(points: np.ndarray) -> np.ndarray:
    return np.rint(points * (1 << _SHIFT)).astype(np.int32)


def _ramp(rng: np.random.Generator, size: int) -> np.ndarray:
    """(S, S) in [-1, 1]: a linear or a round gradient."""
    line = np.linspace(-1, 1, size)
    if rng.random() < 0.6:
        angle = rng.uniform(0, 2 * np.pi)
        return np.clip(np.cos(angle) * line[None] + np.sin(angle) * line[:, None], -1, 1)
    x, y = rng.uniform(-0.7, 0.7, 2)
    return np.clip(1 - np.hypot(line[None] - x, line[:, None] - y), -1, 1)


def _over(below: np.ndarray, above: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Colours multiplied with how opaque they are, one over the other, that above within a mask."""
    top = above.astype(np.float32) if mask is None else above * (mask[..., None] / np.float32(255))
    return np.clip(top + below * (1 - top[..., 3:] / 255), 0, 255).astype(np.uint8)
