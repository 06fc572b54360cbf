"""The categories of shapes that a deformation network can be of."""

from typing import Literal

Category = Literal["human", "mug", "cup", "bowl", "bottle", "pan", "hammer"]
