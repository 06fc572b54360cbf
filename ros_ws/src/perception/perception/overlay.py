"""Drawing estimates into images: the block's box, its axis and uncertainty, the clamp, and the figures."""

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from perception.adjustment import Pose
from perception.camera import Camera
from perception.estimate import BlockEstimate, ToolEstimate, level_direction
from perception.images import Image, prepare

Array = NDArray[np.float64]

BLOCK = (255, 176, 32)
ELLIPSE = (64, 224, 255)
CLAMP = (255, 72, 160)
PAPER, INK = (18, 22, 30), (245, 245, 245)
CLAMP_ARM_M = 0.025
_SHIFT = 4  # fractional bits of OpenCV's coordinates
_FILL, _BACKDROP = 0.30, 0.65  # opacities
_CORNERS = np.array([(x, y, z) for z in (0.0, 1.0) for x, y in ((0.5, 0.5), (0.5, -0.5), (-0.5, -0.5), (-0.5, 0.5))])
# Faces of the box: corners in turn, normal, and how bright.
_FACES = (
    ((4, 5, 6, 7), (0, 0, 1), 1.0),
    ((0, 1, 5, 4), (1, 0, 0), 0.7),
    ((2, 3, 7, 6), (-1, 0, 0), 0.7),
    ((1, 2, 6, 5), (0, -1, 0), 0.45),
    ((3, 0, 4, 7), (0, 1, 0), 0.45),
)


def draw(image: Image, camera: Camera, estimate: BlockEstimate, T_base_clamp: ArrayLike | None = None) -> Image:
    """A copy of the image (H, W, 3) RGB with the estimated block drawn in as this camera sees it.

    The faces of its box that the camera sees, the long axis on its top, the ellipse of two standard deviations of the
    place of its foot, and a label with position, yaw and size in the estimate's frame; with the clamp's pose (4, 4)
    also the clamp. What is behind the camera is left out.
    """
    canvas = prepare(image).copy()
    size = max(canvas.shape[1] / 640.0, 0.5)
    foot = (estimate.T_base_frame @ (estimate.x_m, estimate.y_m, estimate.z_m, 1.0))[:3]
    block = Pose.upright(foot, estimate.in_base()[2], np.array(estimate.size_m))
    _box(canvas, camera, block, size)
    _line(canvas, camera, block.points(np.array([(-0.5, 0.0, 1.0), (0.5, 0.0, 1.0)])), BLOCK, 1.5 * size)
    _line(canvas, camera, _ellipse(estimate, foot), ELLIPSE, size, closed=True)
    if T_base_clamp is not None:
        _clamp(canvas, camera, np.asarray(T_base_clamp, dtype=np.float64), size)
    _label(canvas, camera.project(foot)[0], _figures(estimate), size)
    return canvas


def draw_tool(image: Image, estimate: ToolEstimate) -> Image:
    """A copy of the image (H, W, 3) RGB with the clamp's place, its ellipse of two standard deviations and
    label."""
    canvas = prepare(image).copy()
    size = max(canvas.shape[1] / 640.0, 0.5)
    place = np.array([estimate.u_px, estimate.v_px])
    _polyline(canvas, place + _circle() @ _root(estimate.covariance).T * 2.0, ELLIPSE, size, closed=True)
    for arm in ((12.0, 0.0), (0.0, 12.0)):
        step = np.array(arm) * size
        _polyline(canvas, np.stack([place - step, place + step]), CLAMP, 1.5 * size)
    spread = 2.0 * np.sqrt(np.linalg.eigvalsh(estimate.covariance)[-1])
    _label(canvas, place, [f"clamp {place[0]:.0f}, {place[1]:.0f} px  +-{spread:.0f}"], size)
    return canvas


def _figures(estimate: BlockEstimate) -> list[str]:
    sigma = np.sqrt(np.diag(estimate.covariance))
    spread = f"+-{2e3 * max(sigma[0], sigma[1]):.0f} mm  +-{np.rad2deg(2 * sigma[2]):.0f} deg"
    place = f"x {1e3 * estimate.x_m:.0f}  y {1e3 * estimate.y_m:.0f} mm"
    sides = " x ".join(f"{1e3 * side:.0f}" for side in estimate.size_m)
    return [
        f"{estimate.stage}: {place}  yaw {np.rad2deg(estimate.yaw_rad):.0f} deg",
        f"{spread}  {sides} mm  {100 * estimate.confidence:.0f} % sure",
    ]


