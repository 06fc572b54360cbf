"""A client of the graph for programs that are no nodes themselves: the demo, tests, scripts.

Every method blocks until its answer is there or its time is up. ROS_DOMAIN_ID and the like are those of the
process; take them from `perception.ros_environment` before this module is imported.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Self

import rclpy
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from perception_interfaces.action import LocalizeBlock, MoveClamp, Pick
from perception_interfaces.srv import ResetWorld, TransferGrasp
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import QoSProfile
from std_msgs.msg import Header

from perception.errors import BlockworldError
from perception.nodes.calling import Call
from perception.nodes.shape_messages import cloud_message, mesh_message
from perception.nodes.transport import make_room_for_images
from perception.shapes.shape import Shape

TRANSITIONS = {
    "configure": Transition.TRANSITION_CONFIGURE,
    "activate": Transition.TRANSITION_ACTIVATE,
    "deactivate": Transition.TRANSITION_DEACTIVATE,
    "cleanup": Transition.TRANSITION_CLEANUP,
}


class Client:
    """Talks to the nodes sim_world, localizer, pick and grasp_transfer; use it as a context manager."""

    def __init__(self, name: str = "client", domain_id: int | None = None, namespace: str = "") -> None:
        """name, namespace: of its node, the latter that of the nodes it talks to; domain_id: the DDS domain, by default
        that of ROS_DOMAIN_ID."""
        make_room_for_images()
        self._context = rclpy.Context()
        rclpy.init(context=self._context, domain_id=domain_id)
        self.node = rclpy.create_node(name, context=self._context, namespace=namespace or None)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._actions: dict[str, ActionClient] = {}
        self._services: dict[str, Any] = {}
        self.latest: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._executor.shutdown()
        for action in self._actions.values():  # a node does not destroy them, and they keep it in its domain
            action.destroy()
        self.node.destroy_node()
        rclpy.shutdown(context=self._context)

    def watch(self, kind: type, topic: str, qos: QoSProfile | int = 10) -> None:
        """Keep the newest message of a topic in `latest`."""

        def keep(message: Any) -> None:
            self.latest[topic] = message

        self.node.create_subscription(kind, topic, keep, qos)

    def spin_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Handle messages until a condition holds (True) or the time is up (False)."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            self._executor.spin_once(timeout_sec=min(left_s, 0.1))
        return True

    def node_names(self) -> set[str]:
        """Names of the nodes that are seen now, without this one; namespaces before them, as in robot_1/localizer."""
        found = {f"{space}/{name}".lstrip("/") for name, space in self.node.get_node_names_and_namespaces()}
        return found - {self.node.get_fully_qualified_name().lstrip("/")}

    def reset(self, seed: int, index: int, timeout_s: float = 60.0) -> None:
        """Start an episode of the simulated world; raises BlockworldError where that fails."""
        answer = self.call(ResetWorld, "reset_world", ResetWorld.Request(seed=seed, index=index), timeout_s)
        if not answer.success:
            raise BlockworldError(answer.message)

    def state(self, node: str = "localizer", timeout_s: float = 20.0) -> str:
        """State of a lifecycle node: unconfigured, inactive, active or finalized."""
        return self.call(GetState, f"{node}/get_state", GetState.Request(), timeout_s).current_state.label

    def change_state(self, transition: str, node: str = "localizer", timeout_s: float = 60.0) -> bool:
        """Ask a lifecycle node for a transition, as "configure"; whether it succeeded."""
        request = ChangeState.Request(transition=Transition(id=TRANSITIONS[transition]))
        return self.call(ChangeState, f"{node}/change_state", request, timeout_s).success

    def wait_for_state(self, state: str, node: str = "localizer", timeout_s: float = 60.0) -> None:
        """Wait until a lifecycle node is in a state; raises BlockworldError, naming its state, otherwise."""
        deadline = time.monotonic() + timeout_s
        found = "not there"
        while time.monotonic() < deadline:
            try:
                found = self.state(node, timeout_s=2.0)
            except BlockworldError:
                continue
            if found == state:
                return
            self.spin_until(lambda: False, 0.1)
        raise BlockworldError(f"node '{node}' is {found}, not {state}, after {timeout_s:g} s.")

    def localize(
        self,
        stage: str,
        cameras: Sequence[str] = (),
        clamp_yaws_rad: Sequence[float] = (),
        timeout_s: float = 60.0,
        on_feedback: Callable[[Any], None] | None = None,
        view_timeout_s: float = 0.0,
    ) -> LocalizeBlock.Result:
        """Localize the block; view_timeout_s: how long the localizer waits for images, 0: its own limit."""
        goal = LocalizeBlock.Goal(
            stage=stage,
            cameras=list(cameras),
            clamp_yaws_rad=[float(yaw) for yaw in clamp_yaws_rad],
            timeout_s=view_timeout_s,
        )
        return self._act(LocalizeBlock, "localize_block", goal, timeout_s, on_feedback)

    def pick(
        self,
        cameras: Sequence[str] = (),
        timeout_s: float = 300.0,
        on_feedback: Callable[[Any], None] | None = None,
    ) -> Pick.Result:
        """Pick the block up."""
        return self._act(Pick, "pick", Pick.Goal(cameras=list(cameras)), timeout_s, on_feedback)

    def move(self, goal: MoveClamp.Goal, timeout_s: float = 120.0) -> MoveClamp.Result:
        """Move the clamp."""
        return self._act(MoveClamp, "move_clamp", goal, timeout_s, None)

    def transfer_grasp(
        self, category: str, shape: Shape, frame_id: str, support_m: float | None = None, most: int = 0,
        timeout_s: float = 120.0,
    ) -> TransferGrasp.Response:
        """Grasps of an object of a shape in m, z up; support_m: height of what it stands on, None: its lowest point;
        most: how many, 0: as the node has it."""
        header = Header(stamp=self.node.get_clock().now().to_msg(), frame_id=frame_id)
        request = TransferGrasp.Request(category=category, header=header, most=most, has_support=support_m is not None)
        request.support_height_m = support_m or 0.0
        if shape.faces is None:
            request.cloud = cloud_message(shape.points, header)
        else:
            request.mesh = mesh_message(shape)
        return self.call(TransferGrasp, "transfer_grasp", request, timeout_s)

    def call(self, kind: Any, name: str, request: Any, timeout_s: float) -> Any:
        """The answer of a service; raises BlockworldError where there is none in time."""
        if name not in self._services:
            self._services[name] = self.node.create_client(kind, name)
        client = self._services[name]
        deadline = time.monotonic() + timeout_s
        if not self.spin_until(client.service_is_ready, timeout_s):
            raise BlockworldError(f"nobody serves '{name}' within {timeout_s:g} s.")
        future = client.call_async(request)
        if not self.spin_until(future.done, deadline - time.monotonic()):
            client.remove_pending_request(future)
            raise BlockworldError(f"'{name}' did not answer within {timeout_s:g} s.")
        return future.result()

    def _act(
        self, kind: Any, name: str, goal: Any, timeout_s: float, on_feedback: Callable[[Any], None] | None
    ) -> Any:
        if name not in self._actions:
            self._actions[name] = ActionClient(self.node, kind, name)
        client = self._actions[name]
        deadline = time.monotonic() + timeout_s
        if not self.spin_until(client.server_is_ready, timeout_s):
            raise BlockworldError(f"nobody serves the action '{name}' within {timeout_s:g} s.")
        call = Call(client, goal, on_feedback)
        if not self.spin_until(call.done, deadline - time.monotonic()):
            call.cancel()
            did = "gave no result" if call.accepted else "did not answer"
            raise BlockworldError(f"the action '{name}' {did} within {timeout_s:g} s.")
        return call.result()
