"""Every recipe that `blockworld train` knows: what it makes, from which configuration, by which function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Recipe:
    """`run(config_file, overrides, models_dir)` trains and exports; it returns the measured metrics."""

    summary: str
    config: Path
    run: Callable[[Path, Sequence[str], Path], dict[str, float]]


def _localization(config: Path, overrides: Sequence[str], models_dir: Path) -> dict[str, float]:
    from perception.configuration import read_configuration
    from training.localization.config import LocalizationConfig
    from training.localization.export import export
    from training.localization.train import train

    settings = read_configuration(LocalizationConfig, config, overrides)
    train(settings)
    return export(settings, models_dir).metrics


def _recipe(task: str, summary: str) -> Recipe:
    return Recipe(summary, FOLDER / "localization" / "configs" / f"{task}.yaml", _localization)


RECIPES: dict[str, Recipe] = {
    "localization-coarse": _recipe("coarse", "block and robot points in overview images"),
    "localization-tool": _recipe("tool", "the clamp in overview images"),
    "localization-fine": _recipe("fine", "block and gripper points in close-ups around the clamp"),
}
