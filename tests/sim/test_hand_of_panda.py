"""The boxes of the Panda's hand agree with the meshes of its description."""

import numpy as np
import pytest

from perception.hand import PANDA
from sim.meshes import load_mesh
from sim.robots import load_robot

HAND_LINKS = ("panda_hand", "panda_leftfinger", "panda_rightfinger")


def vertices_of_hand(opening_m: float) -> dict[str, np.ndarray]:
    """Vertices of each link of the hand in the clamp frame."""
    description = load_robot("panda")
    joints = description.home.copy()
    joints[list(description.fingers)] = description.finger_at(opening_m)
    poses = description.robot.link_poses(joints)
    found: dict[str, list[np.ndarray]] = {link: [] for link in HAND_LINKS}
    for part in description.parts:
        if part.link in found:
            pose = np.linalg.inv(poses["clamp"]) @ poses[part.link]
            found[part.link].append(load_mesh(part.mesh).vertices @ pose[:3, :3].T + pose[:3, 3])
    return {link: np.concatenate(points) for link, points in found.items()}


@pytest.mark.parametrize("opening_m", [0.0, 0.03, 0.08])
def test_all_of_the_hand_is_in_its_boxes(opening_m):
    for link, points in vertices_of_hand(opening_m).items():
        inside = PANDA.penetration(points, np.eye(4), opening_m, margin_m=0.0005)
        assert inside.all(), (link, points[~inside])


@pytest.mark.parametrize("opening_m", [0.0, 0.03, 0.08])
def test_the_boxes_are_no_larger_than_the_hand(opening_m):
    points = np.concatenate(list(vertices_of_hand(opening_m).values()))
    boxes = PANDA.boxes(opening_m)[:5]  # the last one stands for the wrist
    assert boxes[:, 1].max(axis=0) == pytest.approx(points.max(axis=0), abs=0.004)
    assert boxes[:, 0].min(axis=0) == pytest.approx(points.min(axis=0), abs=0.004)


def test_the_hand_opens_as_wide_as_the_robot_s():
    assert PANDA.opening_m == pytest.approx(load_robot("panda").opening_m, abs=1e-4)
