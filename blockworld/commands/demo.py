"""blockworld demo: watch the robot localize and pick blocks."""

import math
import sys
import time
from pathlib import Path
from typing import Any

import click

from perception.engine_names import AUTO, ENGINES

EXIT_RUN_FAILED = 1


@click.command(epilog="Example: blockworld demo --episodes 5 --seed 1 --out demo_output")
@click.option(
    "--episodes", default=5, show_default=True, type=click.IntRange(1, 10_000), help="Blocks to pick."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**62), help="Series of worlds.")
@click.option(
    "--out",
    default=Path("demo_output"),
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for report.html, summary.json, the pictures, the recording and the log.",
)
@click.option(
    "--models",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the models.  [default: BLOCKWORLD_MODELS, else models/ of the checkout]",
)
@click.option(
    "--engine", default=AUTO, show_default=True, type=click.Choice(tuple(ENGINES)), help="What runs the networks."
)
@click.option("--world", default="pybullet", show_default=True, help="World: its name, or module:Class.")
@click.option("--robot", help="Robot of the world, which the models must know: its name, or its folder.")
def command(
    episodes: int, seed: int, out: Path, models: Path | None, engine: str, world: str, robot: str | None
) -> int:
    """Start the ROS 2 graph on this machine, pick blocks with it, and write a report.

    Exits with 0 when every episode was run, whether or not its block was picked up.
    """
    from blockworld.demo.contact_sheet import write_contact_sheet
    from blockworld.demo.episodes import Episode, Summary
    from blockworld.demo.report import write_report
    from blockworld.demo.run import DemoFailedError, DemoSettings, run_demo

    settings = DemoSettings(episodes, seed, out, models, engine, world, robot)
    progress = Progress(episodes)
    done: list[Episode] = []
    begin = time.monotonic()
    failure = ""
    try:
        run_demo(settings, lambda event: progress.show(event, done), done)
    except DemoFailedError as error:
        failure = str(error)
    finally:
        progress.clear()
        if done:  # also of a run that was interrupted
            summary = Summary.of(done, seed, time.monotonic() - begin)
            summary.write(out / "summary.json")
            write_report(summary, settings.pictures, out / "report.html")
            write_contact_sheet(done, settings.pictures, out / "contact_sheet.png")
            click.echo(_outcome(summary))
            click.echo(f"report: {out / 'report.html'}")
            if settings.bag.is_dir():
                click.echo(f"replay: blockworld localize --bag {settings.bag}")
    if failure:
        click.echo(f"blockworld: {failure}", err=True)
        return EXIT_RUN_FAILED
    return 0


class Progress:
    """Lines on stdout: one per episode, and on a terminal the step at work, which the next line replaces."""

    def __init__(self, episodes: int) -> None:
        self._episodes = episodes
        self._begin = time.monotonic()
        self._live = sys.stdout.isatty()

    def show(self, event: dict[str, Any], done: list[Any]) -> None:
        """Tell of an event; `done` holds the episodes that have ended."""
        seconds = time.monotonic() - self._begin
        if event["event"] == "started":
            names = ", ".join(event["processes"])
            self._line(f"started {names} in ROS domain {event['domain_id']}; waiting until they answer")
        elif event["event"] == "ready":
            self._line(f"ready after {seconds:.1f} s")
        elif event["event"] == "step" and self._live:
            text = f"episode {event['index'] + 1}/{self._episodes}  {event['step']}: {event['message']}"
            click.echo(f"\r\033[K{text}", nl=False)
        elif event["event"] == "episode":
            self._line(f"episode {event['index'] + 1}/{self._episodes}  {_told(done[-1])}")

    def clear(self) -> None:
        """Remove the line of the step at work."""
        if self._live:
            click.echo("\r\033[K", nl=False)

    def _line(self, text: str) -> None:
        self.clear()
        click.echo(text)


def _told(episode: Any) -> str:
    errors = (
        f"coarse {_number(episode.coarse_error_m, 1000)} mm, fine {_number(episode.fine_error_m, 1000)} mm, "
        f"yaw {_number(episode.yaw_error_rad, 180 / math.pi)} deg, {episode.duration_s:.1f} s"
    )
    return f"picked  {errors}" if episode.success else f"failed  {errors}; {episode.message}"


def _outcome(summary: Any) -> str:
    return (
        f"{summary.successes} of {summary.episode_count} blocks picked on {summary.engine or 'no engine'}; "
        f"mean error coarse {_number(summary.mean_coarse_error_m, 1000)} mm, "
        f"fine {_number(summary.mean_fine_error_m, 1000)} mm, "
        f"yaw {_number(summary.mean_yaw_error_rad, 180 / math.pi)} deg; {summary.wall_s:.0f} s in all"
    )


def _number(value: float | None, factor: float) -> str:
    return "-" if value is None else f"{value * factor:.1f}"
