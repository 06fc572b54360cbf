"""Grasps of annotated objects moved to a new object through the correspondences of a deformed template.

A grasp touches its object in two places. The same places of the new object, and their neighbourhoods, say where the
clamp goes: a rigid frame is fitted to them (Kabsch, 1976). There the grasp is refined on the new object's own surface:
square to what the pads touch, as wide as it needs, free of collisions.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from perception.clearance import unobstructed
from perception.contacts import Contacts, contacts_of
from perception.errors import GraspTransferError
from perception.exemplar_library import Exemplar
from perception.hand import PANDA, Hand
from perception.shapes.matching import Fit
from perception.shapes.sampling import area_samples
from perception.shapes.shape import Points, Shape

SURFACE_POINTS = 16_000
NEIGHBOURHOOD_M = 0.015
"""Standard deviation of the weights by which places around the contacts count for the frame."""
UNSEEN_M = 0.008
"""Farther than this from all points of a shape, a fit's surface is taken for a part that was not seen."""
FLOOR_M = 0.002
WIDER_M = (0.030, 0.020, 0.012)
"""By how much a hand comes in wider than what it takes: the widest that is free."""
LARGEST_TURN_RAD = np.radians(25)
ROUNDS = 3
LEAST_SQUARENESS = 0.8
"""Of contacts that friction of 0.75 holds."""
SHIFTS_M = (0.0, -0.006, 0.006, -0.012, 0.012, 0.018)
APART_M, APART_RAD = 0.01, np.radians(20)


@dataclass(frozen=True, eq=False)
class TransferredGrasp:
    """A grasp on a new object: T_object_clamp (4, 4) in the object's own frame, m.

    opening_m: of the hand as it comes in. width_m: between the pads once they are closed. score: 0 to 1, the greater
    the better. exemplar, grasp: which grasp of which exemplar it was.
    """

    T_object_clamp: np.ndarray
    opening_m: float
    width_m: float
    score: float
    exemplar: int
    grasp: int


@dataclass(frozen=True, eq=False)
class Surface:
    """Points (N, 3) and normals (N, 3) of what a hand may meet; floor_m: height of what the object stands on, -inf for
    none; centre: (3,) of the object."""

    points: Points
    normals: Points
    floor_m: float
    centre: Points


