"""Every node: its states, what it refuses in them, and what it says when it cannot start."""

import pytest
from real_graph import START_S, WORLD, running

pytest.importorskip("rclpy", reason="no ROS 2: neither the wheels of the extra `ros` nor a sourced one")

from feed import Diagnosed, localizer_parameters
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import ListParameters, SetParameters

from perception.errors import BlockworldError
from perception.graph import PARAMETERS, NodeSpec

NODES = sorted(PARAMETERS)


def set_text(graph, node: str, name: str, value: str) -> str:
    """Set a text parameter of a node; returns the reason where that is refused."""
    wanted = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=value)
    request = SetParameters.Request(parameters=[Parameter(name=name, value=wanted)])
    return graph.client.call(SetParameters, f"/{node}/set_parameters", request, START_S).results[0].reason


@pytest.fixture(scope="module")
def graph(ros, models):
    """All nodes, that nobody has configured."""
    given = {
        "localizer": localizer_parameters(models),
        "sim_world": {"world": WORLD},
        "grasp_transfer": {"categories": ["mug"]},
    }
    nodes = [NodeSpec(name, name, parameters=given.get(name, {})) for name in NODES]
    with running(nodes, ros) as graph:
        for name in NODES:
            graph.client.wait_for_state("unconfigured", name, timeout_s=START_S)
        yield graph


@pytest.fixture(scope="module")
def diagnosed(graph):
    return Diagnosed(graph.client)


def test_every_node_of_the_description_runs_with_its_parameters_declared(graph):
    request = ListParameters.Request()
    for name, kind in PARAMETERS.items():
        answer = graph.client.call(ListParameters, f"/{name}/list_parameters", request, START_S)
        assert set(kind.__dataclass_fields__) <= set(answer.result.names), name


@pytest.mark.parametrize("node", NODES)
def test_a_node_goes_through_its_states_and_says_in_which_it_is(graph, diagnosed, tmp_path, node):
    client, part = graph.client, {"localizer": "localizer: localization"}.get(node, node)
    for turn in range(2):
        if node == "bag_recorder":
            assert set_text(graph, node, "folder", str(tmp_path / f"bag_{turn}")) == ""
        for transition, state in (
            ("configure", "inactive"), ("activate", "active"), ("deactivate", "inactive"), ("cleanup", "unconfigured"),
        ):  # fmt: skip
            assert client.change_state(transition, node), transition
            assert client.state(node) == state
            assert client.spin_until(lambda s=state: diagnosed.values(part).get("state") == s, START_S)
            if state != "active":
                assert f"{state}: it works only when it is active" in diagnosed.message(part)
    assert not (node == "bag_recorder" and not (tmp_path / "bag_1" / "metadata.yaml").is_file()), "the bag is closed"


def test_goals_are_refused_by_nodes_that_are_not_active(graph):
    from perception_interfaces.action import MoveClamp

    client = graph.client
    for ask in (client.pick, lambda: client.localize("coarse"), lambda: client.move(MoveClamp.Goal(home=True))):
        with pytest.raises(BlockworldError, match="its node is not active or is busy"):
            ask()
    with pytest.raises(BlockworldError, match="the node sim_world is unconfigured: activate it"):
        client.reset(0, 0)


@pytest.mark.parametrize(
    ("node", "name", "value", "sentence"),
    [
        ("sim_world", "world", "nowhere", "there is no simulated world 'nowhere'"),
        ("bag_recorder", "folder", "", "parameter 'folder' is empty"),
        ("localizer", "models", "/nowhere", "there is no model"),
        ("grasp_transfer", "models", "/nowhere", "there is no model"),
    ],
)
def test_a_node_that_cannot_be_configured_stays_and_says_why(graph, models, diagnosed, node, name, value, sentence):
    client, part = graph.client, {"localizer": "localizer: localization"}.get(node, node)
    before = {"sim_world": WORLD, "bag_recorder": "", "localizer": str(models), "grasp_transfer": ""}[node]
    assert set_text(graph, node, name, value) == ""
    try:
        assert not client.change_state("configure", node)
        assert client.state(node) == "unconfigured"
        assert diagnosed.says(part, sentence), diagnosed.message(part)
    finally:
        set_text(graph, node, name, before)


def test_a_node_that_cannot_start_by_itself_ends_with_one_sentence(ros, tmp_path):
    taken = tmp_path / "bag"
    taken.mkdir()
    nodes = [NodeSpec("bag_recorder", "bag_recorder", parameters={"folder": str(taken), "autostart": True})]
    with running(nodes, ros) as graph:
        ended = []

        def has_ended() -> bool:
            ended.append(graph.supervisor.poll())
            return ended[-1] is not None

        assert graph.client.spin_until(has_ended, START_S)
        assert ended[-1].code == 2
        assert "give a folder that does not exist yet" in ended[-1].last_line
