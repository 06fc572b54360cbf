"""Pictures of materials, made of noise: wood, stone, soil, fabric, metal, print. (S, S, 3) uint8 sRGB, or heights.

None of them is one of `sim.textures`'s patterns. They tile.
"""

import itertools

import cv2
import numpy as np

SIZE = 512


def clouds(
    rng: np.random.Generator, size: int = SIZE, slope: float = 1.8, stretch: float = 1.0
) -> np.ndarray:
    """Tiling noise (size, size) in [0, 1] whose spectrum falls as frequency^-slope; stretched along x."""
    fy, fx = np.meshgrid(np.fft.fftfreq(size, 1 / size), np.fft.rfftfreq(size, 1 / size), indexing="ij")
    frequency = np.hypot(fy, fx * stretch)
    frequency[0, 0] = 1
    spectrum = frequency ** (-slope) * np.exp(1j * rng.uniform(0, 2 * np.pi, frequency.shape))
    spectrum[0, 0] = 0
    field = np.fft.irfft2(spectrum, (size, size))
    low, high = np.percentile(field, (0.5, 99.5))
    return np.clip((field - low) / (high - low), 0, 1).astype(np.float32)


def _blend(low: np.ndarray, high: np.ndarray, share: np.ndarray) -> np.ndarray:
    return np.asarray(low) + (np.asarray(high) - np.asarray(low)) * share[..., None]


def _bytes(values: np.ndarray) -> np.ndarray:
    return (np.clip(values, 0, 1) * 255).astype(np.uint8)


WOODS = [
    ((0.45, 0.30, 0.17), (0.66, 0.47, 0.29)),
    ((0.74, 0.60, 0.42), (0.88, 0.76, 0.58)),
    ((0.29, 0.19, 0.12), (0.42, 0.28, 0.18)),
    ((0.62, 0.44, 0.27), (0.80, 0.63, 0.43)),
]

WORKTOPS = [
    (0.86, 0.85, 0.82),
    (0.70, 0.72, 0.73),
    (0.36, 0.38, 0.40),
    (0.80, 0.74, 0.63),
    (0.44, 0.52, 0.50),
]


def wood(rng: np.random.Generator, planks: int = 0) -> np.ndarray:
    """Year rings seen along the grain, with pores; in `planks` boards where there are any."""
    dark, light = WOODS[rng.integers(len(WOODS))]
    picture = np.zeros((SIZE, SIZE, 3))
    boards = max(1, planks)
    edges = np.linspace(0, SIZE, boards + 1).astype(int)
    for top, bottom in itertools.pairwise(edges):
        y = np.linspace(-1, 1, SIZE)[:, None]
        bow = clouds(rng, slope=2.2, stretch=12)
        rings = np.sin(2 * np.pi * (rng.integers(1, 5) * y + 3.0 * bow)) * 0.5 + 0.5
        pores = clouds(rng, slope=0.7, stretch=30)
        strong = clouds(rng, slope=2.0, stretch=6)
        share = 0.5 * rings**1.5 * strong + 0.45 * clouds(rng, slope=1.3, stretch=20) + 0.25 * pores
        board = _blend(dark, light, share / 1.1) * rng.uniform(0.88, 1.08)
        picture[top:bottom] = np.roll(board, int(rng.integers(SIZE)), axis=1)[top:bottom]
        if planks:
            picture[top : top + 2] *= 0.45
    return _bytes(picture)


def terrazzo(rng: np.random.Generator) -> np.ndarray:
    """Chips of stone in cement: a floor."""
    base = _blend((0.62, 0.61, 0.58), (0.72, 0.71, 0.68), clouds(rng, slope=1.0))
    picture = base.astype(np.float32)
    for _ in range(700):
        place, length = rng.integers(0, SIZE, 2), rng.uniform(2, 9)
        shape = np.round(place + rng.normal(0, length, (int(rng.integers(4, 7)), 2))).astype(np.int32)
        shade = float(rng.uniform(0.3, 0.95))
        tone = np.clip(shade + rng.normal(0, 0.05, 3), 0, 1).tolist()
        for shift in ((0, 0), (SIZE, 0), (0, SIZE), (-SIZE, 0), (0, -SIZE)):
            cv2.fillConvexPoly(picture, cv2.convexHull(shape + np.array(shift, np.int32)), tone, cv2.LINE_AA)
    return _bytes(picture)


def concrete(rng: np.random.Generator, tone: float) -> np.ndarray:
    """Stains at all scales, with pinholes."""
    share = 0.6 * clouds(rng, slope=1.7) + 0.4 * clouds(rng, slope=0.6)
    picture = _blend((tone - 0.12,) * 3, (tone + 0.1, tone + 0.095, tone + 0.08), share)
    holes = clouds(rng, slope=0.3) > 0.985
    picture[holes] *= 0.6
    return _bytes(picture)


def soil(rng: np.random.Generator, wet: float) -> np.ndarray:
    """Earth with grit; `wet` in [0, 1] darkens it."""
    share = 0.5 * clouds(rng, slope=1.4) + 0.5 * clouds(rng, slope=0.4)
    dark, light = np.array((0.24, 0.17, 0.11)), np.array((0.58, 0.47, 0.35))
    picture = _blend(dark, light, share) * (1 - 0.35 * wet)
    grit = clouds(rng, slope=0.1)
    picture[grit > 0.9] *= 1.35
    picture[grit < 0.08] *= 0.6
    return _bytes(picture)


