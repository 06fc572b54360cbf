"""Model bundles: a folder with model.onnx, manifest.yaml and card.md, checked before anything runs.

model.int8.onnx, where it is there, is the same network in 8 bits. A bundle for a robot that does not come with this
package has that robot's chain of joints in robot.yaml.
"""

import os
from pathlib import Path
from typing import Literal, Self

from perception.bundle_folder import (
    CARD_FILE,
    MANIFEST_FILE,
    MODELS_VARIABLE,
    MOST_MODEL_BYTES,
    BundleFolder,
    default_models_dir,
    list_bundles,
)
from perception.errors import BundleError, RobotError
from perception.manifest import (
    INT8_FILE,
    MODEL_FILE,
    ROBOT_FILE,
    BinScores,
    Calibration,
    Channel,
    CircularBins,
    Crop,
    Heatmaps,
    ImageBins,
    Input,
    LinearBins,
    LinkPoint,
    Manifest,
    Noise,
    PixelBins,
    PoseBins,
)
from perception.robot import Robot, parse_chain

__all__ = [  # what a bundle is made of can be had from here too
    "CARD_FILE",
    "MODELS_VARIABLE",
    "MOST_MODEL_BYTES",
    "BinScores",
    "Bundle",
    "Calibration",
    "Channel",
    "CircularBins",
    "Crop",
    "Heatmaps",
    "ImageBins",
    "Input",
    "LinearBins",
    "LinkPoint",
    "Manifest",
    "Noise",
    "PixelBins",
    "PoseBins",
    "default_models_dir",
    "list_bundles",
]

Precision = Literal["fp32", "int8"]
MODEL_FILES: dict[Precision, str] = {"fp32": MODEL_FILE, "int8": INT8_FILE}


class Bundle(BundleFolder[Manifest]):
    """A checked bundle on disk."""

    MANIFEST, NEEDED, LARGE = Manifest, (MODEL_FILE,), frozenset(MODEL_FILES.values())

    def model_path(self, precision: Precision = "fp32") -> Path:
        """The ONNX file that computes in this precision; whether the bundle has it, `precisions` tells."""
        return self.path / MODEL_FILES[precision]

    @property
    def precisions(self) -> tuple[Precision, ...]:
        """Those that the bundle has a network for."""
        return tuple(one for one, name in MODEL_FILES.items() if name in self.manifest.sha256)

    def network(self, precision: Precision = "fp32") -> bytes:
        """The ONNX file of this precision, the very bytes whose sum was compared with the manifest's; raises
        BundleError."""
        return self.read(MODEL_FILES[precision])

    def robot(self) -> Robot:
        """The robot that the network knows; raises BundleError where it is not here or lacks a link."""
        own = ROBOT_FILE in self.manifest.sha256
        content = self.read(ROBOT_FILE) if own else b""
        try:
            robot = Robot(parse_chain(content, self.path / ROBOT_FILE)) if own else Robot.load(self.manifest.robot)
        except RobotError as error:
            raise BundleError(
                f"{self.path / MANIFEST_FILE} is for a robot that cannot be loaded: {error}"
            ) from None
        channels = self.manifest.output.channels if isinstance(self.manifest.output, Heatmaps) else ()
        points = (point for channel in channels for point in channel.points)
        if missing := sorted({point.link for point in points} - set(robot.links)):
            raise BundleError(
                f"{self.path / MANIFEST_FILE} has points on the link {missing[0]}, which {robot.name} lacks: "
                "export the bundle again."
            )
        return robot

    @classmethod
    def write(
        cls,
        folder: str | os.PathLike[str],
        manifest: Manifest,
        onnx_bytes: bytes,
        card: str,
        chain: str | None = None,
        int8_bytes: bytes | None = None,
    ) -> Self:
        """Writes the bundle, replacing what is there; a reader sees the old one or the new one, never a
        mixture.

        chain: the text of robot.yaml, for a robot that does not come with this package. int8_bytes: the network in 8
        bits. The manifest's checksums are computed here.
        """
        files = {MODEL_FILE: onnx_bytes, INT8_FILE: int8_bytes, ROBOT_FILE: None if chain is None else chain.encode()}
        return cls.replace(Path(folder), manifest, {name: one for name, one in files.items() if one is not None}, card)

    def described_as(self, manifest: Manifest) -> Self:
        """The same files under another manifest, written in place of this bundle."""
        files = {name: self.read(name) for name in self.manifest.sha256}
        return self.replace(self.path, manifest, files, self.card())
