"""Workers on the machines of a Ray cluster: tasks stream scenes to the builder, which alone writes.

No folder needs to be shared. When a machine is lost, its tasks start again elsewhere from the first scene that the
builder does not have.
"""

from collections.abc import Callable, Iterator, Sequence

from sim.dataset.config import DatasetConfig
from sim.dataset.work import EXPECTED, Job, Losses, Packed, WorkerError, render
from sim.ray_cluster import RayCluster

JOB_SCENES = 16
SCENES_AHEAD = 8
"""So many scenes of a task may wait for the builder."""


class Cluster:
    """The Ray cluster at an address, one task per processor; `notice` is told about each task that was lost.

    Where this process is connected to a cluster already, that one serves, and stays connected.
    """

    job_scenes = JOB_SCENES

    def __init__(self, address: str, notice: Callable[[str], None]) -> None:
        self._cluster = RayCluster(address)
        self._notice = notice

    def run(self, config: DatasetConfig, jobs: Sequence[Job]) -> Iterator[Packed]:
        """See Crew."""
        yield from self._cluster.run(_Rendering(config, self._notice), jobs)


class _Rendering:
    """See `sim.ray_cluster.Work`."""

    task = staticmethod(render)
    ahead = SCENES_AHEAD

    def __init__(self, config: DatasetConfig, notice: Callable[[str], None]) -> None:
        self._settings, self._notice, self._losses = config.model_dump_json(), notice, Losses()

    def shared(self) -> tuple[str]:
        return (self._settings,)

    def argument(self, job: Job) -> Job:
        return job

    def rest(self, job: Job, made: Packed) -> Job:
        return Job(job.shard, made.scene + 1, job.stop)

    def lost(self, job: Job, why: str) -> Job:
        left = self._losses.rest(job, why)
        self._notice(f"a task was lost at scene {job.first}; another one goes on there.")
        return left

    def failed(self, job: Job, cause: Exception) -> Exception:
        return failure(cause, job)


def failure(cause: Exception, job: Job) -> Exception:
    """What is raised here where a task raised `cause`: in one line what is meant for the user."""
    if isinstance(cause, EXPECTED):
        return ValueError(" ".join(str(cause).split()))
    return WorkerError(f"scene {job.first} cannot be rendered: {cause!r}")
