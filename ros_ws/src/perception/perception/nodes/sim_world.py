"""The node `sim_world`: a simulated robot with cameras, behind the topics and actions of a real one.

Publishes /CAMERA/image_raw, /joint_states and ~/truth; serves action move_clamp and service reset_world.
One worker thread alone touches the world. A picture is rendered only when the world has changed and
somebody listens; an unchanged world is shown again under a new stamp.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future as Job
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from perception_interfaces.action import MoveClamp
from perception_interfaces.srv import ResetWorld
from rclpy.action import ActionServer
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Header

from perception.errors import BlockworldError
from perception.node_parameters import SimWorldParameters
from perception.nodes.messages import clamp_transform, image_message, pose_message, transform_of, yaw_of
from perception.nodes.runtime import declare, finish, run
from perception.world import MoveResult, World, load_world

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
LONGEST_JOB_S = 120.0
LARGEST_TILT_RAD = 0.1


class SimWorld(Node):
    """See the module."""

    def __init__(self) -> None:
        super().__init__("sim_world")
        parameters: SimWorldParameters = declare(self, SimWorldParameters)
        make_world = load_world(parameters.world)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="world")
        chosen = {"robot": parameters.robot} if parameters.robot else {}
        self._world: World = self._thread.submit(make_world, **chosen).result()
        self._thread.submit(self._world.reset, parameters.seed, parameters.index).result()
        self._pictures: dict[str, tuple[int, np.ndarray]] = {}
        self._shown_truth = -1
        self._tick: Job | None = None
        self._images = {
            camera: self.create_publisher(Image, f"{camera}/image_raw", QoSProfile(depth=1))
            for camera in self._world.camera_names
        }
        self._joints = self.create_publisher(JointState, "joint_states", 10)
        self._truth = self.create_publisher(PoseStamped, "~/truth", LATCHED)
        self._move = ActionServer(self, MoveClamp, "move_clamp", self._on_move)
        # A group of its own: while a reset is awaited, the timers of the default group go on.
        apart = ReentrantCallbackGroup()
        self.create_service(ResetWorld, "reset_world", self._on_reset, callback_group=apart)
        self._image_period_s = 1.0 / parameters.image_rate_hz
        self._next_images_s = time.monotonic()
        self.create_timer(1.0 / parameters.joint_rate_hz, self._on_timer)
        self.get_logger().info(
            f"world '{parameters.world}', seed {parameters.seed}, index {parameters.index}, "
            f"cameras {', '.join(self._world.camera_names)}"
        )

    def destroy_node(self) -> None:
        """Close the world in its own thread, then the node."""
        self._thread.submit(self._world.close)
        self._thread.shutdown(wait=True)
        super().destroy_node()

    def _on_timer(self) -> None:
        """Publish joint states, and pictures when they are due, unless the world is still busy."""
        if self._tick is not None and not self._tick.done():
            return
        if self._tick is not None and self._tick.exception() is not None:
            self.get_logger().error(f"the world failed: {self._tick.exception()}", throttle_duration_sec=5.0)
        with_images = time.monotonic() >= self._next_images_s
        if with_images:
            self._next_images_s = time.monotonic() + self._image_period_s
        self._tick = self._thread.submit(self._publish, with_images)

    def _publish(self, with_images: bool) -> None:
        """In the world's thread: nothing moves between the joint positions and the pictures of one stamp."""
        now = self.get_clock().now().to_msg()
        positions = self._world.joint_positions().astype(float).tolist()
        names = list(self._world.joint_names)
        header = Header(stamp=now, frame_id=self._world.base_frame)
        self._joints.publish(JointState(header=header, name=names, position=positions))
        if self._world.state_id != self._shown_truth:
            self._shown_truth = self._world.state_id
            self._publish_truth(now)
        if with_images:
            for camera, publisher in self._images.items():
                if publisher.get_subscription_count() > 0:
                    frame = Header(stamp=now, frame_id=f"{camera}_optical_frame")
                    publisher.publish(image_message(self._picture(camera), frame))

    def _picture(self, camera: str) -> np.ndarray:
        state = self._world.state_id
        if camera not in self._pictures or self._pictures[camera][0] != state:
            self._pictures[camera] = (state, self._world.image(camera))
        return self._pictures[camera][1]

    def _publish_truth(self, now: Time) -> None:
        truth = self._world.block_truth()
        cos, sin = np.cos(truth.yaw_rad), np.sin(truth.yaw_rad)
        block = np.eye(4)
        block[:2, :2] = [[cos, -sin], [sin, cos]]
        block[:3, 3] = truth.x_m, truth.y_m, truth.z_m
        header = Header(stamp=now, frame_id=self._world.base_frame)
        self._truth.publish(PoseStamped(header=header, pose=pose_message(block)))

    async def _on_reset(
        self, request: ResetWorld.Request, response: ResetWorld.Response
    ) -> ResetWorld.Response:
        job = self._thread.submit(self._world.reset, request.seed, request.index)
        try:
            await finish(self, job, LONGEST_JOB_S, "resetting the world")
        except Exception as error:
            self.get_logger().error(f"reset to seed {request.seed}, index {request.index} failed: {error}")
            response.message = f"the world was not reset: {error}"
            return response
        response.success = True
        return response

    async def _on_move(self, handle: ServerGoalHandle) -> MoveClamp.Result:
        goal = handle.request
        try:
            job = self._thread.submit(self._motion(goal))
            moved: MoveResult = await finish(self, job, LONGEST_JOB_S, "the motion")
        except Exception as error:
            handle.abort()
            if not isinstance(error, BlockworldError):
                self.get_logger().error(f"a motion failed: {error!r}")
            return MoveClamp.Result(message=f"the clamp was not moved: {error}")
        if moved.reached:
            handle.succeed()
        else:
            handle.abort()
        result = MoveClamp.Result(
            success=moved.reached, message=moved.message, opening_m=moved.opening_m, holding=moved.holding
        )
        result.pose.header = Header(stamp=self.get_clock().now().to_msg(), frame_id=self._world.base_frame)
        result.pose.pose = pose_message(clamp_transform(moved.position_m, moved.yaw_rad))
        return result

    def _motion(self, goal: Any) -> Callable[[], MoveResult]:
        """What the world is asked to do for a goal; raises BlockworldError for one that cannot be done."""
        if goal.home:
            return self._world.home
        frame = goal.pose.header.frame_id
        if frame != self._world.base_frame:
            raise BlockworldError(f"the pose is in frame '{frame}': give it in '{self._world.base_frame}'.")
        try:
            target = transform_of(goal.pose.pose)
        except ValueError as error:
            raise BlockworldError("the orientation of the pose is no unit quaternion.") from error
        if not np.isfinite(target).all() or not np.isfinite(goal.opening_m):
            raise BlockworldError("the pose or the opening is not finite: give numbers.")
        if target[2, 2] > -np.cos(LARGEST_TILT_RAD):
            raise BlockworldError("the clamp of the pose does not point down: turn its z axis down.")
        return lambda: self._world.move_clamp(target[:3, 3], yaw_of(target), goal.opening_m)


def main() -> None:
    """Console script."""
    run(SimWorld)


if __name__ == "__main__":
    main()
