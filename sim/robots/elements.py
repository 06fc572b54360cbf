"""Checking, reading and writing the numbers of URDF elements."""

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from perception.errors import RobotError
from perception.robot import pose_of

SIZES = {
    "box": {"size": 3},
    "sphere": {"radius": 1},
    "cylinder": {"radius": 1, "length": 1},
    "capsule": {"radius": 1, "length": 1},
}
"""Numbers that an element must have, all of them positive: how many by attribute."""

COUNTS = {
    "origin": {"xyz": 3, "rpy": 3},
    "axis": {"xyz": 3},
    "mimic": {"multiplier": 1, "offset": 1},
    "dynamics": {"damping": 1, "friction": 1},
    "mass": {"value": 1},
    "inertia": dict.fromkeys(("ixx", "ixy", "ixz", "iyy", "iyz", "izz"), 1),
    "mesh": {"scale": 3},
    "color": {"rgba": 4},
}
"""Numbers that an element may have. Those of `limit` are checked where they are used: joints may not need them."""


def check_numbers(owner: Element, source: Path) -> None:
    """Refuse a link, joint or material of the file `source` with an attribute that is not the numbers it should be.

    Raises RobotError that names the file, the owner, the element and the attribute.
    """
    for element in owner.iter():
        counts = SIZES.get(element.tag) or COUNTS.get(element.tag, {})
        for attribute, count in counts.items():
            if element.tag in SIZES or attribute in element.attrib:
                place = f"{source}: {owner.tag} {owner.get('name')}: the {attribute} of its {element.tag}"
                checked(element.get(attribute, ""), count, place, positive=element.tag in SIZES)


def checked(text: str, count: int, place: str, positive: bool = False) -> list[float]:
    """`count` finite numbers; raises RobotError for anything else, which `place` says where to find."""
    try:
        values = numbers(text)
    except ValueError:
        values = []
    if len(values) != count or not np.isfinite(values).all() or (positive and min(values) <= 0):
        kind = "positive" if positive else "finite"
        wanted = f"a {kind} number" if count == 1 else f"{count} {kind} numbers"
        raise RobotError(f"{place} is {' '.join(text.split())!r}: give {wanted}.")
    return values


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
