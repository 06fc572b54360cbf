"""Indexing and discovery on a Ray cluster, sharded by picture: who loses a machine loses the pictures in its hands.

Indexing needs no folder that machines share: a picture's file goes to a task, its features come back, and the process
that asked writes them. For discovery that would be 450 MB for each two seconds of work, so that all machines have to
see the cache under the same path.
"""

import platform
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from perception.bounded_files import open_regular
from perception.errors import BlockworldError, EngineError, ImageError, reason
from perception.folder_index import Digesting, Indexed
from perception.picture_folder import Duplicate, Found, Problem, shown, told_apart
from sim.ray_cluster import RayCluster
from training.art.extractor import Extractor
from training.art.feature_store import FeatureStore
from training.art.features import Features
from training.art.index import Indexing
from training.art.mining import Comparing, Entry, MiningConfig, PictureJob, compare, one_thread
from training.art.network import Engine, Network
from training.art.pictures import picture_in

SHARE = 4
"""Pictures in one task: enough that starting it costs nothing."""
MOST_DEATHS = 3
"""So many tasks may be lost at one picture."""
Notice = Callable[[str], None]
"""Is told, in a sentence, about each task that was lost."""


def indexing_on(cluster: RayCluster, notice: Notice) -> Indexing:
    """In place of `training.art.index.indexed`, on a cluster. A picture at which tasks are lost again and again is a
    problem; raises BlockworldError where a machine lacks what the network needs."""

    def indexed(
        files: list[Path], store: FeatureStore, extractor: Extractor, digest_of: Digesting
    ) -> Iterator[Indexed | Duplicate | Problem]:
        new: list[Found] = []
        for one in told_apart(files, digest_of):
            if isinstance(one, Found) and one.digest not in store:
                new.append(one)
            else:
                yield Indexed(one, made=False) if isinstance(one, Found) else one
        if not new:
            return
        work = _IndexWork(store.network() or b"", extractor, notice)
        for found, made in cluster.run(work, [tuple(new[at : at + SHARE]) for at in range(0, len(new), SHARE)]):
            if isinstance(made, str):
                yield Problem(found.path, made)
            else:
                store.put(found.digest, made)
                yield Indexed(found, made=True)
        yield from work.given_up

    return indexed


def comparing_on(cluster: RayCluster, store: FeatureStore, notice: Notice) -> Comparing:
    """In place of processes for `training.art.mining.mine`, on a cluster. Raises BlockworldError where a machine does
    not see the cache, or tasks are lost again and again at one picture."""

    def compared(jobs: Sequence[PictureJob], config: MiningConfig) -> Iterator[Entry]:
        work = _CompareWork(store, config, notice)
        shares = [tuple(jobs[at : at + SHARE]) for at in range(0, len(jobs), SHARE)]
        early: dict[str, Entry] = {}
        order = iter(jobs)
        wanted = next(order, None)
        for entry in cluster.run(work, shares):
            early[entry["picture"]] = entry
            while wanted is not None and wanted[0] in early:
                yield early.pop(wanted[0])
                wanted = next(order, None)

    return compared


@dataclass(frozen=True)
class _Sent:
    """A picture on its way to a task; content: its bytes, or a sentence about why there are none."""

    found: Found
    content: bytes | str


class _Losses:
    def __init__(self, notice: Notice) -> None:
        self._notice, self._deaths = notice, Counter[str]()

    def too_many(self, digest: str, name: str) -> bool:
        """Whether tasks are lost at one picture again and again; else it is told that it is tried again."""
        self._deaths[digest] += 1
        if self._deaths[digest] >= MOST_DEATHS:
            return True
        self._notice(f"a task was lost at {name}; another one goes on there.")
        return False


