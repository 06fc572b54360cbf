"""Workers on the machines of a Ray cluster: tasks stream scenes to the builder, which alone writes.

No folder needs to be shared. When a machine is lost, its tasks start again elsewhere from the first scene that the
builder does not have.
"""

import logging
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sim.dataset.config import DatasetConfig
from sim.dataset.work import EXPECTED, Job, Losses, Packed, WorkerError, render

NAMES = ("auto", "local")
WAIT_S = 10.0
ANSWER_S = 5.0
JOB_SCENES = 16
SCENES_AHEAD = 8
"""So many scenes of a task may wait for the builder."""


class Cluster:
    """The Ray cluster at an address, one task per processor; `notice` is told about each task that was lost.

    Where this process is connected to a cluster already, that one serves, and stays connected.
    """

    job_scenes = JOB_SCENES

    def __init__(self, address: str, notice: Callable[[str], None]) -> None:
        try:
            import ray
        except ModuleNotFoundError as error:
            raise ValueError("--ray needs Ray: install it with pip install 'blockworld[ray]'.") from error
        if address not in NAMES and not _answers(address):
            raise ValueError(
                f"no Ray cluster answers at {address}: give the address that `ray start --head` printed, as HOST:PORT, "
                f"or one of {', '.join(NAMES)}."
            )
        self._ray = ray
        self._address = address
        self._notice = notice

    def run(self, config: DatasetConfig, jobs: Sequence[Job]) -> Iterator[Packed]:
        """See Crew."""
        ray = self._ray
        connected = ray.is_initialized()
        if not connected:
            self._connect()
        task = ray.remote(num_cpus=1, max_retries=0, _generator_backpressure_num_objects=SCENES_AHEAD)(render)
        settings, waiting, losses = config.model_dump_json(), deque(jobs), Losses()
        running: dict[Any, Job] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self._slots():
                    job = waiting.popleft()
                    running[task.remote(settings, job)] = job
                for stream in ray.wait(list(running), num_returns=1, timeout=WAIT_S)[0]:
                    job = running.pop(stream)
                    try:
                        packed = ray.get(next(stream))
                    except StopIteration:
                        continue
                    except ray.exceptions.RayTaskError as error:
                        raise _cause(error, job) from error
                    except ray.exceptions.RayError as error:
                        waiting.appendleft(losses.rest(job, f"of {type(error).__name__}"))
                        self._notice(f"a task was lost at scene {job.first}; another one goes on there.")
                        continue
                    running[stream] = Job(job.shard, packed.scene + 1, job.stop)
                    yield packed
        finally:
            for stream in running:
                ray.cancel(stream, force=True)
            if not connected:
                ray.shutdown()

    def _connect(self) -> None:
        logging.getLogger("ray").setLevel(logging.WARNING)
        try:
            self._ray.init(address=self._address, log_to_driver=False)
        except (ConnectionError, ValueError) as error:
            raise ValueError(
                f"there is no Ray cluster at {self._address}: {' '.join(str(error).split())}"
            ) from error

    def _slots(self) -> int:
        """Tasks at a time: a few more than processors, so that none waits for the builder."""
        return int(self._ray.cluster_resources().get("CPU", 1)) + 1


def _answers(address: str) -> bool:
    """Something listens at HOST:PORT; Ray itself would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), ANSWER_S).close()
    except (OSError, ValueError, OverflowError):
        return False
    return True


def _cause(error: Any, job: Job) -> Exception:
    cause = error.cause
    if isinstance(cause, EXPECTED):
        return ValueError(" ".join(str(cause).split()))
    return WorkerError(f"scene {job.first} cannot be rendered: {cause!r}")
