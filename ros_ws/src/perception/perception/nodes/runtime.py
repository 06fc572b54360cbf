"""What every node shares: declared parameters, the main function, and waiting without blocking the executor.

Nodes run on a single-threaded executor. Goals are coroutines on it; what takes long runs in a worker thread
of the node, and the coroutine waits for it with `until`.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future as Job
from dataclasses import fields
from typing import Any

import rclpy
from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.action import ActionClient
from rclpy.callback_groups import CallbackGroup, ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.timer import Timer

from perception.errors import BlockworldError
from perception.node_parameters import check_value, checked, range_of, unit_of
from perception.nodes.calling import Call, Interrupted
from perception.nodes.transport import make_room_for_images

POLL_S = 0.05
TOLD_S = 0.5  # from a signal to the end of the context
SERVER_S = 10.0  # for a server to be discovered


def declare(node: Node, kind: type) -> Any:
    """Declare the fields of a parameter dataclass on a node; returns the values that it starts with.

    Later changes are checked in the same way; `read_parameters` gives the values of the moment. Raises
    BlockworldError for a start value of wrong type or range.
    """
    entries = {entry.name: entry for entry in fields(kind)}
    for entry in entries.values():
        default = list(entry.default) if isinstance(entry.default, tuple) else entry.default
        node.declare_parameter(entry.name, default, _descriptor(entry))
    values = read_parameters(node, kind)

    def check_changes(parameters: list[Parameter]) -> SetParametersResult:
        for parameter in parameters:
            if parameter.name in entries:
                try:
                    check_value(entries[parameter.name], parameter.value)
                except BlockworldError as error:
                    return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    node.add_on_set_parameters_callback(check_changes)
    return values


def read_parameters(node: Node, kind: type) -> Any:
    """The parameter dataclass with a node's present values; raises BlockworldError naming a bad one."""
    return checked(kind, {entry.name: node.get_parameter(entry.name).value for entry in fields(kind)})


def _descriptor(entry: Any) -> ParameterDescriptor:
    # dynamic_typing: a whole number given for a real one is taken, and refusals come from `check_value`.
    unit = unit_of(entry.name)
    return ParameterDescriptor(
        description=entry.metadata["help"] + (f" ({unit})" if unit else ""),
        additional_constraints=range_of(entry),
        read_only=entry.metadata["read_only"],
        dynamic_typing=True,
    )


def run(make_node: Callable[[], Node]) -> None:
    """Run a node until it is told to stop; a BlockworldError at its start is printed, with exit code 2."""
    make_room_for_images()
    rclpy.init()
    node = None
    try:
        node = make_node()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        executor.spin()
    except BlockworldError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(2)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception:
        # A signal in the middle of a call into rclpy comes out of it as an error of any kind.
        if not _told_to_stop():
            raise
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()


def _told_to_stop() -> bool:
    """Whether a signal has ended the context, which another thread does a moment after it."""
    deadline = time.monotonic() + TOLD_S
    while rclpy.ok() and time.monotonic() < deadline:
        time.sleep(0.01)
    return not rclpy.ok()


def steady_timer(node: Node, period_s: float, act: Callable[[], None], group: CallbackGroup | None = None) -> Timer:
    """A timer that goes on whatever ROS time does, as where a bag that gave the time has come to its end."""
    return node.create_timer(period_s, act, callback_group=group, clock=Clock(clock_type=ClockType.STEADY_TIME))


class _Until:
    """Awaitable that gives way to the executor until a condition holds."""

    def __init__(self, condition: Callable[[], bool]) -> None:
        self._condition = condition

    def __await__(self) -> Generator[None, None, None]:
        while not self._condition():
            yield


async def until(node: Node, condition: Callable[[], bool], timeout_s: float) -> bool:
    """Wait, while other callbacks run, until a condition holds (True) or the time is up (False)."""
    deadline = time.monotonic() + timeout_s
    # The executor asks again whenever anything wakes it; a group of its own, so that no callback holds it up.
    waker = steady_timer(node, POLL_S, lambda: None, ReentrantCallbackGroup())
    try:
        await _Until(lambda: condition() or time.monotonic() >= deadline)
    finally:
        node.destroy_timer(waker)
    return condition()


class Waker:
    """Lets another thread have something done by the executor of a node, without delay."""

    def __init__(self, node: Node, act: Callable[[], None]) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._guard = node.create_guard_condition(act, callback_group=ReentrantCallbackGroup())

    def wake(self) -> None:
        """Ask for it, from any thread; does nothing once it is destroyed."""
        with self._lock:
            if self._guard is not None:
                self._guard.trigger()

    def destroy(self) -> None:
        """Ask no more."""
        with self._lock:
            guard, self._guard = self._guard, None
        if guard is not None:
            self._node.destroy_guard_condition(guard)


async def finish(node: Node, job: Job, timeout_s: float, what: str) -> Any:
    """The result of a worker thread's job; raises what it raised, or Interrupted when the time is up."""
    waker = Waker(node, lambda: None)
    job.add_done_callback(lambda _: waker.wake())
    try:
        if not await until(node, job.done, timeout_s):
            raise Interrupted(f"{what} took longer than {timeout_s:g} s.")
    finally:
        waker.destroy()
    return job.result()


async def call_action(
    node: Node,
    client: ActionClient,
    goal: Any,
    timeout_s: float,
    cancelled: Callable[[], bool] = lambda: False,
    on_feedback: Callable[[Any], None] | None = None,
) -> Any:
    """The result of an action of another node.

    Raises Interrupted where there is no server, it refuses the goal, is late, or goes away, or `cancelled`. A
    goal that is given up is cancelled at its server.
    """
    name = client._action_name
    deadline = time.monotonic() + timeout_s

    def left_s() -> float:
        return max(0.0, deadline - time.monotonic())

    if not await until(node, client.server_is_ready, min(SERVER_S, left_s())):
        raise Interrupted(f"nobody serves the action '{name}'; start the node that does, then try again.")
    call = Call(client, goal, on_feedback)
    await until(node, lambda: call.done() or cancelled(), left_s())
    if call.done():
        return call.result()
    call.cancel()
    if cancelled():
        raise Interrupted("the goal was cancelled.")
    did = "took longer than" if call.accepted else "did not answer within"
    raise Interrupted(f"the action '{name}' {did} {timeout_s:g} s.")
