"""A grasp fitted to the surface that it is on: square to what the pads touch, as wide as it needs, free on its way."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from perception.clearance import clear_of_table, unobstructed
from perception.contacts import Contacts, contacts_of
from perception.hand import Hand
from perception.shapes.matching import Fit
from perception.shapes.sampling import area_samples
from perception.shapes.shape import Points, Shape

SURFACE_POINTS = 16_000
LOWEST = 0.01
"""Share of the surface's points below which is what it stands on: the lowest of all are noise."""
UNSEEN_M = 0.008
"""Farther than this from all points of a shape, a fit's surface is taken for a part that was not seen."""
WIDER_M = (0.030, 0.020, 0.012)
"""By how much a hand comes in wider than what it takes: the widest that is free."""
LARGEST_TURN_RAD = np.radians(25)
ROUNDS = 3
LEAST_SQUARENESS = 0.8
"""Of contacts that friction of 0.75 holds."""
_STEPS_M = (0.0, -0.006, 0.006, -0.012, 0.012, 0.018)
SHIFTS_M = sorted(((z, y) for z in _STEPS_M for y in _STEPS_M[:3]), key=lambda one: float(np.hypot(*one)))
"""Along the clamp's z and y axes."""
LEAST_OPPOSED = 0.1
"""Of the difference of both contacts' normals, which is 2 where they are opposite."""
SHIFT_COST = 5.0
"""By how much a metre of shift counts against squareness."""
SQUARE_ENOUGH = 0.97
NEAR_M = 0.08
"""Farther away than this, nothing comes between the pads."""
COARSER = 2
"""One of so many points is enough to see what a hand would run into."""
NOTHING, SLIP = "nothing would be between the fingers", "the fingers would slip"
WIDE = "the hand does not open wide enough"
FLOOR, OBJECT = "the hand would run into what the object stands on", "the hand would run into the object"


@dataclass(frozen=True, eq=False)
class Surface:
    """Points (N, 3) in random order and normals (N, 3) of what a hand may meet; floor_m: height of what the object
    stands on, -inf for none; centre: (3,) of the object."""

    points: Points
    normals: Points
    floor_m: float
    centre: Points

    @property
    def T_table_object(self) -> np.ndarray | None:
        """(4, 4), None where the object stands on nothing."""
        if not np.isfinite(self.floor_m):
            return None
        pose = np.eye(4)
        pose[2, 3] = -self.floor_m
        return pose

    def near(self, place: np.ndarray) -> "Surface":
        """What of it is near a place (3,)."""
        chosen = ((self.points - place) ** 2).sum(axis=1) < NEAR_M**2
        return Surface(self.points[chosen], self.normals[chosen], self.floor_m, self.centre)


