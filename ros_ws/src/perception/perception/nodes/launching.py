"""Turns the description of a graph into launch actions, for the files in launch/; needs `launch_ros`."""

from __future__ import annotations

from launch.actions import DeclareLaunchArgument, EmitEvent, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription
from perception.graph import Graph, NodeSpec, find_graph

RESPAWN_DELAY_S = 2.0


def launch_description(name: str) -> LaunchDescription:
    """The launch description of a graph: its arguments, and the nodes that they lead to."""
    graph = find_graph(name)
    arguments = [
        DeclareLaunchArgument(
            argument.name,
            default_value=argument.default,
            description=argument.help,
            choices=["", *argument.choices] if argument.choices else None,
        )
        for argument in graph.arguments
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=_start, args=[graph])])


def _start(context: LaunchContext, graph: Graph) -> list:
    given = {a.name: LaunchConfiguration(a.name).perform(context) for a in graph.arguments}
    actions = []
    for spec in graph.resolve(given):
        node = launch_node(spec)
        actions.append(node)
        if not spec.respawn:
            end = EmitEvent(event=Shutdown(reason=f"{spec.name} ended"))
            actions.append(RegisterEventHandler(OnProcessExit(target_action=node, on_exit=[end])))
    return actions


def launch_node(spec: NodeSpec) -> Node:
    """The launch action of a node; as in `NodeSpec.ros_arguments`, parameters win over the params file."""
    parameters: list = [] if spec.params_file is None else [spec.params_file]
    if spec.parameters:
        # Texts stay texts: launch_ros would read them as YAML, in which on, off and no are truth values.
        texts = {name: value for name, value in spec.parameters.items() if isinstance(value, str)}
        typed = {name: ParameterValue(value, value_type=str) for name, value in texts.items()}
        parameters.append({**spec.parameters, **typed})
    return Node(
        package=spec.package,
        executable=spec.executable,
        name=spec.name,
        namespace=spec.namespace or None,
        parameters=parameters,
        remappings=list(spec.remappings),
        arguments=list(spec.arguments),
        output="screen",
        respawn=spec.respawn,
        respawn_delay=RESPAWN_DELAY_S,
    )