def _box(canvas: Image, camera: Camera, block: Pose, size: float) -> None:
    """The faces that look at the camera, the top brightest, and their edges."""
    corners = block.points(_CORNERS)
    eye = (camera.position_m - block.position) @ block.rotation
    seen = [face for face in _FACES if np.dot(face[1], eye - _CORNERS[list(face[0])].mean(axis=0) * block.size) > 0]
    pixels, _ = camera.project(corners)
    if not np.isfinite(pixels).all():
        return
    layer = canvas.copy()
    for order, _, bright in seen:
        shade = tuple(round(bright * value) for value in BLOCK)
        cv2.fillPoly(layer, [_fixed(pixels[list(order)])], shade, cv2.LINE_AA, _SHIFT)
    cv2.addWeighted(layer, _FILL, canvas, 1.0 - _FILL, 0.0, dst=canvas)
    for order, *_ in seen:
        _polyline(canvas, pixels[list(order)], BLOCK, size, closed=True)


def _ellipse(estimate: BlockEstimate, centre: Array) -> Array:
    """Points (N, 3) in base of the ellipse of two standard deviations around the block's centre."""
    offsets = 2.0 * _circle() @ _root(estimate.covariance[:2, :2]).T
    length = np.linalg.norm(offsets, axis=-1, keepdims=True)
    turn = np.arctan2(offsets[:, 1], offsets[:, 0])
    return centre + length * level_direction(estimate.T_base_frame[:3, :3], turn)


def _circle() -> Array:
    angle = np.linspace(0.0, 2.0 * np.pi, 48, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _root(covariance: Array) -> Array:
    """A square root of a covariance (2, 2) that is at least semidefinite."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _clamp(canvas: Image, camera: Camera, T_base_clamp: Array, size: float) -> None:
    origin = T_base_clamp[:3, 3]
    for axis, width in ((0, 2.0), (1, 1.0)):  # the closing direction is the bold one
        arm = CLAMP_ARM_M * T_base_clamp[:3, axis]
        _line(canvas, camera, np.stack([origin - arm, origin + arm]), CLAMP, width * size)


def _line(
    canvas: Image,
    camera: Camera,
    points: Array,
    colour: tuple[int, int, int],
    width: float,
    closed: bool = False,
) -> None:
    pixels, _ = camera.project(points)
    if np.isfinite(pixels).all():
        _polyline(canvas, pixels, colour, width, closed)


def _polyline(canvas: Image, pixels: Array, colour: tuple[int, int, int], width: float, closed: bool = False) -> None:
    places = [_fixed(pixels)]
    thickness = max(1, round(width))
    if not closed:  # an outline shows a line on any ground; closed ones are small, and it would fill them
        cv2.polylines(canvas, places, closed, PAPER, thickness + 2, cv2.LINE_AA, _SHIFT)
    cv2.polylines(canvas, places, closed, colour, thickness, cv2.LINE_AA, _SHIFT)


def _fixed(pixels: Array) -> NDArray[np.int32]:
    """OpenCV's fixed-point coordinates of pixels (N, 2), which count from pixel centres."""
    return np.clip((pixels - 0.5) * 2**_SHIFT, -(2**28), 2**28).round().astype(np.int32)


def _label(canvas: Image, spot: Array, lines: list[str], size: float) -> None:
    """Lines of text on a dark backdrop in the lower left corner, or in the upper one where the place is near."""
    scale, pad = 0.45 * size, round(6 * size)
    extents = [cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0] for line in lines]
    step = max(extent[1] for extent in extents) + pad
    width, height = max(extent[0] for extent in extents) + 2 * pad, step * len(lines) + pad
    rows = canvas.shape[0]
    near = spot[0] < width + 8 * pad and spot[1] > rows - height - 8 * pad
    top = 0 if near else rows - height
    area = canvas[top : top + height, :width]
    area[:] = (area * (1.0 - _BACKDROP) + np.array(PAPER) * _BACKDROP).astype(np.uint8)
    for i, line in enumerate(lines):
        place = (pad, top + step * (i + 1))
        cv2.putText(canvas, line, place, cv2.FONT_HERSHEY_SIMPLEX, scale, INK, 1, cv2.LINE_AA)
