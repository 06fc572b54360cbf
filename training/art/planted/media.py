"""The same picture in another medium: ink, chalk, engraving, oil, sepia, faded photograph.

Each takes (h, w, 3) uint8 RGB and a random generator and gives the like. Lengths are in units of 1/800 of the longest
side, so that a larger scan of a picture becomes the same drawing.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Plane = NDArray[Any]
"""(h, w) or (h, w, 3), 0..1 unless said."""
Medium = Callable[[Picture, np.random.Generator], Picture]


def ink(picture: Picture, random: np.random.Generator) -> Picture:
    """Pen and brown or black ink on paper, with a thin wash in the shadows: lines where a difference of Gaussians is
    dark (Winnemoeller, "XDoG", 2011)."""
    unit = _unit(picture)
    light = _stretched(_lightness(picture))
    even = _evened(light, 2.0)
    pen = np.minimum(_lines(even, 0.9 * unit, 0.012), _lines(even, 2.0 * unit, 0.02))
    # Three washes of the brush, one over the other, with edges where they dried.
    shadow = _blurred(light, 3.5 * unit)
    wash = 0.26 * sum((_step(below - shadow, 0.05) for below in (0.16, 0.32, 0.5)), np.zeros_like(light))
    lines = pen * (1 - wash)
    colour = np.array([(52, 34, 22), (25, 23, 26)][random.integers(2)], np.float32)
    density = (1 - lines) * (0.86 + 0.14 * _grain(light.shape, 9 * unit, random))
    return _on_paper(_paper(light.shape, (240, 230, 208), random, unit), density, colour)


def chalk(picture: Picture, random: np.random.Generator) -> Picture:
    """Red or black chalk on toned paper: shadows and outlines rubbed on grain, along the strokes of one hand."""
    unit = _unit(picture)
    light = _stretched(_lightness(picture))
    tone = np.clip(1.05 - _blurred(light, 1.6 * unit), 0, 1) ** 1.4
    outlines = 1 - _lines(_evened(light, 2.0), 1.8 * unit, 0.03)
    strokes = _strokes(light.shape, random.uniform(35, 60), 14 * unit, 0.9 * unit, random)
    tooth = _grain(light.shape, 0.8 * unit, random)
    rubbed = np.clip(0.85 * tone + 0.6 * outlines - 0.42 * strokes - 0.28 * tooth, 0, 1)
    colour = np.array([(150, 62, 40), (44, 42, 44)][random.integers(2)], np.float32)
    base = [(226, 208, 178), (205, 198, 186)][random.integers(2)]
    paper = _paper(light.shape, base, random, unit)
    heightened = np.clip(_blurred(light, 1.5 * unit) - 0.86, 0, 1) * 3 * (1 - strokes)
    return _on_paper(paper + (250 - paper) * np.clip(heightened, 0, 0.6)[..., None], 0.92 * rubbed, colour)


def engraving(picture: Picture, random: np.random.Generator) -> Picture:
    """Black lines cut in copper: as wide as it is dark, crossed in the shadows, bent by what they describe."""
    unit = _unit(picture)
    light = _stretched(_lightness(picture))
    dark = _blurred(1 - _evened(light, 2.0), 0.8 * unit)
    relief = _blurred(light, 5 * unit) * 14 * unit
    first = random.uniform(20, 50)
    hatched = np.zeros_like(light)
    for angle, lightest in ((first, 0.22), (first + 68, 0.58), (first + 125, 0.80)):
        depth = np.clip((dark - lightest) / (1 - lightest), 0, 1)
        wave = 0.5 + 0.5 * np.cos(2 * np.pi * (_across(light.shape, angle) + relief) / (4.2 * unit))
        hatched = np.maximum(hatched, _step(wave - (1 - 0.85 * depth), 0.16) * _step(depth - 0.02, 0.02))
    lines = 1 - _lines(_evened(light, 2.0), 1.0 * unit, 0.015)
    density = np.maximum(hatched, 0.9 * lines)
    plate = _paper(light.shape, (238, 233, 220), random, unit)
    return _on_paper(plate, 0.93 * density, np.array((24, 22, 24), np.float32))


def oil(picture: Picture, random: np.random.Generator) -> Picture:
    """Another painter's oil: broad strokes of few tones, another palette, yellowed varnish, cracks."""
    unit = _unit(picture)
    painted = _brushed(picture, max(2, round(3.2 * unit)))
    lab = cv2.cvtColor(painted, cv2.COLOR_RGB2LAB).astype(np.float32)
    lab[..., 0] = 128 + (lab[..., 0] - 128) * random.uniform(0.85, 1.2) + random.uniform(-14, 10)
    turned = np.deg2rad(random.uniform(-22, 22))
    a, b = lab[..., 1] - 128, lab[..., 2] - 128
    lab[..., 1] = 128 + 1.1 * (np.cos(turned) * a - np.sin(turned) * b) + 2
    lab[..., 2] = 128 + 1.1 * (np.sin(turned) * a + np.cos(turned) * b) + random.uniform(4, 14)
    colour = cv2.cvtColor(_bytes(lab / 255), cv2.COLOR_LAB2RGB).astype(np.float32)
    bristles = _strokes(picture.shape[:2], random.uniform(0, 180), 12 * unit, 1.0 * unit, random) - 0.5
    return _bytes((colour + 16 * bristles[..., None] - 26 * _cracks(picture.shape[:2], unit, random)[..., None]) / 255)


