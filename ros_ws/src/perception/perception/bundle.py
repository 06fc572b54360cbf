"""Model bundles: a folder with model.onnx, manifest.yaml and card.md, checked before anything runs.

model.int8.onnx, where it is there, is the same network in 8 bits. A bundle for a robot that does not come with this
package has that robot's chain of joints in robot.yaml.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import ValidationError

from perception.bounded_files import read_bounded
from perception.errors import BundleError, RobotError, reason
from perception.manifest import (
    INT8_FILE,
    MANIFEST_VERSION,
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
from perception.small_yaml import MOST_BYTES, parse_yaml

__all__ = [  # what a bundle is made of can be had from here too
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
]

MANIFEST_FILE, CARD_FILE = "manifest.yaml", "card.md"
MODELS_VARIABLE = "BLOCKWORLD_MODELS"
MOST_MODEL_BYTES = 1 << 29

Precision = Literal["fp32", "int8"]
MODEL_FILES: dict[Precision, str] = {"fp32": MODEL_FILE, "int8": INT8_FILE}


class Bundle:
    """A checked bundle on disk."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest

    def model_path(self, precision: Precision = "fp32") -> Path:
        """The ONNX file that computes in this precision; whether the bundle has it, `precisions` tells."""
        return self.path / MODEL_FILES[precision]

    @property
    def precisions(self) -> tuple[Precision, ...]:
        """Those that the bundle has a network for."""
        return tuple(one for one, name in MODEL_FILES.items() if name in self.manifest.sha256)

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(path.stat().st_size for path in self.path.iterdir() if path.is_file())

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Self:
        """Reads and checks the bundle; raises BundleError with what is wrong and what to do about it."""
        path = Path(folder)
        if not path.is_dir():
            present = ", ".join(list_bundles(path.parent)) or "none"
            raise BundleError(
                f"there is no model {path.name} in {path.parent} (present: {present}): "
                f"train it with `blockworld train` or set {MODELS_VARIABLE} to the models folder."
            )
        bundle = cls(path, _read_manifest(path / MANIFEST_FILE))
        for name in dict.fromkeys((MODEL_FILE, *bundle.manifest.sha256)):
            bundle._read(name)
        return bundle

    def network(self, precision: Precision = "fp32") -> bytes:
        """The ONNX file of this precision, the very bytes whose sum was compared with the manifest's; raises
        BundleError."""
        return self._read(MODEL_FILES[precision])

    def robot(self) -> Robot:
        """The robot that the network knows; raises BundleError where it is not here or lacks a link."""
        own = ROBOT_FILE in self.manifest.sha256
        content = self._read(ROBOT_FILE) if own else b""
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
        return cls._replace(Path(folder), manifest, {name: one for name, one in files.items() if one is not None}, card)

    def described_as(self, manifest: Manifest) -> Self:
        """The same files under another manifest, written in place of this bundle."""
        files = {name: self._read(name) for name in self.manifest.sha256}
        try:
            card = read_bounded(self.path / CARD_FILE, MOST_BYTES).decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BundleError(f"{self.path / CARD_FILE} cannot be read ({reason(error)}): export it again.") from None
        return self._replace(self.path, manifest, files, card)

    def _read(self, name: str) -> bytes:
        path, expected = self.path / name, self.manifest.sha256.get(name)
        if expected is None:
            raise BundleError(f"{self.path / MANIFEST_FILE} has no sha256 of {name}: export the bundle again.")
        try:
            content = read_bounded(path, MOST_MODEL_BYTES if name in MODEL_FILES.values() else MOST_BYTES)
        except OSError as error:
            told = reason(error.strerror)
            raise BundleError(f"{path} is missing or unreadable ({told}): export the bundle again.") from None
        found = hashlib.sha256(content).hexdigest()
        if found != expected:
            raise BundleError(
                f"{path} has sha256 {found[:12]}..., but its manifest says {expected[:12]}...: the file is "
                "damaged or from another export, copy or export the bundle again."
            )
        return content

    @classmethod
    def _replace(cls, path: Path, manifest: Manifest, files: Mapping[str, bytes], card: str) -> Self:
        path.parent.mkdir(parents=True, exist_ok=True)
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        stamped = manifest.model_copy(update={"sha256": sums})
        scratch = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
        try:
            fresh = scratch / "new"
            fresh.mkdir()
            for name, content in files.items():
                (fresh / name).write_bytes(content)
            (fresh / CARD_FILE).write_text(card, encoding="utf-8")
            text = yaml.safe_dump(stamped.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
            (fresh / MANIFEST_FILE).write_text(text, encoding="utf-8")
            if path.exists():
                path.rename(scratch / "old")
            fresh.rename(path)
        finally:
            shutil.rmtree(scratch)
        return cls(path, stamped)


def list_bundles(models_dir: str | os.PathLike[str]) -> list[str]:
    """Names of the folders with a manifest, sorted; whether each one is sound, Bundle.load tells."""
    folder = Path(models_dir)
    return sorted(path.parent.name for path in folder.glob(f"[!.]*/{MANIFEST_FILE}"))


def default_models_dir() -> Path:
    """The folder that BLOCKWORLD_MODELS names, else models/ of the checkout; raises BundleError without
    either."""
    named = os.environ.get(MODELS_VARIABLE)
    folder = Path(named) if named else Path(__file__).resolve().parents[4] / "models"
    if not folder.is_dir():
        raise BundleError(
            f"the models folder {folder} does not exist: set {MODELS_VARIABLE} or --models to one that does."
        )
    return folder


def _read_manifest(path: Path) -> Manifest:
    try:
        content: Any = parse_yaml(read_bounded(path, MOST_BYTES))
    except FileNotFoundError:
        raise BundleError(
            f"{path} is missing: {path.parent} is not a model bundle, export it again."
        ) from None
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read ({reason(error)}): export the bundle again.") from None
    version = content.get("manifest_version") if isinstance(content, dict) else None
    if version != MANIFEST_VERSION:
        raise BundleError(
            f"{path} has manifest version {reason(version)}, but this software reads version {MANIFEST_VERSION}: "
            "export the bundle again or install the software version that it was made for."
        )
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = reason(".".join(str(part) for part in first["loc"])) if first["loc"] else "the manifest"
        raise BundleError(f"{path} is wrong at {place} ({reason(first['msg'])}): export the bundle again.") from None
