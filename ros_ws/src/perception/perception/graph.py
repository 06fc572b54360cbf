"""The ROS 2 graphs of this project, described once for `launch/*.launch.py`, `blockworld up` and the demo.

A graph has arguments (text, as `ros2 launch GRAPH name:=value` gives them) and a function from their values
to nodes. An argument that is not given is not passed on, so that the params file's value holds, and below it
the node's own default (`perception.node_parameters`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from perception.engine_names import ENGINES
from perception.errors import BlockworldError
from perception.node_parameters import CONTINUOUS, METHODS, NODES, checked
from perception.ros_environment import ros_environment
from perception.supervisor import ProcessSpec

PACKAGE = "perception"
_NAMESPACE = re.compile(r"/?[A-Za-z]\w*(/[A-Za-z]\w*)*", re.ASCII)
PARAMETERS: dict[str, type] = {node: kind for node, (kind, _) in NODES.items()}


@dataclass(frozen=True)
class Argument:
    """An argument of a graph; kind is what its text stands for, default "" means that it is not given."""

    name: str
    help: str
    kind: str = "text"  # text | names | flag | integer | folder | file
    default: str = ""
    choices: tuple[str, ...] = ()

    def parse(self, text: str) -> Any:
        """The value of a text, None for an empty one; raises BlockworldError naming the argument."""
        if text == "":
            return None
        if self.choices and text not in self.choices:
            known = ", ".join(self.choices)
            raise BlockworldError(f"argument '{self.name}' is '{text}': give one of {known}.")
        return _PARSERS[self.kind](self.name, text)


@dataclass(frozen=True)
class NodeSpec:
    """One node: which executable of which package, under which node name, with which parameters."""

    name: str
    executable: str = ""
    package: str = PACKAGE
    parameters: Mapping[str, Any] = field(default_factory=dict)
    params_file: str | None = None
    remappings: tuple[tuple[str, str], ...] = ()
    arguments: tuple[str, ...] = ()
    respawn: bool = False
    namespace: str = ""

    @property
    def full_name(self) -> str:
        """With the namespace before it, as in robot_1/localizer."""
        return f"{self.namespace}/{self.name}".lstrip("/")

    def ros_arguments(self) -> list[str]:
        """What follows --ros-args: node name, params file, then parameters, which win over the file."""
        arguments = ["-r", f"__node:={self.name}"]
        if self.namespace:
            arguments += ["-r", f"__ns:=/{self.namespace}"]
        if self.params_file is not None:
            arguments += ["--params-file", self.params_file]
        for name, value in self.parameters.items():
            arguments += ["-p", f"{name}:={json.dumps(value)}"]  # JSON is YAML
        for topic, other in self.remappings:
            arguments += ["-r", f"{topic}:={other}"]
        return arguments

    def command(self) -> tuple[str, ...]:
        """The command that starts the node; raises BlockworldError where it is not installed."""
        if self.package == PACKAGE:
            start = [sys.executable, "-m", f"perception.nodes.{self.executable}"]
        else:
            path = shutil.which(self.executable)
            if path is None:
                raise BlockworldError(
                    f"'{self.executable}' is not installed here; leave {self.name}:=true out, "
                    "or source a ROS 2 that has it."
                )
            start = [path]
        return (*start, *self.arguments, "--ros-args", *self.ros_arguments())


@dataclass(frozen=True)
class Graph:
    """A set of nodes that are started together."""

    name: str
    help: str
    arguments: tuple[Argument, ...]
    build: Callable[[dict[str, Any]], list[NodeSpec]]

    def resolve(self, given: Mapping[str, str] | None = None) -> list[NodeSpec]:
        """The nodes for arguments given as text; raises BlockworldError naming an unknown or bad argument."""
        given = given or {}
        for name in given:
            if name not in {argument.name for argument in self.arguments}:
                known = ", ".join(argument.name for argument in self.arguments)
                raise BlockworldError(
                    f"graph '{self.name}' has no argument '{name}'; its arguments are {known}."
                )
        values = {a.name: a.parse(given.get(a.name, a.default)) for a in self.arguments}
        nodes = [replace(node, namespace=values["namespace"] or "") for node in self.build(values)]
        for node in nodes:
            if node.package == PACKAGE:
                checked(PARAMETERS[node.executable], node.parameters)
        return nodes

    def process_specs(self, given: Mapping[str, str] | None = None) -> list[ProcessSpec]:
        """The processes of the graph, for `perception.supervisor`."""
        environment = ros_environment()
        return [
            ProcessSpec(node.full_name, node.command(), environment, node.respawn) for node in self.resolve(given)
        ]


CAMERAS = Argument("cameras", "cameras to use, as camera_1,camera_2; each on NAME/image_raw", "names")
NAMESPACE = Argument("namespace", "namespace of all nodes and topics, as robot_1", "namespace")
MODELS = Argument("models", "folder of the model bundles", "folder")
ENGINE = Argument("engine", "inference engine", choices=tuple(ENGINES))
METHOD = Argument("method", "how the block is localized", choices=METHODS)
STAGE = Argument(
    "continuous", "stage that is done again and again without being asked", choices=CONTINUOUS
)
PARAMS_FILE = Argument("params_file", "YAML file of node parameters, as config/localize.yaml", "file")
GRASP_PARAMS_FILE = replace(PARAMS_FILE, help="YAML file of node parameters, as config/grasp_transfer.yaml")
CATEGORIES = Argument("categories", "categories of objects that are known, as mug,bowl", "names")
USE_SIM = Argument("use_sim", "start the simulated world in place of robot and cameras", "flag", "false")
RVIZ = Argument("rviz", "start RViz with the display of this graph", "flag", "false")
WORLD = Argument("world", "simulated world: a registered name, or module:Class")
ROBOT = Argument("robot", "robot of the simulated world: a name, or the folder of a description")
SEED = Argument("seed", "seed of the simulated world", "integer")
PICK = Argument("pick", "start the node that picks the block up; needs a server of move_clamp", "flag", "false")
BAG = Argument("bag", "folder of a rosbag2 (MCAP) to record; it must not exist yet")

OF_LOCALIZER = (CAMERAS, MODELS, ENGINE, METHOD, STAGE)


def localize(values: dict[str, Any]) -> list[NodeSpec]:
    """The localizer; with the simulated world, the node that picks up, a bag and RViz where asked for."""
    nodes = []
    params_file = values["params_file"]
    if values["use_sim"]:
        world = _given({name: values[name] for name in ("world", "robot", "seed")})
        world["autostart"] = True
        nodes.append(NodeSpec("sim_world", "sim_world", parameters=world, params_file=params_file))
    localizer = _given({name: values[name] for name in ("cameras", "models", "engine", "method", "continuous")})
    localizer["autostart"] = True
    if values["use_sim"]:
        localizer["reliable_inputs"] = True
    nodes.append(
        NodeSpec("localizer", "localizer", parameters=localizer, params_file=params_file, respawn=True)
    )
    start = {"autostart": True}
    if values["pick"]:
        nodes.append(NodeSpec("pick", "pick", parameters=start, params_file=params_file))
    if values["bag"] is not None:
        bag = {"folder": values["bag"], **start}
        nodes.append(NodeSpec("bag_recorder", "bag_recorder", parameters=bag, params_file=params_file))
    return nodes + _rviz(values, "localize")


def demo(values: dict[str, Any]) -> list[NodeSpec]:
    """The simulated world, the localizer and the node that picks the block up; a bag where asked for."""
    return localize({**values, "use_sim": True, "pick": True})


def grasp_transfer(values: dict[str, Any]) -> list[NodeSpec]:
    """The node that finds grasps of objects; RViz where asked for."""
    given = {**_given({name: values[name] for name in ("categories", "models")}), "autostart": True}
    node = NodeSpec(
        "grasp_transfer", "grasp_transfer", parameters=given, params_file=values["params_file"], respawn=True
    )
    return [node, *_rviz(values, "grasp_transfer")]


def _rviz(values: dict[str, Any], display: str) -> list[NodeSpec]:
    """RViz with a display of the folder rviz/, where asked for."""
    if not values["rviz"]:
        return []
    return [NodeSpec("rviz", "rviz2", package="rviz2", arguments=("-d", shared_file(f"rviz/{display}.rviz")))]


GRAPHS: dict[str, Graph] = {
    graph.name: graph
    for graph in (
        Graph(
            "localize",
            "tell where the block is, from camera images and joint states",
            (*OF_LOCALIZER, NAMESPACE, PARAMS_FILE, USE_SIM, WORLD, ROBOT, SEED, PICK, BAG, RVIZ),
            localize,
        ),
        Graph(
            "demo",
            "localize the block in a simulated world and pick it up",
            (*OF_LOCALIZER, NAMESPACE, PARAMS_FILE, WORLD, ROBOT, SEED, BAG, RVIZ),
            demo,
        ),
        Graph(
            "grasp_transfer",
            "find grasps of an object from its shape, by those of objects of its category",
            (CATEGORIES, MODELS, NAMESPACE, GRASP_PARAMS_FILE, RVIZ),
            grasp_transfer,
        ),
    )
}


def find_graph(name: str) -> Graph:
    """The graph of a name; raises BlockworldError that lists the graphs."""
    if name not in GRAPHS:
        raise BlockworldError(f"there is no graph '{name}'; the graphs are {', '.join(GRAPHS)}.")
    return GRAPHS[name]


def parse_assignments(assignments: Sequence[str]) -> dict[str, str]:
    """name:=value texts as a mapping; raises BlockworldError for a text of another form."""
    given = {}
    for text in assignments:
        name, separator, value = text.partition(":=")
        if not separator or not name:
            raise BlockworldError(f"'{text}' is not of the form name:=value, as in use_sim:=true.")
        given[name] = value
    return given


def shared_file(name: str) -> str:
    """Path of a file of the ROS 2 package: in the checkout, else where colcon installed it."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    folders = [Path(__file__).resolve().parent.parent, *(Path(p, "share", PACKAGE) for p in prefixes)]
    found = [folder / name for folder in folders if (folder / name).is_file()]
    return os.fspath(found[0] if found else folders[0] / name)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _namespace(name: str, text: str) -> str:
    if not _NAMESPACE.fullmatch(text):
        raise BlockworldError(
            f"argument '{name}' is '{text}': give letters, digits and _, as in robot_1 or hall/robot_1."
        )
    return text.strip("/")


