"""Things as parametric families of meshes: FAMILIES, which a hand can hold, and ASSEMBLIES, which are larger.

All shapes of a category of FAMILIES have the same triangles, and a vertex is the same place on all of them: the rim's
point on the handle's side, the middle of the handle. A shape is sampled from (category, seed, index) alone.
"""

from sim.random_streams import stream
from sim.shapes.assemblies import ASSEMBLIES
from sim.shapes.bottle import Bottle
from sim.shapes.bowl import Bowl
from sim.shapes.cup import Cup
from sim.shapes.family import Family, ObjectShape
from sim.shapes.hammer import Hammer
from sim.shapes.mug import Mug
from sim.shapes.pan import Pan

FAMILIES: dict[str, type[Family]] = {one.category: one for one in (Mug, Cup, Bowl, Bottle, Pan, Hammer)}
CATEGORIES = tuple(FAMILIES)
_ALL = FAMILIES | ASSEMBLIES

__all__ = ["ASSEMBLIES", "CATEGORIES", "FAMILIES", "Family", "ObjectShape", "family", "load_shape", "make", "template"]


def family(category: str) -> type[Family]:
    """The family of that category; raises ValueError for one that there is not."""
    if category not in _ALL:
        raise ValueError(f"there are no shapes of category {category!r}: choose one of {', '.join(_ALL)}.")
    return _ALL[category]


def make(category: str, seed: int, index: int) -> ObjectShape:
    """Shape `index` of the series `seed`; raises ValueError for an unknown category."""
    return ObjectShape.of(family(category).sample(stream(seed, index, f"shape {category}")))


def template(category: str) -> ObjectShape:
    """The shape with all parameters in the middle of their ranges; raises ValueError for an unknown category."""
    return ObjectShape.of(family(category)())


def load_shape(name: str) -> ObjectShape:
    """The shape called CATEGORY/SEED/INDEX, or CATEGORY/template; raises ValueError for another name."""
    category, *numbers = name.split("/")
    if numbers == ["template"]:
        return template(category)
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers):
        raise ValueError(f"there is no shape {name!r}: give CATEGORY/SEED/INDEX or CATEGORY/template.")
    return make(category, int(numbers[0]), int(numbers[1]))
