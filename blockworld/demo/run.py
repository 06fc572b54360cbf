"""Starts the demo's processes, follows them, and leaves none behind."""

import json
import os
import queue
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

from blockworld.demo.episodes import Episode
from perception.errors import BlockworldError
from perception.graph import find_graph
from perception.localize import Localizer
from perception.ros_environment import domain_is_free, free_domain_id, ros_environment
from perception.supervisor import ProcessSpec, Supervisor

RUNNER = "episode_runner"
MARK = ".blockworld-demo"
READY_TIMEOUT_S = 180.0
EPISODE_TIMEOUT_S = 300.0
SILENCE_S = EPISODE_TIMEOUT_S + 120.0  # longer than anything that the runner itself waits for
POLL_S = 0.1


class DemoFailedError(Exception):
    """The graph did not work to the end; the message is one sentence for the user."""


@dataclass(frozen=True)
class DemoSettings:
    """What to run. models: None for the default folder; world, robot: as the arguments of the graph."""

    episodes: int
    seed: int
    out: Path
    models: Path | None = None
    engine: str = "auto"
    world: str = "pybullet"
    robot: str | None = None

    @property
    def pictures(self) -> Path:
        """Folder of the pictures."""
        return self.out / "pictures"

    @property
    def bag(self) -> Path:
        """Folder of the recording."""
        return self.out / "bag"

    @property
    def log(self) -> Path:
        """File with what the processes said."""
        return self.out / "demo.log"


OnEvent = Callable[[dict[str, Any]], None]


def run_demo(settings: DemoSettings, on_event: OnEvent, episodes: list[Episode]) -> None:
    """Run the episodes and append each to `episodes` as it ends; on_event hears of every event of the runner.

    Raises BlockworldError for what is wrong before the start and DemoFailedError for what fails later. Ctrl-C
    and SIGTERM come out as KeyboardInterrupt. However it ends, no process of it is left running.
    """
    check(settings)
    prepare(settings.out)
    settings.pictures.mkdir()
    domain_id = choose_domain()
    lines: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    supervisor = Supervisor(process_specs(settings, domain_id), lambda name, line: lines.put((name, line)))
    with settings.log.open("w", encoding="utf-8", buffering=1) as log, _interruptible(), _running(supervisor):
        on_event({"event": "started", "domain_id": domain_id, "processes": list(supervisor.process_ids())})
        _follow(supervisor, lines, log, on_event, episodes)


def check(settings: DemoSettings) -> None:
    """Raise BlockworldError, before anything is started, where the demo cannot work."""
    for module in ("rclpy", "perception_interfaces"):
        if find_spec(module) is None:
            raise BlockworldError(
                f"the demo needs ROS 2, but the Python module {module} is not installed: "
                "start it by `./run demo`, which installs it."
            )
    Localizer.open(settings.models, settings.engine)  # what the node would find wrong later, in its log


def prepare(out: Path) -> None:
    """Make the output folder, or empty it of an earlier demo; raises BlockworldError for other contents."""
    try:
        if out.is_dir() and any(out.iterdir()):
            if not (out / MARK).exists():
                raise BlockworldError(
                    f"{out} is not empty and holds no earlier demo: give an empty or new folder as --out."
                )
            for path in out.iterdir():
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        out.mkdir(parents=True, exist_ok=True)
        (out / MARK).touch()
    except OSError as error:
        raise BlockworldError(
            f"{out} cannot be written ({error.strerror}): give a folder of yours as --out."
        ) from error


def choose_domain() -> int:
    """The DDS domain of ROS_DOMAIN_ID if set, else a free one; raises BlockworldError for one in use."""
    named = os.environ.get("ROS_DOMAIN_ID")
    try:
        if not named:
            return free_domain_id()
        if named.isdecimal() and domain_is_free(int(named)):
            return int(named)
    except (ValueError, RuntimeError) as error:
        raise BlockworldError(f"{error}.") from error
    raise BlockworldError(
        f"ROS_DOMAIN_ID is {named}, which is in use on this machine or no domain: unset it, or give another."
    )


def process_specs(settings: DemoSettings, domain_id: int) -> list[ProcessSpec]:
    """The processes of the graph and the one that runs the episodes, all in one DDS domain."""
    arguments = {
        "world": settings.world,
        "seed": str(settings.seed),
        "engine": settings.engine,
        "bag": str(settings.bag.resolve()),
    }
    if settings.models is not None:
        arguments["models"] = str(settings.models)
    if settings.robot is not None:
        arguments["robot"] = settings.robot
    runner = (
        *(sys.executable, "-m", f"perception.nodes.{RUNNER}"),
        *("--episodes", str(settings.episodes), "--seed", str(settings.seed)),
        *("--pictures", str(settings.pictures.resolve())),
        *("--ready-timeout-s", str(READY_TIMEOUT_S), "--episode-timeout-s", str(EPISODE_TIMEOUT_S)),
    )
    environment = ros_environment(domain_id)
    specs = [*find_graph("demo").process_specs(arguments), ProcessSpec(RUNNER, runner)]
    return [replace(spec, environment=environment) for spec in specs]


def _follow(
    supervisor: Supervisor,
    lines: queue.SimpleQueue[tuple[str, str]],
    log: TextIO,
    on_event: OnEvent,
    episodes: list[Episode],
) -> None:
    """Handle what the processes say until the runner is done; raises DemoFailedError where it will not be."""
    heard_s = time.monotonic()
    problem = ""
    while True:
        try:
            name, line = lines.get(timeout=POLL_S)
        except queue.Empty:
            ended = supervisor.poll()
            if ended is not None and lines.empty():
                raise DemoFailedError(f"{ended}; see {log.name}.") from None
            if time.monotonic() - heard_s > SILENCE_S:
                raise DemoFailedError(f"nothing happened for {SILENCE_S:g} s; see {log.name}.") from None
            continue
        log.write(f"[{name}] {line}\n")
        event = _event(line) if name == RUNNER else None
        if event is None:
            if "[ERROR]" in line or line.startswith("error: "):
                problem = f"{name}: {line}"
            continue
        heard_s = time.monotonic()
        if event["event"] == "failed":
            said = f" The last error was: {problem}" if problem else ""
            raise DemoFailedError(f"{event['message']}{said}")
        if event["event"] == "episode":
            episodes.append(Episode.from_event(event))
        if event["event"] == "done":
            return
        on_event(event)


def _event(line: str) -> dict[str, Any] | None:
    """The event of a line, None for a line of another kind."""
    if not line.startswith('{"event": '):
        return None
    event = json.loads(line)
    assert isinstance(event, dict)
    return event


@contextmanager
def _running(supervisor: Supervisor) -> Iterator[None]:
    """The processes, started; a second Ctrl-C does not interrupt their end."""
    try:
        supervisor.start()
        yield
    finally:
        before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        supervisor.stop()
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM and SIGINT raise KeyboardInterrupt, also where the shell started this with SIGINT ignored."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
