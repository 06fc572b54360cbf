"""The demo graph as separate processes: localize, pick, a killed node that comes back, a bag that replays."""

import os
import signal

import numpy as np
import pytest
from real_graph import START_S, WORLD, running

from perception.errors import BlockworldError
from perception.graph import GRAPHS, parse_assignments

pytest.importorskip("rclpy", reason="no ROS 2: neither the wheels of the extra `ros` nor a sourced one")


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    return tmp_path_factory.mktemp("bag") / "demo"


@pytest.fixture(scope="module")
def graph(ros, models, bag):
    """The graph, running and active. Stopping it closes the bag."""
    given = parse_assignments([f"world:={WORLD}", f"models:={models}", "seed:=5", f"bag:={bag}"])
    with running(GRAPHS["demo"].resolve(given), ros) as graph:
        graph.client.wait_for_state("active", timeout_s=START_S)
        yield graph


def test_coarse_localizes_the_block_with_feedback(graph):
    from geometry_msgs.msg import PoseStamped
    from rclpy.qos import DurabilityPolicy, QoSProfile

    from perception.nodes.messages import block_in_base_of, transform_of

    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    graph.client.watch(PoseStamped, "/sim_world/truth", latched)
    feedback = []
    answer = graph.client.localize("coarse", on_feedback=feedback.append)
    assert answer.success, answer.message
    assert answer.estimate.header.frame_id == "panda_link0"
    assert answer.estimate.views == ["camera_1", "camera_2", "camera_3"]
    assert graph.client.spin_until(lambda: "/sim_world/truth" in graph.client.latest, START_S)
    truth = transform_of(graph.client.latest["/sim_world/truth"].pose)
    assert np.linalg.norm(block_in_base_of(answer.estimate)[:2, 3] - truth[:2, 3]) < 0.02
    assert 0.5 < answer.estimate.confidence <= 1.0 and len(answer.estimate.doubts) == 0
    assert [one.camera for one in answer.estimate.evidence] == answer.estimate.views
    assert answer.estimate.modes[0].x == pytest.approx(answer.estimate.pose.pose.position.x)
    assert feedback[-1].views_received == feedback[-1].views_wanted == 3


@pytest.mark.parametrize(
    ("stage", "cameras", "message"),
    [
        ("middle", [], "there is no stage 'middle': give one of coarse, tool, fine."),
        ("coarse", ["camera_7"], "there is no camera 'camera_7' here"),
    ],
)
def test_a_goal_that_makes_no_sense_is_answered_in_one_sentence(graph, stage, cameras, message):
    answer = graph.client.localize(stage, cameras)
    assert not answer.success
    assert message in answer.message


def test_a_tilted_clamp_pose_is_refused(graph):
    from perception_interfaces.action import MoveClamp

    goal = MoveClamp.Goal(opening_m=0.08)
    goal.pose.header.frame_id = "panda_link0"
    goal.pose.pose.position.x, goal.pose.pose.position.z = 0.5, 0.2
    answer = graph.client.move(goal)
    assert not answer.success
    assert "does not point down" in answer.message


def test_pick_takes_the_block_by_its_short_side(graph):
    graph.client.reset(5, 1)
    steps = []
    answer = graph.client.pick(on_feedback=lambda feedback: steps.append(feedback.step))
    assert answer.success, answer.message
    assert answer.fine.header.frame_id == "clamp"
    assert len(answer.fine.views) == len(answer.fine.stamps) == 6
    assert len(answer.fine.joints) == 6 * 9
    assert steps[-1] == "lift"
    assert set(steps) <= {"home", "coarse", "hover", "fine", "approach", "descend", "close", "lift"}


def test_an_estimate_of_little_confidence_is_not_picked(graph):
    from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
    from rcl_interfaces.srv import SetParameters

    def set_least(value: float) -> str:
        wanted = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)
        request = SetParameters.Request(parameters=[Parameter(name="least_confidence", value=wanted)])
        return graph.client.call(SetParameters, "/pick/set_parameters", request, START_S).results[0].reason

    assert "parameter 'least_confidence' is 1.5: give a number from 0 to 1" in set_least(1.5)
    graph.client.reset(5, 2)
    assert set_least(1.0) == ""
    answer = graph.client.pick()
    assert not answer.success
    assert "coarse: where the block is said to be has a confidence of 0." in answer.message
    assert "less than the least of 1.00" in answer.message
    assert answer.coarse.stage == "coarse" and answer.fine.stage == ""
    assert set_least(0.3) == ""


def test_a_killed_localizer_comes_back_and_works(graph):
    before = graph.supervisor.process_ids()["localizer"]
    os.kill(before, signal.SIGKILL)

    def is_back() -> bool:
        assert graph.supervisor.poll() is None, "the graph ended"
        return graph.supervisor.process_ids().get("localizer", before) != before

    assert graph.client.spin_until(is_back, START_S)
    graph.client.wait_for_state("active", timeout_s=START_S)
    answer = graph.client.localize("coarse")
    assert answer.success, answer.message
    assert "localizer ended with SIGKILL" in graph.output("localizer")


def test_a_second_goal_waits_its_turn_elsewhere(graph):
    from perception_interfaces.action import LocalizeBlock

    first = graph.client._actions["localize_block"].send_goal_async(LocalizeBlock.Goal(stage="coarse"))
    assert graph.client.spin_until(first.done, START_S)
    with pytest.raises(BlockworldError, match="refused the goal"):
        graph.client.localize("coarse")
    answer = first.result().get_result_async()
    assert graph.client.spin_until(answer.done, START_S)


def test_the_bag_of_the_graph_replays_to_the_same_estimates(graph, models, bag):
    """Comes last: it stops the graph, which closes the bag."""
    from rosbags.highlevel import AnyReader

    from perception.image_messages import image_from_message
    from perception.localize import Localizer, View

    graph.supervisor.stop()
    images, estimates = {}, []
    with AnyReader([bag]) as reader:
        for connection, _, raw in reader.messages():
            message = reader.deserialize(raw, connection.msgtype)
            if connection.msgtype == "sensor_msgs/msg/Image":
                camera = connection.topic.split("/")[1]
                stamp = message.header.stamp
                images[camera, stamp.sec, stamp.nanosec] = image_from_message(message)
            elif connection.topic == "/localizer/estimate":
                estimates.append(message)
    assert {estimate.stage for estimate in estimates} == {"coarse", "fine"}
    localizer = Localizer.open(models)
    for estimate in estimates:
        joints = np.reshape(estimate.joints, (-1, 9))
        views = [
            View(camera, images[camera, stamp.sec, stamp.nanosec], joint)
            for camera, stamp, joint in zip(estimate.views, estimate.stamps, joints, strict=True)
        ]
        again = getattr(localizer, estimate.stage)(views)
        place = estimate.pose.pose.position
        assert (again.x_m, again.y_m) == (place.x, place.y), "to the last digit"
