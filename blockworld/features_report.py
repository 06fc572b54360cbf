"""The report of `blockworld features analyze`: a page with all of its pictures in it, and the same as JSON."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from blockworld.files import write_files
from perception.errors import BlockworldError, reason

PAGE, DATA = "report.html", "report.json"
RESIDUAL = "residual"
THUMBNAIL_PX = 64
_COLOURS = ("#31688e", "#c8553d", "#6a994e", "#e0a43b", "#7b5ea7", "#3a9d9d", "#b56576", "#8d6e4a", "#4f6d3a")
_LIGHT_INK, _DARK_INK = "#fff", "#24211d"
_GREY = "#d8d2c6"
_PLOT_PX, _MARGIN_PX = 240, 22


def write_report(out: Path, report: dict[str, Any], pictures: list[list[np.ndarray]]) -> None:
    """Write the page and the JSON file into a folder, which is made. report: as `training.features.analyze.as_json`
    gives it. pictures: of each value of each factor one (S, S, 3) RGB. Raises BlockworldError where that fails."""
    names = [one["name"] for one in report["factors"]]
    colours = dict(zip(names, _COLOURS, strict=False)) | {RESIDUAL: _GREY}
    environment = Environment(
        loader=PackageLoader("blockworld", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    page = environment.get_template("features_report.html.j2").render(
        report=report,
        names=[*names, RESIDUAL],
        colours=colours,
        inks={name: _DARK_INK if name == RESIDUAL else _LIGHT_INK for name in colours},
        bars=_by_layer(report, _bars),
        points=_by_layer(report, lambda layer: {name: _points(layer["factors"][name]) for name in names}),
        thumbnails={
            f"f{k}v{level}": _as_uri(one) for k, values in enumerate(pictures) for level, one in enumerate(values)
        },
    )
    make_folder(out)
    data = json.dumps(report, indent=1, ensure_ascii=False) + "\n"
    write_files({out / PAGE: page.encode(), out / DATA: data.encode()})


def make_folder(out: Path) -> None:
    """Make it. Raises BlockworldError where that fails."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BlockworldError(f"cannot write to {out} ({reason(error.strerror)}): name another folder.") from error


def _by_layer(report: dict[str, Any], make: Any) -> dict[str, dict[str, Any]]:
    return {one["name"]: {layer["name"]: make(layer) for layer in one["layers"]} for one in report["networks"]}


def _bars(layer: dict[str, Any]) -> list[dict[str, Any]]:
    shares = {name: one["share"] for name, one in layer["factors"].items()} | {RESIDUAL: layer["residual"]}
    ends = np.cumsum(list(shares.values()))
    return [
        {"name": name, "share": share, "begin": round(float(end - share), 5)}
        for (name, share), end in zip(shares.items(), ends, strict=True)
    ]


def _points(factor: dict[str, Any]) -> list[tuple[float, float]]:
    """Places in the plot, both axes in one scale."""
    places = np.asarray(factor["embedding"])
    centred = places - (places.min(axis=0) + places.max(axis=0)) / 2
    scale = (_PLOT_PX / 2 - _MARGIN_PX) / max(float(np.abs(centred).max()), 1e-12)
    return [(round(float(x), 1), round(float(y), 1)) for x, y in _PLOT_PX / 2 + centred * (scale, -scale)]


def _as_uri(picture: np.ndarray) -> str:
    small = cv2.resize(picture, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode()
