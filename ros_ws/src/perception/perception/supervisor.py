"""Starts several processes, passes their output on line by line, and stops all of them, whatever happens.

Every process leads a process group of its own, so that a signal also reaches what it started itself. Stopping
goes from polite to final: SIGINT, then SIGTERM, then SIGKILL for those that are still there.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

OnLine = Callable[[str, str], None]
LONGEST_RESPAWN_S = 30.0
# Where util-linux is there, the kernel ends a process whose supervisor was killed and could not stop it.
_ENDS_WITH_PARENT = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()


@dataclass(frozen=True)
class ProcessSpec:
    """One process: its name in messages, its command, additions to the environment, whether it comes back."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    respawn: bool = False


@dataclass(frozen=True)
class Exit:
    """A process that ended by itself; code is negative for a signal, as in subprocess."""

    name: str
    code: int
    last_line: str

    def __str__(self) -> str:
        how = f"exit code {self.code}" if self.code >= 0 else signal.Signals(-self.code).name
        said = f", its last line: {self.last_line.rstrip('.')}" if self.last_line else ""
        return f"{self.name} ended with {how}{said}"


class _Process:
    """A running process and the thread that reads its output."""

    def __init__(self, spec: ProcessSpec, on_line: OnLine) -> None:
        self.spec = spec
        self.last_line = ""
        self.started_s = time.monotonic()
        self._on_line = on_line
        if shutil.which(spec.command[0]) is None:  # setpriv would start, and fail later
            raise FileNotFoundError(f"{spec.command[0]}, which starts {spec.name}, is not there")
        self.popen = subprocess.Popen(
            (*_ENDS_WITH_PARENT, *spec.command),
            env={**os.environ, "PYTHONUNBUFFERED": "1", **spec.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            text=True,
            errors="replace",
        )
        self._reader = threading.Thread(target=self._read, name=f"output of {spec.name}", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            text = line.rstrip()
            if text:
                self.last_line = text
            self._on_line(self.spec.name, text)

    def finish_output(self) -> None:
        self._reader.join(timeout=1.0)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group, whether or not its leader is still there."""
        try:
            os.killpg(self.popen.pid, number)
        except (ProcessLookupError, PermissionError):
            return

    def group_alive(self) -> bool:
        self.popen.poll()  # reaps the leader, which would otherwise keep the group alive as a zombie
        try:
            os.killpg(self.popen.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return self.popen.returncode is None
        return True


class Supervisor:
    """Runs processes together: the end of one that does not respawn is reported, and `stop` ends them all.

    Use it as a context manager, so that nothing is left running on an error either.
    """

    def __init__(
        self, specs: Sequence[ProcessSpec], on_line: OnLine, patience_s: tuple[float, float] = (5.0, 3.0)
    ) -> None:
        """on_line is called with (name, line) from a thread per process;
        patience_s: seconds between SIGINT and SIGTERM, and between SIGTERM and SIGKILL."""
        self._specs = list(specs)
        self._on_line = on_line
        self._patience_s = patience_s
        self._processes: dict[str, _Process] = {}
        self._restart_at: dict[str, tuple[float, ProcessSpec]] = {}
        self._deaths: dict[str, int] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start every process. If one cannot be, those before it are stopped and OSError is raised."""
        try:
            for spec in self._specs:
                self._processes[spec.name] = _Process(spec, self._on_line)
        except BaseException:
            self.stop()
            raise

    def process_ids(self) -> dict[str, int]:
        """Process id of each process that is running, by name."""
        return {name: p.popen.pid for name, p in self._processes.items() if p.popen.poll() is None}

    def poll(self) -> Exit | None:
        """Restart what is due, and return the first process that ended and does not come back, if any."""
        now = time.monotonic()
        for name, (due, spec) in list(self._restart_at.items()):
            if now >= due:
                del self._restart_at[name]
                self._processes[name] = _Process(spec, self._on_line)
        for name, process in list(self._processes.items()):
            code = process.popen.poll()
            if code is None:
                continue
            process.finish_output()
            ended = Exit(name, code, process.last_line)
            if not process.spec.respawn:
                return ended
            del self._processes[name]
            process.signal(signal.SIGKILL)  # what it may have left behind of its group
            delay = self._respawn_delay_s(name, now - process.started_s)
            self._on_line(name, f"{ended}; it is started again in {delay:g} s")
            self._restart_at[name] = (now + delay, process.spec)
        return None

    def _respawn_delay_s(self, name: str, lived_s: float) -> float:
        """1 s, doubled for each death in a row within LONGEST_RESPAWN_S of its start."""
        self._deaths[name] = 0 if lived_s > LONGEST_RESPAWN_S else self._deaths.get(name, -1) + 1
        return float(min(2.0 ** self._deaths[name], LONGEST_RESPAWN_S))

    def run(self, stopping: threading.Event, interval_s: float = 0.2) -> Exit | None:
        """Wait until `stopping` is set (returns None) or a process ends for good (returns it)."""
        while not stopping.wait(interval_s):
            ended = self.poll()
            if ended is not None:
                return ended
        return None

    def stop(self) -> None:
        """End every process and its group; returns when all are gone."""
        self._restart_at.clear()
        processes = list(self._processes.values())
        for number, patience in zip(
            (signal.SIGINT, signal.SIGTERM, signal.SIGKILL), (*self._patience_s, 5.0), strict=True
        ):
            alive = [process for process in processes if process.group_alive()]
            for process in alive:
                process.signal(number)
            deadline = time.monotonic() + patience
            while alive and time.monotonic() < deadline:
                time.sleep(0.02)
                alive = [process for process in alive if process.group_alive()]
        for process in processes:
            process.popen.wait()
            process.finish_output()
        self._processes.clear()
