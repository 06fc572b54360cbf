"""Pictures with the name of their class, as a folder has them: a sub-folder for each class, or one picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from perception.errors import BlockworldError
from perception.folder_index import Index
from perception.picture_folder import shown


@dataclass(frozen=True)
class Labelled:
    """A picture of a class."""

    path: Path
    digest: str
    """SHA-256 of its file."""
    label: str


@dataclass(frozen=True)
class Conflict:
    """A file that is, byte for byte, one of another class: both classes keep it."""

    path: Path
    of: Path

    @property
    def sentence(self) -> str:
        """What is wrong."""
        return f"{shown(self.path)} is the same as {shown(self.of)}, of another class: nothing can tell the two apart."


def label_of(path: Path, folder: Path) -> str:
    """The sub-folder of the folder that a picture is in or below; of one directly in the folder, its name without the
    ending."""
    parts = path.relative_to(folder).parts
    return shown(Path(parts[0] if len(parts) > 1 else path.stem))


def labelled(index: Index, folder: Path) -> tuple[list[Labelled], list[Conflict]]:
    """The pictures of an indexed folder with their classes. Copies count once in a class."""
    found = [Labelled(one.path, one.digest, label_of(one.path, folder)) for one in index.pictures]
    digests = {one.path: one for one in found}
    conflicts = []
    for copy in index.duplicates:
        label = label_of(copy.path, folder)
        known = digests.get(copy.of)  # None where that file could not be used
        if known is not None and label != known.label:
            conflicts.append(Conflict(copy.path, copy.of))
            if not any(one.digest == known.digest and one.label == label for one in found):
                found.append(Labelled(copy.path, known.digest, label))
    return found, conflicts


def check_classes(references: Sequence[Labelled], folder: Path) -> None:
    """Raises BlockworldError where there are not two classes."""
    if len({one.label for one in references}) < 2:
        raise BlockworldError(
            f"{shown(folder)} has fewer than two classes that can be used: give each a sub-folder, or a picture."
        )
