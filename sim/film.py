"""Pictures of a grasp trial: moments of it drawn by a renderer, side by side on a strip."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from perception.camera import Camera
from sim.grasp_trial import Moment
from sim.renderers import Renderer, Shot
from sim.scene import Block, Scene, View
from sim.settle import block_at

EYE_M = (0.36, 0.32, 0.20)  # from the block: away from the base, to the side, up
TARGET_UP_M = 0.08
FOCAL = 1.3  # in picture widths
TEXT_PX = 20
OVERSAMPLING = 2.0


def scene_at(scene: Scene, moment: Moment) -> Scene:
    """The scene as it was at a moment of a trial of its block."""
    return replace(scene, joints=moment.joints, block=block_at(scene.block, moment.pose))


def key_moments(moments: Sequence[Moment]) -> list[Moment]:
    """The first moment of each phase but the first, which looks like the second, and the last of all."""
    first = {moment.phase: moment for moment in reversed(moments)}
    if len(first) > 1:
        del first[moments[0].phase]
    chosen = sorted(first.values(), key=lambda moment: moment.time_s)
    return chosen if chosen[-1] is moments[-1] else [*chosen, moments[-1]]


def strip(
    scene: Scene, moments: Sequence[Moment], renderer: Renderer, width: int = 240, height: int = 240
) -> np.ndarray:
    """(height + 20, width * N, 3) uint8 RGB: the moments from the left, below each its phase and time."""
    camera = _close_camera(scene.block, width, height)
    pictures = []
    for moment in moments:
        now = replace(scene_at(scene, moment), views=(View(camera),))
        picture = renderer.render(now, [Shot.whole(camera, oversampling=OVERSAMPLING)])[0].rgb
        label = np.full((TEXT_PX, width, 3), 255, np.uint8)
        text = f"{moment.phase} {moment.time_s:.1f} s"
        cv2.putText(label, text, (6, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
        pictures.append(np.concatenate([picture, label]))
    return np.concatenate(pictures, axis=1)


def _close_camera(block: Block, width: int, height: int) -> Camera:
    place = block.T_base_block[:3, 3]
    outward = np.array([place[0], place[1], 0.0]) / np.hypot(*place[:2])
    side = np.array([-outward[1], outward[0], 0.0])
    up = np.array([0.0, 0.0, 1.0])
    eye = place + EYE_M[0] * outward + EYE_M[1] * side + EYE_M[2] * up
    return Camera.looking_at(eye, place + TARGET_UP_M * up, FOCAL * width, width, height)
