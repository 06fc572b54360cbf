"""The categories of shapes that a deformation network can be of."""

from typing import Literal, get_args

Category = Literal["human", "mug", "cup", "bowl", "bottle", "pan", "hammer"]
CATEGORIES: tuple[Category, ...] = get_args(Category)
OBJECTS: tuple[Category, ...] = tuple(one for one in CATEGORIES if one != "human")
"""Those that a hand can hold."""
