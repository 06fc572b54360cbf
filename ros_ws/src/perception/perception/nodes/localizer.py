"""The lifecycle node `localizer`: images and joint states in, the block's pose out.

While it is active it serves the action localize_block and publishes ~/estimate, ~/pose, ~/markers, ~/tool,
~/overlay/CAMERA, and ~/used/CAMERA (the images behind an estimate, for a recorder); it reports on
/diagnostics in every state. An image is used only if it was taken after the goal came and after the last
motion of the clamp that it asked for. Nothing is published from bad input.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from perception_interfaces.action import LocalizeBlock, MoveClamp
from perception_interfaces.msg import BlockEstimate, ToolEstimate
from rclpy.action import ActionClient, ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from perception import overlay
from perception.bundle import default_models_dir
from perception.errors import BlockworldError
from perception.localize import STAGES, Localizer
from perception.methods import open_localizer
from perception.node_parameters import LocalizerParameters
from perception.nodes import frames, messages
from perception.nodes.diagnostics import Health, diagnostics
from perception.nodes.inputs import Inputs, StampedView
from perception.nodes.markers import markers
from perception.nodes.runtime import Interrupted, call_action, declare, finish, read_parameters, run, until

LONGEST_PROCESSING_S = 120.0
SAME_YAW_RAD = 0.02


class LocalizerNode(LifecycleNode):
    """See the module."""

    def __init__(self) -> None:
        super().__init__("localizer")
        self._settings: LocalizerParameters = declare(self, LocalizerParameters)
        self._health = Health(frames=frames.DESCRIPTION)
        self._localizer: Localizer | None = None
        self._base_frame = ""
        self._inputs: Inputs | None = None
        self._subscriptions_of_state: list[Any] = []
        self._publishers_of_state: dict[str, Any] = {}
        self._busy = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="localizer")
        self._frames = frames.Broadcaster(self)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._move = ActionClient(self, MoveClamp, "move_clamp")
        self._server = ActionServer(
            self,
            LocalizeBlock,
            "localize_block",
            self._on_goal,
            goal_callback=self._on_request,
            cancel_callback=lambda handle: CancelResponse.ACCEPT,
        )
        self.create_timer(1.0, self._report)
        if self._settings.autostart:
            self._starter = self.create_timer(0.0, self._start)

    def destroy_node(self) -> None:
        """Let the worker thread finish, then end the node."""
        self._thread.shutdown(wait=True, cancel_futures=True)
        super().destroy_node()

    # Lifecycle

    def _start(self) -> None:
        self.destroy_timer(self._starter)
        if self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the models; stays unconfigured, with the reason in the diagnostics, when they do not load."""
        return self._transition("inactive", self._configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start to listen and to publish."""
        result = self._transition("active", self._activate)
        return super().on_activate(state) if result == TransitionCallbackReturn.SUCCESS else result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop to listen and to publish; a goal in progress is given up."""
        result = self._transition("inactive", self._forget_inputs)
        return super().on_deactivate(state) if result == TransitionCallbackReturn.SUCCESS else result

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free the models."""
        return self._transition("unconfigured", self._release)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Free everything."""
        return self._transition("finalized", self._release)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to unconfigured, from where another try is possible; the fault stays in the diagnostics."""
        fault = self._health.fault
        self._transition("unconfigured", self._release)
        self._health.fault = fault
        return TransitionCallbackReturn.SUCCESS

    def _transition(self, state: str, act: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            act()
        except BlockworldError as error:
            self._health.fault = str(error)
            self.get_logger().error(str(error))
            return TransitionCallbackReturn.FAILURE
        except Exception as error:
            self._health.fault = f"unexpected {type(error).__name__}: {error}"
            self.get_logger().error(self._health.fault)
            return TransitionCallbackReturn.ERROR
        self._health.state = state
        self._health.fault = self._health.last_problem = ""
        return TransitionCallbackReturn.SUCCESS

    def _configure(self) -> None:
        self._settings = read_parameters(self, LocalizerParameters)
        folder = Path(self._settings.models) if self._settings.models else default_models_dir()
        self._localizer = open_localizer(folder, self._settings.engine, method=self._settings.method)
        self._base_frame = self._settings.base_frame or self._localizer.robot.base
        self._health.engine = self._localizer.engine_name
        self._health.models = self._localizer.versions
        kinds = {
            "estimate": (BlockEstimate, "~/estimate"),
            "pose": (PoseWithCovarianceStamped, "~/pose"),
            "markers": (MarkerArray, "~/markers"),
            "tool": (ToolEstimate, "~/tool"),
            **{f"overlay {camera}": (Image, f"~/overlay/{camera}") for camera in self._settings.cameras},
            **{f"used {camera}": (Image, f"~/used/{camera}") for camera in self._settings.cameras},
        }
        self._publishers_of_state = {
            name: self.create_lifecycle_publisher(kind, topic, 10) for name, (kind, topic) in kinds.items()
        }
        loaded = ", ".join(f"{name} {version}" for name, version in self._health.models.items())
        self.get_logger().info(f"models {loaded} of {folder} on {self._health.engine}")

    def _activate(self) -> None:
        assert self._localizer is not None
        inputs = Inputs(self._localizer.robot, self._settings, self.resolve_topic_name)
        reliable = self._settings.reliable_inputs
        reliability = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        for camera, source in inputs.sources.items():
            self._subscriptions_of_state.append(
                self.create_subscription(
                    Image,
                    source.topic,
                    partial(inputs.on_image, camera),
                    QoSProfile(depth=1, reliability=reliability),
                )
            )
        self._subscriptions_of_state.append(
            self.create_subscription(
                JointState,
                inputs.joint_source.topic,
                inputs.on_joints,
                QoSProfile(depth=50, reliability=reliability),
            )
        )
        self._inputs = inputs

    def _forget_inputs(self) -> None:
        self._inputs = None
        for subscription in self._subscriptions_of_state:
            self.destroy_subscription(subscription)
        self._subscriptions_of_state.clear()

    def _release(self) -> None:
        self._forget_inputs()
        for publisher in self._publishers_of_state.values():
            self.destroy_lifecycle_publisher(publisher)
        self._publishers_of_state.clear()
        self._localizer = None
        self._health.engine, self._health.models = "", {}

    def _report(self) -> None:
        inputs = self._inputs
        sources = {} if inputs is None else inputs.sources
        joints = None if inputs is None else inputs.joint_source
        stale_after_s = self._settings.stale_after_s
        now = self.get_clock().now()
        self._diagnostics.publish(
            diagnostics(self.get_name(), self._health, sources, joints, stale_after_s, now)
        )

    # Goals

    def _on_request(self, goal: Any) -> GoalResponse:
        return GoalResponse.REJECT if self._inputs is None or self._busy else GoalResponse.ACCEPT

    async def _on_goal(self, handle: ServerGoalHandle) -> LocalizeBlock.Result:
        self._busy = True
        try:
            estimate = await self._localize(handle)
        except Exception as error:
            expected = isinstance(error, BlockworldError)
            problem = str(error) if expected else f"unexpected {type(error).__name__}: {error}"
            self.get_logger().error(f"{handle.request.stage}: {problem}")
            self._health.goals_failed += 1
            self._health.last_problem = problem
            if handle.is_cancel_requested:
                handle.canceled()
            else:
                handle.abort()
            return LocalizeBlock.Result(message=problem)
        finally:
            self._busy = False
        self._health.goals_done += 1
        self._health.last_stage = handle.request.stage
        self._health.last_problem = ""
        handle.succeed()
        return LocalizeBlock.Result(success=True, estimate=estimate)

    async def _localize(self, handle: ServerGoalHandle) -> BlockEstimate:
        goal = handle.request
        cameras = self._checked_cameras(goal)
        limit_s = goal.timeout_s if goal.timeout_s > 0 else self._settings.timeout_s
        views = []
        yaws: Sequence[float | None] = goal.clamp_yaws_rad if goal.stage == "fine" else []
        start_ns = self._now_ns()
        wanted = len(cameras) * max(1, len(yaws))
        for yaw in yaws or [None]:
            if yaw is not None and await self._turn_clamp(handle, yaw, start_ns, len(views), wanted):
                start_ns = self._now_ns()
            views += await self._collect(handle, cameras, start_ns, limit_s, len(views), wanted)
        self._feedback(handle, goal.stage, len(views), wanted, "computing")
        begin = time.monotonic()
        job = self._thread.submit(self._process, goal.stage, views)
        tools, estimate, pictures = await finish(self, job, LONGEST_PROCESSING_S, "localizing")
        self._health.last_processing_s = time.monotonic() - begin
        self._require_going_on(handle)
        return self._publish(views, tools, estimate, pictures)

    def _checked_cameras(self, goal: Any) -> list[str]:
        """The cameras of a goal; raises BlockworldError for a goal that cannot be worked on."""
        if goal.stage not in STAGES:
            raise BlockworldError(f"there is no stage '{goal.stage}': give one of {', '.join(STAGES)}.")
        known = self._settings.cameras
        for camera in goal.cameras:
            if camera not in known:
                raise BlockworldError(
                    f"there is no camera '{camera}' here: the localizer listens to {', '.join(known)}."
                )
        if not np.isfinite([goal.timeout_s, *goal.clamp_yaws_rad]).all():
            raise BlockworldError("timeout_s and clamp_yaws_rad must be finite numbers.")
        return list(dict.fromkeys(goal.cameras)) or list(known)

    def _require_going_on(self, handle: ServerGoalHandle) -> Inputs:
        if handle.is_cancel_requested:
            raise Interrupted("the goal was cancelled.")
        if self._inputs is None:
            raise Interrupted("the localizer was deactivated: activate it and try again.")
        return self._inputs

    async def _collect(
        self,
        handle: ServerGoalHandle,
        cameras: list[str],
        start_ns: int,
        limit_s: float,
        have: int,
        wanted: int,
    ) -> list[StampedView]:
        """A view of every camera taken after start_ns; raises BlockworldError, saying which lack, in time."""
        told = -1

        def complete() -> bool:
            nonlocal told
            if handle.is_cancel_requested or self._inputs is None:
                return True
            ready = self._inputs.ready(cameras, start_ns)
            if len(ready) != told:
                told = len(ready)
                lacking = ", ".join(camera for camera in cameras if camera not in ready)
                text = f"waiting for {lacking}" if lacking else "all images are there"
                self._feedback(handle, handle.request.stage, have + told, wanted, text)
            return len(ready) == len(cameras)

        done = await until(self, complete, limit_s)
        inputs = self._require_going_on(handle)
        if not done:
            reasons = inputs.why_missing(cameras, start_ns)
            raise BlockworldError(f"no view of every camera within {limit_s:g} s: {reasons}.")
        views = inputs.views(cameras, start_ns)
        return [views[camera] for camera in cameras]

    async def _turn_clamp(
        self, handle: ServerGoalHandle, yaw_rad: float, start_ns: int, have: int, wanted: int
    ) -> bool:
        """Turn the clamp to a yaw in the base, at the place where the joints of after start_ns have it.

        Returns whether that took a motion.
        """
        inputs = self._require_going_on(handle)
        if not await until(self, lambda: (inputs.joints.latest or 0) > start_ns, self._settings.timeout_s):
            reason = inputs.why_missing([], 0) or f"no new joint state came on {inputs.joint_source.topic}"
            raise BlockworldError(f"the clamp is not turned: {reason}.")
        joints = inputs.joints.at(inputs.joints.latest)
        clamp = inputs.robot.clamp_pose(joints)
        turn = (messages.yaw_of(clamp) - yaw_rad + np.pi) % (2 * np.pi) - np.pi
        if abs(turn) < SAME_YAW_RAD:
            return False
        self._feedback(handle, "fine", have, wanted, f"turning the clamp to {np.rad2deg(yaw_rad):.0f} deg")
        goal = MoveClamp.Goal(opening_m=inputs.robot.opening_m(joints))
        goal.pose.header = Header(stamp=self.get_clock().now().to_msg(), frame_id=self._base_frame)
        goal.pose.pose = messages.pose_message(messages.clamp_transform(clamp[:3, 3], yaw_rad))
        limit_s = self._settings.move_timeout_s
        moved = await call_action(self, self._move, goal, limit_s, lambda: handle.is_cancel_requested)
        if not moved.success:
            raise BlockworldError(f"the clamp did not turn to {np.rad2deg(yaw_rad):.0f} deg: {moved.message}")
        return True

    def _process(self, stage: str, views: list[StampedView]) -> tuple[list, Any, dict[str, np.ndarray]]:
        """In the worker thread: tool estimates, block estimate, and a picture of it for each camera."""
        localizer = self._localizer
        if localizer is None:
            raise Interrupted("the localizer was cleaned up: configure and activate it, then try again.")
        plain = [entry.view for entry in views]
        if stage == "coarse":
            tools, estimate = [], localizer.coarse(plain)
        else:
            tools = [localizer.tool(view) for view in plain]
            estimate = localizer.fine(plain) if stage == "fine" else None
        pictures: dict[str, np.ndarray] = {}
        for view in plain:
            if estimate is not None and view.camera not in pictures and view.camera in estimate.cameras:
                camera = estimate.cameras[view.camera]
                clamp = localizer.robot.clamp_pose(view.joints)
                pictures[view.camera] = overlay.draw(view.image, camera, estimate, clamp)
        return tools, estimate, pictures

    def _publish(
        self, views: list[StampedView], tools: list, estimate: Any, pictures: dict[str, np.ndarray]
    ) -> BlockEstimate:
        """Publish what was found; returns the message of the block's estimate, empty where none was made."""
        publishers = self._publishers_of_state
        for entry, tool in zip(views, tools, strict=False):
            publishers["tool"].publish(messages.tool_message(tool, _optical_header(entry)))
        if estimate is None:
            return BlockEstimate(stage="tool", views=[entry.view.camera for entry in views])
        base_frame, clamp_frame = self._base_frame, self._settings.clamp_frame
        stamps = [entry.stamp_ns for entry in views]
        message = messages.block_message(
            estimate,
            [entry.view for entry in views],
            stamps,
            clamp_frame if estimate.frame == "clamp" else base_frame,
        )
        in_base = Header(stamp=message.header.stamp, frame_id=base_frame)
        for entry in views:
            used = publishers[f"used {entry.view.camera}"]
            if used.get_subscription_count() > 0:
                used.publish(entry.message)
        publishers["estimate"].publish(message)
        publishers["pose"].publish(messages.pose_with_covariance(message))
        publishers["markers"].publish(markers(estimate, in_base))
        self._frames.send(estimate, in_base)
        first = {entry.view.camera: entry for entry in reversed(views)}
        for camera, picture in pictures.items():
            header = _optical_header(first[camera])
            publishers[f"overlay {camera}"].publish(messages.image_message(picture, header))
        return message

    def _feedback(self, handle: ServerGoalHandle, stage: str, have: int, wanted: int, text: str) -> None:
        handle.publish_feedback(
            LocalizeBlock.Feedback(stage=stage, views_received=have, views_wanted=wanted, message=text)
        )

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds


def _optical_header(entry: StampedView) -> Header:
    stamp = messages.time_message(entry.stamp_ns)
    return Header(stamp=stamp, frame_id=f"{entry.view.camera}_optical_frame")


def main() -> None:
    """Console script."""
    run(LocalizerNode)


if __name__ == "__main__":
    main()
