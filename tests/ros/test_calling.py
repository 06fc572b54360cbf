"""A goal on its way over a network that loses answers, with a server that the test plays."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="no ROS 2: neither the wheels of the extra `ros` nor a sourced one")

from action_msgs.msg import GoalStatus

from perception.nodes import calling
from perception.nodes.calling import ANSWER_S, GONE_S, Call, Interrupted


class Answer:
    """A future that the test fulfils, or never."""

    def __init__(self) -> None:
        self.value: Any = None

    def done(self) -> bool:
        return self.value is not None

    def result(self) -> Any:
        return self.value


@dataclass
class Server:
    """An action client whose server is the test."""

    _action_name: str = "turn"
    there: bool = True
    goals: list[Answer] = field(default_factory=list)
    results: list[Answer] = field(default_factory=list)
    cancelled: int = 0

    def server_is_ready(self) -> bool:
        return self.there

    def send_goal_async(self, goal, feedback_callback=None) -> Answer:
        self.goals.append(Answer())
        return self.goals[-1]

    def accept(self, number: int, accepted: bool = True) -> None:
        self.goals[number].value = SimpleNamespace(
            accepted=accepted, get_result_async=self._ask, cancel_goal_async=self._cancel
        )

    def _ask(self) -> Answer:
        self.results.append(Answer())
        return self.results[-1]

    def _cancel(self) -> None:
        self.cancelled += 1

    def answer(self, number: int, result: str, status: int = GoalStatus.STATUS_SUCCEEDED) -> None:
        self.results[number].value = SimpleNamespace(result=result, status=status)


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(calling, "time", clock)
    return clock


@pytest.fixture
def server():
    return Server()


def test_a_goal_that_is_accepted_gives_its_result(clock, server):
    call = Call(server, "goal")
    assert not call.done() and not call.accepted
    server.accept(0)
    assert not call.done() and call.accepted
    server.answer(0, "done")
    assert call.done()
    assert call.result() == "done"


@pytest.mark.fault("the answer to a goal is lost on the network", "the goal is sent again after 5 s")
def test_a_goal_without_an_answer_is_sent_again(clock, server):
    call = Call(server, "goal")
    clock.now_s += ANSWER_S + 0.1
    assert not call.done()
    assert len(server.goals) == 2
    server.accept(1, accepted=False)  # the first one, whose answer was lost, is still at work
    assert not call.done() and len(server.goals) == 2
    clock.now_s += 1.0
    assert not call.done()
    clock.now_s += ANSWER_S
    assert not call.done() and len(server.goals) == 3
    server.accept(2)
    assert not call.done()
    server.answer(0, "done")
    assert call.done() and call.result() == "done"


@pytest.mark.fault("the result of a goal is lost on the network", "it is asked for again after 5 s")
def test_a_result_that_does_not_come_is_asked_for_again(clock, server):
    call = Call(server, "goal")
    server.accept(0)
    assert not call.done()
    clock.now_s += ANSWER_S + 0.1
    assert not call.done()
    server.answer(1, "done")
    assert call.done() and call.result() == "done"


def test_a_goal_that_is_refused_is_an_error(clock, server):
    call = Call(server, "goal")
    server.accept(0, accepted=False)
    assert call.done()
    with pytest.raises(Interrupted, match="the action 'turn' refused the goal: its node is not active or is busy"):
        call.result()


def test_a_server_that_was_started_anew_does_not_know_the_goal(clock, server):
    call = Call(server, "goal")
    server.accept(0)
    assert not call.done()
    clock.now_s += ANSWER_S + 0.1
    assert not call.done()
    server.answer(1, "", GoalStatus.STATUS_UNKNOWN)
    assert call.done()
    with pytest.raises(Interrupted, match="was started anew; send the goal again"):
        call.result()


def test_a_server_that_is_gone_for_a_moment_is_waited_for(clock, server):
    call = Call(server, "goal")
    server.accept(0)
    server.there = False
    clock.now_s += GONE_S / 2
    assert not call.done()
    server.there = True
    clock.now_s += GONE_S
    assert not call.done()
    server.there = False
    clock.now_s += GONE_S + 0.1
    assert call.done()
    with pytest.raises(Interrupted, match="went away"):
        call.result()


def test_a_goal_that_is_given_up_is_cancelled_at_its_server(clock, server):
    call = Call(server, "goal")
    call.cancel()
    assert server.cancelled == 0, "it is not known to be there"
    server.accept(0)
    assert not call.done()
    call.cancel()
    assert server.cancelled == 1
