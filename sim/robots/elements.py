"""Reading and writing the numbers of URDF elements."""

from xml.etree.ElementTree import Element, SubElement

import numpy as np

from perception.robot import pose_of


def numbers(text: str) -> list[float]:
    """The numbers of an attribute; raises ValueError for anything else."""
    return [float(word) for word in text.split()]


def origin_of(element: Element) -> np.ndarray:
    """(4, 4) of the element's `origin`, the identity where it has none."""
    origin = element.find("origin")
    if origin is None:
        return np.eye(4)
    return pose_of(numbers(origin.get("xyz", "0 0 0")), numbers(origin.get("rpy", "0 0 0")))


def set_origin(element: Element, pose: np.ndarray) -> None:
    """Give the element this `origin` (4, 4) in place of the one that it has."""
    origin = element.find("origin")
    if origin is None:
        origin = SubElement(element, "origin")
    origin.set("xyz", text_of(pose[:3, 3]))
    origin.set("rpy", text_of(roll_pitch_yaw(pose[:3, :3])))


def text_of(values: np.ndarray) -> str:
    """Numbers as an attribute, to 12 digits: what rounding leaves of zeros and right angles is dropped."""
    return " ".join(repr(round(float(value), 12) + 0.0) for value in values)


def roll_pitch_yaw(R: np.ndarray) -> np.ndarray:
    """(3,) angles about the fixed axes x, y, z of a rotation (3, 3); roll is 0 where pitch is a right angle."""
    pitch = np.arctan2(-R[2, 0], np.hypot(R[0, 0], R[1, 0]))
    if np.hypot(R[0, 0], R[1, 0]) < 1e-9:
        return np.array([0.0, pitch, np.arctan2(-R[0, 1], R[1, 1])])
    return np.array([np.arctan2(R[2, 1], R[2, 2]), pitch, np.arctan2(R[1, 0], R[0, 0])])
