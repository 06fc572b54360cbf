"""Layers as SVG: one group of true paths for each, with fill, id and title."""

import re
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from perception.layers.contours import Polygon, contours, curved_contours
from perception.layers.curves import Piece
from perception.layers.grid import Floats
from perception.layers.layer import Decomposition, Gradient, Layer
from perception.layers.network import LayersNetwork

TOLERANCE_PX = 0.15
"""By which borders may be off, in pixels of the picture that was decomposed."""


def svg(
    network: LayersNetwork, made: Decomposition, levels: int = 1, tolerance_px: float = TOLERANCE_PX,
    polygons: bool = False,
) -> str:
    """The picture of its own size in px, scalable, transparent where no layer is.

    levels: paths of each layer: one along where its mask is a half, or several, nested, each a part of how opaque the
    layer is, for masks with soft borders. polygons: straight lines in place of Bezier curves. Where the network paints
    on black, a black rectangle lies below.
    """
    width, height = made.width, made.height
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
    ]
    if not made.transparent:
        lines.append(f'<rect id="canvas" width="{width}" height="{height}" fill="#000000"/>')
    for number, layer in enumerate(made.layers, 1):
        shown = "" if layer.visible else ' display="none"'
        opacity = "" if layer.opacity == 1 else f' opacity="{layer.opacity:.3f}"'
        if layer.gradient is not None:
            lines += _faded(layer, layer.gradient, number, width, height)
        fill = hexadecimal(layer.paint) if layer.gradient is None else f"url(#gradient-{number})"
        lines.append(f'<g id="layer-{number}" fill="{fill}" fill-rule="evenodd"{opacity}{shown}>')
        lines.append(f"<title>{escape(_printable(layer.name or f'layer {number}'))}</title>")
        # Paths of masks that were joined lie over each other in one colour, which is how opaque their union is.
        for parameters in layer.masks:
            for level, share in nested(levels):
                given = network, parameters, width, height, level, tolerance_px
                drawn = path(contours(*given)) if polygons else curved_path(curved_contours(*given))
                partly = "" if share == 1 else f" fill-opacity={quoteattr(f'{share:.4f}')}"
                lines.append(f'<path d="{drawn}"{partly}/>')
        lines.append("</g>")
    return "\n".join([*lines, "</svg>", ""])


def nested(levels: int) -> list[tuple[float, float]]:
    """Levels of a mask, and how opaque a path is there, so that all of them over each other are as the mask."""
    shares = np.arange(levels + 1) / levels
    return [
        ((k + 0.5) / levels, float(1 - (1 - shares[k + 1]) / (1 - shares[k]))) for k in range(levels)
    ]  # fmt: skip


def path(polygons: list[Polygon]) -> str:
    """Of closed polygons, to a hundredth of a pixel; a point where there are none."""
    if not polygons:
        return "M0 0Z"
    return "".join("M" + "L".join(f"{_short(x)} {_short(y)}" for x, y in one) + "Z" for one in polygons)


def curved_path(paths: list[list[Piece]]) -> str:
    """Of closed paths of curves and lines, to a hundredth of a pixel: a step in two numbers, a curve in six, each from
    where the last one ended."""
    if not paths:
        return "M0 0Z"
    found = []
    for pieces in paths:
        here = np.round(pieces[0][0], 2)
        found.append(f"M{_short(here[0])} {_short(here[1])}")
        for one in pieces:
            steps = np.round(one[1:] - here, 2)
            found.append(("l" if len(one) == 2 else "c") + " ".join(_short(value) for value in steps.ravel()))
            here = np.round(here + steps[-1], 2)
        found.append("Z")
    return "".join(found).replace(" -", "-")


def hexadecimal(colour: Floats) -> str:
    """#rrggbb."""
    return "#" + "".join(f"{round(255 * float(np.clip(one, 0, 1))):02x}" for one in colour)


def _faded(layer: Layer, gradient: Gradient, number: int, width: int, height: int) -> list[str]:
    (x1, y1), (x2, y2) = (
        (_short((x + 1) / 2 * width), _short((y + 1) / 2 * height)) for x, y in (gradient.start, gradient.end)
    )
    first, second = (hexadecimal(one) for one in layer.paint)
    return [
        f'<linearGradient id="gradient-{number}" gradientUnits="userSpaceOnUse" '
        f'x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}">',
        f'<stop offset="0" stop-color="{first}"/><stop offset="1" stop-color="{second}"/>',
        "</linearGradient>",
    ]


def _short(value: float) -> str:
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _printable(text: str) -> str:
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "?", text)
