"""Building a data set: what is missing is rendered by a crew and written, scene by scene, by this process alone.

Any image is a function of configuration and number, so who renders it when does not matter. Whatever happens, the
folder holds whole shards and, in `.part` files, whole scenes; the next build goes on from there.
"""

import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from sim.dataset.cluster import Cluster
from sim.dataset.config import DatasetConfig
from sim.dataset.folder import claimed, present_images, present_scenes, settle_device, shard_path
from sim.dataset.journal import DiskFullError, Journal, no_room, part_of
from sim.dataset.processes import Processes
from sim.dataset.work import Crew, Job, Serial

Notice = Callable[[str], None]


def build(
    config: DatasetConfig,
    out: Path,
    workers: int = 1,
    ray: str | None = None,
    overwrite: bool = False,
    notice: Notice = warnings.warn,
) -> Iterator[int]:
    """Write what is missing in `out`; yields the number of images of each scene once it is on the disk.

    workers: processes on this machine; one renders in this process. ray: address of a Ray cluster ("auto", "local",
    host:port) whose processors render instead, without `workers`. overwrite: erase another data set that is in `out`
    first. `notice` is told what went wrong and was mended. Raises ValueError where `out` or the configuration cannot be
    used, DiskFullError, and WorkerError where workers end again and again.
    """
    config.check_files()  # what cannot be drawn is refused before anything is written
    crew = _crew(workers, ray, notice)
    try:
        with claimed(config, out, overwrite):
            yield from _fill(config, out, crew)
    except OSError as error:
        if not no_room(error):
            raise
        raise DiskFullError(error.errno, _room_needed(config, out)) from error


def _crew(workers: int, ray: str | None, notice: Notice) -> Crew:
    if ray is not None:
        if workers != 1:
            raise ValueError(
                f"--workers {workers} are processes of this machine, and --ray {ray} renders on those of a cluster: "
                "give one of the two."
            )
        return Cluster(ray, notice)
    return Serial() if workers == 1 else Processes(workers, notice)


def _fill(config: DatasetConfig, out: Path, crew: Crew) -> Iterator[int]:
    journals: dict[int, Journal] = {}
    # Scenes that wait for one before them. As jobs begin in order, these are few; a worker that is slow, or dies,
    # holds up no more than the rest of its shard.
    early: dict[int, bytes] = {}
    maker: str | None = None
    try:
        with closing(crew.run(config, _jobs(config, out, crew.job_scenes))) as stream:  # type: ignore[type-var]
            for packed in stream:
                if packed.maker != maker:
                    settle_device(out, packed.maker)
                    maker = packed.maker
                early[packed.scene] = packed.data
                journal = journals.get(packed.shard) or _open(config, out, packed.shard)
                journals[packed.shard] = journal
                while not journal.complete and journal.next in early:
                    journal.append(journal.next, early.pop(journal.next))
                    if journal.complete:
                        journals.pop(packed.shard).finish()
                    yield config.views
    finally:
        for journal in journals.values():
            journal.close()


def _jobs(config: DatasetConfig, out: Path, most: int) -> list[Job]:
    """What is missing, in order, each job so many scenes of one shard at most; shards that only lack their name get
    it."""
    jobs = []
    for shard in range(config.shards):
        if shard_path(out, shard).is_file():
            continue
        scenes = config.scenes_of(shard)
        first = scenes.start + present_scenes(config, out, shard)
        if first == scenes.stop:
            _open(config, out, shard).finish()
        jobs += [Job(shard, begin, min(begin + most, scenes.stop)) for begin in range(first, scenes.stop, most)]
    return jobs


def _open(config: DatasetConfig, out: Path, shard: int) -> Journal:
    return Journal(shard_path(out, shard), config.scenes_of(shard), config.views)


def _room_needed(config: DatasetConfig, out: Path) -> str:
    """One sentence: how much is missing, what stays, what to do."""
    present = present_images(config, out)
    missing = config.images - present
    shards = [shard_path(out, shard) for shard in range(config.shards)]
    files = [path for shard in shards for path in (shard, part_of(shard)) if path.is_file()]
    stored = sum(path.stat().st_size for path in files)
    need = "need room"
    if present:
        free = shutil.disk_usage(out).free
        need = f"take about {_size(stored / present * missing)} more, and {_size(free)} are free"
    return (
        f"the disk of {out} is full: the {missing:,} images that are missing {need}; the {present:,} images written "
        "stay valid: free some space, then run the same command to go on."
    )


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
