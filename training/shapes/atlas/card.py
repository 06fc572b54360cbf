"""The model card of a network for atlases."""

from perception.shapes.atlas.bundle import AtlasManifest
from training.shapes.atlas.config import AtlasConfig

STRUCTURES = {
    "points": "a list of points (the baseline of AtlasNet)",
    "points_normals": "a list of points with normals, for Poisson reconstruction (the baseline of AtlasNet)",
    "squares": "unit squares (AtlasNet, Groueix et al., CVPR 2018)",
    "sphere": "the unit sphere (AtlasNet, Groueix et al., CVPR 2018)",
    "translation": "learned points (elementary structures, Deprelle et al., NeurIPS 2019)",
    "deformation": "learned patches (elementary structures, Deprelle et al., NeurIPS 2019)",
}


def write_card(config: AtlasConfig, manifest: AtlasManifest) -> str:
    """Markdown: what the network does, how to make it again, what was measured, where it fails."""
    source = "point clouds" if config.input == "cloud" else "pictures and line drawings"
    what = f"{manifest.charts} charts: {STRUCTURES[config.structure]}" if manifest.charts > 1 else (
        STRUCTURES[config.structure])  # fmt: skip
    figures = manifest.metrics
    return f"""# {manifest.name} {manifest.version}

This network reconstructs the surface of a thing from {source} as the image of {what}.

## Made by

    {manifest.training["command"]}

{_shapes(config)} It saw {config.shapes:,} of them, with repetition. Configuration:

{_configuration(config)}

## Measured

On held-out shapes of the same kinds, in the unit ball: Chamfer distance {figures["held_out_chamfer_x1000"]:.2f}e-3,
F-score {100 * figures["held_out_f_score"]:.0f} %. How these are defined, and more, stands in `docs/atlas.md`.

## Limits

Things of the categories that it was trained on, upright, facing +x; of others it makes the most similar thing it knows.
Thin parts such as legs and masts come out thicker or not at all. The weights are stored in half precision.
"""


def _shapes(config: AtlasConfig) -> str:
    if config.data.meshes is not None:
        return "The shapes are meshes of a folder."
    families = ", ".join(config.data.categories)
    return f"The shapes are made by the families of `sim.shapes`: {families}; no scan and no label."


def _configuration(config: AtlasConfig) -> str:
    left_out = {"data", "validation", "pictures", "validation_pictures", "out", "checkpoint_s"}
    values = config.model_dump(mode="json", exclude=left_out)
    return "\n".join(f"    {name}: {value}" for name, value in values.items() if value is not None)
