"""Layers as OpenRaster (.ora), which GIMP, Krita and MyPaint open: a picture for each layer, in an archive."""

import zipfile
from io import BytesIO
from xml.sax.saxutils import quoteattr

import cv2
import numpy as np

from perception.layers.layer import Decomposition
from perception.layers.network import LayersNetwork
from perception.layers.picture import Rgba
from perception.layers.rendering import colours_at, mask_at, render, to_rgba

_THUMBNAIL_PX = 256


def openraster(network: LayersNetwork, made: Decomposition, width: int, height: int) -> bytes:
    """An archive of so many pixels; layers keep their names, opacity and whether they are shown."""
    files, entries = {}, []
    for number, layer in enumerate(made.layers, 1):
        pixels = np.empty((height, width, 4), np.uint8)
        pixels[..., :3] = np.rint(255 * colours_at(layer, width, height))
        pixels[..., 3] = np.rint(255 * mask_at(network, layer, width, height))
        files[f"data/layer{number}.png"] = png(pixels)
        shown = "visible" if layer.visible else "hidden"
        entries.append(
            f'<layer name={quoteattr(layer.name or f"layer {number}")} src="data/layer{number}.png" x="0" y="0" '
            f'opacity="{layer.opacity:.4f}" visibility="{shown}" composite-op="svg:src-over"/>'
        )
    if not made.transparent:
        black = np.zeros((height, width, 4), np.uint8)
        black[..., 3] = 255
        files["data/canvas.png"] = png(black)
        entries.insert(0, '<layer name="canvas" src="data/canvas.png" x="0" y="0" opacity="1" visibility="visible"/>')
    stack = "\n".join(reversed(entries))  # the topmost comes first
    merged = to_rgba(render(network, made, width, height))
    share = min(1.0, _THUMBNAIL_PX / max(width, height))
    reduced = max(1, round(width * share)), max(1, round(height * share))
    small = cv2.resize(merged, reduced, interpolation=cv2.INTER_AREA)
    files |= {"mergedimage.png": png(merged), "Thumbnails/thumbnail.png": png(np.asarray(small, np.uint8))}
    files["stack.xml"] = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<image version="0.0.3" w="{width}" h="{height}">\n<stack>\n{stack}\n'
        "</stack>\n</image>\n"
    ).encode()
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        # First and not compressed, so that the file is known by its bytes.
        archive.writestr(zipfile.ZipInfo("mimetype"), b"image/openraster")
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


def png(picture: Rgba) -> bytes:
    """A PNG file of (H, W, 4)."""
    return bytes(cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA))[1].tobytes())
