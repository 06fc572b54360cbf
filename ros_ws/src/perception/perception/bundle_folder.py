"""The folder of a bundle: manifest.yaml, card.md, and the files that the manifest has checksums of.

What is in a bundle says the subclass: `perception.bundle.Bundle`, `perception.shapes.bundle.ShapeBundle`.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Generic, Self, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from perception.bounded_files import read_bounded
from perception.errors import BundleError, reason
from perception.manifest_parts import MANIFEST_VERSION
from perception.small_yaml import MOST_BYTES, parse_yaml

MANIFEST_FILE, CARD_FILE = "manifest.yaml", "card.md"
MODELS_VARIABLE = "BLOCKWORLD_MODELS"
MOST_MODEL_BYTES = 1 << 29

AnyManifest = TypeVar("AnyManifest", bound=BaseModel)


class BundleFolder(Generic[AnyManifest]):
    """A checked bundle on disk. Its manifest, of the class MANIFEST, has the checksums of its files in `sha256`."""

    MANIFEST: ClassVar[type[BaseModel]]
    NEEDED: ClassVar[tuple[str, ...]]
    """Files without which there is no bundle."""
    LARGE: ClassVar[frozenset[str]]
    """Files of up to MOST_MODEL_BYTES; others have the size of a manifest at most."""

    def __init__(self, path: Path, manifest: AnyManifest) -> None:
        self.path = path
        self.manifest = manifest

    @property
    def sums(self) -> dict[str, str]:
        """The manifest's checksum of each file."""
        return dict(getattr(self.manifest, "sha256"))  # noqa: B009 - every subclass's manifest has it

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(path.stat().st_size for path in self.path.iterdir() if path.is_file())

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Self:
        """Reads and checks the bundle; raises BundleError with what is wrong and what to do about it."""
        path = Path(folder)
        bundle = cls(path, _validated(cls.MANIFEST, path / MANIFEST_FILE))  # type: ignore[arg-type]
        for name in dict.fromkeys((*cls.NEEDED, *bundle.sums)):
            bundle.read(name)
        return bundle

    def read(self, name: str) -> bytes:
        """A file of the bundle, the very bytes whose sum was compared with the manifest's; raises BundleError."""
        path, expected = self.path / name, self.sums.get(name)
        if expected is None:
            raise BundleError(f"{self.path / MANIFEST_FILE} has no sha256 of {name}: export the bundle again.")
        try:
            content = read_bounded(path, MOST_MODEL_BYTES if name in self.LARGE else MOST_BYTES)
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

    def card(self) -> str:
        """The text of its card; raises BundleError."""
        try:
            return read_bounded(self.path / CARD_FILE, MOST_BYTES).decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BundleError(f"{self.path / CARD_FILE} cannot be read ({reason(error)}): export it again.") from None

    @classmethod
    def replace(cls, path: Path, manifest: AnyManifest, files: Mapping[str, bytes], card: str) -> Self:
        """Writes a bundle of these files in the place of what is there, with their checksums in its manifest; a reader
        sees the old one or the new one, never a mixture. Raises BundleError where what is there is no bundle, such as
        a training's checkpoints."""
        if path.is_file() or (path.is_dir() and any(path.iterdir()) and not (path / MANIFEST_FILE).exists()):
            raise BundleError(f"{path} is no bundle, or holds other files: export to another models folder.")
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
    """Names of the folders with a manifest, sorted; whether each one is sound, its `load` tells."""
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


def manifest_content(folder: Path) -> dict[str, Any]:
    """What stands in a bundle's manifest, of a version that can be read, but not checked further; raises
    BundleError."""
    if not folder.is_dir():
        present = ", ".join(list_bundles(folder.parent)) or "none"
        raise BundleError(
            f"there is no model {folder.name} in {folder.parent} (present: {present}): "
            f"train it with `blockworld train` or set {MODELS_VARIABLE} to the models folder."
        )
    path = folder / MANIFEST_FILE
    try:
        content: Any = parse_yaml(read_bounded(path, MOST_BYTES))
    except FileNotFoundError:
        raise BundleError(f"{path} is missing: {folder} is not a model bundle, export it again.") from None
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read ({reason(error)}): export the bundle again.") from None
    version = content.get("manifest_version") if isinstance(content, dict) else None
    if version != MANIFEST_VERSION:
        raise BundleError(
            f"{path} has manifest version {reason(version)}, but this software reads version {MANIFEST_VERSION}: "
            "export the bundle again or install the software version that it was made for."
        )
    assert isinstance(content, dict)
    return content


def _validated(model: type[BaseModel], path: Path) -> BaseModel:
    content = manifest_content(path.parent)
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = reason(".".join(str(part) for part in first["loc"])) if first["loc"] else "the manifest"
        raise BundleError(f"{path} is wrong at {place} ({reason(first['msg'])}): export the bundle again.") from None