def sepia(picture: Picture, random: np.random.Generator) -> Picture:
    """A toned print of about 1880: brown, soft, darker to the corners."""
    unit = _unit(picture)
    # Plates of the time saw blue and hardly any red.
    plate = picture.astype(np.float32) @ np.array([0.15, 0.40, 0.45], np.float32) / 255
    light = _blurred(_stretched(plate), 1.1 * unit) ** random.uniform(0.8, 1.1)
    light = np.clip(light * (1 - random.uniform(0.25, 0.45) * _corners(light.shape)), 0, 1)
    light = light + 0.05 * (_grain(light.shape, 0.7 * unit, random) - 0.5)
    dark, bright = np.array((48, 30, 20), np.float32), np.array((238, 216, 178), np.float32)
    return _bytes((dark + (bright - dark) * np.clip(light, 0, 1)[..., None]) / 255)


def faded_photograph(picture: Picture, random: np.random.Generator) -> Picture:
    """A colour print of about 1975 that hung in the sun: dyes gone unequally, grain, dust, a soft lens."""
    unit = _unit(picture)
    soft = cv2.GaussianBlur(picture, (0, 0), 1.2 * unit).astype(np.float32) / 255
    grey = soft.mean(axis=2, keepdims=True)
    faded = grey + (soft - grey) * random.uniform(0.35, 0.6)
    cast = [(1.0, 0.86, 0.80), (1.0, 0.93, 0.74), (0.92, 0.90, 1.0)][random.integers(3)]
    faded = (0.24 + 0.66 * faded) * np.array(cast, np.float32)
    faded += 0.05 * (_grain(grey.shape[:2], 0.7 * unit, random)[..., None] - 0.5)
    dust = _step(_grain(grey.shape[:2], 1.1 * unit, random) - 0.998, 0.0007)
    return _bytes(faded + 0.35 * dust[..., None])


MEDIA: dict[str, Medium] = {
    "ink": ink,
    "chalk": chalk,
    "engraving": engraving,
    "oil": oil,
    "sepia": sepia,
    "faded photograph": faded_photograph,
}


def _unit(picture: Picture) -> float:
    return max(picture.shape[:2]) / 800


def _lightness(picture: Picture) -> Plane:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)[..., 0].astype(np.float32) / 255


def _stretched(plane: Plane) -> Plane:
    """From 0 to 1 but for one cell in a hundred."""
    low, high = np.percentile(plane, (1, 99))
    return np.clip((plane - low) / max(float(high - low), 1e-3), 0, 1).astype(np.float32)


def _blurred(plane: Plane, deviation: float) -> Plane:
    blurred: Plane = cv2.GaussianBlur(plane, (0, 0), max(deviation, 0.3))
    return blurred


def _bytes(values: Plane) -> Picture:
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def _step(values: Plane, width: float) -> Plane:
    """0 below, 1 above, smooth over a width around 0."""
    return (0.5 + 0.5 * np.tanh(values / width)).astype(np.float32)


