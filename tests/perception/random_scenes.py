"""Cameras, blocks and postures of the arm at random, within what the networks know."""

import numpy as np
from fixtures_bundle import upright

from perception.camera import Camera


def camera(rng):
    azimuth, distance, elevation = rng.uniform((-1.4, 1.3, 0.45), (1.4, 1.7, 0.9))
    direction = [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)]
    eye = np.array([0.36, 0.0, 0.2]) + distance * np.array(direction)
    return Camera.looking_at(eye, (0.36, 0.0, 0.2), 640.0 * rng.uniform(0.85, 1.05), 640, 480)


def block(rng):
    x, y, yaw, *size = rng.uniform((0.35, -0.2, 0.0, 0.07, 0.035, 0.04), (0.6, 0.2, np.pi, 0.12, 0.05, 0.05))
    return upright(x, y, yaw, tuple(size))


def overview_joints(rng):
    low = (-0.8, -0.9, -0.5, -2.4, -0.5, 1.0, -0.5)
    return np.array([*rng.uniform(low, (0.8, 0.0, 0.5, -1.6, 0.5, 2.0, 0.5)), 0.04, 0.04])
