"""The lifecycle node `localizer`: images and joint states in, the block's pose out.

While it is active it serves the action localize_block, and in continuous mode it makes estimates without being asked.
It publishes ~/estimate, ~/pose, ~/markers, ~/tool, ~/overlay/CAMERA, and ~/used/CAMERA (the images behind an estimate,
for a recorder); it reports on /diagnostics in every state. For a goal, an image is used only if it was taken after the
goal came and after the last motion of the clamp that it asked for. Nothing is published from bad input.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from perception_interfaces.action import LocalizeBlock, MoveClamp
from perception_interfaces.msg import BlockEstimate
from rclpy.action import ActionClient, ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Header

from perception import overlay
from perception.bundle import default_models_dir
from perception.errors import BlockworldError
from perception.estimate import ToolEstimate
from perception.localize import STAGES, Localizer
from perception.methods import open_localizer
from perception.node_parameters import LocalizerParameters
from perception.nodes import frames, messages
from perception.nodes.answers import Answer, Answers
from perception.nodes.calling import Interrupted
from perception.nodes.continuous import Continuous
from perception.nodes.diagnostics import Health, source_status
from perception.nodes.inputs import Inputs, Moment, StampedView
from perception.nodes.managed import ManagedNode
from perception.nodes.runtime import call_action, finish, run, until
from perception.tracking import Tracker

LONGEST_PROCESSING_S = 120.0
SAME_YAW_RAD = 0.02
JOINTS_DEPTH = 50


class LocalizerNode(ManagedNode):
    """See the module."""

    PARAMETERS = LocalizerParameters
    ENDS_UNSTARTED = False  # models may still be copied, and a supervisor would only start it again

    def __init__(self) -> None:
        super().__init__("localizer")
        self.settings: LocalizerParameters
        self._health = Health(frames=frames.DESCRIPTION)
        self._localizer: Localizer | None = None
        self._base_frame = ""
        self._inputs: Inputs | None = None
        self._answers: Answers | None = None
        self._continuous: Continuous | None = None
        self._subscriptions_of_state: list[Any] = []
        self._busy = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="localizer")
        self._tf = frames.Broadcaster(self, self.settings.block_frame)
        self._move = ActionClient(self, MoveClamp, "move_clamp")
        self._server = ActionServer(
            self,
            LocalizeBlock,
            "localize_block",
            self._on_goal,
            goal_callback=self._on_request,
            cancel_callback=lambda handle: CancelResponse.ACCEPT,
        )

    def destroy_node(self) -> None:
        """End the node, then the worker thread, for which the clean-up waits."""
        super().destroy_node()
        self._thread.shutdown()

    # Lifecycle

    def configured(self) -> None:
        """Load the models and open the engine."""
        settings = self.settings
        folder = Path(settings.models) if settings.models else default_models_dir()
        self._localizer = open_localizer(folder, settings.engine, method=settings.method)
        self._base_frame = settings.base_frame or self._localizer.robot.base
        self._health.engine = self._localizer.engine_name
        self._health.models = self._localizer.versions
        self._answers = Answers(self, settings.cameras, self._base_frame, settings.clamp_frame, self._tf)
        loaded = ", ".join(f"{name} {version}" for name, version in self._health.models.items())
        self.get_logger().info(f"models {loaded} of {folder} on {self._health.engine}")

    def activated(self) -> None:
        """Start to listen and to publish."""
        assert self._localizer is not None and self._answers is not None  # the states hold this
        inputs = Inputs(self._localizer.robot, self.settings, self.resolve_topic_name, self._now_ns)
        self._health.last_problem = ""
        for camera, source in inputs.sources.items():
            self._subscribe(Image, source.topic, partial(self._on_image, inputs, camera), 1)
        self._subscribe(JointState, inputs.joint_source.topic, partial(self._on_joints, inputs), JOINTS_DEPTH)
        self._inputs = inputs
        if self.settings.continuous != "none":
            self._continuous = Continuous(
                self, self.settings, inputs, self._thread, self._process_of_continuous(), self._answers, self._health,
                paused=lambda: self._busy,
            )  # fmt: skip

    def _process_of_continuous(self) -> Callable[[list[StampedView]], Answer]:
        """Follows the block from one estimate to the next where the stage is coarse."""
        assert self._localizer is not None  # the states hold this
        stage = self.settings.continuous
        tracker = Tracker(self._localizer) if stage == "coarse" else None
        return lambda views: self._process(stage, views, tracker)

    def _subscribe(self, kind: type, topic: str, callback: Callable[[Any], None], depth: int) -> None:
        """As sensor data are, or reliably; parameters qos_overrides.TOPIC.subscription.* win over both."""
        reliable = self.settings.reliable_inputs
        reliability = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        profile = QoSProfile(depth=depth, reliability=reliability)
        overrides = QoSOverridingOptions.with_default_policies()
        try:
            made = self.create_subscription(kind, topic, callback, profile, qos_overriding_options=overrides)
        except RuntimeError as error:
            raise BlockworldError(f"parameters qos_overrides.{topic}.subscription.* are wrong: {error}") from None
        self._subscriptions_of_state.append(made)

    def _on_image(self, inputs: Inputs, camera: str, message: Image) -> None:
        inputs.on_image(camera, message)
        if self._continuous is not None:
            self._continuous.look()

    def _on_joints(self, inputs: Inputs, message: JointState) -> None:
        inputs.on_joints(message)
        if self._continuous is not None:
            self._continuous.look()

    def deactivated(self) -> None:
        """Stop to listen and to publish; a goal in progress is given up."""
        self._inputs = None
        if self._continuous is not None:
            self._continuous.stop()
            self._continuous = None
        for subscription in self._subscriptions_of_state:
            self.destroy_subscription(subscription)
        self._subscriptions_of_state.clear()

    def cleaned_up(self) -> None:
        """Free the models, after the estimate that is at work: else they would be in memory beside the next ones."""
        self._thread.submit(lambda: None).result()
        if self._answers is not None:
            self._answers.destroy()
            self._answers = None
        self._localizer = None
        self._health.engine, self._health.models = "", {}

    # Diagnostics

    def told(self) -> Mapping[str, str]:
        """How it is doing."""
        expected = {"latency (s), expected": f"0 to {self.settings.expected_latency_s:g}"} if self._continuous else {}
        jumps = {} if self._inputs is None else {"clock set back": str(self._inputs.clock_jumps)}
        return {**self._health.told(), **expected, **jumps}

    @property
    def warning(self) -> str:
        """The problem of the last estimate, else that none is made, or that they are late."""
        late_s, expected_s = self._health.latency.median_s, self.settings.expected_latency_s
        if self._health.last_problem or self._continuous is None:
            return self._health.last_problem
        if self._continuous.idle_s > self.settings.stale_after_s:
            return f"no estimate for {self._continuous.idle_s:.1f} s: {self._continuous.why_idle()}"
        if late_s is None or late_s <= expected_s:
            return ""
        return f"estimates come {late_s:.3f} s after their images, expected are {expected_s:g} s"

    def statuses(self) -> list[DiagnosticStatus]:
        """Of the node, of each camera, of the joint states."""
        found, inputs, name = super().statuses(), self._inputs, self.full_name
        found[0].name = f"{name}: localization"
        if inputs is not None:
            stale_after_s = self.settings.stale_after_s
            for camera, source in inputs.sources.items():
                found.append(source_status(f"{name}: {camera}", source, "image", stale_after_s))
            found.append(source_status(f"{name}: joint states", inputs.joint_source, "joint state", stale_after_s))
        return found

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
        limit_s = goal.timeout_s if goal.timeout_s > 0 else self.settings.timeout_s
        views = []
        yaws: Sequence[float | None] = goal.clamp_yaws_rad if goal.stage == "fine" else []
        since = self._require_going_on(handle).moment()
        wanted = len(cameras) * max(1, len(yaws))
        for yaw in yaws or [None]:
            if yaw is not None and await self._turn_clamp(handle, yaw, since, len(views), wanted):
                since = self._require_going_on(handle).moment()
            views += await self._collect(handle, cameras, since, limit_s, len(views), wanted)
        self._feedback(handle, goal.stage, len(views), wanted, "computing")
        begin = time.monotonic()
        job = self._thread.submit(self._process, goal.stage, views)
        answer = await finish(self, job, LONGEST_PROCESSING_S, "localizing")
        self._health.processing.add(time.monotonic() - begin)
        self._require_going_on(handle)
        assert self._answers is not None  # going on means being active
        return self._answers.publish(answer)

    def _checked_cameras(self, goal: Any) -> list[str]:
        """The cameras of a goal; raises BlockworldError for a goal that cannot be worked on."""
        if goal.stage not in STAGES:
            raise BlockworldError(f"there is no stage '{goal.stage}': give one of {', '.join(STAGES)}.")
        known = self.settings.cameras
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
        since: Moment,
        limit_s: float,
        have: int,
        wanted: int,
    ) -> list[StampedView]:
        """A view of every camera taken since then; raises BlockworldError, saying which lack, in time."""
        told = -1

        def complete() -> bool:
            nonlocal told
            if handle.is_cancel_requested or self._inputs is None:
                return True
            ready = self._inputs.ready(cameras, since)
            if len(ready) != told:
                told = len(ready)
                lacking = ", ".join(camera for camera in cameras if camera not in ready)
                text = f"waiting for {lacking}" if lacking else "all images are there"
                self._feedback(handle, handle.request.stage, have + told, wanted, text)
            return len(ready) == len(cameras) and self._inputs.complete(cameras, since)

        done = await until(self, complete, limit_s)
        inputs = self._require_going_on(handle)
        if not done:
            reasons = inputs.why_missing(cameras, since)
            raise BlockworldError(f"no view of every camera within {limit_s:g} s: {reasons}.")
        return inputs.views(cameras, since)

    async def _turn_clamp(
        self, handle: ServerGoalHandle, yaw_rad: float, since: Moment, have: int, wanted: int
    ) -> bool:
        """Turn the clamp to a yaw in the base, at the place where the joints of after `since` have it.

        Returns whether that took a motion.
        """
        inputs = self._require_going_on(handle)
        if not await until(self, lambda: inputs.joints_after(since), self.settings.timeout_s):
            reason = inputs.why_missing([], since) or f"no new joint state came on {inputs.joint_source.topic}"
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
        limit_s = self.settings.move_timeout_s
        moved = await call_action(self, self._move, goal, limit_s, lambda: handle.is_cancel_requested)
        if not moved.success:
            raise BlockworldError(f"the clamp did not turn to {np.rad2deg(yaw_rad):.0f} deg: {moved.message}")
        return True

    def _process(self, stage: str, views: list[StampedView], tracker: Tracker | None = None) -> Answer:
        """In the worker thread: tool estimates, block estimate, and a picture of it for each camera that is watched."""
        localizer, answers = self._localizer, self._answers
        if localizer is None or answers is None:
            raise Interrupted("the localizer was cleaned up: configure and activate it, then try again.")
        plain = [entry.view for entry in views]
        tools: list[ToolEstimate] = []
        estimate, origin = None, None
        if tracker is not None:
            estimate, origin = tracker.estimate(plain)
        elif stage == "coarse":
            estimate = localizer.coarse(plain)
        else:
            tools = [localizer.tool(view) for view in plain]
            estimate = localizer.fine(plain) if stage == "fine" else None
        pictures: dict[str, np.ndarray] = {}
        for view in plain:
            shown = estimate is not None and view.camera in estimate.cameras and answers.wants_overlay(view.camera)
            if estimate is not None and shown and view.camera not in pictures:
                camera = estimate.cameras[view.camera]
                clamp = localizer.robot.clamp_pose(view.joints)
                pictures[view.camera] = overlay.draw(view.image, camera, estimate, clamp)
        return Answer(views, tools, estimate, pictures, None if origin is None else origin.start)

    def _feedback(self, handle: ServerGoalHandle, stage: str, have: int, wanted: int, text: str) -> None:
        handle.publish_feedback(
            LocalizeBlock.Feedback(stage=stage, views_received=have, views_wanted=wanted, message=text)
        )

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds


def main() -> None:
    """Console script."""
    run(LocalizerNode)


if __name__ == "__main__":
    main()
