"""Export of a data set to a format that other tools read: the whole export is there, or nothing is."""

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from sim.dataset.bop import export_bop
from sim.dataset.coco import export_coco
from sim.dataset.folder import read_config
from sim.dataset.reader import read_samples
from sim.dataset.tar import Sample

FORMATS: dict[str, Callable[[Iterable[Sample], Path], int]] = {"bop": export_bop, "coco": export_coco}
NEEDS = {"bop": ("depth", "segmentation"), "coco": ("segmentation",)}


def export(data: Path, name: str, out: Path, seen: Callable[[int], object] = int) -> int:
    """Write the images of the complete shards in `data` into a new folder `out`; gives their number.

    `seen` is told how many images went by. Raises ValueError where `data` lacks what the format needs, or `out`
    exists already.
    """
    config = read_config(data)
    missing = [field for field in NEEDS[name] if not getattr(config, field)]
    if missing:
        wanted = " ".join(f"{field}=true" for field in missing)
        raise ValueError(
            f"{data} holds no {' and no '.join(missing)}, which {name} needs: build a data set with {wanted}."
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} exists already: choose a new folder for the export.")
    scratch = out.with_name(f".{out.name}.part")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    try:
        count = FORMATS[name](_watched(read_samples(data), seen), scratch)
        if not count:
            raise ValueError(f"{data} has no complete shard yet: go on with `blockworld dataset build`.")
        scratch.replace(out)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return count


def _watched(samples: Iterable[Sample], seen: Callable[[int], object]) -> Iterator[Sample]:
    for sample in samples:
        yield sample
        seen(1)
