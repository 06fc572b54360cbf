"""Model bundles: a folder with model.onnx, manifest.yaml and card.md, checked before anything runs.

A bundle for a robot that does not come with this package has that robot's chain of joints in robot.yaml.
"""

import hashlib
import os
import shutil
import tempfile
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

MANIFEST_VERSION = 1
MODEL_FILE, MANIFEST_FILE, CARD_FILE = "model.onnx", "manifest.yaml", "card.md"
ROBOT_FILE = "robot.yaml"
MODELS_VARIABLE = "BLOCKWORLD_MODELS"

Task = Literal["localization.coarse", "localization.tool", "localization.fine"]
FRAME_OF_TASK = {"localization.coarse": "base", "localization.tool": "image", "localization.fine": "clamp"}


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LinkPoint(_Strict):
    """A point of the robot: xyz_m in the frame of a link."""

    link: str
    xyz_m: tuple[float, float, float]


class Channel(_Strict):
    """One heat map: `modes` points that it shows at once; for kind "robot", where they are on the robot."""

    name: str
    modes: Literal[1, 2]
    kind: Literal["robot", "block"]
    points: tuple[LinkPoint, ...] = ()

    @model_validator(mode="after")
    def _points_match_modes(self) -> Self:
        wanted = self.modes if self.kind == "robot" else 0
        if len(self.points) != wanted:
            raise ValueError(
                f"channel {self.name} of kind {self.kind} needs {wanted} points, not {len(self.points)}"
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


class Output(_Strict):
    """Heat maps that the network gives: (B, K, height, width) float32, log-softmax over each channel's
    pixels."""

    name: str = "log_heatmaps"
    width: PositiveInt
    height: PositiveInt
    channels: tuple[Channel, ...] = Field(min_length=1)


class Crop(_Strict):
    """Side of the square crop around the clamp, in metres at the clamp's depth."""

    side_m: PositiveFloat


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


class Manifest(_Strict):
    """What a bundle is for, how to call its network, how it was made, and what it should hash to."""

    manifest_version: int = MANIFEST_VERSION
    name: str
    version: str
    task: Task
    robot: str
    frame: Literal["base", "image", "clamp"]
    input: Input
    output: Output
    crop: Crop | None = None
    bins: PoseBins | PixelBins
    training: dict[str, str | int | float] = {}
    metrics: dict[str, float] = {}
    sha256: dict[str, str] = {}

    @model_validator(mode="after")
    def _fits_the_task(self) -> Self:
        if self.frame != FRAME_OF_TASK[self.task]:
            raise ValueError(f"task {self.task} has frame {FRAME_OF_TASK[self.task]}, not {self.frame}")
        if (self.crop is not None) != (self.task == "localization.fine"):
            raise ValueError("crop belongs to task localization.fine and to no other")
        if isinstance(self.bins, PixelBins) != (self.task == "localization.tool"):
            raise ValueError(
                f"task {self.task} cannot have bins of {', '.join(type(self.bins).model_fields)}"
            )
        names = {channel.name for channel in self.output.channels}
        wanted = {"clamp"} if self.task == "localization.tool" else {"block_centre", "block_ends"}
        if not wanted <= names:
            raise ValueError(f"task {self.task} needs the channels {', '.join(sorted(wanted - names))}")
        return self

    def channel_index(self, name: str) -> int:
        """Index of the named channel in the output."""
        return [channel.name for channel in self.output.channels].index(name)


class Bundle:
    """A checked bundle on disk."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest

    @property
    def model_path(self) -> Path:
        """The ONNX file."""
        return self.path / MODEL_FILE

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
        if ROBOT_FILE in manifest.sha256:
            _check_sum(path / ROBOT_FILE, manifest.sha256[ROBOT_FILE])
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
        points = (point for channel in self.manifest.output.channels for point in channel.points)
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
    ) -> Self:
        """Writes the bundle, replacing what is there; a reader sees the old one or the new one, never a
        mixture.

        chain: the text of robot.yaml, for a robot that does not come with this package. The manifest's checksums are
        computed here.
        """
        files = {MODEL_FILE: onnx_bytes} | ({} if chain is None else {ROBOT_FILE: chain.encode()})
        path = Path(folder)
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
