"""One goal of an action from its sending to its result, over a network on which answers may get lost.

DDS drops a server's response where the server has not yet discovered who asks, and a server that was killed and started
again knows nothing of its goals. So what is not answered in time is asked again: the goal, and once it is accepted its
result, which a server keeps for a while.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient

from perception.errors import BlockworldError

ANSWER_S = 5.0  # a server that is there says at once whether it accepts a goal
AGAIN_S = 0.5  # between tries where an earlier goal, whose acceptance got lost, may still keep the server busy
GONE_S = 2.0  # discovery may lose sight of a server for a moment


class Interrupted(BlockworldError):
    """A goal was cancelled, or what it waited for did not come in time."""


class Call:
    """A goal that is on its way; ask `done` again and again while the executor runs, then take `result`."""

    def __init__(self, client: ActionClient, goal: Any, on_feedback: Callable[[Any], None] | None = None) -> None:
        self.name: str = client._action_name
        self._client, self._goal = client, goal
        self._feedback = None if on_feedback is None else lambda message: on_feedback(message.feedback)
        self._sent: list[Any] = []
        self._asked: list[Any] = []
        self._handle: Any = None
        self._last_s = self._seen_s = time.monotonic()
        self._problem = ""
        self._send()

    def done(self) -> bool:
        """Whether there is a result, or there will be none."""
        if self._problem:
            return True
        now_s = time.monotonic()
        if self._client.server_is_ready():
            self._seen_s = now_s
        elif now_s > self._seen_s + GONE_S:
            self._problem = f"the node that serves the action '{self.name}' went away; try again once it is back."
            return True
        return self._accepted(now_s) and self._answered(now_s)

    @property
    def accepted(self) -> bool:
        """Whether the server has taken the goal on."""
        return self._handle is not None

    def result(self) -> Any:
        """The result; raises Interrupted where there is none."""
        if self._problem:
            raise Interrupted(self._problem)
        return next(one for one in self._asked if one.done()).result().result

    def cancel(self) -> None:
        """Ask the server to give the goal up."""
        if self._handle is not None:
            self._handle.cancel_goal_async()

    def _accepted(self, now_s: float) -> bool:
        if self._handle is not None:
            return True
        answers = [one.result() for one in self._sent if one.done()]
        taken = [one for one in answers if one.accepted]
        waiting_s = now_s - self._last_s
        if taken:
            self._handle = taken[0]
            self._ask()
        elif len(answers) == len(self._sent) == 1:
            self._problem = f"the action '{self.name}' refused the goal: its node is not active or is busy."
        elif waiting_s > ANSWER_S or (len(answers) == len(self._sent) and waiting_s > AGAIN_S):
            self._send()
        return self._handle is not None or bool(self._problem)

    def _answered(self, now_s: float) -> bool:
        if self._problem:
            return True
        found = [one.result() for one in self._asked if one.done()]
        if found and found[0].status == GoalStatus.STATUS_UNKNOWN:
            self._problem = f"the node that serves the action '{self.name}' was started anew; send the goal again."
        elif not found and now_s - self._last_s > ANSWER_S:
            self._ask()
        return bool(found)

    def _send(self) -> None:
        self._sent.append(self._client.send_goal_async(self._goal, feedback_callback=self._feedback))
        self._last_s = time.monotonic()

    def _ask(self) -> None:
        self._asked.append(self._handle.get_result_async())
        self._last_s = time.monotonic()
