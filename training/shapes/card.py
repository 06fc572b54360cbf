"""The model card of a deformation network."""

from perception.shapes.bundle import ShapeManifest
from training.shapes.config import ShapesConfig

LEARNS = {
    "correspondences": "from where each place of the template is on every shape (equation 3.1)",
    "regularized": "from shapes without correspondences: Chamfer distance, Laplacian and edge lengths (equation 3.2)",
    "chamfer": "from shapes without correspondences: Chamfer distance alone",
}


def write_card(config: ShapesConfig, manifest: ShapeManifest) -> str:
    """Markdown: what the network does, how to make it again, what was measured, where it fails."""
    error_mm = 1000 * manifest.metrics["encoder_alone_mean_m"]
    return f"""# {manifest.name} {manifest.version}

This network deforms a template of the category {config.category} to a point cloud, as 3D-CODED (Groueix et al., ECCV
2018). It learned {LEARNS[config.supervision]}.

## Made by

    {manifest.training["command"]}

{_shapes(config)} It saw {config.shapes:,} of them, with repetition. Configuration:

{_configuration(config)}

## Measured

On {config.validation.shapes:,} held-out shapes of the same kind, upright and whole, places of the template come to lie
{error_mm:.1f} mm from where they are in the mean, by encoder and decoder alone. What search and regression make of it
stands in `docs/shapes.md`.

## Limits

{_limits(config)} The weights are stored in half precision.
"""


def _shapes(config: ShapesConfig) -> str:
    if config.category == "human":
        return (
            "The bodies are made by Anny (code Apache-2.0, data CC0): adult shapes, joints turned within their ranges, "
            "a fifth of them bent far forward; no scan and no hand-made label."
        )
    return f"The shapes are made by the procedural family {config.category} of `sim.shapes`; no scan and no label."


def _limits(config: ShapesConfig) -> str:
    if config.category == "human":
        return (
            "Single adult bodies without loose clothing, hair or objects; lying and seated bodies are rare among its "
            "shapes. Fingers are coarse."
        )
    return "Objects of the category as the family makes them; other kinds of handles, or several, are unknown to it."


def _configuration(config: ShapesConfig) -> str:
    values = config.model_dump(mode="json", exclude={"data", "validation", "out", "checkpoint_s"})
    return "\n".join(f"    {name}: {value}" for name, value in values.items() if value is not None)
