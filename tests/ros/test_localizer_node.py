"""The localizer alone, fed by this test: its lifecycle, and what it does with bad or missing input."""

import numpy as np
import pytest
from real_graph import START_S, running

from perception.errors import BlockworldError
from perception.graph import NodeSpec

pytest.importorskip("rclpy", reason="no ROS 2: neither the wheels of the extra `ros` nor a sourced one")

from feed import CAMERAS, Feed, localizer_parameters


@pytest.fixture(scope="module")
def graph(ros, models):
    """A localizer that nobody has configured."""
    with running([NodeSpec("localizer", "localizer", parameters=localizer_parameters(models))], ros) as graph:
        graph.client.wait_for_state("unconfigured", timeout_s=START_S)
        yield graph


@pytest.fixture(scope="module")
def robot(graph):
    return Feed(graph.client)


@pytest.fixture
def active(graph, robot):
    """The localizer, active, and a robot that publishes as it should; both are left so."""
    if graph.client.state() == "unconfigured":
        assert graph.client.change_state("configure")
    if graph.client.state() == "inactive":
        assert graph.client.change_state("activate")
    yield graph
    robot.joints = robot.world.joint_positions().tolist()
    robot.names = list(robot.world.joint_names)
    robot.encoding = "rgb8"
    robot.cameras = list(CAMERAS)


def diagnosed(graph, name: str, text: str) -> bool:
    """Whether /diagnostics says a text of a part of the localizer, soon."""
    from diagnostic_msgs.msg import DiagnosticArray

    if "/diagnostics" not in graph.client.latest:
        graph.client.watch(DiagnosticArray, "/diagnostics")

    def says() -> bool:
        array = graph.client.latest.get("/diagnostics")
        statuses = [] if array is None else array.status
        return any(s.name == f"localizer: {name}" and text in s.message for s in statuses)

    return graph.client.spin_until(says, START_S)


def test_it_goes_through_its_states_and_works_only_when_active(graph, robot):
    assert diagnosed(graph, "localization", "unconfigured")
    with pytest.raises(BlockworldError, match="not active"):
        graph.client.localize("coarse")
    assert graph.client.change_state("configure")
    assert graph.client.state() == "inactive"
    with pytest.raises(BlockworldError, match="not active"):
        graph.client.localize("coarse")
    assert graph.client.change_state("activate")
    answer = graph.client.localize("coarse")
    assert answer.success, answer.message
    assert graph.client.change_state("deactivate")
    with pytest.raises(BlockworldError, match="not active"):
        graph.client.localize("coarse")
    assert graph.client.change_state("cleanup")
    assert graph.client.state() == "unconfigured"


def test_a_models_folder_without_models_keeps_it_unconfigured_and_says_so(graph, robot, models, tmp_path):
    if graph.client.state() == "active":
        assert graph.client.change_state("deactivate")
    if graph.client.state() == "inactive":
        assert graph.client.change_state("cleanup")
    set_parameter(graph, "models", str(tmp_path))
    try:
        assert not graph.client.change_state("configure")
        assert graph.client.state() == "unconfigured"
        assert diagnosed(graph, "localization", "there is no model coarse")
    finally:
        set_parameter(graph, "models", str(models))


def test_a_parameter_out_of_range_is_refused_with_its_name(graph):
    assert "parameter 'engine' is 'abacus'" in set_parameter(graph, "engine", "abacus")


def test_a_camera_that_never_publishes_is_named(active, robot):
    robot.cameras = ["camera_1"]
    active.client.change_state("deactivate")
    active.client.change_state("activate")  # forgets what came before
    answer = active.client.localize("coarse", view_timeout_s=3.0)
    assert not answer.success
    assert "camera_2 never published an image on /camera_2/image_raw" in answer.message
    assert "camera_1" not in answer.message
    assert diagnosed(active, "camera_2", "no image came yet")
    robot.cameras = list(CAMERAS)
    assert active.client.localize("coarse").success


@pytest.mark.parametrize(
    ("position", "problem"),
    [(float("nan"), "panda_joint3 is nan"), (9.0, "panda_joint3 is 9 rad, outside its limits")],
)
def test_joint_states_that_cannot_be_are_dropped_and_explained(active, robot, position, problem):
    robot.joints[2] = position
    assert diagnosed(active, "joint states", problem)
    answer = active.client.localize("coarse", view_timeout_s=2.0)
    assert not answer.success
    assert problem in answer.message


def test_missing_joints_are_named(active, robot):
    robot.names, robot.joints = robot.names[:-2], robot.joints[:-2]
    assert diagnosed(active, "joint states", "panda_finger_joint1, panda_finger_joint2")


def test_images_of_an_unknown_encoding_are_dropped_and_nothing_is_published_from_them(active, robot):
    from perception_interfaces.msg import BlockEstimate

    robot.encoding = "32FC1"
    assert diagnosed(active, "camera_1", "encoding '32FC1'")
    active.client.watch(BlockEstimate, "/localizer/estimate")
    active.client.latest.pop("/localizer/estimate", None)
    answer = active.client.localize("coarse", view_timeout_s=2.0)
    assert not answer.success
    assert "encoding '32FC1'" in answer.message
    assert "/localizer/estimate" not in active.client.latest
    robot.encoding = "rgb8"
    assert active.client.localize("coarse").success
    assert active.client.spin_until(lambda: "/localizer/estimate" in active.client.latest, START_S)
    assert np.isfinite(active.client.latest["/localizer/estimate"].pose.covariance).all()


def set_parameter(graph, name: str, value: str) -> str:
    """Set a text parameter of the localizer; returns the reason where that is refused."""
    from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
    from rcl_interfaces.srv import SetParameters

    value_message = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=value)
    request = SetParameters.Request(parameters=[Parameter(name=name, value=value_message)])
    return graph.client.call(SetParameters, "/localizer/set_parameters", request, START_S).results[0].reason
