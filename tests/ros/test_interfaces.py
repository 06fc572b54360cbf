"""`perception_interfaces` crosses DDS unchanged between two processes: a message, a service and an action."""

import subprocess
import sys
from pathlib import Path

import pytest

from perception.ros_environment import domain_is_free, free_domain_id, ros_environment

rclpy = pytest.importorskip(
    "rclpy", reason="no ROS 2: neither the wheels of the extra `ros` nor a sourced one"
)

from perception_interfaces.action import LocalizeBlock  # noqa: E402
from perception_interfaces.msg import BlockEstimate  # noqa: E402
from perception_interfaces.srv import ResetWorld  # noqa: E402
from rclpy.action import ActionClient  # noqa: E402
from rclpy.qos import DurabilityPolicy, QoSProfile  # noqa: E402

PEER = Path(__file__).with_name("interfaces_peer.py")
TIMEOUT_S = 20.0


@pytest.fixture(scope="module")
def node():
    """A node of this process, in a DDS domain that it shares with the peer process alone."""
    domain_id = free_domain_id()
    environment = ros_environment(domain_id)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_LOG_DIR", "AMENT_PREFIX_PATH"):
            patch.setenv(name, environment[name])
        peer = subprocess.Popen([sys.executable, str(PEER)], env=environment)
        context = rclpy.Context()
        rclpy.init(context=context, domain_id=domain_id)
        node = rclpy.create_node("test_interfaces", context=context)
        executor = rclpy.executors.SingleThreadedExecutor(context=context)
        executor.add_node(node)
        try:
            assert not domain_is_free(domain_id)
            yield node
        finally:
            executor.shutdown()
            node.destroy_node()
            rclpy.shutdown(context=context)
            peer.terminate()
            try:
                peer.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:  # it is the messages that are tested, not how the peer ends
                peer.kill()
                peer.wait(TIMEOUT_S)


def result(node, future):
    """What the future brings, before the time is up."""
    node.executor.spin_until_future_complete(future, TIMEOUT_S)
    assert future.done(), f"no answer within {TIMEOUT_S} s"
    return future.result()


def test_a_message_arrives_with_every_field(node):
    arrived = rclpy.task.Future()
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    node.create_subscription(BlockEstimate, "estimate", arrived.set_result, latched)
    message = result(node, arrived)
    assert (message.stage, message.views, message.engine) == (
        "coarse",
        ["camera_1", "camera_2"],
        "onnxruntime-cpu",
    )
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (12, 345)
    assert message.pose.pose.position.x == 0.41
    assert list(message.pose.covariance) == list(range(36))
    assert list(message.yaw.centres) == [1.495, 1.5]
    assert list(message.yaw.probabilities) == [0.25, 0.75]
    assert (message.size.x, message.size.y, message.size.z, message.confidence) == (0.08, 0.04, 0.05, 0.75)
    (mode,) = message.modes
    assert (mode.x, mode.y, mode.yaw, mode.weight, list(mode.covariance)) == (0.41, -0.12, 1.5, 0.8, list(range(9)))
    assert [(one.camera, one.robot, one.block, one.used) for one in message.evidence] == [
        ("camera_1", 0.9, 0.95, True),
        ("camera_2", 0.1, 0.0, False),
    ]
    assert message.evidence[1].doubt == "camera_2 does not show enough of the robot"
    assert message.doubts == ["the block is large"]


@pytest.mark.parametrize(("index", "success"), [(3, True), (11, False)])
def test_a_service_is_answered(node, index, success):
    client = node.create_client(ResetWorld, "reset")
    assert client.wait_for_service(TIMEOUT_S)
    response = result(node, client.call_async(ResetWorld.Request(seed=2**63, index=index)))
    assert response.success is success
    assert response.message == f"seed {2**63}, index {index}"


@pytest.mark.timeout(60)
def test_an_action_gives_feedback_and_a_result(node):
    client = ActionClient(node, LocalizeBlock, "localize")
    assert client.wait_for_server(TIMEOUT_S)
    goal = LocalizeBlock.Goal(stage="fine", cameras=["camera_1"], clamp_yaws_rad=[0.0, 1.5708], timeout_s=2.5)
    feedback = []
    handle = result(node, client.send_goal_async(goal, feedback_callback=feedback.append))
    assert handle.accepted
    answer = result(node, handle.get_result_async()).result
    assert answer.success
    assert answer.message == "0.00, 1.57; 2.5 s"
    assert answer.estimate.stage == "fine"
    while not feedback:  # it may come after the result; the time limit of the test ends the wait
        node.executor.spin_once(timeout_sec=0.1)
    assert [(f.feedback.stage, f.feedback.views_received, f.feedback.views_wanted) for f in feedback] == [
        ("fine", 1, 1)
    ]
