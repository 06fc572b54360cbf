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
    from training.localization.data_sets import build_missing
    from training.localization.export import export
    from training.localization.train import train

    settings = read_configuration(LocalizationConfig, config, overrides)
    build_missing((*settings.data, *settings.validation))
    train(settings)
    return export(settings, models_dir).metrics


def _calibration(config: Path, overrides: Sequence[str], models_dir: Path) -> dict[str, float]:
    from perception.configuration import read_configuration
    from training.localization.calibrate import CalibrationConfig, calibrate

    return calibrate(read_configuration(CalibrationConfig, config, overrides), models_dir)


def _shapes(name: str) -> Callable[[Path, Sequence[str], Path], dict[str, float]]:
    def run(config: Path, overrides: Sequence[str], models_dir: Path) -> dict[str, float]:
        from perception.configuration import read_configuration
        from training.shapes.config import ShapesConfig
        from training.shapes.export import export
        from training.shapes.train import train

        settings = read_configuration(ShapesConfig, config, overrides)
        train(settings)
        return export(settings, models_dir, name).manifest.metrics

    return run


def _atlas(config: Path, overrides: Sequence[str], models_dir: Path) -> dict[str, float]:
    from perception.configuration import read_configuration
    from training.shapes.atlas.config import AtlasConfig
    from training.shapes.atlas.export import export
    from training.shapes.atlas.train import train

    settings = read_configuration(AtlasConfig, config, overrides)
    train(settings)
    command = " ".join(["blockworld train", f"atlas-{config.stem}", *overrides])
    return export(settings, models_dir, settings.out.name, command).manifest.metrics


def _layers(name: str) -> Callable[[Path, Sequence[str], Path], dict[str, float]]:
    def run(config: Path, overrides: Sequence[str], models_dir: Path) -> dict[str, float]:
        from perception.configuration import read_configuration
        from training.layers.config import LayersConfig
        from training.layers.export import export
        from training.layers.train import train

        settings = read_configuration(LayersConfig, config, overrides)
        figures = train(settings)
        if settings.structure == "single":  # a baseline to compare with, of which there is no bundle
            return figures
        command = " ".join(["blockworld train", name, *overrides])
        return export(settings, models_dir, settings.out.name, command).manifest.metrics

    return run


def _layers_recipe(name: str, stem: str, summary: str) -> Recipe:
    return Recipe(summary, FOLDER / "layers" / "configs" / f"{stem}.yaml", _layers(name))


def _recipe(name: str, summary: str) -> Recipe:
    return Recipe(summary, FOLDER / "localization" / "configs" / f"{name}.yaml", _localization)


def _atlas_recipe(name: str, summary: str) -> Recipe:
    return Recipe(summary, FOLDER / "shapes" / "atlas" / "configs" / f"{name}.yaml", _atlas)


def _shape_recipe(name: str, summary: str) -> Recipe:
    return Recipe(summary, FOLDER / "shapes" / "configs" / f"{name}.yaml", _shapes(f"shapes_{name}"))


RECIPES: dict[str, Recipe] = {
    "localization-coarse": _recipe("coarse", "block and robot points in overview images"),
    "localization-tool": _recipe("tool", "robot points in overview images with the clamp over the block"),
    "localization-fine": _recipe("fine", "block and gripper points in close-ups around the clamp"),
    "localization-block": _recipe("block", "the block's corners in pictures cut around a first estimate"),
    "localization-calibrate": Recipe(
        "honest covariances for the finished bundles of a method",
        FOLDER / "localization" / "configs" / "calibrate.yaml",
        _calibration,
    ),
    "localization-coarse-bins": _recipe("coarse_bins", "the same by bins of x, y and yaw, as in the paper"),
    "localization-tool-bins": _recipe("tool_bins", "the clamp's place by bins of the image"),
    "localization-fine-bins": _recipe("fine_bins", "the block by bins in the clamp's frame"),
    "shapes-human": _shape_recipe("human", "human bodies as deformations of one template (3D-CODED)"),
    "shapes-human-unsupervised": _shape_recipe("human_unsupervised", "the same, from shapes without correspondences"),
    "shapes-human-chamfer": _shape_recipe("human_chamfer", "the same without regularization, to compare with"),
    **{
        f"shapes-{category}{ending}": _shape_recipe(
            f"{category}{ending.replace('-', '_')}", f"the same for {category}s{how}"
        )
        for ending, how in (("", ""), ("-unsupervised", ", from shapes without correspondences"))
        for category in ("mug", "cup", "bowl", "bottle", "pan", "hammer")
    },
    "atlas-ae": _atlas_recipe("ae", "meshes from clouds, as 25 charts (AtlasNet)"),
    "atlas-svr": _atlas_recipe("svr", "meshes from pictures and drawings, with the decoder of atlas-ae"),
    "layers": _layers_recipe("layers", "flat", "pictures as layers of one colour each; flat graphics"),
    "layers-digits": _layers_recipe("layers-digits", "digits", "the same for digits of 28 px"),
    "atlas-elementary": _atlas_recipe("elementary", "meshes from clouds, as learned elementary structures"),
}
