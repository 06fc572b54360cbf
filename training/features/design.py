"""Factors that pictures of a category differ by, and the full factorial design over them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from perception.errors import BlockworldError
from sim.randomization.draws import colour
from sim.shapes import family
from sim.shapes.controlled import Look

STYLE = "style"
"""The factor of which the models of a category are the values; all others are of a `Look`."""
ELEVATIONS_RAD = (0.0, 1.1)
IN_PLANE_RAD = (-0.8, 0.8)
SHIFTS = (-0.2, 0.2)
FILLS = (0.45, 0.9)


@dataclass(frozen=True)
class Factor:
    """A property and the values that it takes, each with a word for people: names of meshes of style, of the others
    looks in which that property alone is set."""

    name: str
    labels: tuple[str, ...]
    changes: tuple[dict[str, object], ...]


@dataclass(frozen=True)
class Design:
    """Every value of every factor with every value of all others. Picture i has the values `levels(i)`."""

    category: str
    factors: tuple[Factor, ...]
    seed: int = 0

    @property
    def counts(self) -> tuple[int, ...]:
        """Values of each factor."""
        return tuple(len(one.labels) for one in self.factors)

    def __len__(self) -> int:
        return int(np.prod(self.counts))

    def levels(self, indices: np.ndarray) -> np.ndarray:
        """(B, K) int64: which value of each factor pictures (B,) have."""
        return np.stack(np.unravel_index(indices, self.counts), axis=1)

    def singles(self) -> list[list[int]]:
        """Of each value of each factor, the picture that has it and the first value of all others."""
        strides = [int(np.prod(self.counts[k + 1 :])) for k in range(len(self.counts))]
        return [[level * stride for level in range(count)] for stride, count in zip(strides, self.counts, strict=True)]

    def view(self, index: int) -> tuple[str, Look]:
        """The name of the mesh, and the look, of a picture."""
        look, style = Look(), 0
        for factor, level in zip(self.factors, self.levels(np.array([index]))[0], strict=True):
            if factor.name == STYLE:
                style = int(level)
            else:
                look = replace(look, **factor.changes[level])  # type: ignore[arg-type]
        return f"shape/{self.category}/{self.seed}/{style}", look


def design_of(category: str, counts: Sequence[tuple[str, int]], seed: int = 0) -> Design:
    """The design of these factors, each with so many values. Raises BlockworldError for a factor or a category that
    there is not, a factor that is named twice, or one with fewer than two values."""
    try:
        family(category)
    except ValueError as error:
        raise BlockworldError(str(error)) from None
    if not counts:
        raise BlockworldError(f"no factor is varied: give at least one of {', '.join(FACTORS)}, such as azimuth=12.")
    names = [name for name, _ in counts]
    for name, count in counts:
        if name not in FACTORS:
            raise BlockworldError(f"there is no factor {name!r}: choose of {', '.join(FACTORS)}.")
        if names.count(name) > 1:
            raise BlockworldError(f"the factor {name} is given {names.count(name)} times: give it once.")
        if count < 2:
            raise BlockworldError(
                f"the factor {name} has {count} value{'' if count == 1 else 's'}, so nothing varies by it: "
                f"give 2 or more, or leave it out."
            )
    return Design(category, tuple(FACTORS[name](count) for name, count in counts), seed)


def _style(count: int) -> Factor:
    return Factor(STYLE, tuple(f"model {i}" for i in range(count)), ({},) * count)


def _azimuth(count: int) -> Factor:
    angles = 2 * np.pi * np.arange(count) / count
    return Factor("azimuth", _degrees(angles), tuple({"azimuth_rad": float(one)} for one in angles))


def _light(count: int) -> Factor:
    angles = 2 * np.pi * np.arange(count) / count
    return Factor("light", _degrees(angles), tuple({"light_rad": float(one)} for one in angles))


def _elevation(count: int) -> Factor:
    angles = np.linspace(*ELEVATIONS_RAD, count)
    return Factor("elevation", _degrees(angles), tuple({"elevation_rad": float(one)} for one in angles))


def _in_plane(count: int) -> Factor:
    angles = np.linspace(*IN_PLANE_RAD, count)
    return Factor("in-plane", _degrees(angles), tuple({"in_plane_rad": float(one)} for one in angles))


def _translation(count: int) -> Factor:
    """Places of a grid that is as square as it can be, row by row."""
    columns = int(np.ceil(np.sqrt(count)))
    rows = int(np.ceil(count / columns))
    xs, ys = (np.linspace(*SHIFTS, number) if number > 1 else np.zeros(1) for number in (columns, rows))
    places = [(float(x), float(y)) for y in ys for x in xs][:count]
    return Factor("translation", tuple(f"{x:+.2f}, {y:+.2f}" for x, y in places), tuple({"shift": o} for o in places))


def _scale(count: int) -> Factor:
    fills = np.linspace(*FILLS, count)
    return Factor("scale", tuple(f"{one:.2f}" for one in fills), tuple({"fill": float(one)} for one in fills))


def _colours(name: str) -> Callable[[int], Factor]:
    def factor(count: int) -> Factor:
        found = [colour(i / count, 0.7, 0.8) for i in range(count)]
        return Factor(name, tuple(f"hue {i / count:.2f}" for i in range(count)), tuple({name: one} for one in found))

    return factor


def _degrees(angles: np.ndarray) -> tuple[str, ...]:
    return tuple(f"{np.degrees(one):.0f}°" for one in angles)


FACTORS: dict[str, Callable[[int], Factor]] = {
    STYLE: _style,
    "azimuth": _azimuth,
    "elevation": _elevation,
    "in-plane": _in_plane,
    "translation": _translation,
    "scale": _scale,
    "foreground": _colours("foreground"),
    "background": _colours("background"),
    "light": _light,
}