def surface_of(shape: Shape, fit: Fit, floor_m: float | None = None) -> Surface:
    """The surface of a shape in m, z up. Where the shape was not seen, as behind a depth image, its fit stands in.

    floor_m: height of what it stands on; None: that of its lowest points.
    """
    rng = np.random.default_rng(0)
    if shape.faces is None:
        points, normals = shape.points, shape.normals
    else:
        points, face, _ = area_samples(shape, SURFACE_POINTS, rng)
        normals = shape.face_normals[face]
    fitted = Shape(fit.points, fit.faces)
    more, face, _ = area_samples(fitted, SURFACE_POINTS // 2, rng)
    unseen = cKDTree(points).query(more, distance_upper_bound=UNSEEN_M)[0] > UNSEEN_M
    points = np.concatenate([points, more[unseen]])
    normals = np.concatenate([normals, fitted.face_normals[face[unseen]]])
    lowest = float(np.quantile(points[:, 2], LOWEST)) if floor_m is None else floor_m
    order = rng.permutation(len(points))
    return Surface(points[order], normals[order], lowest, fit.points.mean(axis=0))


@dataclass(frozen=True, eq=False)
class Refined:
    """A grasp that is free, and what it touches."""

    pose: np.ndarray
    opening_m: float
    contacts: Contacts


def refine(pose: np.ndarray, surface: Surface, hand: Hand) -> Refined | str:
    """The grasp near `pose` that fits the surface best; or, in a few words, why there is none.

    Shifted along the clamp's y and z axes, the nearest places first, until it is square to what the pads touch; turned
    until it is, and centred between the pads.
    """
    near = surface.near(pose[:3, 3])
    best, reasons = None, Counter[str]()
    for deeper_m, aside_m in SHIFTS_M:
        start = pose.copy()
        start[:3, 3] += pose[:3, 2] * deeper_m + pose[:3, 1] * aside_m
        settled = _settled(start, near, hand)
        found = settled if isinstance(settled, str) else _free(*settled, surface, hand)
        if isinstance(found, str):
            reasons[found] += 1
            continue
        worth = found.contacts.squareness - SHIFT_COST * float(np.hypot(deeper_m, aside_m))
        if best is None or worth > best[0]:
            best = worth, found
        if found.contacts.squareness > SQUARE_ENOUGH:
            break
    return reasons.most_common(1)[0][0] if best is None else best[1]


def _free(pose: np.ndarray, contacts: Contacts, surface: Surface, hand: Hand) -> Refined | str:
    """The widest opening with which the hand has a free way; or what is in it."""
    openings = np.minimum(contacts.width_m + np.array(WIDER_M), hand.opening_m)
    poses = np.tile(pose, (len(openings), 1, 1))
    free = unobstructed(surface.points[::COARSER], poses, openings, hand, surface.T_table_object)
    if free.any():
        return Refined(pose, float(openings[free.argmax()]), contacts)
    return OBJECT if clear_of_table(poses, openings, hand, surface.T_table_object).any() else FLOOR


def quality(refined: Refined, surface: Surface) -> float:
    """0 to 1: how square the contacts are, how much of the pads they cover, how short the lever of the weight is."""
    contacts = refined.contacts
    square = np.clip((contacts.squareness - 0.6) / 0.35, 0, 1)
    covered = min(1.0, float(contacts.counts.min()) / 12)
    arm = refined.pose[:3, :3].T @ (surface.centre - refined.pose[:3, 3])
    lever_m = float(np.hypot(arm[1], arm[2]))
    return float(square * (0.4 + 0.6 * covered) * np.exp(-lever_m / 0.2))


def _settled(pose: np.ndarray, surface: Surface, hand: Hand) -> tuple[np.ndarray, Contacts] | str:
    first = pose[:3, :3]
    for _ in range(ROUNDS):
        contacts = contacts_of(surface.points, surface.normals, pose, hand.opening_m, hand)
        if contacts is None:
            return NOTHING
        wanted = contacts.normals[0] - contacts.normals[1]
        if not np.linalg.norm(wanted) > LEAST_OPPOSED:
            return SLIP
        wanted /= np.linalg.norm(wanted)
        axis = np.cross((1.0, 0.0, 0.0), wanted)
        sine = float(np.linalg.norm(axis))
        turn = Rotation.from_rotvec(axis / max(sine, 1e-9) * np.arcsin(min(1.0, sine)))
        turned = pose[:3, :3] @ turn.as_matrix()
        if Rotation.from_matrix(first.T @ turned).magnitude() > LARGEST_TURN_RAD:
            turned = pose[:3, :3]
        # About the contacts' middle, which then lies in the middle between the fingers.
        middle = pose[:3, :3] @ np.array([contacts.middle[0], 0.0, 0.0]) + pose[:3, 3]
        pose = pose.copy()
        pose[:3, :3], pose[:3, 3] = turned, middle
    contacts = contacts_of(surface.points, surface.normals, pose, hand.opening_m, hand)
    if contacts is None:
        return NOTHING
    if contacts.width_m > hand.opening_m - min(WIDER_M) / 2:
        return WIDE
    if contacts.squareness < LEAST_SQUARENESS:
        return SLIP
    return pose, contacts