class _IndexWork:
    """See `sim.ray_cluster.Work`; a job is some pictures."""

    ahead = 2

    def __init__(self, network: bytes, extractor: Extractor, notice: Notice) -> None:
        self.task = index_share
        self._shared = (network, extractor.engine, extractor.stride)
        self._losses = _Losses(notice)
        self.given_up: list[Problem] = []

    def shared(self) -> tuple[bytes, Engine, int]:
        return self._shared

    def argument(self, job: tuple[Found, ...]) -> list[_Sent]:
        return [_Sent(one, _content(one.path)) for one in job]

    def rest(self, job: tuple[Found, ...], made: object) -> tuple[Found, ...]:
        return job[1:]

    def lost(self, job: tuple[Found, ...], why: str) -> tuple[Found, ...]:
        if job and self._losses.too_many(job[0].digest, shown(job[0].path)):
            told = f"{shown(job[0].path)} ended {MOST_DEATHS} tasks, the last one because {why}: index it by itself."
            self.given_up.append(Problem(job[0].path, told))
            return job[1:]
        return job

    def failed(self, job: tuple[Found, ...], cause: Exception) -> Exception:
        return _told(cause)


class _CompareWork:
    """See `sim.ray_cluster.Work`; a job is some pictures, each with those that it is compared with."""

    ahead = 8

    def __init__(self, store: FeatureStore, config: MiningConfig, notice: Notice) -> None:
        self.task = compare_share
        self._shared = (str(store.folder.resolve()), store.key, config)
        self._losses = _Losses(notice)

    def shared(self) -> tuple[str, str, MiningConfig]:
        return self._shared

    def argument(self, job: tuple[PictureJob, ...]) -> tuple[PictureJob, ...]:
        return job

    def rest(self, job: tuple[PictureJob, ...], made: Entry) -> tuple[PictureJob, ...]:
        return job[1:]

    def lost(self, job: tuple[PictureJob, ...], why: str) -> tuple[PictureJob, ...]:
        if job and self._losses.too_many(job[0][0], f"picture {job[0][0][:12]}"):
            raise BlockworldError(
                f"{MOST_DEATHS} tasks ended at picture {job[0][0][:12]}, the last one because {why}: what was compared "
                "is kept; see to the machines' memory, then run the same command to go on."
            )
        return job

    def failed(self, job: tuple[PictureJob, ...], cause: Exception) -> Exception:
        return _told(cause)


def index_share(
    network: bytes, engine: Engine, stride: int, pictures: Sequence[_Sent]
) -> Iterator[tuple[Found, Features | str]]:
    """What a task does: features of each picture, or what is wrong with it."""
    extractor = _opened(network, engine, stride)
    for one in pictures:
        try:
            if isinstance(one.content, str):
                yield one.found, one.content
            else:
                yield one.found, extractor.features(picture_in(one.content, one.found.path))
        except ImageError as error:
            yield one.found, str(error)


def compare_share(folder: str, key: str, config: MiningConfig, jobs: Sequence[PictureJob]) -> Iterator[Entry]:
    """What a task does: an entry of the journal for each picture."""
    if not (Path(folder) / FeatureStore.DESCRIPTION).is_file():
        raise BlockworldError(
            f"the machine {platform.node()} does not see the cache {folder}: put it on a file system that all share."
        )
    one_thread()
    store = FeatureStore(Path(folder), key)
    for picture, others in jobs:
        try:
            yield compare(picture, others, store, config)
        except KeyError:
            raise BlockworldError("features are missing in the cache, or damaged: index the folder again.") from None


@lru_cache(1)
def _opened(network: bytes, engine: Engine, stride: int) -> Extractor:
    """Once in a process; with one thread, since there is a task for each processor."""
    return Extractor(Network(network, engine, threads=1), "", stride)


def _content(path: Path) -> bytes | str:
    """The bytes of a file, or a sentence about why there are none."""
    try:
        with open_regular(path) as (file, _):
            return file.read()
    except OSError as error:
        return f"{shown(path)} cannot be read ({reason(error.strerror or error)}): see to its permissions."


def _told(cause: Exception) -> Exception:
    if isinstance(cause, EngineError):
        return BlockworldError(f"a machine of the cluster cannot run the network: {cause}")
    return cause if isinstance(cause, BlockworldError) else BlockworldError(f"a task failed: {cause!r}.")
