"""A Ray cluster at work: tasks stream what they make to the process that asked, and a lost one begins again elsewhere
with what is left of its job."""

import logging
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, Protocol, TypeVar

NAMES = ("auto", "local")
WAIT_S = 10.0
ANSWER_S = 5.0

Job = TypeVar("Job")
Made = TypeVar("Made")


class Work(Protocol, Generic[Job, Made]):
    """What tasks do, and what becomes of a job on the way."""

    @property
    def task(self) -> Callable[..., Iterator[Made]]:
        """A function that a task runs; what it gives is streamed. Its name is that of the task."""
        ...

    ahead: int
    """So many results of a task may wait to be taken."""

    def shared(self) -> tuple[Any, ...]:
        """The first arguments of all tasks, sent to each machine once."""
        ...

    def argument(self, job: Job) -> Any:
        """The last argument of the task that does a job."""
        ...

    def rest(self, job: Job, made: Made) -> Job:
        """What is left of a job after its next result."""
        ...

    def lost(self, job: Job, why: str) -> Job:
        """What another task is to do of a job whose task was lost; raises where going on makes no sense."""
        ...

    def failed(self, job: Job, cause: Exception) -> Exception:
        """What is raised where a task raised `cause`."""
        ...


class RayCluster:
    """The Ray cluster at an address ("auto", "local", HOST:PORT), one task per processor.

    Where this process is connected to a cluster already, that one serves, and stays connected.
    """

    def __init__(self, address: str) -> None:
        """Raises ValueError where Ray is not installed, or no cluster answers there."""
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

    def run(self, work: Work[Job, Made], jobs: Sequence[Job]) -> Iterator[Made]:
        """Do all jobs, begun in their order: the results of one come in order, those of several in any."""
        ray = self._ray
        connected = ray.is_initialized()
        if not connected:
            self._connect()
        task = ray.remote(num_cpus=1, max_retries=0, _generator_backpressure_num_objects=work.ahead)(work.task)
        shared, waiting = [ray.put(one) for one in work.shared()], deque(jobs)
        running: dict[Any, Job] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self._slots():
                    job = waiting.popleft()
                    running[task.remote(*shared, work.argument(job))] = job
                for stream in ray.wait(list(running), num_returns=1, timeout=WAIT_S)[0]:
                    job = running.pop(stream)
                    try:
                        made = ray.get(next(stream))
                    except StopIteration:
                        continue
                    except ray.exceptions.RayTaskError as error:
                        raise work.failed(job, error.cause) from error
                    except ray.exceptions.RayError as error:
                        waiting.appendleft(work.lost(job, f"of {type(error).__name__}"))
                        continue
                    running[stream] = work.rest(job, made)
                    yield made
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
        """Tasks at a time: a few more than processors, so that none waits for the one who takes the results."""
        return int(self._ray.cluster_resources().get("CPU", 1)) + 1


def _answers(address: str) -> bool:
    """Something listens at HOST:PORT; Ray itself would wait for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), ANSWER_S).close()
    except (OSError, ValueError, OverflowError):
        return False
    return True
