"""The unit of work of a build: some scenes of one shard, rendered in order wherever there is a processor for it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from perception.errors import BlockworldError
from sim.dataset.config import DatasetConfig
from sim.dataset.studio import studio

MOST_DEATHS = 3
"""So many workers may end at one scene before the build gives up."""


@dataclass(frozen=True)
class Job:
    """Scenes first..stop of one shard."""

    shard: int
    first: int
    stop: int


@dataclass(frozen=True)
class Packed:
    """One scene of a shard as the bytes to append, and what made them (`Studio.maker`)."""

    shard: int
    scene: int
    data: bytes
    maker: str


class Crew(Protocol):
    """Renders jobs and begins them in their order; the scenes of one job come in order, those of several in any.

    job_scenes: as many are worth handing out at once.
    """

    job_scenes: int

    def run(self, config: DatasetConfig, jobs: Sequence[Job]) -> Iterator[Packed]:
        """Every scene of every job once, whatever happens to single workers."""
        ...


EXPECTED = (BlockworldError, ValueError, ModuleNotFoundError)
"""Errors whose message is meant for the user, also when they were raised by a worker."""


class WorkerError(RuntimeError):
    """Workers end again and again, or a scene cannot be rendered."""


def render(config_json: str, job: Job) -> Iterator[Packed]:
    """The scenes of a job, rendered here."""
    here = studio(config_json)
    for scene in range(job.first, job.stop):
        yield Packed(job.shard, scene, here.packed(scene), here.maker)


class Serial:
    """Renders in the calling process."""

    job_scenes = 100  # as good as any other number

    def run(self, config: DatasetConfig, jobs: Sequence[Job]) -> Iterator[Packed]:
        """See Crew."""
        for job in jobs:
            yield from render(config.model_dump_json(), job)


class Losses:
    """Counts the workers that ended at a scene, and tells when going on makes no sense."""

    def __init__(self) -> None:
        self._deaths: dict[int, int] = {}

    def rest(self, job: Job, reason: str) -> Job:
        """The job to give to another worker; raises WorkerError where several ended at its first scene."""
        self._deaths[job.first] = self._deaths.get(job.first, 0) + 1
        if self._deaths[job.first] >= MOST_DEATHS:
            raise WorkerError(
                f"{MOST_DEATHS} workers ended at scene {job.first}, the last one because {reason}: what is written "
                "stays valid; check memory and the renderer, then run the same command to go on."
            )
        return job
