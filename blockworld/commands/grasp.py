"""blockworld grasp: grasps tried in physics."""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blockworld.files import NewFile
from perception.errors import BlockworldError

if TYPE_CHECKING:
    from sim.grasp_trial import TrialResult

ROBOT = click.option("--robot", default="panda", show_default=True, help="Name or description file of the robot.")
SEED = click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Series of scenes.")
PRESET = click.option("--preset", default="lab", show_default=True, help="Kind of scenes: lab, train, field or adv.")
NOISE_MM = click.option(
    "--noise-mm", default=0.0, show_default=True, type=click.FloatRange(0, 500),
    help="Distance by which each grasp misses, mm; in a random direction of the plane.",
)  # fmt: skip
NOISE_DEG = click.option(
    "--noise-deg", default=0.0, show_default=True, type=click.FloatRange(0, 180),
    help="Angle by which each grasp is turned, degrees; to a random side.",
)  # fmt: skip


@click.group()
def command() -> None:
    """Try grasps in physics: approach, close by force, lift, hold, shake."""


@command.command("try", epilog="Example: blockworld grasp try --robot panda --episodes 50 --noise-mm 10 --noise-deg 5")
@ROBOT
@SEED
@PRESET
@click.option("--episodes", default=20, show_default=True, type=click.IntRange(1), help="Trials, each in a new scene.")
@NOISE_MM
@NOISE_DEG
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder for summary.json.")
def try_(
    robot: str, seed: int, preset: str, episodes: int, noise_mm: float, noise_deg: float, out: Path | None
) -> None:
    """Grasp the blocks of sampled scenes, each missed by the given errors; prints how many pass each phase."""
    from tqdm import tqdm

    from sim.grasp_trial import GraspTrial, TrialRules
    from sim.grasp_tries import tries
    from sim.randomization import preset as preset_of

    try:
        trial = GraspTrial(robot, TrialRules())
        if out is not None:
            _make_writable(out)  # before the trials, which may take hours
        running = tries(trial, preset_of(preset), seed, episodes, noise_mm / 1000, math.radians(noise_deg))
        done = list(tqdm(running, total=episodes, unit=" trials", desc=f"grasp {robot}", disable=None))
    except (ModuleNotFoundError, ValueError) as error:
        raise BlockworldError(str(error)) from error
    results = [one.result for one in done]
    wall_s = sum(one.wall_s for one in done) / episodes
    arguments = {"robot": robot, "seed": seed, "preset": preset, "noise_mm": noise_mm, "noise_deg": noise_deg}
    phases = trial.rules.phases
    summary = {**arguments, "episodes": episodes, **_summary(results, phases), "seconds_per_trial": round(wall_s, 3)}
    click.echo(_table(summary, results, phases))
    if out is not None:
        trials = [{"index": one.index, "success": one.result.success, "reason": one.result.reason} for one in done]
        _write(out / "summary.json", json.dumps({**summary, "trials": trials}, indent=2).encode())
        click.echo(f"summary: {out / 'summary.json'}")


@command.command("film", epilog="Example: blockworld grasp film --robot panda --seed 1 --out film.png")
@ROBOT
@SEED
@PRESET
@click.option("--index", default=0, show_default=True, type=click.IntRange(0), help="Scene of the series.")
@NOISE_MM
@NOISE_DEG
@click.option("--renderer", default="tiny", show_default=True, help="Renderer to draw with.")
@click.option("--out", required=True, type=NewFile(".png", ".jpg"), help="Picture, .png or .jpg.")
def film(
    robot: str, seed: int, preset: str, index: int, noise_mm: float, noise_deg: float, renderer: str, out: Path
) -> None:
    """Draw one trial as a strip of pictures: the start of each phase, and how it ended."""
    import cv2

    from sim.film import key_moments, strip
    from sim.grasp_trial import GraspTrial, Moment
    from sim.grasp_tries import scene_of, try_one
    from sim.randomization import preset as preset_of
    from sim.renderers import open_renderer

    moments: list[Moment] = []
    try:
        trial = GraspTrial(robot, film=moments.append, film_every_s=0.05)
        scene = scene_of(trial.description, preset_of(preset), seed, index)
        result = try_one(trial, scene, noise_mm / 1000, math.radians(noise_deg)).result
        if not moments:
            raise BlockworldError(f"there is nothing to film: {result.reason}.")
        canvas = open_renderer(renderer)
        try:
            picture = strip(scene, key_moments(moments), canvas)
        finally:
            canvas.close()
    except (ModuleNotFoundError, ValueError) as error:
        raise BlockworldError(str(error)) from error
    _write(out, cv2.imencode(out.suffix, picture[..., ::-1])[1].tobytes())
    click.echo(f"{out}: {'success' if result.success else result.reason}")


def _summary(results: list[TrialResult], phases: tuple[str, ...]) -> dict[str, Any]:
    passed = {
        phase: sum(any(one.name == phase and one.ok for one in result.phases) for result in results) for phase in phases
    }
    reasons = Counter(_kind(result.reason) for result in results if not result.success)
    rate = sum(result.success for result in results) / len(results)
    return {"success_rate": round(rate, 4), "passed": passed, "reasons": dict(reasons.most_common())}


def _kind(reason: str) -> str:
    """The reason without its figures, so that equal ones count together."""
    return reason.partition(", ")[0] if not reason.startswith("did not reach") else reason.partition(":")[0]


def _table(summary: dict[str, Any], results: list[TrialResult], phases: tuple[str, ...]) -> str:
    lines = [f"{'phase':<10}{'passed':>8}{'rate':>8}   failed because"]
    for phase in phases:
        count = summary["passed"][phase]
        why = Counter(_kind(result.reason) for result in results if result.failed_phase == phase)
        told = "; ".join(f"{reason} ({number})" for reason, number in why.most_common())
        lines.append(f"{phase:<10}{count:>8}{count / len(results):>8.2f}   {told}".rstrip())
    rate, seconds = summary["success_rate"], summary["seconds_per_trial"]
    lines.append(f"success rate {rate:.3f} of {len(results)} trials, {seconds:.2f} s each")
    return "\n".join(lines)


def _make_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BlockworldError(f"cannot write into {folder}: {error.strerror}; choose another folder.") from error


def _write(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise BlockworldError(f"cannot write {path}: {error.strerror}; choose another place.") from error
