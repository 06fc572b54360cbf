"""The model card of a network for layers."""

from perception.layers.bundle import LayersManifest
from training.layers.config import LayersConfig

SOURCES = {
    "fxemoji_128px.zip": "The pictures are emoji of FxEmojis by Mozilla, CC BY 4.0 "
    "(https://creativecommons.org/licenses/by/4.0/), as PNG of 128 px, turned, scaled and recoloured in part.",
    "digits_28px.npz": "The pictures are digits of MNIST (LeCun, Cortes and Burges).",
}


def write_card(config: LayersConfig, manifest: LayersManifest) -> str:
    """Markdown: what the network does, how to make it again, what was measured, where it fails."""
    figures = manifest.metrics
    made = f" {100 * config.data.made:.0f} % of them are made: overlapping shapes." if config.data.made else ""
    return f"""# {manifest.name} {manifest.version}

This network takes pictures apart into layers of one colour, whose masks are functions of x and y
(Sbai, Couprie and Aubry, 2018).

## Made by

    {manifest.training["command"]}

{SOURCES.get(config.data.source.name, "The pictures are those of a folder.")}
A tenth, by the checksum of their names, is held out. The network saw {config.pictures:,},
with repetition{_before(config)}.{made}
Configuration:

{_configuration(config)}

## Measured

On held-out pictures, {manifest.layers} layers by the encoder alone: mean absolute error {figures["held_out_l1"]:.4f} of
values in [0, 1], PSNR {figures["held_out_psnr_db"]:.2f} dB. What more layers and refinement add, and other methods
reach, stands in `docs/layers.md`.

## Limits

Layers have one colour and soft, smooth borders: texture and lettering are lost, gradients become steps. The encoder
alone is coarse; refinement by gradient (`--effort good` and `best`) is what makes it close to the picture. The weights
are stored in half precision.
"""


def _before(config: LayersConfig) -> str:
    return "" if config.begin_with is None else ", after those of the weights that it began with"


def _configuration(config: LayersConfig) -> str:
    values = config.model_dump(mode="json", exclude={"out", "checkpoint_s", "begin_with", "data", "perceptual"})
    return "\n".join(f"    {name}: {value}" for name, value in values.items() if value is not None)
