"""Continuous mode: estimates one after the other, each from the newest images there are when the last one is done.

There is no queue. Whatever comes while the worker thread is busy replaces what came before it, and images that are
older than `oldest_frame_s` when their turn comes are passed over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future as Job
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rclpy.lifecycle import LifecycleNode

from perception.errors import BlockworldError
from perception.node_parameters import LocalizerParameters
from perception.nodes.answers import Answer, Answers
from perception.nodes.diagnostics import Health
from perception.nodes.inputs import Inputs, Moment, StampedView
from perception.nodes.messages import NANOSECONDS
from perception.nodes.runtime import Waker

Process = Callable[[list[StampedView]], Answer]


class Continuous:
    """Runs one stage again and again; `look` is to be called when something came in."""

    def __init__(
        self,
        node: LifecycleNode,
        settings: LocalizerParameters,
        inputs: Inputs,
        thread: ThreadPoolExecutor,
        process: Process,
        answers: Answers,
        health: Health,
        paused: Callable[[], bool],
    ) -> None:
        """process: makes an answer, in the worker thread. paused: whether a goal has the worker thread to itself."""
        self._node, self._settings, self._inputs, self._thread = node, settings, inputs, thread
        self._process, self._answers, self._health, self._paused = process, answers, health, paused
        self._waker = Waker(node, self._on_done)
        self._job: Job[Answer] | None = None
        self._began_s = 0.0
        self._idle_since_s = time.monotonic()
        self._last = inputs.moment()
        self._keyframe_ns: list[int] = []

    def stop(self) -> None:
        """Publish nothing more, and begin nothing that still waits for its turn."""
        self._waker.destroy()
        if self._job is not None:
            self._job.cancel()
        self._job = None

    @property
    def idle_s(self) -> float:
        """Seconds since there were images to work on; 0 while it works, or a goal does."""
        return 0.0 if self._job is not None or self._paused() else time.monotonic() - self._idle_since_s

    def why_idle(self) -> str:
        """What keeps it from the next estimate."""
        now = self._inputs.moment()
        missing = self._inputs.why_missing(self._settings.cameras, Moment(self._oldest_ns(now), now.epoch))
        return missing or f"all images are older than {self._settings.oldest_frame_s:g} s when their turn comes"

    def _oldest_ns(self, now: Moment) -> int:
        return now.ns - int(self._settings.oldest_frame_s * NANOSECONDS)

    def look(self) -> None:
        """Begin the next estimate, where the last one is done and new images are there."""
        if self._job is not None or self._paused():
            return
        now = self._inputs.moment()
        if now.epoch != self._last.epoch:
            self._last = Moment(0, now.epoch)
        since = Moment(max(self._last.ns, self._oldest_ns(now)), now.epoch)
        views = self._inputs.views(self._settings.cameras, since)
        if not views:
            return
        taken_ns = min(view.stamp_ns for view in views)
        # What was newest among the views is not used twice, be it with other images of the other cameras.
        self._last = Moment(max(view.stamp_ns for view in views), now.epoch)
        self._health.frame_age.add((now.ns - taken_ns) / NANOSECONDS)
        self._began_s = self._idle_since_s = time.monotonic()
        self._job = self._thread.submit(self._process, views)
        self._job.add_done_callback(lambda _: self._waker.wake())

    def _on_done(self) -> None:
        job = self._job
        if job is None or not job.done():
            return
        self._job = None
        self._health.processing.add(time.monotonic() - self._began_s)
        try:
            answer = job.result()
            self._publish(answer)
        except Exception as error:
            self._note_failure(error)
        self.look()

    def _publish(self, answer: Answer) -> None:
        if answer.start is None:  # all was looked for in these images, to which the next estimates may go back
            self._answers.publish(answer)
            self._keyframe_ns = [view.stamp_ns for view in answer.views]
        else:
            self._answers.publish(answer, self._keyframe_ns)
        taken_ns = min(view.stamp_ns for view in answer.views)
        self._health.latency.add((self._inputs.moment().ns - taken_ns) / NANOSECONDS)
        self._health.estimates += 1
        self._health.last_stage, self._health.last_problem = self._settings.continuous, ""

    def _note_failure(self, error: Exception) -> None:
        known = isinstance(error, BlockworldError)
        problem: Any = str(error) if known else f"unexpected {type(error).__name__}: {error}"
        self._health.without_estimate += 1
        self._health.last_problem = problem
        self._node.get_logger().warning(problem, throttle_duration_sec=5.0)
