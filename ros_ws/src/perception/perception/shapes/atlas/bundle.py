"""Bundles of networks that reconstruct shapes as atlases: encoder.onnx, decoder.onnx, and what their manifest says.

encoder.onnx: `points` (B, N, 3) float32 in the unit ball, or `image` (B, S, S, 3) uint8 RGB -> `latent` (B, L) float32.
decoder.onnx: `latent` (B, L) and `charts` (K, N, D) -> `points` (B, K, N, 3), where the structure has charts; `latent`
alone -> `points` (B, K, N, 3) where its points are its own, with `normals` (B, K, N, 3) for points_normals.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import Field

from perception.bundle_folder import BundleFolder
from perception.manifest_parts import MANIFEST_VERSION, Label, Metrics, Name, Side, Strict, Sum, Training

ENCODER_FILE, DECODER_FILE = "encoder.onnx", "decoder.onnx"
ATLAS_TASK: Literal["shapes.atlas"] = "shapes.atlas"

Structure = Literal["points", "points_normals", "squares", "sphere", "translation", "deformation"]
STRUCTURES: tuple[Structure, ...] = get_args(Structure)
Input = Literal["cloud", "picture"]
Summed = Annotated[str, Field(pattern=r"^(encoder\.onnx|decoder\.onnx)$")]


def has_charts(structure: Structure) -> bool:
    """Whether points of charts are deformed, and not listed."""
    return structure not in ("points", "points_normals")


class AtlasManifest(Strict):
    """What a network for atlases knows, and how it was made.

    latent: numbers that stand for a shape. size: points of the samples that a cloud's encoder was trained on, or the
    side of a picture, px. charts: K. points: of all charts together, in training. categories: of the shapes there.
    """

    manifest_version: int = MANIFEST_VERSION
    name: Name
    version: Name
    task: Literal["shapes.atlas"] = ATLAS_TASK
    input: Input
    structure: Structure
    charts: Side
    latent: Side
    size: Side
    points: Annotated[int, Field(gt=0, le=1 << 20)]
    categories: Annotated[tuple[Label, ...], Field(max_length=1000)]
    training: Training = Field(default={})
    metrics: Metrics = Field(default={})
    sha256: dict[Summed, Sum] = Field(default={})


class AtlasBundle(BundleFolder[AtlasManifest]):
    """A checked bundle of such a network on disk."""

    MANIFEST = AtlasManifest
    NEEDED = (ENCODER_FILE, DECODER_FILE)
    LARGE = frozenset(NEEDED)

    @classmethod
    def write(
        cls, folder: str | os.PathLike[str], manifest: AtlasManifest, encoder: bytes, decoder: bytes, card: str
    ) -> Self:
        """Writes the bundle, replacing what is there; a reader sees the old one or the new one, never a mixture. The
        manifest's checksums are computed here."""
        return cls.replace(Path(folder), manifest, {ENCODER_FILE: encoder, DECODER_FILE: decoder}, card)
