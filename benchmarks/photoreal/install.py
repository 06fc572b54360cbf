"""Check finished photoreal sets and put them where they are read: `python -m benchmarks.photoreal.install DIR`.

DIR is what `python -m benchmarks.photoreal.make` wrote. Nothing is copied unless all three sets are whole, have 60
poses or more, and take 40 MB at most together.
"""

import sys
from pathlib import Path

from benchmarks.photoreal.draws import SETS
from benchmarks.photoreal.layout import CAMERAS, IMAGE_SIZE, POSTURES
from benchmarks.photoreal.records import HERE, PhotorealError, check_set, read_set, write_whole

LEAST_POSES = 60
MOST_BYTES = 40_000_000


def install(source: Path, target: Path = HERE, names: tuple[str, ...] = SETS) -> int:
    """Bytes of the sets copied from `source` to `target`; raises PhotorealError, with nothing copied, where one of
    them falls short."""
    total = 0
    for name in names:
        total += check_set(name, source)["bytes"]
        _check_pictures(name, source)
    if total > MOST_BYTES:
        raise PhotorealError(
            f"the sets take {total / 1e6:.1f} MB, more than {MOST_BYTES / 1e6:.0f}: lower BYTES in camera.py."
        )
    for name in names:
        files = check_set(name, source)["sha256"]
        for relative in [*files, "manifest.json"]:
            write_whole(target / name / relative, (source / name / relative).read_bytes())
    return total


def _check_pictures(name: str, source: Path) -> None:
    poses = list(read_set(name, source))
    if len(poses) < LEAST_POSES:
        raise PhotorealError(
            f"{source / name} has {len(poses)} poses, fewer than {LEAST_POSES}: make the others."
        )
    for pose in poses:
        if len(pose.pictures) != len(POSTURES) * CAMERAS:
            raise PhotorealError(
                f"pose {pose.index} of {source / name} has {len(pose.pictures)} images: make it anew."
            )
        for picture in pose.pictures:
            shape = picture.rgb().shape
            if shape != (IMAGE_SIZE[1], IMAGE_SIZE[0], 3):
                raise PhotorealError(f"{picture.file} has the shape {shape}: delete it and make it anew.")


def main() -> None:
    """See the module's docstring."""
    if len(sys.argv) != 2:
        raise SystemExit(
            "give the folder that holds the finished sets: python -m benchmarks.photoreal.install DIR"
        )
    try:
        total = install(Path(sys.argv[1]))
    except PhotorealError as error:
        raise SystemExit(str(error)) from error
    print(f"{', '.join(SETS)}: {total / 1e6:.1f} MB checked and copied to {HERE}")


if __name__ == "__main__":
    main()
