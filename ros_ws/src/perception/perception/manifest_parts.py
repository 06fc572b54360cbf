"""What the manifests of all bundles share: bounded words and numbers, and that nothing else may stand there."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from perception.robot import Label

MANIFEST_VERSION = 2
MOST_SIDE = 4096  # px of an input, cells of a map, bins, points of a cloud
MOST_FIGURES = 1000

Side = Annotated[PositiveInt, Field(le=MOST_SIDE)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]*$", max_length=64)]
"""Of what becomes part of a file's name: no separators, and never `..`."""
Sum = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Training = Annotated[dict[Label, str | int | float], Field(max_length=MOST_FIGURES)]
"""How a bundle came about: command, seed, samples, the commit of the code."""
Metrics = Annotated[dict[Label, Annotated[float, Field(allow_inf_nan=True)]], Field(max_length=MOST_FIGURES)]
"""What was measured of it on held-out data."""


class Strict(BaseModel):
    """A part of a manifest: frozen, without fields that are not known, all numbers finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
