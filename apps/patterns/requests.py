"""What the page sends, checked."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from perception.errors import InputError
from training.art.boxes import Box, Size, checked_box

Identifier = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""Of a picture."""
Pixels = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]


class SearchRequest(BaseModel):
    """A box that is looked for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    picture: Identifier
    box: tuple[Pixels, Pixels, Pixels, Pixels]
    """x, y, w, h px of the upright picture."""
    verify: bool = True
    """Whether boxes that one affine map explains come first."""
    most: Annotated[int, Field(ge=1, le=200)] = 48


def box_of(text: str, size: Size) -> Box:
    """x,y,w,h of an address, as far as it is in a picture. Raises InputError where it is no box, or outside."""
    try:
        values = [float(one) for one in text[:200].split(",")]
    except ValueError:
        raise InputError("A box is x,y,w,h in px, four finite numbers.", "box") from None
    return checked_box(values, size)
