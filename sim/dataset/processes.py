"""Workers on this machine: processes that render and hand the bytes to the builder, which alone writes.

A worker that dies is replaced; one whose builder died notices at its next scene, and ends.
"""

import gc
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import cv2

from sim.dataset.config import DatasetConfig
from sim.dataset.work import EXPECTED, Job, Losses, Packed, WorkerError, render

JOIN_S = 10.0
JOB_SCENES = 1
"""A new job costs next to nothing; the fewer scenes, the fewer wait in memory for those before them."""
COLLECT_AFTER = 20_000
"""New objects after which a worker looks for dead cycles of them: scenes make few, and Python's 700 cost 3 % of it."""


@dataclass(frozen=True)
class _Failure:
    """An exception of a worker; `expected` ones are meant for the user."""

    expected: bool
    message: str
    trace: str


@dataclass
class _Worker:
    """A process, the builder's end of its pipe, and what it has still to do."""

    process: BaseProcess
    pipe: Connection
    job: Job


class Processes:
    """So many processes; `notice` is told, in a sentence, about each one that died."""

    job_scenes = JOB_SCENES

    def __init__(self, workers: int, notice: Callable[[str], None]) -> None:
        self._count = workers
        self._notice = notice
        self._workers: dict[Connection, _Worker] = {}

    def run(self, config: DatasetConfig, jobs: Sequence[Job]) -> Iterator[Packed]:
        """See Crew."""
        settings, waiting, losses = config.model_dump_json(), deque(jobs), Losses()
        try:
            while waiting or self._workers:
                while waiting and len(self._workers) < self._count:
                    self._start(settings, waiting.popleft())
                for pipe in wait(list(self._workers)):
                    assert isinstance(pipe, Connection)
                    worker = self._workers[pipe]
                    try:
                        message = pipe.recv()
                    except (EOFError, OSError):
                        waiting.appendleft(losses.rest(worker.job, self._bury(worker)))
                        continue
                    if isinstance(message, Packed):
                        worker.job = Job(worker.job.shard, message.scene + 1, worker.job.stop)
                        yield message
                    elif isinstance(message, _Failure):
                        _raise(message, worker.job)
                    elif waiting:
                        worker.job = waiting.popleft()
                        with suppress(OSError):  # it died after its last scene: the pipe's end says so at the next turn
                            pipe.send(worker.job)
                    else:
                        self._dismiss(worker)
        finally:
            for worker in list(self._workers.values()):
                worker.process.kill()
                self._dismiss(worker)

    def _start(self, settings: str, job: Job) -> None:
        context = get_context("spawn")  # a copy of this process would share its renderer's state and locks
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
        process.start()
        theirs.close()
        self._workers[ours] = _Worker(process, ours, job)
        ours.send(job)

    def _bury(self, worker: _Worker) -> str:
        """Gives the reason why a worker ended, and tells it."""
        self._dismiss(worker)
        code = worker.process.exitcode or 0
        reason = f"signal {signal.Signals(-code).name} killed it" if code < 0 else f"it exited with status {code}"
        self._notice(f"a worker ended at scene {worker.job.first} because {reason}; another one goes on there.")
        return reason

    def _dismiss(self, worker: _Worker) -> None:
        del self._workers[worker.pipe]
        worker.pipe.close()
        worker.process.join(JOIN_S)


def _serve(pipe: Connection, settings: str) -> None:
    """The worker: jobs in, scenes out, None after each job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the builder decides what an interruption means
    gc.set_threshold(COLLECT_AFTER)
    cv2.setNumThreads(1)
    try:
        while True:
            job = pipe.recv()
            try:
                for packed in render(settings, job):
                    pipe.send(packed)
            except ConnectionError:
                return
            except Exception as error:
                expected = isinstance(error, EXPECTED)
                message = str(error) if expected else repr(error)
                pipe.send(_Failure(expected, message, traceback.format_exc()))
            else:
                pipe.send(None)
    except (EOFError, ConnectionError):
        return


def _raise(failure: _Failure, job: Job) -> None:
    if failure.expected:
        raise ValueError(failure.message)
    error = WorkerError(f"scene {job.first} cannot be rendered: {failure.message}")
    error.add_note(failure.trace)
    raise error
