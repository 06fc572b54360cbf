"""Every registered graph: its nodes exist, its parameters are those of the nodes, bad arguments are named."""

import dataclasses
import importlib.util
from pathlib import Path

import pytest
import yaml

from perception.errors import BlockworldError
from perception.graph import GRAPHS, PACKAGE, PARAMETERS, Graph, find_graph, parse_assignments
from perception.node_parameters import NODES, check_value, checked, range_of, table, unit_of

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "ros_ws" / "src" / "perception" / "config"
DOCUMENT = ROOT / "docs" / "ros-interface.md"
every_graph = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)


@every_graph
def test_nodes_exist_and_take_the_parameters_that_they_are_given(graph: Graph) -> None:
    nodes = graph.resolve()
    assert len({node.name for node in nodes}) == len(nodes)
    for node in nodes:
        assert node.package == PACKAGE
        assert importlib.util.find_spec(f"perception.nodes.{node.executable}") is not None
        declared = {entry.name for entry in dataclasses.fields(PARAMETERS[node.executable])}
        assert set(node.parameters) <= declared


@every_graph
def test_a_launch_file_of_its_name_starts_it(graph: Graph) -> None:
    text = (ROOT / "launch" / f"{graph.name}.launch.py").read_text()
    assert f'launch_description("{graph.name}")' in text


@every_graph
def test_every_argument_has_help_and_a_default_that_parses(graph: Graph) -> None:
    for argument in graph.arguments:
        assert argument.help
        argument.parse(argument.default)


def test_localize_has_the_arguments_that_scripts_rely_on() -> None:
    names = {argument.name for argument in GRAPHS["localize"].arguments}
    assert {"cameras", "models", "engine", "params_file", "use_sim", "rviz"} <= names


def test_an_argument_that_is_not_given_leaves_the_parameter_to_the_file() -> None:
    bare = {node.name: node for node in GRAPHS["localize"].resolve()}["localizer"]
    assert "cameras" not in bare.parameters
    given = {node.name: node for node in GRAPHS["localize"].resolve({"cameras": "left,right"})}["localizer"]
    assert given.parameters["cameras"] == ["left", "right"]


def test_parameters_follow_the_params_file_so_that_they_win() -> None:
    values = {"params_file": str(CONFIGS / "localize.yaml"), "cameras": "left"}
    arguments = {node.name: node for node in GRAPHS["localize"].resolve(values)}["localizer"].ros_arguments()
    assert arguments.index("--params-file") < arguments.index('cameras:=["left"]')


def test_the_simulated_world_comes_only_when_asked_for() -> None:
    assert [node.name for node in GRAPHS["localize"].resolve()] == ["localizer"]
    with_world = GRAPHS["localize"].resolve({"use_sim": "true"})
    assert [node.name for node in with_world] == ["sim_world", "localizer"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"colour": "red"}, "graph 'localize' has no argument 'colour'"),
        ({"use_sim": "perhaps"}, "argument 'use_sim' is 'perhaps': give true or false."),
        ({"engine": "abacus"}, "argument 'engine' is 'abacus': give one of auto, onnxruntime, onnxruntime-cpu,"),
        ({"method": "magic"}, "argument 'method' is 'magic': give one of heatmaps, bins."),
        ({"seed": "-1"}, "argument 'seed' is '-1': give a whole number"),
        ({"cameras": "camera_1,"}, "give names separated by commas"),
        ({"cameras": "camera_1,camera_1"}, "names something twice"),
        ({"cameras": "1st"}, "parameter 'cameras' holds '1st'"),
        ({"models": "/no/such"}, "argument 'models' is '/no/such': there is no such folder."),
        ({"namespace": "1st"}, "argument 'namespace' is '1st': give letters, digits and _, as in robot_1"),
        ({"namespace": "a//b"}, "argument 'namespace' is 'a//b'"),
        ({"params_file": "/no/such"}, "argument 'params_file' is '/no/such': there is no such file."),
    ],
)
def test_bad_arguments_are_named_in_one_sentence(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(BlockworldError) as caught:
        GRAPHS["localize"].resolve(given)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_graphs_and_malformed_assignments_are_refused() -> None:
    with pytest.raises(BlockworldError, match="no graph 'nope'; the graphs are localize, demo, grasp_transfer"):
        find_graph("nope")
    with pytest.raises(BlockworldError, match="'seed=1' is not of the form name:=value"):
        parse_assignments(["seed=1"])
    assert parse_assignments(["a:=b:=c", "d:="]) == {"a": "b:=c", "d": ""}


@pytest.mark.parametrize("name", ["localize", "grasp_transfer"])
def test_the_example_params_file_has_the_defaults_of_the_nodes(name: str) -> None:
    content = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())
    assert f"/**/{GRAPHS[name].resolve()[-1].name}" in content
    for node, values in content.items():
        kind = PARAMETERS[node.removeprefix("/**/")]
        assert checked(kind, values["ros__parameters"]) == kind()


