"""A DDS domain for this test session, models of coloured discs, and graphs of real processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fixtures_bundle import write_marker_bundles

from perception.graph import NodeSpec
from perception.ros_environment import free_domain_id, ros_environment
from perception.supervisor import ProcessSpec, Supervisor

ROOT = Path(__file__).resolve().parents[2]
WORLD = "fixtures_world:MarkerWorld"
START_S = 90.0  # a busy machine takes a while to import everything


@pytest.fixture(scope="session")
def ros() -> Iterator[dict[str, str]]:
    """The environment of all nodes of the session, which is that of this process meanwhile."""
    pytest.importorskip("rclpy", reason="no ROS 2: neither the wheels of the extra `ros` nor a sourced one")
    environment = ros_environment(free_domain_id())
    # The sources come first: tests/perception would otherwise be taken for the package of that name.
    sources = (ROOT / "ros_ws" / "src" / "perception", ROOT, ROOT / "tests")
    environment["PYTHONPATH"] = ":".join(map(str, sources))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield environment


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder whose networks find coloured discs."""
    return write_marker_bundles(tmp_path_factory.mktemp("models"))


class Graph:
    """Processes that run, what they print, and a client that talks to them."""

    def __init__(self, supervisor: Supervisor, client, lines: list[tuple[str, str]]) -> None:
        self.supervisor = supervisor
        self.client = client
        self.lines = lines

    def output(self, name: str) -> str:
        """What a node has printed."""
        return "\n".join(line for source, line in self.lines if source == name)


@contextmanager
def running(nodes: list[NodeSpec], environment: dict[str, str]) -> Iterator[Graph]:
    """Start nodes and a client in the session's domain; all are stopped at the end."""
    from perception.nodes.client import Client

    lines: list[tuple[str, str]] = []
    specs = [ProcessSpec(node.name, node.command(), environment, node.respawn) for node in nodes]
    with Supervisor(specs, lambda name, line: lines.append((name, line))) as supervisor, Client() as client:
        yield Graph(supervisor, client, lines)
