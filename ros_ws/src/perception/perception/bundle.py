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

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from perception.errors import BundleError, RobotError
from perception.robot import Robot

MANIFEST_VERSION = 2
MODEL_FILE, MANIFEST_FILE, CARD_FILE = "model.onnx", "manifest.yaml", "card.md"
INT8_FILE, ROBOT_FILE = "model.int8.onnx", "robot.yaml"
MODELS_VARIABLE = "BLOCKWORLD_MODELS"

Precision = Literal["fp32", "int8"]
MODEL_FILES: dict[Precision, str] = {"fp32": MODEL_FILE, "int8": INT8_FILE}
Task = Literal["localization.coarse", "localization.tool", "localization.fine", "localization.block"]
FRAME_OF_TASK = {
    "localization.coarse": "base",
    "localization.tool": "image",
    "localization.fine": "clamp",
    "localization.block": "image",
}
CROPPED = ("localization.fine", "localization.block")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LinkPoint(_Strict):
    """A point of the robot: xyz_m in the frame of a link."""

    link: str
    xyz_m: tuple[float, float, float]


class Noise(_Strict):
    """How far off points read from a channel's map are: scale * (the map's own covariance) + floor, in cells^2."""

    scale: PositiveFloat = 1.0
    floor: PositiveFloat = 0.1


class Channel(_Strict):
    """One heat map, of one point or of two that look alike: places on the robot's links, or parts of the block in
    units of its length, width and height from the centre of its bottom face."""

    name: str
    kind: Literal["robot", "block"]
    points: tuple[LinkPoint, ...] = Field(default=(), max_length=2)
    parts: tuple[tuple[float, float, float], ...] = Field(default=(), max_length=2)
    noise: Noise = Noise()

    @model_validator(mode="after")
    def _places_of_its_kind(self) -> Self:
        own, other = (self.points, self.parts) if self.kind == "robot" else (self.parts, self.points)
        if not own or other:
            raise ValueError(
                f"channel {self.name} of kind {self.kind} needs one or two "
                f"{'points' if self.kind == 'robot' else 'parts'} and nothing else"
            )
        return self


class Input(_Strict):
    """Images that the network takes: (B, height, width, 3) uint8 RGB; it normalises them itself."""

    name: str = "image"
    layout: Literal["NHWC"] = "NHWC"
    dtype: Literal["uint8"] = "uint8"
    colour: Literal["rgb"] = "rgb"
    width: PositiveInt
    height: PositiveInt


class Heatmaps(_Strict):
    """Heat maps that the network gives: (B, K, height, width) float32, log-probabilities of each channel's cells; what
    is missing from a sum of one is the probability that the point is not in the image. sigma: cells by which points
    were smeared in training."""

    kind: Literal["heatmaps"] = "heatmaps"
    name: str = "log_heatmaps"
    width: PositiveInt
    height: PositiveInt
    sigma: PositiveFloat
    channels: tuple[Channel, ...] = Field(min_length=1)


class BinScores(_Strict):
    """Raw scores that the network gives: (B, S) float32, those of all bins of the manifest, quantity after quantity."""

    kind: Literal["bins"] = "bins"
    name: str = "scores"


class Crop(_Strict):
    """Side of a crop: in metres at the depth of what it is around, or, where no camera is known, in heights of the
    image."""

    side_m: PositiveFloat
    side_heights: PositiveFloat = 0.336


class LinearBins(_Strict):
    """`count` bins of `width` metres around `centre`."""

    count: PositiveInt
    width: PositiveFloat
    centre: float = 0.0

    def centres(self) -> NDArray[np.float64]:
        """(count,) bin centres in metres."""
        return np.asarray(self.centre + (np.arange(self.count) - (self.count - 1) / 2) * self.width)


class CircularBins(_Strict):
    """`count` bins of `width` radians that fill the `period`; the first one starts at 0."""

    count: PositiveInt
    width: PositiveFloat
    period: PositiveFloat

    @model_validator(mode="after")
    def _bins_fill_the_period(self) -> Self:
        if abs(self.count * self.width - self.period) > 1e-6:
            raise ValueError(
                f"{self.count} bins of {self.width} rad do not fill the period {self.period} rad"
            )
        return self

    def centres(self) -> NDArray[np.float64]:
        """(count,) bin centres in radians, in [0, period)."""
        return (np.arange(self.count) + 0.5) * self.period / self.count


class ImageBins(_Strict):
    """`count` bins across one side of the image."""

    count: PositiveInt


