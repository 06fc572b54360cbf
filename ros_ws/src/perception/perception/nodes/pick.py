"""The lifecycle node `pick`: the procedure that picks the block up (`perception.picking`), as an action.

It moves the robot by the action move_clamp and asks the localizer by localize_block; it looks at no image. An estimate
of less confidence than `least_confidence` ends it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from perception_interfaces.action import LocalizeBlock, MoveClamp, Pick
from rclpy.action import ActionClient, ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from std_msgs.msg import Header

from perception import picking
from perception.errors import BlockworldError
from perception.node_parameters import PickParameters
from perception.nodes.managed import ManagedNode
from perception.nodes.messages import clamp_transform, found_of, pose_message
from perception.nodes.runtime import call_action, read_parameters, run
from perception.picking import Found


class PickNode(ManagedNode):
    """See the module."""

    PARAMETERS = PickParameters

    def __init__(self) -> None:
        super().__init__("pick")
        self._busy = False
        self._last = ""
        self._move = ActionClient(self, MoveClamp, "move_clamp")
        self._localize = ActionClient(self, LocalizeBlock, "localize_block")
        self._server = ActionServer(
            self,
            Pick,
            "pick",
            self._on_goal,
            goal_callback=self._on_request,
            cancel_callback=lambda handle: CancelResponse.ACCEPT,
        )

    def told(self) -> Mapping[str, str]:
        """How the last pick ended."""
        return {"busy": str(self._busy), "last pick": self._last}

    def _on_request(self, goal: Any) -> GoalResponse:
        return GoalResponse.REJECT if self._busy or self.state != "active" else GoalResponse.ACCEPT

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
            self._last = result.message or "picked"
            result.duration_s = time.monotonic() - begin
        return result


class _Procedure:
    """One run of the procedure, as its hands; fills in the result, and raises BlockworldError where it ends early."""

    def __init__(
        self,
        node: ManagedNode,
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
        await picking.pick(self, self._parameters)

    def begin(self, step: str, message: str) -> None:
        """Publish the step as feedback; raises BlockworldError where the goal was cancelled or the node deactivated."""
        if self._handle.is_cancel_requested:
            raise BlockworldError(f"the goal was cancelled before the step '{step}'.")
        if self._node.state != "active":
            raise BlockworldError(f"the node pick was deactivated before the step '{step}'.")
        self._step = step
        self._handle.publish_feedback(Pick.Feedback(step=step, message=message))

    async def home(self) -> None:
        """Send the arm home, which tells the base frame."""
        self._base_frame = (await self._send_move(MoveClamp.Goal(home=True))).pose.header.frame_id

    async def move(self, position_m: np.ndarray, yaw_rad: float, opening_m: float) -> Any:
        """Send the clamp there."""
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

    async def look(self, stage: str, clamp_yaws_rad: Sequence[float]) -> Found:
        """Ask the localizer; the estimate is kept in the result."""
        limit_s = self._parameters.localize_timeout_s
        cameras = list(self._handle.request.cameras)
        goal = LocalizeBlock.Goal(stage=stage, cameras=cameras, clamp_yaws_rad=list(clamp_yaws_rad))
        answer = await self._call(self._localize_client, goal, limit_s)
        if not answer.success:
            raise BlockworldError(f"{self._step}: {answer.message}")
        setattr(self._result, stage, answer.estimate)
        return found_of(answer.estimate)

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