def _flag(name: str, text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise BlockworldError(f"argument '{name}' is '{text}': give true or false.")
    return text.lower() == "true"


def _integer(name: str, text: str) -> int:
    if not text.isdecimal():
        raise BlockworldError(f"argument '{name}' is '{text}': give a whole number, 0 or more.")
    return int(text)


def _names(name: str, text: str) -> list[str]:
    names = [item.strip() for item in text.strip("[]").split(",")]
    if not all(names):
        raise BlockworldError(
            f"argument '{name}' is '{text}': give names separated by commas, as camera_1,camera_2."
        )
    return names


def _folder(name: str, text: str) -> str:
    path = Path(text).expanduser().resolve()
    if not path.is_dir():
        raise BlockworldError(f"argument '{name}' is '{text}': there is no such folder.")
    return os.fspath(path)


def _file(name: str, text: str) -> str:
    path = Path(text).expanduser().resolve()
    if not path.is_file():
        raise BlockworldError(f"argument '{name}' is '{text}': there is no such file.")
    return os.fspath(path)


_PARSERS: dict[str, Callable[[str, str], Any]] = {
    "text": lambda name, text: text,
    "names": _names,
    "namespace": _namespace,
    "flag": _flag,
    "integer": _integer,
    "folder": _folder,
    "file": _file,
}
