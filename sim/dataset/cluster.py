"""Workers on the machines of a Ray cluster: tasks stream scenes to the builder, which alone writes.

No folder needs to be shared. When a machine is lost, its tasks start again elsewhere from the first scene that the
builder does not have.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sim.dataset.config import DatasetConfig
from sim.dataset.work import Job, Losses, Packed, WorkerError, render

SCENES_AHEAD = 8
"""So many scenes of a task may wait for the builder."""


class Cluster:
    """The Ray cluster at an address, one task per processor; `notice` is told about each task that was lost."""

    def __init__(self, address: str, notice: Callable[[str], None]) -> None:
        try:
            import ray
        except ModuleNotFoundError as error:
            raise ValueError("--ray needs Ray: install it with pip install 'blockworld[ray]'.") from error
        self._ray = ray
        self._notice = notice
        self._mine = not ray.is_initialized()
        if self._mine:
            try:
                ray.init(address=address, log_to_driver=False, include_dashboard=False if address == "local" else None)
            except (ConnectionError, ValueError) as error:
                raise ValueError(f"there is no Ray cluster at {address}: {' '.join(str(error).split())}") from error

    def run(self, config: DatasetConfig, jobs: Sequence[Job]) -> Iterator[Packed]:
        """See Crew."""
        ray = self._ray
        task = ray.remote(num_cpus=1, max_retries=0, _generator_backpressure_num_objects=SCENES_AHEAD)(render)
        settings, waiting, losses = config.model_dump_json(), deque(jobs), Losses()
        running: dict[Any, Job] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self._slots():
                    job = waiting.popleft()
                    running[task.remote(settings, job)] = job
                ready, _ = ray.wait(list(running), num_returns=1, timeout=10.0)
                for stream in ready:
                    job = running.pop(stream)
                    try:
                        packed = ray.get(next(stream))
                    except StopIteration:
                        continue
                    except ray.exceptions.RayTaskError as error:
                        raise _cause(error, job) from error
                    except ray.exceptions.RayError as error:
                        self._notice(f"a task was lost at scene {job.first}; another one goes on there.")
                        waiting.appendleft(losses.rest(job, f"of {type(error).__name__}"))
                        continue
                    running[stream] = Job(job.shard, packed.scene + 1, job.stop)
                    yield packed
        finally:
            for stream in running:
                ray.cancel(stream, force=True)
            if self._mine:
                ray.shutdown()

    def _slots(self) -> int:
        """Tasks at a time: a few more than processors, so that none waits for the builder."""
        return int(self._ray.cluster_resources().get("CPU", 1)) + 1


def _cause(error: Any, job: Job) -> Exception:
    cause = error.cause
    if isinstance(cause, (ValueError, ModuleNotFoundError)):
        return ValueError(str(cause).splitlines()[-1])
    return WorkerError(f"scene {job.first} cannot be rendered: {cause!r}")
