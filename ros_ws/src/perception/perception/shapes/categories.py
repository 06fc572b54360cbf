"""The categories of shapes that a deformation network can be of."""

from typing import Literal, get_args

Category = Literal["human", "mug", "cup", "bowl", "bottle", "pan", "hammer"]
OBJECTS: tuple[str, ...] = tuple(category for category in get_args(Category) if category != "human")
"""Those that a hand takes."""
