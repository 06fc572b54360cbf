"""The lifecycle node `grasp_transfer`: the shape of an object in, grasps out (`perception.grasp_transfer`).

While it is active it answers the service transfer_grasp, one request at a time, and publishes ~/markers. Whatever is
wrong with a request is answered with one sentence and counted by kind.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future as Job
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from perception_interfaces.msg import TransferredGrasp as TransferredGraspMessage
from perception_interfaces.srv import TransferGrasp
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from perception.bundle_folder import default_models_dir
from perception.durations import Durations
from perception.errors import BlockworldError, GraspTransferError, InputError
from perception.grasp_transfer import GraspTransfer, TransferredGrasp
from perception.hand import PANDA
from perception.node_parameters import GraspTransferParameters
from perception.nodes.calling import Interrupted
from perception.nodes.grasp_markers import grasp_markers
from perception.nodes.managed import ManagedNode
from perception.nodes.messages import pose_message
from perception.nodes.runtime import finish, run
from perception.nodes.shape_messages import shape_of_cloud, shape_of_mesh
from perception.shapes.shape import Shape

HAND = PANDA
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class GraspTransferNode(ManagedNode):
    """See the module."""

    PARAMETERS = GraspTransferParameters
    ENDS_UNSTARTED = False  # models may still be copied, and a supervisor would only start it again

    def __init__(self) -> None:
        super().__init__("grasp_transfer")
        self.settings: GraspTransferParameters
        self._transfers: dict[str, GraspTransfer] = {}
        self._markers: Any = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="grasp_transfer")
        self._job: Job | None = None
        self._given_up = threading.Event()
        self._processing = Durations()
        self._answered = 0
        self._refused: Counter[str] = Counter()
        self._last_answer = self._last_problem = ""
        # A group of its own: while an answer is awaited, the timers of the default group go on.
        apart = ReentrantCallbackGroup()
        self.create_service(TransferGrasp, "transfer_grasp", self._on_request, callback_group=apart)

    def destroy_node(self) -> None:
        """Let the worker thread give up what it does, then end the node."""
        self._given_up.set()
        self._thread.shutdown(wait=True, cancel_futures=True)
        super().destroy_node()

    # Lifecycle

    def configured(self) -> None:
        """Load the networks and annotated objects of every category."""
        settings = self.settings
        folder = Path(settings.models) if settings.models else default_models_dir()
        for category in settings.categories:
            begin = time.monotonic()
            transfer = GraspTransfer.open(category, folder, hand=HAND, exemplars=settings.exemplars)
            self._transfers[category] = transfer
            # One line each: where objects are not in the index, this takes long.
            self.get_logger().info(f"{_model(transfer)} of {folder}, loaded in {time.monotonic() - begin:.1f} s")
        self._markers = self.create_lifecycle_publisher(MarkerArray, "~/markers", LATCHED)

    def activated(self) -> None:
        """Begin to answer."""
        self._given_up = threading.Event()
        self._last_problem = ""

    def deactivated(self) -> None:
        """Give up a request in progress."""
        self._given_up.set()

    def cleaned_up(self) -> None:
        """Free the networks."""
        if self._markers is not None:
            self.destroy_lifecycle_publisher(self._markers)
            self._markers = None
        self._transfers = {}

    # Diagnostics

    def told(self) -> Mapping[str, str]:
        """How it is doing."""
        durations = {"median": self._processing.median_s, "longest": self._processing.longest_s}
        return {
            "categories": ", ".join(self._transfers),
            **{f"model {category}": _model(transfer) for category, transfer in self._transfers.items()},
            "busy": str(self._busy),
            "last answer": self._last_answer,
            **{f"processing time (s), {key}": "" if s is None else f"{s:.3f}" for key, s in durations.items()},
            "answered": str(self._answered),
            "refused": str(self._refused.total()),
            **{f"refused: {kind}": str(count) for kind, count in sorted(self._refused.items())},
        }

    @property
    def warning(self) -> str:
        """What was wrong with the last request, until one is answered with grasps."""
        return self._last_problem

    @property
    def _busy(self) -> bool:
        return self._job is not None and not self._job.done()

    # Requests

    async def _on_request(
        self, request: TransferGrasp.Request, response: TransferGrasp.Response
    ) -> TransferGrasp.Response:
        begin = time.monotonic()
        try:
            await self._answer(request, response)
        except Exception as error:
            response.message = self._refuse(error)
        else:
            response.success = True
            self._answered += 1
            self._last_problem = ""
            self._last_answer = f"{len(response.grasps)} grasps of a {request.category}"
        response.duration_s = time.monotonic() - begin
        if response.success:
            self._processing.add(response.duration_s)
        return response

    def _refuse(self, error: Exception) -> str:
        """Count a request that has no grasps; returns why, in one sentence."""
        kinds = {GraspTransferError: "no grasp", Interrupted: "interrupted"}
        expected = isinstance(error, BlockworldError)
        kind = error.kind if isinstance(error, InputError) else kinds.get(type(error), "unexpected")
        problem = str(error) if expected else f"unexpected {type(error).__name__}: {error}"
        self._refused[kind] += 1
        self._last_answer = self._last_problem = problem
        self.get_logger().warning(problem)
        return problem

    async def _answer(self, request: TransferGrasp.Request, response: TransferGrasp.Response) -> None:
        """Fill in the response; raises BlockworldError where there are no grasps."""
        if self.state != "active":
            raise InputError(f"the node grasp_transfer is {self.state}: activate it, then try again.", "not active")
        if self._busy:
            raise InputError("another shape is being worked on: ask again when that is done.", "busy")
        transfer = self._transfers.get(request.category)
        if transfer is None:
            known = ", ".join(self._transfers)
            raise InputError(f"the category is '{request.category}': give one of those loaded, {known}.", "category")
        header = checked_header(request)
        most, floor_m = self._checked_numbers(request)
        limit_s, given_up = self.settings.timeout_s, self._given_up
        deadline = time.monotonic() + limit_s

        def go_on(part: float) -> None:
            """In the worker thread, which so ends soon after nobody waits for it any more."""
            if given_up.is_set():
                raise Interrupted("the node grasp_transfer was deactivated: activate it, then try again.")
            if time.monotonic() > deadline:
                raise Interrupted(f"the transfer took longer than {limit_s:g} s: raise timeout_s, or thin the shape.")

        def work() -> tuple[Shape, list[TransferredGrasp]]:
            shape = shape_of_cloud(request.cloud) if _has_cloud(request) else shape_of_mesh(request.mesh)
            return shape, transfer.grasps(shape, floor_m, most, progress=go_on)

        self._job = self._thread.submit(work)
        # Longer than the deadline, whose sentence says more; no step of the work should take so long.
        shape, grasps = await finish(self, self._job, 2 * limit_s, "the transfer")
        response.header = header
        response.grasps = [grasp_message(grasp) for grasp in grasps]
        response.model, response.engine = _model(transfer), transfer.matcher.network.engine_name
        if self.state == "active":  # else the publisher is gone or silent
            shown = [(grasp.T_object_clamp, grasp.opening_m) for grasp in grasps]
            self._markers.publish(grasp_markers(shape.points, shown, HAND, header))

    def _checked_numbers(self, request: TransferGrasp.Request) -> tuple[int, float | None]:
        """How many grasps are wanted, and the height of the support where it is given."""
        if request.most < 0:
            raise InputError(f"most is {request.most}: give how many grasps you want, or 0.", "numbers")
        if not request.has_support:
            return request.most or self.settings.most, None
        if not math.isfinite(request.support_height_m):
            raise InputError(f"support_height_m is {request.support_height_m}: give a finite number.", "numbers")
        return request.most or self.settings.most, request.support_height_m


def checked_header(request: TransferGrasp.Request) -> Header:
    """The header of the shape of a request; raises InputError where there is not exactly one shape, or its frame
    is not upright."""
    mesh, cloud = bool(request.mesh.vertices or request.mesh.triangles), _has_cloud(request)
    if mesh == cloud:
        told = "both mesh and cloud" if mesh else "neither mesh nor cloud"
        raise InputError(f"the request has {told}: fill exactly one of them.", "shape count")
    header = request.cloud.header if cloud and request.cloud.header.frame_id else request.header
    frame = header.frame_id
    if cloud and request.header.frame_id not in ("", frame):
        raise InputError(
            f"the request is in frame '{request.header.frame_id}' and its cloud in '{frame}': name one.", "frame"
        )
    if frame.endswith(("_optical_frame", "_optical")):  # the suffix of ROS Enhancement Proposal 103
        raise InputError(
            f"the shape is in '{frame}', whose z axis points into the scene: transform it to a frame whose z axis "
            "points up, as that of the robot's base.",
            "frame",
        )
    return header


def grasp_message(grasp: TransferredGrasp) -> TransferredGraspMessage:
    """The message of a grasp."""
    return TransferredGraspMessage(
        pose=pose_message(grasp.T_object_clamp),
        opening_m=float(grasp.opening_m),
        width_m=float(grasp.width_m),
        score=float(grasp.score),
        exemplar=grasp.exemplar,
        grasp=int(grasp.grasp),
    )


def _has_cloud(request: TransferGrasp.Request) -> bool:
    cloud = request.cloud
    return bool(cloud.fields or cloud.data or cloud.width or cloud.height)


def _model(transfer: GraspTransfer) -> str:
    manifest = transfer.matcher.network.bundle.manifest
    return f"{manifest.name} {manifest.version}"


def main() -> None:
    """Console script."""
    run(GraspTransferNode)


if __name__ == "__main__":
    main()
