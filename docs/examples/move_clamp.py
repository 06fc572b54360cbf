"""The action `move_clamp` over MoveIt 2, for a Franka Panda: a node to start from.

Not run: no machine of this project has MoveIt or an arm. Fields and names are those of moveit_msgs and control_msgs.
It wants a running move_group (MoveIt 2) with the group and links below, and a gripper that serves GripperCommand.

    python docs/examples/move_clamp.py

What whoever asks relies on: `home` tells the base frame in the result's header; the fingers open before the arm moves,
and close after it; closing on a block is a success, and `holding` says that something is between the fingers; the
result comes when the motion has ended.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from control_msgs.action import GripperCommand
from moveit_msgs.action import MoveGroup
from moveit_msgs.msg import (
    BoundingVolume,
    Constraints,
    JointConstraint,
    MoveItErrorCodes,
    OrientationConstraint,
    PositionConstraint,
)
from perception_interfaces.action import MoveClamp
from rclpy.action import ActionClient, ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from sensor_msgs.msg import JointState
from shape_msgs.msg import SolidPrimitive
from std_msgs.msg import Header

from perception.errors import BlockworldError
from perception.nodes.messages import pose_message, transform_of
from perception.nodes.runtime import call_action, run
from perception.robot import Robot

GROUP, TIP = "panda_arm", "panda_link8"  # of the SRDF: the group of the arm, and the link at its end
GRIPPER = "panda_hand_controller/gripper_cmd"
HOME = (0.0, -0.4, 0.0, -2.3, 0.0, 1.9, 0.785)  # out of the cameras' way, clamp pointing down
SPEED, ACCELERATION = 0.1, 0.1  # of the limits
PLANNING_S, MOTION_S, GRIPPER_S = 5.0, 60.0, 10.0
FORCE_N = 20.0
EXACT_M, EXACT_RAD = 0.001, 0.005
SAME_M, SAME_RAD = 0.002, 0.01  # nearer than that, the arm need not move
ABOVE_M = 0.05  # so near to the place, seen from above, it goes there in a straight line
THIN_M = 0.005  # fingers that stay farther apart than they were told to hold something


class MoveClampServer(Node):
    """See the module."""

    def __init__(self) -> None:
        super().__init__("move_clamp")
        self._robot = Robot.load("panda")
        self._T_clamp_tip = self._tip_in_clamp()
        self._joints: np.ndarray | None = None
        self._busy = False
        self._arm = ActionClient(self, MoveGroup, "move_action")
        self._gripper = ActionClient(self, GripperCommand, GRIPPER)
        self.create_subscription(JointState, "joint_states", self._on_joints, 10)
        self._server = ActionServer(
            self, MoveClamp, "move_clamp", self._on_goal,
            goal_callback=lambda goal: GoalResponse.REJECT if self._busy else GoalResponse.ACCEPT,
            cancel_callback=lambda handle: CancelResponse.ACCEPT,
        )  # fmt: skip

    def _tip_in_clamp(self) -> np.ndarray:
        poses = self._robot.link_poses(self._robot.with_open_fingers(HOME))
        return np.linalg.inv(poses["clamp"]) @ poses[TIP]

    def _on_joints(self, message: JointState) -> None:
        try:
            self._joints = self._robot.order(message.name, message.position)
        except BlockworldError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=5.0)

    def _now(self) -> np.ndarray:
        if self._joints is None:
            raise BlockworldError("no joint state came yet: start the robot's driver.")
        return self._joints

    async def _on_goal(self, handle: ServerGoalHandle) -> MoveClamp.Result:
        self._busy = True
        try:
            await self._carry_out(handle)
        except BlockworldError as error:
            if handle.is_cancel_requested:
                handle.canceled()
            else:
                handle.abort()
            return MoveClamp.Result(message=str(error))
        finally:
            self._busy = False
        goal, joints = handle.request, self._now()
        opening_m = self._robot.opening_m(joints)
        holding = not goal.home and opening_m > goal.opening_m + THIN_M
        result = MoveClamp.Result(success=True, opening_m=opening_m, holding=holding)
        result.pose.header = Header(stamp=self.get_clock().now().to_msg(), frame_id=self._robot.base)
        result.pose.pose = pose_message(self._robot.clamp_pose(joints))
        handle.succeed()
        return result

    async def _carry_out(self, handle: ServerGoalHandle) -> None:
        goal = handle.request
        if goal.home:
            names = [self._robot.joint_names[i] for i in self._robot.arm]
            await self._move(handle, _at_joints(names, HOME), straight=False)
            return
        if goal.pose.header.frame_id != self._robot.base:
            raise BlockworldError(f"the pose is in '{goal.pose.header.frame_id}': give it in '{self._robot.base}'.")
        try:
            target = transform_of(goal.pose.pose)
        except ValueError:
            raise BlockworldError("the orientation of the pose is no unit quaternion.") from None
        if not np.isfinite(target).all() or not np.isfinite(goal.opening_m):
            raise BlockworldError("the pose or the opening is not finite: give numbers.")
        opens = goal.opening_m > self._robot.opening_m(self._now())
        if opens:
            await self._grip(handle, goal.opening_m)
        clamp = self._robot.clamp_pose(self._now())
        if not _same(clamp, target):
            straight = float(np.hypot(*(target - clamp)[:2, 3])) < ABOVE_M
            await self._move(handle, self._at_pose(target @ self._T_clamp_tip), straight)
        if not opens:
            await self._grip(handle, goal.opening_m)

    async def _move(self, handle: ServerGoalHandle, constraints: Constraints, straight: bool) -> None:
        goal = MoveGroup.Goal()
        goal.request.group_name = GROUP
        goal.request.start_state.is_diff = True  # from where the robot is
        goal.request.goal_constraints = [constraints]
        goal.request.allowed_planning_time = PLANNING_S
        goal.request.num_planning_attempts = 1 if straight else 5
        goal.request.max_velocity_scaling_factor = SPEED
        goal.request.max_acceleration_scaling_factor = ACCELERATION
        if straight:  # down to the block, and up with it
            goal.request.pipeline_id, goal.request.planner_id = "pilz_industrial_motion_planner", "LIN"
        goal.planning_options.planning_scene_diff.is_diff = True
        goal.planning_options.planning_scene_diff.robot_state.is_diff = True
        moved = await self._ask(handle, self._arm, goal, MOTION_S)
        if moved.error_code.val != MoveItErrorCodes.SUCCESS:
            raise BlockworldError(f"MoveIt ended with code {moved.error_code.val} of moveit_msgs/MoveItErrorCodes.")

    async def _grip(self, handle: ServerGoalHandle, opening_m: float) -> None:
        goal = GripperCommand.Goal()
        goal.command.position = opening_m / 2  # of one finger; some drivers want the whole gap
        goal.command.max_effort = FORCE_N
        await self._ask(handle, self._gripper, goal, GRIPPER_S)

    async def _ask(self, handle: ServerGoalHandle, client: ActionClient, goal: Any, limit_s: float) -> Any:
        """The result; a goal that is given up is cancelled, which stops the arm."""
        return await call_action(self, client, goal, limit_s, lambda: handle.is_cancel_requested)

    def _at_pose(self, T_base_tip: np.ndarray) -> Constraints:
        """The tip in a small ball around its place, turned as it shall be."""
        header, pose = Header(frame_id=self._robot.base), pose_message(T_base_tip)
        ball = SolidPrimitive(type=SolidPrimitive.SPHERE, dimensions=[EXACT_M])
        place = PositionConstraint(header=header, link_name=TIP, weight=1.0)
        place.constraint_region = BoundingVolume(primitives=[ball], primitive_poses=[pose])
        turn = OrientationConstraint(header=header, link_name=TIP, orientation=pose.orientation, weight=1.0)
        turn.absolute_x_axis_tolerance = EXACT_RAD
        turn.absolute_y_axis_tolerance = EXACT_RAD
        turn.absolute_z_axis_tolerance = EXACT_RAD
        return Constraints(position_constraints=[place], orientation_constraints=[turn])


def _at_joints(names: list[str], positions: tuple[float, ...]) -> Constraints:
    near = {"tolerance_above": EXACT_RAD, "tolerance_below": EXACT_RAD, "weight": 1.0}
    joints = [JointConstraint(joint_name=n, position=p, **near) for n, p in zip(names, positions, strict=True)]
    return Constraints(joint_constraints=joints)


def _same(first: np.ndarray, second: np.ndarray) -> bool:
    """Whether two poses (4, 4) are so near that the arm need not move."""
    turn = (np.trace(first[:3, :3].T @ second[:3, :3]) - 1) / 2
    return bool(np.linalg.norm((first - second)[:3, 3]) < SAME_M and turn > np.cos(SAME_RAD))


if __name__ == "__main__":
    run(MoveClampServer)
