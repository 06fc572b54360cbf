"""Random human poses as rotations of joints, each within what that joint can do.

Rotations are about axes of the body at rest: x to its left, y to its back, z up. Limbs are drawn by where they point,
because even angles about three axes would crowd them at the poles. Ranges are those of grown people in everyday
and gymnastic poses, rounded; hinges bend about their own axis.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

SIDES = {"L": 1.0, "R": -1.0}
FINGERS = (1, 2, 3, 4, 5)
DEGREE = np.pi / 180
BENT_SHARE = 0.2
"""Share of bodies that bend far forward, which everyday poses hold too few of (section 4.1 of the paper)."""


@dataclass(frozen=True)
class RestBones:
    """Where the joints of a body at rest are, (3,) by name."""

    heads: Mapping[str, np.ndarray]

    def direction(self, joint: str, next_joint: str) -> np.ndarray:
        """(3,) unit vector from one joint to the next."""
        way = self.heads[next_joint] - self.heads[joint]
        return way / np.linalg.norm(way)


def sample_pose(rng: np.random.Generator, bones: RestBones) -> dict[str, Rotation]:
    """The turn of each joint that is not at rest, by name."""
    pose: dict[str, Rotation] = {}
    _trunk(rng, pose)
    for side, sign in SIDES.items():
        _arm(rng, pose, bones, side, sign)
        _hand(rng, pose, bones, side)
        _leg(rng, pose, bones, side, sign)
    return pose


def _trunk(rng: np.random.Generator, pose: dict[str, Rotation]) -> None:
    bent = rng.random() < BENT_SHARE
    forward = rng.uniform(30, 110) if bent else rng.normal(5, 14)
    sideways, twist = rng.normal(0, 12), rng.normal(0, 18)
    tilt = forward * rng.uniform(0.2, 0.8) if bent else rng.normal(0, 8)
    pose["root"] = _turn((tilt, rng.normal(0, 6), rng.normal(0, 8)))
    share = rng.dirichlet(np.full(5, 4.0))
    for number, part in zip(range(5, 0, -1), share, strict=True):
        pose[f"spine0{number}"] = _turn(part * np.array([forward - tilt * bent, sideways, twist]))
    nod = rng.uniform(-0.5, 0.2) * forward if bent else rng.normal(0, 14)
    for joint, part in (("neck01", 0.4), ("neck03", 0.2), ("head", 0.4)):
        pose[joint] = _turn(part * np.array([nod, rng.normal(0, 12), rng.normal(0, 25)]))
    if bent:  # the legs stand where they stood
        for side in SIDES:
            pose[f"upperleg01.{side}"] = _turn((-tilt, 0, 0))


def _arm(
    rng: np.random.Generator, pose: dict[str, Rotation], bones: RestBones, side: str, sign: float
) -> None:
    rest = bones.direction(f"upperarm01.{side}", f"lowerarm01.{side}")
    # Elevation from hanging down (-90) to straight up (90); azimuth from the side (0) to the front (90).
    elevation = DEGREE * _draw(rng, (0.45, lambda: rng.uniform(-88, -20)), (0.35, lambda: rng.uniform(-45, 40)),
                               (0.20, lambda: rng.uniform(20, 88)))  # fmt: skip
    azimuth = DEGREE * _draw(rng, (0.6, lambda: rng.normal(0, 25)), (0.4, lambda: rng.uniform(-45, 120)))
    level = np.array([sign * np.cos(azimuth), -np.sin(azimuth), 0.0])
    target = np.cos(elevation) * level + np.sin(elevation) * np.array([0, 0, 1.0])
    swing = _between(rest, target)
    raised = max(0.0, target[2] - rest[2])
    girdle = Rotation.from_rotvec(swing.as_rotvec() * min(0.25, 0.18 * raised))
    upper = girdle.inv() * swing * Rotation.from_rotvec(rest * DEGREE * rng.normal(0, 30))
    pose[f"clavicle.{side}"] = girdle * _turn(rng.normal(0, 4, 3))
    pose[f"upperarm01.{side}"] = upper
    lower = bones.direction(f"lowerarm01.{side}", f"wrist.{side}")
    hinge = _unit(np.cross(rest, lower))
    bend = _draw(rng, (0.5, lambda: rng.uniform(-25, 20)), (0.5, lambda: rng.uniform(0, 115)))
    pose[f"lowerarm01.{side}"] = Rotation.from_rotvec(hinge * DEGREE * bend)
    pose[f"lowerarm02.{side}"] = Rotation.from_rotvec(lower * DEGREE * rng.uniform(-70, 70))
    pose[f"wrist.{side}"] = _turn(rng.normal(0, 14, 3))


def _hand(rng: np.random.Generator, pose: dict[str, Rotation], bones: RestBones, side: str) -> None:
    across = _unit(bones.heads[f"finger5-1.{side}"] - bones.heads[f"finger2-1.{side}"])
    across = across * (1.0 if side == "L" else -1.0)
    curl = _draw(rng, (0.5, lambda: rng.uniform(-25, 15)), (0.5, lambda: rng.uniform(0, 75)))
    for finger in FINGERS:
        for phalanx in (1, 2, 3):
            share = 0.4 if finger == 1 else 1.0
            angle = share * (curl + rng.normal(0, 8)) * (1.0 if phalanx < 3 else 0.6)
            pose[f"finger{finger}-{phalanx}.{side}"] = Rotation.from_rotvec(across * DEGREE * angle)


def _leg(
    rng: np.random.Generator, pose: dict[str, Rotation], bones: RestBones, side: str, sign: float
) -> None:
    still = rng.random() < 0.35
    flexion = rng.normal(0, 6) if still else _draw(
        rng, (0.6, lambda: rng.uniform(-25, 45)), (0.4, lambda: rng.uniform(20, 110))
    )  # fmt: skip
    outward, twist = (rng.normal(-2, 5), rng.normal(0, 8)) if still else (rng.uniform(-15, 38), rng.normal(0, 18))
    thigh = Rotation.from_euler("yx", [-sign * outward, -flexion], degrees=True)
    along = bones.direction(f"upperleg01.{side}", f"lowerleg01.{side}")
    thigh = thigh * Rotation.from_rotvec(along * DEGREE * twist)
    pose[f"upperleg01.{side}"] = pose.get(f"upperleg01.{side}", Rotation.identity()) * thigh
    knee = abs(rng.normal(0, 6)) if still else _draw(
        rng, (0.5, lambda: abs(rng.normal(0, 15))), (0.5, lambda: flexion + rng.uniform(-30, 40)), lowest=0, highest=140
    )  # fmt: skip
    pose[f"lowerleg01.{side}"] = _turn((knee, 0, 0))
    pose[f"foot.{side}"] = _turn((rng.normal(0, 14), rng.normal(0, 6), rng.normal(0, 8)))


def _draw(
    rng: np.random.Generator, *choices: tuple[float, Callable[[], float]], lowest: float = -180, highest: float = 180
) -> float:
    """One of several ways to draw a number, each with its probability."""
    chosen = rng.choice(len(choices), p=[share for share, _ in choices])
    return float(np.clip(choices[chosen][1](), lowest, highest))


def _turn(degrees: tuple[float, float, float] | np.ndarray) -> Rotation:
    return Rotation.from_euler("xyz", degrees, degrees=True)


def _between(start: np.ndarray, end: np.ndarray) -> Rotation:
    """The shortest rotation of one unit vector (3,) to another."""
    axis = np.cross(start, end)
    sine, cosine = np.linalg.norm(axis), start @ end
    if sine < 1e-9:
        return Rotation.identity()
    return Rotation.from_rotvec(axis / sine * np.arctan2(sine, cosine))


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)
