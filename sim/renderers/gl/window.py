"""The part of a camera's image that a shot shows, as matrices."""

import numpy as np

from sim.renderers import Shot

NEAR_M, FAR_M = 0.05, 50.0
WINDOW = np.dtype([("base_from_ray", "f4", (4, 4)), ("eye", "f4", 4), ("planes", "f4", 4), ("image", "f4", 4)])


def clip_from_base(shot: Shot) -> np.ndarray:
    """(4, 4) to clip coordinates whose y points down, so that the picture's first row is the target's first.

    The target has samples half a pixel apart, 2 N + 1 of them for N pixels: those of odd number at the pixels'
    centres, the outer ones on the window's border. So it spans a quarter of a pixel more than the window.
    """
    camera = shot.camera
    step_u, step_v = (shot.u1 - shot.u0) / shot.width, (shot.v1 - shot.v0) / shot.height
    lens = np.zeros((4, 4))
    lens[0, 0] = 2 * camera.focal_px / (shot.u1 - shot.u0 + 0.5 * step_u)
    lens[1, 1] = 2 * camera.focal_px / (shot.v1 - shot.v0 + 0.5 * step_v)
    lens[0, 2] = lens[0, 0] * (camera.width - shot.u0 - shot.u1) / (2 * camera.focal_px)
    lens[1, 2] = lens[1, 1] * (camera.height - shot.v0 - shot.v1) / (2 * camera.focal_px)
    lens[2, 2:] = (FAR_M + NEAR_M) / (FAR_M - NEAR_M), -2 * FAR_M * NEAR_M / (FAR_M - NEAR_M)
    lens[3, 2] = 1.0
    return lens @ camera.T_camera_base


def window_block(shot: Shot) -> np.ndarray:
    """The uniform block () of WINDOW: how to come from a pixel and a depth back to the base frame."""
    camera = shot.camera
    step_u, step_v = (shot.u1 - shot.u0) / shot.width, (shot.v1 - shot.v0) / shot.height
    ray = np.array(
        [
            [step_u, 0, shot.u0 - camera.width / 2],
            [0, step_v, shot.v0 - camera.height / 2],
            [0, 0, camera.focal_px],
        ]
    )
    window = np.zeros((), WINDOW)
    window["base_from_ray"][:3, :3] = (camera.T_camera_base[:3, :3].T @ ray).T / camera.focal_px
    window["eye"] = *camera.position_m, max(step_u, step_v) / camera.focal_px
    window["planes"] = NEAR_M, FAR_M, shot.width, shot.height
    window["image"] = np.array([shot.u0, shot.v0, step_u, step_v]) / np.tile([camera.width, camera.height], 2)
    return window
