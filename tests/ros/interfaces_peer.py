"""The other process of test_interfaces.py: publishes a BlockEstimate, serves ResetWorld and LocalizeBlock."""

import rclpy
from geometry_msgs.msg import Vector3
from perception_interfaces.action import LocalizeBlock
from perception_interfaces.msg import BlockEstimate, PoseMode, ViewEvidence
from perception_interfaces.srv import ResetWorld
from rclpy.action import ActionServer
from rclpy.executors import ExternalShutdownException
from rclpy.qos import DurabilityPolicy, QoSProfile


def estimate(stage: str) -> BlockEstimate:
    """An estimate in which no field keeps its default."""
    message = BlockEstimate(
        stage=stage,
        views=["camera_1", "camera_2"],
        engine="onnxruntime-cpu",
        size=Vector3(x=0.08, y=0.04, z=0.05),
        confidence=0.75,
        modes=[PoseMode(x=0.41, y=-0.12, yaw=1.5, weight=0.8, covariance=[float(i) for i in range(9)])],
        evidence=[
            ViewEvidence(camera="camera_1", robot=0.9, block=0.95, used=True),
            ViewEvidence(camera="camera_2", robot=0.1, doubt="camera_2 does not show enough of the robot"),
        ],
        doubts=["the block is large"],
    )
    message.header.frame_id = "panda_link0"
    message.header.stamp.sec, message.header.stamp.nanosec = 12, 345
    message.pose.pose.position.x, message.pose.pose.position.y = 0.41, -0.12
    message.pose.covariance = [float(i) for i in range(36)]
    for name, centre in (("x", 0.41), ("y", -0.12), ("yaw", 1.5)):
        posterior = getattr(message, name)
        posterior.centres, posterior.probabilities = [centre - 0.005, centre], [0.25, 0.75]
    return message


def reset(request: ResetWorld.Request, response: ResetWorld.Response) -> ResetWorld.Response:
    response.success = request.index < 10
    response.message = f"seed {request.seed}, index {request.index}"
    return response


def localize(goal_handle) -> LocalizeBlock.Result:
    goal = goal_handle.request
    goal_handle.publish_feedback(
        LocalizeBlock.Feedback(
            stage=goal.stage, views_received=1, views_wanted=len(goal.cameras), message="waiting"
        )
    )
    goal_handle.succeed()
    yaws = ", ".join(f"{yaw:.2f}" for yaw in goal.clamp_yaws_rad)
    return LocalizeBlock.Result(
        success=True, message=f"{yaws}; {goal.timeout_s:.1f} s", estimate=estimate(goal.stage)
    )


def main() -> None:
    rclpy.init()
    node = rclpy.create_node("interfaces_peer")
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    node.create_publisher(BlockEstimate, "estimate", latched).publish(estimate("coarse"))
    node.create_service(ResetWorld, "reset", reset)
    ActionServer(node, LocalizeBlock, "localize", localize)
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        node.destroy_node()


if __name__ == "__main__":
    main()
