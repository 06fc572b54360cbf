"""What the families have in common: parameters that know their ranges, and the shape that they make.

A parameter is declared with the range that it is drawn from, evenly and on its own; its default is the middle of that
range. So a family's template is the family with nothing said about it.
"""

from abc import ABC, abstractmethod
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, Self

import numpy as np

from sim.shapes.parts import Part, joined


def within(low: float, high: float, default: float | None = None) -> Any:
    """A parameter drawn evenly from [low, high]; its default is the middle."""
    return field(default=(low + high) / 2 if default is None else default, metadata={"range": (low, high)})


def several(count: int, low: float, high: float) -> Any:
    """A parameter of `count` numbers, each drawn evenly from [low, high]; their default is the middle."""
    return field(default=((low + high) / 2,) * count, metadata={"range": (low, high), "count": count})


def one_of(*names: str) -> Any:
    """A parameter that is one of some words; its default is the first."""
    return field(default=names[0], metadata={"names": names})


@dataclass(frozen=True)
class Family(ABC):
    """Parameters of one shape of a category. Raises ValueError for one outside its range."""

    category: ClassVar[str]

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if "names" in one.metadata:
                if value not in one.metadata["names"]:
                    raise ValueError(
                        f"{one.name} of a {self.category} is {value!r}: choose one of "
                        f"{', '.join(one.metadata['names'])}."
                    )
                continue
            low, high = one.metadata["range"]
            values, count = np.ravel(value), one.metadata.get("count", 1)
            if len(values) != count or not ((values >= low) & (values <= high)).all():
                many = f"{count} numbers" if count > 1 else "a number"
                raise ValueError(f"{one.name} of a {self.category} is {value}: give {many} from {low:g} to {high:g}.")

    @classmethod
    def sample(cls, rng: np.random.Generator) -> Self:
        """Parameters drawn at random."""
        return cls(**{one.name: _draw(one.metadata, rng) for one in fields(cls) if one.default is not MISSING})

    @abstractmethod
    def parts(self) -> tuple[Part, ...]:
        """The closed surfaces that the shape is made of, facing outwards; they may go into each other."""


@dataclass(frozen=True, eq=False)
class ObjectShape:
    """A shape of a category in its object frame: z up, the origin in the middle of what it stands on; units are m.

    vertices (V, 3) float64; faces (F, 3) int64, counter-clockwise from outside. pieces: (K, 3) point sets whose convex
    hulls together fill the shape.
    """

    category: str
    parameters: Family
    vertices: np.ndarray
    faces: np.ndarray
    pieces: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, parameters: Family) -> "ObjectShape":
        """The shape that has these parameters."""
        whole = joined(parameters.parts())
        pieces = tuple(whole.vertices[chosen] for chosen in whole.pieces)
        return cls(parameters.category, parameters, whole.vertices, whole.faces, pieces)


def _draw(metadata: Any, rng: np.random.Generator) -> Any:
    if "names" in metadata:
        return metadata["names"][rng.integers(len(metadata["names"]))]
    low, high = metadata["range"]
    if "count" in metadata:
        return tuple(float(value) for value in rng.uniform(low, high, metadata["count"]))
    return float(rng.uniform(low, high))
