"""Parts of pictures, cut out and laid side by side."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from training.art.boxes import Box
from training.art.pictures import Picture

CONTEXT = 0.25
"""Of a box's longest side, as much is shown around it where it is marked."""
_PAPER, _INK, _MARK = "#fbfaf7", "#24211d", "#b5402a"
_TILE, _GAP, _CAPTION, _COLUMNS = 220, 16, 40, 4


@dataclass(frozen=True, eq=False)
class Panel:
    """A box in a picture, and what is written below it."""

    picture: Picture
    box: Box
    caption: tuple[str, str]


def reduced(picture: Picture, longest: int) -> Image.Image:
    """All of a picture with at most so many px along a side; a smaller one as it is."""
    image = Image.fromarray(picture.rgb)
    image.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return image


def cut_out(picture: Picture, box: Box, longest: int, context: float = 0.0) -> Image.Image:
    """A box of a picture, its longest side of so many px; context: how much around it is shown, of its longest side.

    The box itself is then framed.
    """
    scale = picture.rgb.shape[1] / picture.size[0], picture.rgb.shape[0] / picture.size[1]
    x, y, w, h = box
    beyond = context * max(w, h)
    left, top = max(0.0, x - beyond), max(0.0, y - beyond)
    right, bottom = min(x + w + beyond, picture.size[0]), min(y + h + beyond, picture.size[1])
    source = (left * scale[0], top * scale[1], max(right, left + 1) * scale[0], max(bottom, top + 1) * scale[1])
    times = longest / max(source[2] - source[0], source[3] - source[1])
    size = max(1, round((source[2] - source[0]) * times)), max(1, round((source[3] - source[1]) * times))
    image = Image.fromarray(picture.rgb).resize(size, Image.Resampling.BICUBIC, box=_inside(source, picture))
    if context:
        across, down = size[0] / (right - left), size[1] / (bottom - top)
        corners = ((x - left) * across, (y - top) * down, (x + w - left) * across, (y + h - top) * down)
        ImageDraw.Draw(image).rectangle([round(one) for one in corners], outline=_MARK, width=3)
    return image


def side_by_side(asked: Panel, found: Sequence[Panel]) -> Image.Image:
    """What was asked for, large on the left, and what was found beside it, in rows."""
    columns = min(_COLUMNS, max(1, len(found)))
    rows = max(1, -(-len(found) // columns))
    large = 2 * _TILE + _GAP if rows > 1 else _TILE
    step = _TILE + _GAP
    height = max(rows * (_TILE + _CAPTION), large + _CAPTION)
    sheet = Image.new("RGB", (large + 3 * _GAP + columns * step, height + 2 * _GAP), _PAPER)
    _put(sheet, asked, _GAP, _GAP, large)
    for number, one in enumerate(found):
        row, column = divmod(number, columns)
        _put(sheet, one, large + 3 * _GAP + column * step, _GAP + row * (_TILE + _CAPTION), _TILE)
    draw = ImageDraw.Draw(sheet)
    draw.line([(large + 2 * _GAP, _GAP), (large + 2 * _GAP, height)], fill="#d8d2c6")
    return sheet


def as_png(image: Image.Image) -> bytes:
    """Its file."""
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def as_jpeg(image: Image.Image, quality: int = 85) -> bytes:
    """Its file."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


def _put(sheet: Image.Image, panel: Panel, x: int, y: int, side: int) -> None:
    part = cut_out(panel.picture, panel.box, side, CONTEXT)
    sheet.paste(part, (x + (side - part.width) // 2, y + (side - part.height) // 2))
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for line, words in enumerate(panel.caption):
        draw.text((x, y + side + 3 + 16 * line), _fitting(words, font, side), fill=_INK, font=font)


def _fitting(words: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: int) -> str:
    """As much of the end of a line as fits."""
    if font.getlength(words) <= width:
        return words
    while words and font.getlength(f"... {words}") > width:
        words = words[1:]
    return f"... {words}"


def _inside(source: tuple[float, float, float, float], picture: Picture) -> tuple[float, float, float, float]:
    """What rounding has put beyond the picture, back in."""
    height, width = picture.rgb.shape[:2]
    left, top = min(source[0], width - 1.0), min(source[1], height - 1.0)
    return left, top, min(max(source[2], left + 1), width), min(max(source[3], top + 1), height)
