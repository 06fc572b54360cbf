"""The lifecycle node `sim_world`: a simulated robot with cameras, behind the topics and actions of a real one.

While it is active it publishes CAMERA/image_raw, joint_states and ~/truth, and serves action move_clamp and service
reset_world. One worker thread alone touches the world. A picture is rendered only when the world has changed and
somebody listens; an unchanged world is shown again under a new stamp.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future as Job
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from perception_interfaces.action import MoveClamp
from perception_interfaces.srv import ResetWorld
from rclpy.action import ActionServer, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Header

from perception.errors import BlockworldError
from perception.node_parameters import SimWorldParameters
from perception.nodes.managed import ManagedNode
from perception.nodes.messages import clamp_transform, image_message, pose_message, transform_of, yaw_of
from perception.nodes.runtime import finish, run, steady_timer
from perception.world import MoveResult, World, load_world

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
LONGEST_JOB_S = 120.0
LARGEST_TILT_RAD = 0.1


class SimWorld(ManagedNode):
    """See the module."""

    PARAMETERS = SimWorldParameters

    def __init__(self) -> None:
        super().__init__("sim_world")
        self.settings: SimWorldParameters
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="world")
        self._world: World | None = None
        self._pictures: dict[str, tuple[int, np.ndarray]] = {}
        self._shown_truth = -1
        self._tick: Job | None = None
        self._timer: Any = None
        self._next_images_s = 0.0
        self._failure = ""
        self._images: dict[str, Any] = {}
        self._states: dict[str, Any] = {}
        self._move = ActionServer(
            self, MoveClamp, "move_clamp", self._on_move, goal_callback=lambda goal: self._if_active()
        )
        # A group of its own: while a reset is awaited, the timers of the default group go on.
        apart = ReentrantCallbackGroup()
        self.create_service(ResetWorld, "reset_world", self._on_reset, callback_group=apart)

    def destroy_node(self) -> None:
        """Close the world in its own thread, then end the node."""
        super().destroy_node()
        self._thread.shutdown(wait=True)

    # Lifecycle

    def configured(self) -> None:
        """Make the world."""
        settings = self.settings
        make_world = load_world(settings.world)
        chosen = {"robot": settings.robot} if settings.robot else {}
        world: World = self._thread.submit(make_world, **chosen).result()
        self._world = world
        self._thread.submit(world.reset, settings.seed, settings.index).result()
        self._images = {
            camera: self.create_lifecycle_publisher(Image, f"{camera}/image_raw", QoSProfile(depth=1))
            for camera in world.camera_names
        }
        self._states = {
            "joints": self.create_lifecycle_publisher(JointState, "joint_states", 10),
            "truth": self.create_lifecycle_publisher(PoseStamped, "~/truth", LATCHED),
        }
        self.get_logger().info(
            f"world '{settings.world}', seed {settings.seed}, index {settings.index}, "
            f"cameras {', '.join(world.camera_names)}"
        )

    def activated(self) -> None:
        """Begin to publish."""
        self._shown_truth = -1
        self._next_images_s = time.monotonic()
        self._timer = steady_timer(self, 1.0 / self.settings.joint_rate_hz, self._on_timer)

    def deactivated(self) -> None:
        """Publish nothing more; what the world is doing is finished."""
        if self._timer is not None:
            self.destroy_timer(self._timer)
            self._timer = None
        if self._tick is not None:
            self._tick.exception()  # waits
            self._tick = None

    def cleaned_up(self) -> None:
        """Close the world."""
        for publisher in (*self._images.values(), *self._states.values()):
            self.destroy_lifecycle_publisher(publisher)
        self._images, self._states = {}, {}
        self._pictures.clear()
        if self._world is not None:
            self._thread.submit(self._world.close).result()
            self._world = None

    def told(self) -> Mapping[str, str]:
        """Which world it is."""
        return {"world": self.settings.world, "cameras": ", ".join(self._images)}

    @property
    def warning(self) -> str:
        """Why the world shows nothing."""
        return self._failure

    def _if_active(self) -> GoalResponse:
        return GoalResponse.ACCEPT if self.state == "active" else GoalResponse.REJECT

    def _alive(self) -> World:
        if self.state != "active" or self._world is None:
            raise BlockworldError(f"the node sim_world is {self.state}: activate it, then try again.")
        return self._world

    # Publishing

    def _on_timer(self) -> None:
        """Publish joint states, and pictures when they are due, unless the world is still busy."""
        if self._tick is not None and not self._tick.done():
            return
        if self._tick is not None:
            error = self._tick.exception()
            self._failure = "" if error is None else f"the world failed: {error}"
            if error is not None:
                self.get_logger().error(self._failure, throttle_duration_sec=5.0)
        now_s = time.monotonic()
        with_images = now_s >= self._next_images_s
        if with_images:
            # On the beat, so that the rate holds though timers come late; but what was missed is not made up for.
            self._next_images_s = max(self._next_images_s, now_s - self._image_period_s) + self._image_period_s
        self._tick = self._thread.submit(self._publish, self._alive(), with_images)

    @property
    def _image_period_s(self) -> float:
        return 1.0 / self.settings.image_rate_hz

    def _publish(self, world: World, with_images: bool) -> None:
        """In the world's thread: nothing moves between the joint positions and the pictures of one stamp."""
        now = self.get_clock().now().to_msg()
        positions = world.joint_positions().astype(float).tolist()
        header = Header(stamp=now, frame_id=world.base_frame)
        self._states["joints"].publish(
            JointState(header=header, name=list(world.joint_names), position=positions)
        )
        if world.state_id != self._shown_truth:
            self._shown_truth = world.state_id
            self._publish_truth(world, now)
        if with_images:
            for camera, publisher in self._images.items():
                if publisher.get_subscription_count() > 0:
                    frame = Header(stamp=now, frame_id=f"{camera}_optical_frame")
                    publisher.publish(image_message(self._picture(world, camera), frame))

    def _picture(self, world: World, camera: str) -> np.ndarray:
        state = world.state_id
        if camera not in self._pictures or self._pictures[camera][0] != state:
            self._pictures[camera] = (state, world.image(camera))
        return self._pictures[camera][1]

    def _publish_truth(self, world: World, now: Time) -> None:
        truth = world.block_truth()
        cos, sin = np.cos(truth.yaw_rad), np.sin(truth.yaw_rad)
        block = np.eye(4)
        block[:2, :2] = [[cos, -sin], [sin, cos]]
        block[:3, 3] = truth.x_m, truth.y_m, truth.z_m
        header = Header(stamp=now, frame_id=world.base_frame)
        self._states["truth"].publish(PoseStamped(header=header, pose=pose_message(block)))

    # What is asked of the world

    async def _on_reset(
        self, request: ResetWorld.Request, response: ResetWorld.Response
    ) -> ResetWorld.Response:
        try:
            job = self._thread.submit(self._alive().reset, request.seed, request.index)
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
            world = self._alive()
            job = self._thread.submit(_motion(world, goal))
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
        result.pose.header = Header(stamp=self.get_clock().now().to_msg(), frame_id=world.base_frame)
        result.pose.pose = pose_message(clamp_transform(moved.position_m, moved.yaw_rad))
        return result


def _motion(world: World, goal: Any) -> Callable[[], MoveResult]:
    """What the world is asked to do for a goal; raises BlockworldError for one that cannot be done."""
    if goal.home:
        return world.home
    frame = goal.pose.header.frame_id
    if frame != world.base_frame:
        raise BlockworldError(f"the pose is in frame '{frame}': give it in '{world.base_frame}'.")
    try:
        target = transform_of(goal.pose.pose)
    except ValueError as error:
        raise BlockworldError("the orientation of the pose is no unit quaternion.") from error
    if not np.isfinite(target).all() or not np.isfinite(goal.opening_m):
        raise BlockworldError("the pose or the opening is not finite: give numbers.")
    if target[2, 2] > -np.cos(LARGEST_TILT_RAD):
        raise BlockworldError("the clamp of the pose does not point down: turn its z axis down.")
    return lambda: world.move_clamp(target[:3, 3], yaw_of(target), goal.opening_m)


def main() -> None:
    """Console script."""
    run(SimWorld)


if __name__ == "__main__":
    main()
