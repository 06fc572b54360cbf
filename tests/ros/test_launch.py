"""The launch files load under `launch_ros`, and start what `blockworld up` starts."""

from pathlib import Path

import pytest

from perception.graph import GRAPHS

REASON = "`launch` and `launch_ros` are not on PyPI: they come with a sourced ROS 2"
pytest.importorskip("launch.actions", reason=REASON)  # not "launch", which is a folder of the checkout too
pytest.importorskip("launch_ros.actions", reason=REASON)

import launch  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
GIVEN = {"cameras": "camera_1,camera_2", "engine": "onnxruntime", "categories": "mug,bowl"}
every_graph = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)


def description(graph):
    """The launch description of the file in launch/."""
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    path = str(ROOT / "launch" / f"{graph.name}.launch.py")
    return PythonLaunchDescriptionSource(path).get_launch_description(launch.LaunchContext())


@every_graph
def test_the_launch_file_declares_the_arguments_of_the_graph(graph):
    declared = {argument.name: argument for argument in description(graph).get_launch_arguments()}
    assert list(declared) == [argument.name for argument in graph.arguments]


@every_graph
def test_the_launch_file_gives_the_nodes_the_parameters_of_the_graph(graph):
    from launch.actions import OpaqueFunction
    from launch.utilities import normalize_to_list_of_substitutions, perform_substitutions
    from launch_ros.actions import Node
    from launch_ros.utilities import evaluate_parameters

    given_texts = {argument.name: GIVEN[argument.name] for argument in graph.arguments if argument.name in GIVEN}
    context = launch.LaunchContext()
    context.launch_configurations.update({a.name: given_texts.get(a.name, a.default) for a in graph.arguments})
    actions = []
    for entity in description(graph).entities:
        if isinstance(entity, OpaqueFunction):
            actions += entity.execute(context)
    nodes = [action for action in actions if isinstance(action, Node)]
    specs = graph.resolve(given_texts)
    assert len(nodes) == len(specs)
    for node, spec in zip(nodes, specs, strict=True):
        assert node.node_package == spec.package
        assert node.node_executable == spec.executable
        name = normalize_to_list_of_substitutions(node._Node__node_name)
        assert perform_substitutions(context, name) == spec.name
        given = {}
        for parameters in evaluate_parameters(context, node._Node__parameters):
            given.update(parameters)
        assert {name: list(v) if isinstance(v, tuple) else v for name, v in given.items()} == spec.parameters
