"""Layers as the content of a file of any kind that they are written as, and the network that draws a project."""

from collections.abc import Callable

from perception.errors import LayersError
from perception.layers.layer import Decomposition
from perception.layers.network import LayersNetwork
from perception.layers.openraster import openraster, png
from perception.layers.project import to_json
from perception.layers.rendering import render, to_rgba
from perception.layers.svg import TOLERANCE_PX, svg

ENDINGS = (".svg", ".ora", ".png", ".json")
MOST_SIDE_PX, MOST_LEVELS = 16384, 32


def content_of(
    network: LayersNetwork,
    made: Decomposition,
    ending: str,
    size: int | None = None,
    levels: int = 1,
    tolerance_px: float = TOLERANCE_PX,
    polygons: bool = False,
) -> bytes:
    """A file with one of ENDINGS. size: longer side of .png and .ora in px, by default the picture's. levels,
    tolerance_px, polygons: see `svg`. Raises LayersError for sizes that are not worked with."""
    if ending == ".svg":
        return svg(network, made, levels, tolerance_px, polygons).encode()
    if ending == ".json":
        return to_json(made).encode()
    width, height = scaled_size(made.width, made.height, size or max(made.width, made.height))
    if ending == ".ora":
        return openraster(network, made, width, height)
    return png(to_rgba(render(network, made, width, height)))


def scaled_size(width: int, height: int, longer: int) -> tuple[int, int]:
    """Width and height in the same proportion, of which the longer is given."""
    share = longer / max(width, height)
    return max(1, round(width * share)), max(1, round(height * share))


def network_of(made: Decomposition, source: str, opened: Callable[[str], LayersNetwork]) -> LayersNetwork:
    """The network that a project's masks are drawn by. Raises LayersError where it has become another one since."""
    network = opened(made.network)
    if made.layers and made.parameters.shape[1] != network.manifest.parameters:
        raise LayersError(f"{source} is not of the network {made.network} as it is now: decompose again.")
    return network
