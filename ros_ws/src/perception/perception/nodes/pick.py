"""The node `pick`: the procedure that picks the block up, as an action.

home, coarse, hover, fine at two clamp orientations 90 degrees apart, approach, descend, close, lift. An estimate of
less confidence than `least_confidence` ends it. It moves the robot by the action move_clamp and asks the localizer by
localize_block; it looks at no image.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from perception_interfaces.action import LocalizeBlock, MoveClamp, Pick
from perception_interfaces.msg import BlockEstimate
from rclpy.action import ActionClient, ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from std_msgs.msg import Header

from perception.errors import BlockworldError
from perception.grasp import check_confidence, closing_yaw, wrap_turn
from perception.node_parameters import PickParameters
from perception.nodes.messages import block_in_base_of, clamp_transform, pose_message, yaw_of
from perception.nodes.runtime import call_action, declare, read_parameters, run


class PickNode(Node):
    """See the module."""

    def __init__(self) -> None:
        super().__init__("pick")
        declare(self, PickParameters)
        self._busy = False
        self._move = ActionClient(self, MoveClamp, "move_clamp")
        self._localize = ActionClient(self, LocalizeBlock, "localize_block")
        self._server = ActionServer(
            self,
            Pick,
            "pick",
            self._on_goal,
            goal_callback=lambda goal: GoalResponse.REJECT if self._busy else GoalResponse.ACCEPT,
            cancel_callback=lambda handle: CancelResponse.ACCEPT,
        )

    async def _on_goal(self, handle: ServerGoalHandle) -> Pick.Result:
        self._busy = True
        result = Pick.Result()
        begin = time.monotonic()
        try:
            await _Procedure(self, handle, result, self._move, self._localize).run()
        except Exception as error:
            expected = isinstance(error, BlockworldError)
            result.message = str(error) if expected else f"unexpected {type(error).__name__}: {error}"
            self.get_logger().warning(result.message)
            if handle.is_cancel_requested:
                handle.canceled()
            else:
                handle.abort()
        else:
            result.success = True
            handle.succeed()
        finally:
            self._busy = False
            result.duration_s = time.monotonic() - begin
        return result


class _Procedure:
    """One run of the procedure; fills in the result, and raises BlockworldError where it ends early."""

    def __init__(
        self,
        node: Node,
        handle: ServerGoalHandle,
        result: Pick.Result,
        move: ActionClient,
        localize: ActionClient,
    ) -> None:
        self._node = node
        self._handle = handle
        self._result = result
        self._move_client = move
        self._localize_client = localize
        self._parameters: PickParameters = read_parameters(node, PickParameters)
        self._step = self._base_frame = ""

    async def run(self) -> None:
        p = self._parameters
        self._begin("home", "moving out of the cameras' way")
        self._base_frame = (await self._send_move(MoveClamp.Goal(home=True))).pose.header.frame_id

        self._begin("coarse", "localizing the block from the overviews")
        self._result.coarse = await self._estimate("coarse", [])
        self._require_confidence(self._result.coarse)
        place = block_in_base_of(self._result.coarse)[:3, 3]

        self._begin("hover", "moving over the block")
        first_yaw = p.clamp_yaw_rad
        await self._move_to((place[0], place[1], p.hover_m), first_yaw, p.opening_m)

        self._begin("fine", "localizing the block from close-ups at two clamp orientations")
        second_yaw = wrap_turn(first_yaw + np.pi / 2)
        self._result.fine = await self._estimate("fine", [first_yaw, second_yaw])
        self._require_confidence(self._result.fine)
        block = block_in_base_of(self._result.fine)
        x, y = block[0, 3], block[1, 3]
        yaw = closing_yaw(yaw_of(block), second_yaw)

        self._begin("approach", "turning the clamp across the block's short side")
        await self._move_to((x, y, p.hover_m), yaw, p.opening_m)
        self._begin("descend", "lowering the open clamp over the block")
        await self._move_to((x, y, p.grasp_m), yaw, p.opening_m)
        self._begin("close", "closing the clamp")
        await self._move_to((x, y, p.grasp_m), yaw, 0.0)
        self._begin("lift", "lifting")
        moved = await self._move_to((x, y, p.grasp_m + p.lift_m), yaw, 0.0)
        if not moved.holding:
            reason = moved.message or "the fingers closed on nothing, or the block slipped out."
            raise BlockworldError(f"lift: the block is not held: {reason}")

    def _begin(self, step: str, message: str) -> None:
        if self._handle.is_cancel_requested:
            raise BlockworldError(f"the goal was cancelled before the step '{step}'.")
        self._step = step
        self._handle.publish_feedback(Pick.Feedback(step=step, message=message))

    async def _move_to(self, position_m: Sequence[float], yaw_rad: float, opening_m: float) -> Any:
        goal = MoveClamp.Goal(opening_m=opening_m)
        goal.pose.header = Header(stamp=self._node.get_clock().now().to_msg(), frame_id=self._base_frame)
        goal.pose.pose = pose_message(clamp_transform(position_m, yaw_rad))
        return await self._send_move(goal)

    async def _send_move(self, goal: MoveClamp.Goal) -> Any:
        limit_s = self._parameters.move_timeout_s
        moved = await self._call(self._move_client, goal, limit_s)
        if not moved.success:
            raise BlockworldError(f"{self._step}: {moved.message}")
        return moved

    async def _estimate(self, stage: str, clamp_yaws_rad: list[float]) -> BlockEstimate:
        limit_s = self._parameters.localize_timeout_s
        cameras = list(self._handle.request.cameras)
        goal = LocalizeBlock.Goal(stage=stage, cameras=cameras, clamp_yaws_rad=clamp_yaws_rad)
        found = await self._call(self._localize_client, goal, limit_s)
        if not found.success:
            raise BlockworldError(f"{self._step}: {found.message}")
        return found.estimate

    def _require_confidence(self, estimate: BlockEstimate) -> None:
        doubts = [*estimate.doubts, *(one.doubt for one in estimate.evidence if one.doubt)]
        try:
            check_confidence(estimate.confidence, self._parameters.least_confidence, doubts)
        except BlockworldError as error:
            raise BlockworldError(f"{self._step}: {error}") from error

    async def _call(self, client: ActionClient, goal: Any, limit_s: float) -> Any:
        try:
            return await call_action(
                self._node, client, goal, limit_s, lambda: self._handle.is_cancel_requested
            )
        except BlockworldError as error:
            raise BlockworldError(f"{self._step}: {error}") from error


def main() -> None:
    """Console script."""
    run(PickNode)


if __name__ == "__main__":
    main()
