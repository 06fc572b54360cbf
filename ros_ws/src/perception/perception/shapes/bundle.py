"""Bundles of deformation networks: models/shapes_CATEGORY with encoder.onnx, decoder.onnx and template.npz.

    encoder.onnx   points (B, N, 3) -> latent (B, L)
    decoder.onnx   latent (B, L), template (M, 3), weight (B, M, 1), target (B, M, 3)
                   -> deformed (B, M, 3),
                   gradient (B, L) = sum_i <weight_i deformed_i - target_i, d deformed_i / d latent>
    template.npz   vertices (V, 3) float32, faces (F, 3) int32, in the units and axes that the networks see

all float32, points normalised by `perception.shapes.normalise`.
"""

import io
import os
import zipfile
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field

from perception.bundle_folder import BundleFolder
from perception.errors import BundleError, ShapeError, reason
from perception.manifest_parts import MANIFEST_VERSION, Metrics, Name, Side, Strict, Sum, Training
from perception.shapes.categories import Category
from perception.shapes.shape import Shape

ENCODER_FILE, DECODER_FILE, TEMPLATE_FILE = "encoder.onnx", "decoder.onnx", "template.npz"
MOST_TEMPLATE_BYTES = 1 << 26

Summed = Annotated[str, Field(pattern=r"^(encoder\.onnx|decoder\.onnx|template\.npz)$")]
SHAPES_TASK: Literal["shapes.deformation"] = "shapes.deformation"


class ShapeManifest(Strict):
    """What a deformation network knows, and how it was made.

    latent: numbers that stand for a shape. points: of the samples that the encoder was trained on.
    """

    manifest_version: int = MANIFEST_VERSION
    name: Name
    version: Name
    task: Literal["shapes.deformation"] = SHAPES_TASK
    category: Category
    latent: Side
    points: Side
    training: Training = Field(default={})
    metrics: Metrics = Field(default={})
    sha256: dict[Summed, Sum] = Field(default={})


class ShapeBundle(BundleFolder[ShapeManifest]):
    """A checked bundle of a deformation network on disk."""

    MANIFEST = ShapeManifest
    NEEDED = (ENCODER_FILE, DECODER_FILE, TEMPLATE_FILE)
    LARGE = frozenset(NEEDED)

    def template(self) -> Shape:
        """The mesh that is deformed, as the networks see it; raises BundleError."""
        path = self.path / TEMPLATE_FILE
        try:
            arrays = _arrays(self.read(TEMPLATE_FILE))
            return Shape(arrays["vertices"], arrays["faces"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, ShapeError) as error:
            raise BundleError(
                f"{path} holds no template ({reason(error)}): export the bundle again."
            ) from None

    @classmethod
    def write(
        cls,
        folder: str | os.PathLike[str],
        manifest: ShapeManifest,
        encoder: bytes,
        decoder: bytes,
        template: Shape,
        card: str,
    ) -> Self:
        """Writes the bundle, replacing what is there; a reader sees the old one or the new one, never a mixture. The
        manifest's checksums are computed here; the template is a mesh."""
        assert template.faces is not None
        packed = io.BytesIO()
        np.savez_compressed(
            packed, vertices=template.points.astype(np.float32), faces=template.faces.astype(np.int32)
        )
        files = {ENCODER_FILE: encoder, DECODER_FILE: decoder, TEMPLATE_FILE: packed.getvalue()}
        return cls.replace(Path(folder), manifest, files, card)


def _arrays(content: bytes) -> dict[str, np.ndarray]:
    """The arrays in an .npz file that does not unpack to more than MOST_TEMPLATE_BYTES."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        unpacked = sum(one.file_size for one in packed.infolist())
    if unpacked > MOST_TEMPLATE_BYTES:
        raise ValueError(f"it unpacks to {unpacked} bytes, more than {MOST_TEMPLATE_BYTES}")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in ("vertices", "faces")}