@pytest.mark.parametrize("kind", PARAMETERS.values(), ids=PARAMETERS)
def test_every_default_is_a_value_that_its_node_takes(kind: type) -> None:
    for entry in dataclasses.fields(kind):
        check_value(entry, entry.default)
        assert entry.metadata["help"]


@pytest.mark.parametrize(
    ("node", "values", "sentence"),
    [
        ("localizer", {"timeout_s": "long"}, "parameter 'timeout_s' is 'long': give a value of type float"),
        ("localizer", {"timeout_s": 0.0}, "parameter 'timeout_s' is 0.0: give a number from 0.5 to 3600."),
        ("localizer", {"timeout_s": float("nan")}, "parameter 'timeout_s' is nan"),
        ("localizer", {"autostart": 1}, "parameter 'autostart' is 1: give a value of type bool"),
        ("localizer", {"cameras": []}, "parameter 'cameras' is []: give a list with at least one name."),
        ("grasp_transfer", {"categories": ["mug", "hat"]}, "parameter 'categories' holds 'hat': give some of mug,"),
        ("grasp_transfer", {"exemplars": 0}, "parameter 'exemplars' is 0: give a number from 1 to 100."),
        ("sim_world", {"seed": True}, "parameter 'seed' is True: give a value of type int"),
        ("pick", {"colour": 1}, "there is no parameter 'colour'"),
    ],
)
def test_bad_parameters_are_named_in_one_sentence(node: str, values: dict, sentence: str) -> None:
    with pytest.raises(BlockworldError) as caught:
        checked(PARAMETERS[node], values)
    assert sentence in str(caught.value)


def test_a_whole_number_is_taken_for_a_real_one() -> None:
    assert checked(PARAMETERS["localizer"], {"timeout_s": 30}).timeout_s == 30


@pytest.mark.parametrize("node", NODES)
def test_the_documents_have_the_parameters_as_they_are(node: str) -> None:
    assert f"### {node}\n\n{table(node)}\n" in DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", PARAMETERS.values(), ids=PARAMETERS)
def test_every_number_has_a_range_and_what_has_a_dimension_a_unit(kind: type) -> None:
    for entry in dataclasses.fields(kind):
        if type(entry.default) in (int, float):
            assert range_of(entry).startswith("from ")
        if isinstance(entry.default, float):
            assert unit_of(entry.name) or entry.name == "least_confidence"


@every_graph
def test_a_namespace_holds_for_every_node(graph: Graph) -> None:
    for given, wanted in (("robot_1", "robot_1"), ("/hall/robot_1", "hall/robot_1")):
        for node in graph.resolve({"namespace": given}):
            assert node.namespace == wanted and node.full_name == f"{wanted}/{node.name}"
            assert f"__ns:=/{wanted}" in node.ros_arguments()
    assert not any("__ns" in word for node in graph.resolve() for word in node.ros_arguments())
