"""What the page sends, checked: which masks a layer has, and what is done to it, as in a project."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from perception.layers.decompose import MOST_LAYERS
from perception.layers.files import MOST_LEVELS, MOST_SIDE_PX
from perception.layers.project import LayerPart

Masks = Annotated[tuple[Annotated[int, Field(ge=0, lt=MOST_LAYERS)], ...], Field(min_length=1, max_length=MOST_LAYERS)]
DocumentId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class LayerRequest(LayerPart):
    """A layer. masks: numbers of the masks that the document was opened with, which are united."""

    masks: Masks


class Edits(BaseModel):
    """A document as the page has it; layers from the lowest to the topmost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    document: DocumentId
    layers: Annotated[tuple[LayerRequest, ...], Field(max_length=MOST_LAYERS)]


class ExportRequest(Edits):
    """A file to be made of it; see `perception.layers.files.content_of`."""

    kind: Literal["svg", "ora", "png", "json"]
    size: Annotated[int, Field(ge=1, le=MOST_SIDE_PX)] | None = None
    levels: Annotated[int, Field(ge=1, le=MOST_LEVELS)] = 1
