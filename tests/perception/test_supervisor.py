"""Processes run together: their output is passed on, one that ends is told, and none is left at the end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from perception.supervisor import ProcessSpec, Supervisor

PATIENCE_S = (0.5, 0.5)
DEADLINE_S = 20.0
STUBBORN = "import signal, time; [signal.signal(s, signal.SIG_IGN) for s in (2, 15)]; print('on'); time.sleep(60)"


def spec(name: str, code: str, respawn: bool = False) -> ProcessSpec:
    return ProcessSpec(name, (sys.executable, "-c", code), {"GREETING": "hello"}, respawn)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "not within 20 s"
        time.sleep(0.01)


def alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]


def test_output_comes_line_by_line_under_the_name_of_its_process() -> None:
    lines: list[tuple[str, str]] = []
    code = "import os; print(os.environ['GREETING']); import time; time.sleep(60)"
    with Supervisor([spec("a", code), spec("b", code)], lambda *line: lines.append(line), PATIENCE_S):
        wait_for(lambda: len(lines) >= 2)
        assert sorted(lines) == [("a", "hello"), ("b", "hello")]


def test_a_process_that_ends_is_told_with_its_last_line_and_the_others_are_stopped() -> None:
    ends = "print('no camera.'); raise SystemExit(3)"
    specs = [spec("long", "import time; time.sleep(60)"), spec("short", ends)]
    with Supervisor(specs, lambda *line: None, PATIENCE_S) as supervisor:
        other = supervisor.process_ids()["long"]
        ended = supervisor.run(threading.Event())
    assert str(ended) == "short ended with exit code 3, its last line: no camera"
    assert not alive(other)


def test_a_process_with_respawn_comes_back_after_it_was_killed() -> None:
    node = spec("node", "import time; time.sleep(60)", respawn=True)
    with Supervisor([node], lambda *line: None, PATIENCE_S) as running:
        first = running.process_ids()["node"]
        os.kill(first, signal.SIGKILL)

        def is_back() -> bool:
            assert running.poll() is None
            return running.process_ids().get("node", first) != first

        wait_for(is_back)


def test_one_that_ignores_interrupt_and_termination_is_killed() -> None:
    lines: list[tuple[str, str]] = []
    supervisor = Supervisor([spec("stubborn", STUBBORN)], lambda *line: lines.append(line), (0.2, 0.2))
    supervisor.start()
    wait_for(lambda: ("stubborn", "on") in lines)
    process_id = supervisor.process_ids()["stubborn"]
    supervisor.stop()
    assert not alive(process_id)


def test_children_of_a_process_are_stopped_with_it(tmp_path: Path) -> None:
    note = tmp_path / "child"
    child = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); "
    child += f"open({str(note)!r}, 'w').write(str(p.pid)); p.wait()"
    with Supervisor([spec("parent", child)], lambda *line: None, (0.2, 0.2)):
        wait_for(lambda: note.is_file() and note.read_text().isdecimal())
    assert not alive(int(note.read_text()))


def test_a_command_that_does_not_exist_leaves_nothing_running() -> None:
    specs = [spec("first", "import time; time.sleep(60)"), ProcessSpec("second", ("/no/such/program",))]
    supervisor = Supervisor(specs, lambda *line: None, PATIENCE_S)
    with pytest.raises(FileNotFoundError, match="/no/such/program, which starts second"):
        supervisor.start()
    assert not supervisor.process_ids()


@pytest.mark.skipif(sys.platform != "linux", reason="setpriv is of Linux")
def test_processes_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    note = tmp_path / "node"
    program = (
        "import sys, threading\n"
        "from perception.supervisor import ProcessSpec, Supervisor\n"
        "code = 'import time; time.sleep(60)'\n"
        "running = Supervisor([ProcessSpec('node', (sys.executable, '-c', code))], print)\n"
        "running.start()\n"
        f"open({str(note)!r}, 'w').write(str(running.process_ids()['node']))\n"
        "running.run(threading.Event())\n"
    )
    sources = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    parent = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, **sources})
    try:
        wait_for(lambda: note.is_file() and note.read_text().isdecimal())
        time.sleep(0.3)  # setpriv has to have started
    finally:
        parent.kill()
        parent.wait()
    child = int(note.read_text())
    wait_for(lambda: not alive(child))
    assert not alive(child)
