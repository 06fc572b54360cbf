"""Bundles of networks that decompose pictures into layers: encoder.onnx, mask.onnx, and as a rule gradient.onnx.

encoder.onnx: `target` and `canvas` (B, C, S, S) float32 in [0, 1] -> `parameters` (B, K, P) and `colours` (B, K, 3), of
the next layer (K = 1), or of all where the structure is one_shot.
mask.onnx: `points` (N, 2) and `parameters` (B, P) -> `logits` (B, N), and what the perceptron's three layers give,
`first`, `second` and `third` (B, N, H).
gradient.onnx: `points`, `first`, `second`, `third` and `pull` (B, N) -> `gradient` (B, P): the sum over points of pull
times the derivative of the logit by the parameters.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field

from perception.bundle_folder import BundleFolder
from perception.manifest_parts import MANIFEST_VERSION, Metrics, Name, Side, Strict, Sum, Training

ENCODER_FILE, MASK_FILE, GRADIENT_FILE = "encoder.onnx", "mask.onnx", "gradient.onnx"
LAYERS_TASK: Literal["layers"] = "layers"
Summed = Annotated[str, Field(pattern=r"^(encoder\.onnx|mask\.onnx|gradient\.onnx)$")]


class LayersManifest(Strict):
    """What a network for layers knows, and how it was made.

    structure: recursive takes what is painted, and gives the next layer; one_shot gives all at once. channels: 4 with
    how opaque a picture is, or 3, painted on black. layers: T, in training. parameters: P, of a mask. size: side of the
    pictures that it was trained on, px. seen: side of what the encoder sees. canvas: side of what is painted, for it.
    supersampling: points along a pixel's side.
    """

    manifest_version: int = MANIFEST_VERSION
    name: Name
    version: Name
    task: Literal["layers"] = LAYERS_TASK
    structure: Literal["recursive", "one_shot"]
    channels: Literal[3, 4]
    layers: Side
    parameters: Side
    size: Side
    seen: Side
    canvas: Side
    supersampling: Annotated[int, Field(ge=1, le=8)] = 1
    training: Training = Field(default={})
    metrics: Metrics = Field(default={})
    sha256: dict[Summed, Sum] = Field(default={})


class LayersBundle(BundleFolder[LayersManifest]):
    """A checked bundle of such a network on disk."""

    MANIFEST = LayersManifest
    NEEDED = (ENCODER_FILE, MASK_FILE)
    LARGE = frozenset((ENCODER_FILE, MASK_FILE, GRADIENT_FILE))

    @classmethod
    def write(
        cls, folder: str | os.PathLike[str], manifest: LayersManifest, files: dict[str, bytes], card: str
    ) -> Self:
        """Writes the bundle, replacing what is there; a reader sees the old one or the new one, never a mixture. The
        manifest's checksums are computed here."""
        return cls.replace(Path(folder), manifest, files, card)