class PoseBins(_Strict):
    """Bins of the block's position in m and yaw in rad."""

    x: LinearBins
    y: LinearBins
    yaw: CircularBins


class PixelBins(_Strict):
    """Bins of a place in the image."""

    u: ImageBins
    v: ImageBins


class Calibration(_Strict):
    """Factors on the variances of place and yaw under which held-out truths fall into the regions as often as they
    should."""

    place: PositiveFloat = 1.0
    yaw: PositiveFloat = 1.0


class Manifest(_Strict):
    """What a bundle is for, how to call its network, how it was made, and what it should hash to."""

    manifest_version: int = MANIFEST_VERSION
    name: str
    version: str
    task: Task
    robot: str
    frame: Literal["base", "image", "clamp"]
    input: Input
    output: Heatmaps | BinScores = Field(discriminator="kind")
    crop: Crop | None = None
    bins: PoseBins | PixelBins | None = None
    calibration: Calibration = Calibration()
    training: dict[str, str | int | float] = {}
    metrics: dict[str, float] = {}
    sha256: dict[str, str] = {}

    @model_validator(mode="after")
    def _fits_the_task(self) -> Self:
        if self.frame != FRAME_OF_TASK[self.task]:
            raise ValueError(f"task {self.task} has frame {FRAME_OF_TASK[self.task]}, not {self.frame}")
        if (self.crop is not None) != (self.task in CROPPED):
            raise ValueError(f"crop belongs to the tasks {' and '.join(CROPPED)} and to no other")
        if (self.bins is None) != (self.task == "localization.block"):
            raise ValueError("bins belong to every task but localization.block")
        if self.bins is not None and isinstance(self.bins, PixelBins) != (self.task == "localization.tool"):
            raise ValueError(
                f"task {self.task} cannot have bins of {', '.join(type(self.bins).model_fields)}"
            )
        if isinstance(self.output, BinScores):
            return self
        names = {channel.name for channel in self.output.channels}
        wanted = {"clamp"} if self.task == "localization.tool" else {"block_centre", "block_top"}
        if not wanted <= names:
            raise ValueError(f"task {self.task} needs the channels {', '.join(sorted(wanted - names))}")
        return self

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Of what the network gives for one image."""
        if isinstance(self.output, Heatmaps):
            return (len(self.output.channels), self.output.height, self.output.width)
        bins = self.bins
        if isinstance(bins, PixelBins):
            return (bins.u.count + bins.v.count,)
        assert bins is not None  # the check of the manifest holds this
        return (bins.x.count + bins.y.count + bins.yaw.count,)


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
        return sum(path.stat().st_size for path in self.path.iterdir())

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
        manifest = _read_manifest(path / MANIFEST_FILE)
        _check_sum(path / MODEL_FILE, manifest.sha256.get(MODEL_FILE))
        for name in (INT8_FILE, ROBOT_FILE):
            if name in manifest.sha256:
                _check_sum(path / name, manifest.sha256[name])
        return cls(path, manifest)

    def robot(self) -> Robot:
        """The robot that the network knows; raises BundleError where it is not here or lacks a link."""
        own = ROBOT_FILE in self.manifest.sha256
        try:
            robot = Robot.load(self.path / ROBOT_FILE if own else self.manifest.robot)
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
        files = {name: (self.path / name).read_bytes() for name in self.manifest.sha256}
        return self._replace(self.path, manifest, files, (self.path / CARD_FILE).read_text(encoding="utf-8"))

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
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(
            f"{path} is missing: {path.parent} is not a model bundle, export it again."
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = str(error).splitlines()[0]
        raise BundleError(f"{path} cannot be read ({reason}): export the bundle again.") from None
    version = content.get("manifest_version") if isinstance(content, dict) else None
    if version != MANIFEST_VERSION:
        raise BundleError(
            f"{path} has manifest version {version}, but this software reads version {MANIFEST_VERSION}: "
            "export the bundle again or install the software version that it was made for."
        )
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the manifest"
        raise BundleError(f"{path} is wrong at {place} ({first['msg']}): export the bundle again.") from None


def _check_sum(path: Path, expected: str | None) -> None:
    if expected is None:
        raise BundleError(
            f"{path.parent / MANIFEST_FILE} has no sha256 of {path.name}: export the bundle again."
        )
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        raise BundleError(f"{path} is missing or unreadable: export the bundle again.") from None
    if found != expected:
        raise BundleError(
            f"{path} has sha256 {found[:12]}..., but its manifest says {expected[:12]}...: the file is "
            "damaged or from another export, copy or export the bundle again."
        )