def brushed(rng: np.random.Generator, tone: float) -> np.ndarray:
    """Metal brushed along x, with faint scratches."""
    lines = 0.5 * clouds(rng, slope=0.5, stretch=60) + 0.5 * clouds(rng, slope=1.2, stretch=10)
    picture = _blend((tone - 0.08,) * 3, (tone + 0.06,) * 3, lines)
    canvas = np.zeros((SIZE, SIZE), np.float32)
    for _ in range(25):
        start = rng.uniform(0, SIZE, 2)
        end = start + rng.normal(0, 90, 2)
        cv2.line(
            canvas,
            np.round(start).astype(int).tolist(),
            np.round(end).astype(int).tolist(),
            float(rng.uniform(0.02, 0.12)),
            1,
            cv2.LINE_AA,
        )
    return _bytes(picture - canvas[..., None])


def laminate(rng: np.random.Generator) -> np.ndarray:
    """A worktop: a light or dark tone with fine flecks and wear."""
    base = np.array(WORKTOPS[rng.integers(len(WORKTOPS))])
    flecks = clouds(rng, slope=0.25)
    picture = _blend(base * 0.97, np.minimum(base * 1.03, 1), clouds(rng, slope=1.8))
    picture[flecks > 0.93] *= 0.90
    picture[flecks < 0.06] *= 1.06
    return _bytes(picture)


def woven(rng: np.random.Generator) -> np.ndarray:
    """Cloth or a rubber mat: threads over and under."""
    y, x = np.mgrid[:SIZE, :SIZE]
    pitch = int(rng.choice([8, 16]))
    over = ((x // pitch + y // pitch) % 2).astype(bool)
    thread = np.where(over, np.abs(np.sin(np.pi * x / pitch)), np.abs(np.sin(np.pi * y / pitch)))
    tone = np.array([(0.16, 0.23, 0.36), (0.20, 0.20, 0.21), (0.30, 0.36, 0.28), (0.44, 0.16, 0.15)])[
        rng.integers(4)
    ]
    return _bytes(tone * (0.6 + 0.4 * thread[..., None]) * (0.9 + 0.2 * clouds(rng, slope=1.5)[..., None]))


def cardboard(rng: np.random.Generator) -> np.ndarray:
    """Brown board with flutes, fibres and stains."""
    y = np.mgrid[:SIZE, :SIZE][0]
    flutes = 0.5 + 0.5 * np.sin(2 * np.pi * y / 12.8)
    share = 0.25 * flutes + 0.45 * clouds(rng, slope=1.4) + 0.3 * clouds(rng, slope=0.3)
    return _bytes(_blend((0.58, 0.43, 0.28), (0.78, 0.62, 0.44), share))


def painted(rng: np.random.Generator, rgb: tuple[float, float, float]) -> np.ndarray:
    """Paint with smudges, and worn spots where the ground shows."""
    base = np.array(rgb)
    picture = _blend(base * 0.9, np.minimum(base * 1.06, 1), clouds(rng, slope=1.6))
    worn = clouds(rng, slope=1.2) > rng.uniform(0.9, 1.0)
    picture[worn] = 0.5 * picture[worn] + 0.5 * np.array((0.62, 0.52, 0.40))
    return _bytes(picture)


def printed(rng: np.random.Generator) -> np.ndarray:
    """A page: lines of text, a heading, a table or a chart, on white or coloured paper."""
    papers = [
        (0.95, 0.95, 0.93),
        (0.93, 0.90, 0.80),
        (0.96, 0.85, 0.40),
        (0.60, 0.78, 0.90),
        (0.90, 0.62, 0.60),
    ]
    page = np.ones((SIZE, SIZE, 3), np.float32) * np.array(papers[rng.choice(5, p=(0.5, 0.2, 0.1, 0.1, 0.1))])
    y = 40
    while y < SIZE - 40:
        kind = rng.random()
        if kind < 0.08:  # a picture or a chart
            height = int(rng.integers(60, 140))
            tone = rng.uniform(0.1, 0.9, 3).tolist()
            left, right = int(rng.integers(40, 120)), int(rng.integers(300, 470))
            if rng.random() < 0.5:
                cv2.rectangle(page, (left, y), (right, min(y + height, SIZE - 30)), tone, -1)
            else:
                for x in range(left, right, 24):
                    top = y + int(rng.integers(5, height))
                    cv2.rectangle(page, (x, top), (x + 16, min(y + height, SIZE - 30)), tone, -1)
            y += height + 16
            continue
        thick = 7 if kind < 0.14 else 3
        x, end = 40, int(rng.integers(380, SIZE - 40))
        while x < end:
            word = int(rng.integers(8, 46))
            cv2.line(page, (x, y), (min(x + word, end), y), (0.12, 0.12, 0.14), thick)
            x += word + 8
        y += int(rng.choice([13, 13, 26]))
    return _bytes(page * (0.96 + 0.04 * clouds(rng, slope=1.8)[..., None]))


def camouflage(rng: np.random.Generator) -> np.ndarray:
    """A wrapper or label in three tones."""
    tones = rng.uniform(0.05, 0.95, (3, 3))
    field = np.digitize(clouds(rng, slope=2.4), sorted(rng.uniform(0.3, 0.7, 2)))
    return _bytes(tones[field])
