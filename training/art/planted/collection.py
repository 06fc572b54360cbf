"""The planted-copy benchmark: from any folder of pictures a collection in which details are copied, boxes known.

The pictures are dealt into groups. Of each group a detail of the first is copied into the others, each of which then
changes as a whole: another medium, damage, a frame. A group is made of (seed, its number) alone; which pictures are in
it, of the seed and how many pictures there are.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from perception.errors import InputError, reason
from perception.picture_folder import content_digest, picture_files
from sim.random_streams import stream
from training.art.boxes import Box
from training.art.pictures import read_picture
from training.art.planted.copies import CopyRanges, detail_of, planted
from training.art.planted.damage import damaged, framed
from training.art.planted.media import MEDIA

ANNOTATIONS, TRUTH, RECORD = "annotations.json", "truth.json", "planted.json"
UNCHANGED = "none"


@dataclass(frozen=True)
class PlantedConfig:
    """What the benchmark is made like."""

    seed: int = 0
    group: int = 5
    """Pictures with one detail in common: that it is from, and those with a copy."""
    media: tuple[str, ...] = tuple(MEDIA)
    """Of `training.art.planted.media.MEDIA`: dealt out in turn, from a place by chance."""
    unchanged: float = 0.0
    """Share of copies that stay in the medium of the picture they come into."""
    damage: float = 0.5
    """0..1: how much of it, at most."""
    frames: float = 0.4
    """Share of pictures with a frame."""
    longest_px: int = 1024
    """Larger pictures are made smaller first."""
    ranges: CopyRanges = field(default_factory=CopyRanges)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.media) - set(MEDIA))
        if unknown or not self.media:
            named = ", ".join(unknown) or "none at all"
            raise InputError(f"Media can be {', '.join(MEDIA)}: {named} cannot.", "medium")
        if self.group < 2:
            raise InputError(f"A group needs 2 pictures or more to have a detail in common, not {self.group}.", "group")


@dataclass(frozen=True, eq=False)
class Instance:
    """A picture of the benchmark, with where the detail of its group is."""

    name: str
    picture: NDArray[np.uint8]
    box: Box | None
    """px; None where no copy found a place."""
    medium: str
    affine: NDArray[np.float64]
    """(2, 3) px of the first picture of the group to px of this one."""


def pictures_in(folder: Path) -> list[Path]:
    """The picture files in and below a folder, in the order of their names.

    Raises BlockworldError where the folder cannot be read or has none.
    """
    found, _ = picture_files(folder)
    if not found:
        raise InputError(f"{folder} has no pictures: name a folder that has.", "folder")
    return found


def dealt(count: int, config: PlantedConfig) -> list[list[int]]:
    """Which pictures are in which group, by number; what is left over at the end makes the last groups larger."""
    order = stream(config.seed, 0, "planted groups").permutation(count)
    return [[int(one) for one in group] for group in np.array_split(order, max(1, count // config.group))]


def instances(files: Sequence[Path], group: int, config: PlantedConfig) -> Iterator[Instance]:
    """The pictures of one group, the one that the detail is from first and as it was.

    Raises ImageError for a file that cannot be read, and IndexError for a group that is not dealt.
    """
    numbers, names = dealt(len(files), config)[group], _names(files)
    random = stream(config.seed, group, "planted detail")
    source = _read(files[numbers[0]], config.longest_px)
    detail = detail_of(source, config.ranges, random)
    first_medium = int(random.integers(len(config.media)))
    yield Instance(names[numbers[0]], source, detail, UNCHANGED, np.eye(2, 3))
    for place, number in enumerate(numbers[1:]):
        random = stream(config.seed, group, f"planted copy {place}")
        placed = planted(source, detail, _read(files[number], config.longest_px), config.ranges, random)
        if placed is None:
            continue
        medium = config.media[(first_medium + place) % len(config.media)]
        if random.random() < config.unchanged:
            medium = UNCHANGED
        picture = MEDIA[medium](placed.picture, random) if medium != UNCHANGED else placed.picture
        picture = damaged(picture, config.damage * random.random(), random)
        border = 0
        if random.random() < config.frames:
            picture, border = framed(picture, random.uniform(0.05, 0.14), random)
        x, y, w, h = placed.box
        affine = placed.affine + np.array([[0, 0, border], [0, 0, border]])
        yield Instance(names[number], picture, (x + border, y + border, w, h), medium, affine)


def make_benchmark(
    folder: Path, out: Path, config: PlantedConfig | None = None, files: Sequence[Path] | None = None
) -> Path:
    """Write pictures, and their annotations as those of the Brueghel data set; returns the annotations' path.

    files: those of the folder's pictures that are used; None: all. Each picture with a detail is a query, the others of
    its group are what is to be found; categories are the groups. `truth.json` beside it has the medium and the affine
    map of each copy. What was made of the same pictures and settings before is left as it is. Raises BlockworldError as
    `pictures_in` and `instances` do, and where `out` holds something else.
    """
    config = config or PlantedConfig()
    files = pictures_in(folder) if files is None else files
    if len(files) < 2:
        raise InputError(f"{folder} has one picture only: copies need two or more.", "folder")
    if _made(out, files, config):
        return out / ANNOTATIONS
    annotations, truth = {}, {}
    for group in range(len(dealt(len(files), config))):
        made = []
        for one in instances(files, group, config):
            Image.fromarray(one.picture).save(out / one.name, quality=92)
            truth[one.name] = {"group": group, "medium": one.medium, "affine": one.affine.tolist()}
            made.append([one.name, _corners(one)])
        annotations[str(group)] = [
            {"query": query, "gt": [other for other in made if other is not query]} for query in made
        ]
    (out / TRUTH).write_text(json.dumps(truth, indent=1), encoding="utf-8")
    path = out / ANNOTATIONS
    path.write_text(json.dumps(annotations), encoding="utf-8")
    return path


def _made(out: Path, files: Sequence[Path], config: PlantedConfig) -> bool:
    """Whether it is all there; where nothing is, the folder is begun with a record of what it is made of."""
    content = hashlib.sha256("".join(content_digest(path) for path in files).encode()).hexdigest()
    record = json.dumps({"pictures": content, "settings": asdict(config)}, indent=1)
    path = out / RECORD
    try:
        out.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.read_text(encoding="utf-8") == record:
            return (out / ANNOTATIONS).is_file()
        if any(out.iterdir()):
            raise InputError(f"{out} holds other pictures or settings than these: name an empty folder.", "planted")
        path.write_text(record, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{out} cannot be used ({reason(error)}): name another folder.", "planted") from error
    return False


def _corners(one: Instance) -> list[float]:
    assert one.box is not None
    x, y, w, h = one.box
    return [round(x, 2), round(y, 2), round(x + w, 2), round(y + h, 2)]


def _names(files: Sequence[Path]) -> list[str]:
    """Of the pictures that are made of files: like theirs, with numbers where two would be the same."""
    stems = [path.stem for path in files]
    alone = len(set(stems)) == len(stems)
    return [f"{stem}.jpg" if alone else f"{number:05d}-{stem}.jpg" for number, stem in enumerate(stems)]


def _read(path: Path, longest_px: int) -> NDArray[np.uint8]:
    picture = read_picture(path).rgb
    scale = longest_px / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = tuple(max(1, round(side * scale)) for side in picture.shape[1::-1])
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