def _evened(light: Plane, clip: float) -> Plane:
    """Contrast made alike in all parts of a picture, as an eye does that draws them one by one."""
    even: Plane = cv2.createCLAHE(clip, (6, 6)).apply(_bytes(light)).astype(np.float32)
    return even / 255


def _lines(light: Plane, deviation: float, least: float) -> Plane:
    """1 on paper, 0 on lines: where it is darker than around by at least so much, a difference of Gaussians."""
    difference = _blurred(light, deviation) - _blurred(light, 1.6 * deviation)
    return 1 - _step(-difference - least, 0.35 * least)


def _grain(shape: tuple[int, ...], size: float, random: np.random.Generator) -> Plane:
    """Noise of one size between 0 and 1, even in distribution."""
    noise = _blurred(random.standard_normal(shape, np.float32), size)
    noise /= max(float(noise.std()), 1e-6)
    return _step(noise, 1.1)


def _strokes(
    shape: tuple[int, ...], angle: float, length: float, width: float, random: np.random.Generator
) -> Plane:
    """Noise drawn out along one direction, between 0 and 1; angle in degrees, length and width in px."""
    size = max(3, int(length) | 1)
    kernel = np.zeros((size, size), np.float32)
    middle = size // 2
    turn = np.deg2rad(angle)
    reach = np.array([np.cos(turn), np.sin(turn)]) * middle
    ends = [tuple(round(one) for one in middle + sign * reach) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA)
    noise: Plane = cv2.filter2D(_blurred(random.standard_normal(shape, np.float32), width), -1, kernel)
    noise /= max(float(noise.std()), 1e-6)
    return _step(noise, 1.1)


def _across(shape: tuple[int, ...], angle: float) -> Plane:
    """px across lines of one direction."""
    turn = np.deg2rad(angle)
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return (rows * np.cos(turn) - columns * np.sin(turn)).astype(np.float32)


def _corners(shape: tuple[int, ...]) -> Plane:
    """0 in the middle, 1 in the corners."""
    rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape)
    return (rows[:, None] ** 2 + columns[None] ** 2) / 2


def _paper(shape: tuple[int, ...], colour: tuple[int, int, int], random: np.random.Generator, unit: float) -> Plane:
    """(h, w, 3) 0..255: fibres, and uneven with age."""
    uneven = 0.6 * _grain(shape, 60 * unit, random) + 0.4 * _grain(shape, 0.9 * unit, random) - 0.5
    return np.array(colour, np.float32) + 22 * uneven[..., None]


def _on_paper(paper: Plane, density: Plane, colour: Plane) -> Picture:
    return _bytes((paper + (colour - paper) * np.clip(density, 0, 1)[..., None]) / 255)


def _brushed(picture: Picture, radius: int) -> Picture:
    """Each px the mean colour of the most frequent of 10 tones around it: flat strokes with firm edges."""
    tone = (_blurred(_lightness(picture), 1.0) * 9.999).astype(np.int64)
    side = 2 * radius + 1
    most = np.full(tone.shape, -1, np.float32)
    painted = np.zeros(picture.shape, np.float32)
    for level in range(10):
        mask = (tone == level).astype(np.float32)
        count = cv2.blur(mask, (side, side))
        colour = cv2.blur(picture * mask[..., None], (side, side))
        better = count > most
        most[better] = count[better]
        painted[better] = colour[better] / np.maximum(count[better], 1e-6)[:, None]
    return np.clip(np.rint(painted), 0, 255).astype(np.uint8)


def _cracks(shape: tuple[int, ...], unit: float, random: np.random.Generator) -> Plane:
    """Craquelure: the borders between the cells of scattered points."""
    height, width = shape[:2]
    count = max(8, int(height * width / (15 * unit) ** 2))
    seeds = np.ones((height, width), np.uint8)
    seeds[random.integers(0, height, count), random.integers(0, width, count)] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    down, across = np.diff(labels, axis=0, prepend=labels[:1]), np.diff(labels, axis=1, prepend=labels[:, :1])
    border = (down != 0) | (across != 0)
    patchy = _step(_grain(shape, 50 * unit, random) - 0.62, 0.1)
    return _blurred(border.astype(np.float32), 0.6 * unit) * patchy
