"""A thousand scans made of a hundred: crops of paintings, turned, mirrored and in other colours, with details of some
copied into others. Made of a seed alone; what is there already is not made again."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from perception.picture_folder import picture_files
from sim.random_streams import stream
from training.art.pictures import read_picture
from training.art.planted.collection import Instance, PlantedConfig, dealt, instances

PAINTINGS = Path(__file__).resolve().parents[2] / "shared" / "data" / "paintings"
"""Photographs of paintings, where this machine has them."""
SEED = 20
PLANTED = PlantedConfig(seed=SEED, unchanged=0.4, longest_px=800)
"""Five pictures with a detail in common; of the copies, four in ten stay in the medium of the picture around them."""
LONGEST_PX = 800
QUALITY = 92


def collection(folder: Path, count: int, paintings: Path = PAINTINGS) -> list[list[Path]]:
    """The groups of a collection of so many scans in `folder`/scans, each a list of those with one detail in common.

    The first group begins with the scan that its detail is from.
    """
    bases, scans = folder / "bases", folder / "scans"
    for one in (bases, scans):
        one.mkdir(parents=True, exist_ok=True)
    sources = picture_files(paintings)[0]
    files = [bases / f"{number:04d}.jpg" for number in range(count)]
    for number, path in enumerate(tqdm(files, "scans", mininterval=5)):
        if not path.exists():
            _save(base(sources, number), path)
    groups = []
    for number, members in enumerate(tqdm(dealt(count, PLANTED), "copies", mininterval=5)):
        done = scans / f"group-{number:03d}.done"
        if not done.exists():
            made = [_kept(one, scans) for one in instances(files, number, PLANTED)]
            for left in {files[one].name for one in members} - {path.name for path in made}:
                _save(read_picture(bases / left).rgb, scans / left)  # no copy found a place in it
            done.write_text("\n".join(path.name for path in made), encoding="utf-8")
        groups.append([scans / name for name in done.read_text(encoding="utf-8").splitlines()])
    return groups


def base(sources: Sequence[Path], number: int) -> NDArray[np.uint8]:
    """Scan `number` before anything is copied into it: the first so many are whole paintings, the others parts."""
    random = stream(SEED, number, "art scan")
    picture = read_picture(sources[number % len(sources)]).rgb
    height, width = picture.shape[:2]
    share = 1.0 if number < len(sources) else random.uniform(0.45, 0.7)
    size = np.array([width, height]) * share
    middle = size / 2 + random.random(2) * (np.array([width, height]) - size)
    scale = LONGEST_PX / max(size)
    turn = np.deg2rad(random.uniform(-6, 6))
    mirror = -1.0 if number // len(sources) % 2 else 1.0
    linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.diag([mirror, 1.0])
    out = np.rint(size * scale).astype(int)
    affine = np.column_stack([linear, out / 2 - linear @ middle])
    made = cv2.warpAffine(
        picture, affine, (int(out[0]), int(out[1])), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    lab = cv2.cvtColor(made, cv2.COLOR_RGB2LAB).astype(np.float32)
    lab[..., 0] = 255 * (lab[..., 0] / 255) ** random.uniform(0.75, 1.3)
    lab[..., 1:] = 128 + (lab[..., 1:] - 128) * random.uniform(0.7, 1.2) + random.uniform(-8, 8, 2)
    return cv2.cvtColor(np.clip(np.rint(lab), 0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB)  # type: ignore[return-value]


def _kept(one: Instance, folder: Path) -> Path:
    path = folder / one.name
    _save(one.picture, path)
    return path


def _save(picture: NDArray[np.uint8], path: Path) -> None:
    scratch = path.with_suffix(".part")
    Image.fromarray(picture).save(scratch, "JPEG", quality=QUALITY)
    scratch.replace(path)
