"""Graphs of real processes, and a client that talks to them."""

from collections.abc import Iterator
from contextlib import contextmanager

from perception.graph import NodeSpec
from perception.supervisor import ProcessSpec, Supervisor

WORLD = "fixtures_world:MarkerWorld"
START_S = 90.0  # a busy machine takes a while to import everything


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
