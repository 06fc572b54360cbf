"""The demo's report: one HTML file that holds its pictures and needs nothing else."""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from blockworld.demo.episodes import Episode, Summary

STAGES = {
    "coarse": "Coarse: the block in the robot's base frame, from overviews",
    "fine": "Fine: the block in the clamp's frame, from close-ups around the clamp",
    "final": "Final: after the lift",
}
PLOT_WIDTH, PLOT_HEIGHT = 720.0, 210.0
PLOT_LEFT, PLOT_RIGHT, PLOT_TOP, PLOT_BOTTOM = 52.0, 12.0, 14.0, 34.0
LEAST_SHOWN_MM, MOST_SHOWN_MM = 0.1, 1000.0


@dataclass(frozen=True)
class Row:
    """The pictures of one kind of an episode: (camera, data URI) each."""

    title: str
    pictures: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Card:
    """One episode as the page shows it."""

    episode: Episode
    rows: tuple[Row, ...]
    numbers: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Plot:
    """Errors by episode on a logarithmic axis; places in the units of the drawing."""

    width: float
    height: float
    ticks: tuple[tuple[float, str], ...]
    columns: tuple[dict[str, Any], ...]


def write_report(summary: Summary, pictures: Path, out: Path) -> None:
    """Write the page of a run; `pictures` is the folder that holds the files which the episodes name."""
    environment = Environment(
        loader=PackageLoader("blockworld.demo", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(millimetres=millimetres, degrees=degrees, percent=percent)
    page = environment.get_template("report.html.j2").render(
        summary=summary,
        cards=[card(episode, pictures) for episode in summary.episodes],
        plot=plot(summary.episodes),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )
    out.write_text(page, encoding="utf-8")


def card(episode: Episode, pictures: Path) -> Card:
    """What the page shows of an episode; pictures that are missing are left out."""
    rows = []
    for kind, title in STAGES.items():
        named = episode.pictures.get(kind, {})
        embedded = [(camera, data_uri(pictures / name)) for camera, name in sorted(named.items())]
        found = tuple((camera, uri) for camera, uri in embedded if uri is not None)
        if found:
            rows.append(Row(title, found))
    return Card(episode, tuple(rows), numbers(episode))


def numbers(episode: Episode) -> tuple[tuple[str, ...], ...]:
    """Rows (stage, x, y, yaw) of text: estimates with standard deviations, and the truth of the moment."""
    rows: list[tuple[str, ...]] = []
    for stage, estimate in (("coarse", episode.coarse), ("fine", episode.fine)):
        if estimate is None:
            continue
        truth = estimate["truth"]
        # The deviations of a fine estimate are along the axes of the clamp, so x and y share one here.
        spread = math.hypot(estimate["sigma_x_m"], estimate["sigma_y_m"]) / math.sqrt(2)
        place = [f"{1000 * estimate[axis]:.1f} ± {1000 * spread:.1f} mm" for axis in ("x_m", "y_m")]
        turn = math.degrees(estimate["sigma_yaw_rad"])
        yaw = f"{degrees(estimate['yaw_rad'])} ± {turn:.1f}°"
        rows.append((f"{stage}, {estimate['views']} views", *place, yaw))
        place = [f"{1000 * truth[axis]:.1f} mm" for axis in ("x_m", "y_m")]
        rows.append(("truth", *place, f"{degrees(truth['yaw_rad'])}°"))
    return tuple(rows)


def plot(episodes: Sequence[Episode]) -> Plot:
    """Where the points of the plot of errors go."""
    errors = [error for episode in episodes for error in (episode.coarse_error_m, episode.fine_error_m)]
    values = [_clip(1000 * error) for error in errors if error is not None] or [1.0, 10.0]
    low = math.floor(math.log10(min(values)))
    high = max(math.ceil(math.log10(max(values))), low + 1)

    def y(error_m: float | None) -> float | None:
        if error_m is None:
            return None
        share = (math.log10(_clip(1000 * error_m)) - low) / (high - low)
        return PLOT_HEIGHT - PLOT_BOTTOM - share * (PLOT_HEIGHT - PLOT_BOTTOM - PLOT_TOP)

    ticks = [(y(10.0**power / 1000), f"{10.0**power:g}") for power in range(low, high + 1)]
    step = (PLOT_WIDTH - PLOT_LEFT - PLOT_RIGHT) / max(len(episodes), 1)
    label_every = max(1, math.ceil(len(episodes) / 24))
    columns = [
        {
            "x": PLOT_LEFT + (place + 0.5) * step,
            "label": episode.index + 1 if place % label_every == 0 else "",
            "success": episode.success,
            "coarse": y(episode.coarse_error_m),
            "fine": y(episode.fine_error_m),
        }
        for place, episode in enumerate(episodes)
    ]
    placed = tuple((height, text) for height, text in ticks if height is not None)
    return Plot(PLOT_WIDTH, PLOT_HEIGHT, placed, tuple(columns))


def data_uri(path: Path) -> str | None:
    """A JPEG file as a data URI; None where there is no such file."""
    if not path.is_file():
        return None
    return "data:image/jpeg;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def millimetres(value_m: float | None) -> str:
    """Metres as text in millimetres."""
    return "–" if value_m is None else f"{1000 * value_m:.1f}"


def degrees(value_rad: float | None) -> str:
    """Radians as text in degrees."""
    return "–" if value_rad is None else f"{math.degrees(value_rad):.1f}"


def percent(share: float | None) -> str:
    """A share as text in percent."""
    return "–" if share is None else f"{100 * share:.0f}"


def _clip(error_mm: float) -> float:
    return min(max(error_mm, LEAST_SHOWN_MM), MOST_SHOWN_MM)