def surface_of(shape: Shape, fit: Fit, floor_m: float | None = None) -> Surface:
    """The surface of a shape in m, z up. Where the shape was not seen, as behind a depth image, its fit stands in.

    floor_m: height of what it stands on; None: its lowest point.
    """
    rng = np.random.default_rng(0)
    if shape.faces is None:
        points, normals = shape.points, shape.normals
    else:
        points, face, _ = area_samples(shape, SURFACE_POINTS, rng)
        normals = _unit(shape.face_crosses[face])
    fitted = Shape(fit.points, fit.faces)
    more, face, _ = area_samples(fitted, SURFACE_POINTS // 2, rng)
    unseen = cKDTree(points).query(more, distance_upper_bound=UNSEEN_M)[0] > UNSEEN_M
    points = np.concatenate([points, more[unseen]])
    normals = np.concatenate([normals, _unit(fitted.face_crosses[face[unseen]])])
    lowest = float(points[:, 2].min()) if floor_m is None else floor_m
    return Surface(points, normals, lowest, fit.points.mean(axis=0))


def transfer(
    exemplars: list[Exemplar], target: Fit, surface: Surface, hand: Hand = PANDA, most: int = 20,
    progress: Callable[[float], None] = lambda part: None,
) -> list[TransferredGrasp]:
    """The grasps of all exemplars on a new object, the best first, at most `most` that differ.

    Raises GraspTransferError, with what was in the way, where none is feasible.
    """
    found, failed = list[TransferredGrasp](), Counter[str]()
    for number, exemplar in enumerate(exemplars):
        moved = list(moved_grasps(exemplar, target, hand))
        for index, pose in enumerate(moved):
            progress((number + (index + 1) / len(moved)) / len(exemplars))
            refined = "nothing would be between the fingers" if pose is None else refine(pose, surface, hand)
            if isinstance(refined, str):
                failed[refined] += 1
                continue
            grasp = exemplar.grasps[index]
            score = grasp.expected_success * quality(refined, surface)
            found.append(
                TransferredGrasp(refined.pose, refined.opening_m, refined.contacts.width_m, score, number, index)
            )
    if not found:
        told = ", ".join(f"{reason} ({count})" for reason, count in failed.most_common())
        raise GraspTransferError(
            f"none of the {failed.total()} grasps of {len(exemplars)} exemplars can be had on this object: {told}."
        )
    return _apart(sorted(found, key=lambda one: -one.score), most)


def moved_grasps(exemplar: Exemplar, target: Fit, hand: Hand) -> Iterator[np.ndarray | None]:
    """For each grasp of an exemplar where its clamp comes to be on a new object, (4, 4); None for one without contacts."""
    tree = cKDTree(exemplar.fit.points)
    for grasp, contacts in zip(exemplar.grasps, exemplar.contacts(hand), strict=True):
        if contacts is None:
            yield None
            continue
        pose = grasp.T_object_clamp
        places = contacts.middles @ pose[:3, :3].T + pose[:3, 3]
        near = np.unique(np.concatenate(tree.query_ball_point(places, 3 * NEIGHBOURHOOD_M)).astype(np.int64))
        if len(near) < 3:
            yield None
            continue
        away = np.linalg.norm(exemplar.fit.points[near, None] - places, axis=2).min(axis=1)
        weights = np.exp(-0.5 * (away / NEIGHBOURHOOD_M) ** 2)
        turn, shift = _rigid(exemplar.fit.points[near], target.points[near], weights)
        moved = np.eye(4)
        moved[:3, :3] = turn @ pose[:3, :3]
        moved[:3, 3] = turn @ pose[:3, 3] + shift
        yield moved


@dataclass(frozen=True, eq=False)
class Refined:
    """A grasp that is free, and what it touches."""

    pose: np.ndarray
    opening_m: float
    contacts: Contacts


def refine(pose: np.ndarray, surface: Surface, hand: Hand) -> Refined | str:
    """The grasp near `pose` that fits the surface best; or, in a few words, why there is none.

    Shifted along the clamp's y and z axes, then turned until the closing direction is square to what the pads touch,
    and centred between them.
    """
    variants, reasons = [], Counter[str]()
    for deeper_m in SHIFTS_M:
        for aside_m in SHIFTS_M[:3]:
            start = pose.copy()
            start[:3, 3] += pose[:3, 2] * deeper_m + pose[:3, 1] * aside_m
            settled = _settled(start, surface, hand)
            if isinstance(settled, str):
                reasons[settled] += 1
            else:
                moved_m = float(np.linalg.norm(settled[0][:3, 3] - pose[:3, 3]))
                variants.append((settled[1].squareness - 5 * moved_m, *settled))
    variants.sort(key=lambda one: -one[0])
    for wider_m in WIDER_M:
        if not variants:
            break
        poses = np.stack([moved for _, moved, _ in variants])
        openings = np.minimum([contacts.width_m + wider_m for _, _, contacts in variants], hand.opening_m)
        free = unobstructed(surface.points, poses, openings, hand, surface.floor_m + FLOOR_M)
        for index in np.flatnonzero(free):
            _, moved, contacts = variants[index]
            return Refined(moved, float(openings[index]), contacts)
    if variants:
        blocked = hand.lowest(poses, openings) <= surface.floor_m + FLOOR_M
        return "the hand would run into what it stands on" if blocked.all() else "the hand would run into the object"
    return reasons.most_common(1)[0][0]


def quality(refined: Refined, surface: Surface) -> float:
    """0 to 1: how square the contacts are, how much of the pads they cover, and how short the lever of the weight is."""
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
            return "nothing would be between the fingers"
        wanted = _unit(contacts.normals[0] - contacts.normals[1])
        axis = np.cross((1.0, 0.0, 0.0), wanted)
        turn = Rotation.from_rotvec(axis / max(np.linalg.norm(axis), 1e-9) * np.arcsin(min(1.0, np.linalg.norm(axis))))
        turned = pose[:3, :3] @ turn.as_matrix()
        if Rotation.from_matrix(first.T @ turned).magnitude() > LARGEST_TURN_RAD:
            turned = pose[:3, :3]
        # About the contacts' middle, which then lies in the middle between the fingers.
        middle = pose[:3, :3] @ np.array([contacts.middle[0], 0.0, 0.0]) + pose[:3, 3]
        pose = pose.copy()
        pose[:3, :3], pose[:3, 3] = turned, middle
    contacts = contacts_of(surface.points, surface.normals, pose, hand.opening_m, hand)
    if contacts is None:
        return "nothing would be between the fingers"
    if contacts.width_m > hand.opening_m - min(WIDER_M) / 2:
        return "the hand does not open wide enough"
    if contacts.squareness < LEAST_SQUARENESS:
        return "the fingers would slip off"
    return pose, contacts


def _rigid(source: Points, target: Points, weights: NDArray[np.floating]) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (3, 3) and translation (3,) of least squares from points (N, 3) to those of the same index."""
    share = weights / weights.sum()
    middle, aim = share @ source, share @ target
    left, _, right = np.linalg.svd((share[:, None] * (target - aim)).T @ (source - middle))
    turn = (left * (1.0, 1.0, np.sign(np.linalg.det(left @ right)))) @ right
    return turn, aim - turn @ middle


def _apart(grasps: list[TransferredGrasp], most: int) -> list[TransferredGrasp]:
    """The best that are not nearly the same as a better one."""
    kept: list[TransferredGrasp] = []
    for grasp in grasps:
        if len(kept) == most:
            break
        if all(_differ(grasp.T_object_clamp, one.T_object_clamp) for one in kept):
            kept.append(grasp)
    return kept


def _differ(first: np.ndarray, second: np.ndarray) -> bool:
    if np.linalg.norm(first[:3, 3] - second[:3, 3]) > APART_M:
        return True
    turn = first[:3, :3].T @ second[:3, :3]
    half = turn * np.array([-1.0, -1.0, 1.0])  # the fingers' places exchanged
    return min(Rotation.from_matrix(turn).magnitude(), Rotation.from_matrix(half).magnitude()) > APART_RAD


def _unit(vectors: NDArray[np.floating]) -> Points:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1), dtype=np.float64)
