"""Translation between the dataclasses of `perception.estimate` and ROS 2 messages.

Rotations in messages are those of right-handed frames. The block's z axis is up: in the base its
orientation is a turn about z; in the clamp frame, whose z axis points down, also a half turn about x.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Pose, PoseWithCovariance, PoseWithCovarianceStamped, Vector3
from perception_interfaces.msg import BlockEstimate as BlockEstimateMessage
from perception_interfaces.msg import PoseMode, ViewEvidence
from perception_interfaces.msg import Posterior as PosteriorMessage
from perception_interfaces.msg import ToolEstimate as ToolEstimateMessage
from scipy.spatial.transform import Rotation
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from perception.estimate import BlockEstimate, Evidence, Mode, Posterior, ToolEstimate
from perception.localize import View
from perception.picking import Found
from perception.tracking import Start

NANOSECONDS = 1_000_000_000
POSE_ROWS = (0, 1, 5)  # x, y and the turn about z, of x, y, z, roll, pitch, yaw


def stamp_ns(stamp: Time) -> int:
    """A stamp in nanoseconds; seconds as float64 lose the last few hundred of them."""
    return stamp.sec * NANOSECONDS + stamp.nanosec


def time_message(nanoseconds: int) -> Time:
    """The message of a time in nanoseconds."""
    return Time(sec=nanoseconds // NANOSECONDS, nanosec=nanoseconds % NANOSECONDS)


def pose_message(transform: np.ndarray) -> Pose:
    """The message of a rigid transform (4, 4)."""
    pose = Pose()
    pose.position.x, pose.position.y, pose.position.z = (float(value) for value in transform[:3, 3])
    x, y, z, w = Rotation.from_matrix(transform[:3, :3]).as_quat()
    pose.orientation.x, pose.orientation.y = float(x), float(y)
    pose.orientation.z, pose.orientation.w = float(z), float(w)
    return pose


def transform_of(pose: Pose) -> np.ndarray:
    """The rigid transform (4, 4) of a pose message; raises ValueError for a quaternion of length zero."""
    transform = np.eye(4)
    turn = pose.orientation
    transform[:3, :3] = Rotation.from_quat([turn.x, turn.y, turn.z, turn.w]).as_matrix()
    transform[:3, 3] = pose.position.x, pose.position.y, pose.position.z
    return transform


def clamp_transform(position_m: Sequence[float] | np.ndarray, yaw_rad: float) -> np.ndarray:
    """T_base_clamp (4, 4) of a clamp that points down, its x axis at a yaw in the base."""
    return _level(position_m, yaw_rad, down=True)


def yaw_of(transform: np.ndarray) -> float:
    """Yaw in (-pi, pi] of the x axis of a transform (4, 4), in the frame that it maps to."""
    return float(np.arctan2(transform[1, 0], transform[0, 0]))


def _level(position_m: Sequence[float] | np.ndarray, yaw_rad: float, down: bool) -> np.ndarray:
    """(4, 4): x axis at a yaw in the xy plane; z axis along z, or against it when `down`."""
    cos, sin, side = np.cos(yaw_rad), np.sin(yaw_rad), -1.0 if down else 1.0
    transform = np.eye(4)
    transform[:3, :3] = np.array([[cos, -side * sin, 0.0], [sin, side * cos, 0.0], [0.0, 0.0, side]])
    transform[:3, 3] = position_m
    return transform


def block_in_frame(estimate: BlockEstimate) -> np.ndarray:
    """T_frame_block (4, 4) of an estimate; the block stands upright on the plane."""
    position = (estimate.x_m, estimate.y_m, estimate.z_m)
    return _level(position, estimate.yaw_rad, down=estimate.T_base_frame[2, 2] < 0)


def block_in_base(estimate: BlockEstimate) -> np.ndarray:
    """T_base_block (4, 4) of an estimate, upright on the support plane at z = 0."""
    x, y, yaw = estimate.in_base()
    return _level((x, y, 0.0), yaw, down=False)


def posterior_message(posterior: Posterior) -> PosteriorMessage:
    """The message of a marginal posterior."""
    return PosteriorMessage(
        centres=posterior.centres.tolist(), probabilities=posterior.probabilities.tolist()
    )


def mode_message(mode: Mode) -> PoseMode:
    """The message of a pose that the block may have."""
    x, y, yaw = (float(value) for value in mode.mean)
    return PoseMode(x=x, y=y, yaw=yaw, weight=float(mode.weight), covariance=mode.covariance.reshape(-1))


def evidence_message(evidence: Evidence) -> ViewEvidence:
    """The message of what one image had to say."""
    return ViewEvidence(
        camera=evidence.camera,
        robot=float(evidence.robot),
        block=float(evidence.block),
        used=bool(evidence.used),
        doubt=evidence.doubt,
    )


def block_message(
    estimate: BlockEstimate,
    views: Sequence[View],
    stamps_ns: Sequence[int],
    frame_id: str,
    start: Start | None = None,
    keyframe_ns: Sequence[int] = (),
) -> BlockEstimateMessage:
    """The message of an estimate that was made from views of the given stamps; start, and the stamps of its keyframe,
    where it was followed from earlier ones."""
    message = BlockEstimateMessage(
        header=Header(stamp=time_message(min(stamps_ns)), frame_id=frame_id),
        stage=estimate.stage,
        pose=PoseWithCovariance(pose=pose_message(block_in_frame(estimate))),
        x=posterior_message(estimate.x),
        y=posterior_message(estimate.y),
        yaw=posterior_message(estimate.yaw),
        views=[view.camera for view in views],
        frame_in_base=pose_message(estimate.T_base_frame),
        stamps=[time_message(stamp) for stamp in stamps_ns],
        joints=np.concatenate([view.joints for view in views]).tolist(),
        engine=estimate.engine,
        size=Vector3(**{axis: float(side) for axis, side in zip("xyz", estimate.size_m, strict=True)}),
        confidence=float(estimate.confidence),
        modes=[mode_message(mode) for mode in estimate.modes],
        evidence=[evidence_message(one) for one in estimate.evidence],
        doubts=list(estimate.doubts),
        keyframe=[time_message(stamp) for stamp in keyframe_ns],
        start=[] if start is None else start.numbers,
    )
    covariance = np.zeros((6, 6))
    covariance[np.ix_(POSE_ROWS, POSE_ROWS)] = estimate.covariance
    message.pose.covariance = covariance.reshape(-1)
    return message


def pose_with_covariance(message: BlockEstimateMessage) -> PoseWithCovarianceStamped:
    """The pose of an estimate's message as the standard message."""
    return PoseWithCovarianceStamped(header=message.header, pose=message.pose)


def block_in_base_of(message: BlockEstimateMessage) -> np.ndarray:
    """T_base_block (4, 4) of an estimate's message, whatever frame the estimate is in."""
    return transform_of(message.frame_in_base) @ transform_of(message.pose.pose)


def found_of(message: BlockEstimateMessage) -> Found:
    """What an estimate's message says to whom wants to pick the block up."""
    block = block_in_base_of(message)
    size_m = (message.size.x, message.size.y, message.size.z)
    doubts = (*message.doubts, *(one.doubt for one in message.evidence if one.doubt))
    return Found(block[:3, 3], yaw_of(block), size_m, message.confidence, doubts)


def tool_message(estimate: ToolEstimate, header: Header) -> ToolEstimateMessage:
    """The message of a tool estimate; the header is that of the image."""
    return ToolEstimateMessage(
        header=header,
        camera=estimate.camera,
        u_px=float(estimate.u_px),
        v_px=float(estimate.v_px),
        covariance_px=estimate.covariance.reshape(-1),
        confidence=estimate.confidence,
        u=posterior_message(estimate.u),
        v=posterior_message(estimate.v),
        width=estimate.width,
        height=estimate.height,
        engine=estimate.engine,
    )


def image_message(image: np.ndarray, header: Header) -> Image:
    """The message of a picture (H, W, 3) uint8 RGB."""
    height, width = image.shape[:2]
    message = Image(header=header, height=height, width=width, encoding="rgb8", step=3 * width)
    message.data.frombytes(np.ascontiguousarray(image).tobytes())
    return message
