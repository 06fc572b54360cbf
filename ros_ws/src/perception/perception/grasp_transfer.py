"""Grasps of annotated objects moved to a new object through the correspondences of a deformed template.

A grasp touches its object in two places. The same places of the new object, and their neighbourhoods, say where the
clamp goes: a rigid frame is fitted to them (Kabsch, 1976). There the grasp is refined on the new object's own surface.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from perception.bundle_folder import default_models_dir
from perception.errors import GraspTransferError
from perception.exemplar_library import Exemplar, ExemplarLibrary
from perception.grasp_refinement import NOTHING, Surface, quality, refine, surface_of
from perception.hand import PANDA, Hand
from perception.shapes.categories import Category
from perception.shapes.deformation import DeformationNetwork
from perception.shapes.matching import LARGEST_UNLIKE, Fit, FitSettings, Matcher
from perception.shapes.sampling import tidied
from perception.shapes.shape import Points, Shape

NEIGHBOURHOOD_M = 0.015
"""Standard deviation of the weights by which places around the contacts count for the frame."""
APART_M, APART_RAD = 0.01, np.radians(20)
_FIT = FitSettings(stiffness=())  # walls are thin: closest points of one side would take the other for theirs
SMALLEST_M, LARGEST_M = 0.01, 1.0
MOST_POINTS = 20_000
"""Of a cloud: more would not say more of where a hand may be."""

Progress = Callable[[float], None]
"""Is told the part of the work that is done, from 0 to 1."""


@dataclass(frozen=True, eq=False)
class TransferredGrasp:
    """A grasp on a new object: T_object_clamp (4, 4) in the object's own frame, m.

    opening_m: of the hand as it comes in. width_m: between the pads once they are closed. score: 0 to 1, the greater
    the better. exemplar, grasp: name and index of what it was before; successes of tries, how it went there.
    """

    T_object_clamp: np.ndarray
    opening_m: float
    width_m: float
    score: float
    exemplar: str
    grasp: int
    successes: int
    tries: int
    similarity: float


class GraspTransfer:
    """Grasps of a category's annotated objects on new objects."""

    def __init__(
        self, matcher: Matcher, library: ExemplarLibrary, hand: Hand = PANDA, exemplars: int = 3
    ) -> None:
        self.matcher, self.library, self.hand, self._exemplars = matcher, library, hand, exemplars

    @classmethod
    def open(
        cls, category: Category, models: Path | None = None, hand: Hand = PANDA, exemplars: int = 3
    ) -> Self:
        """With the network and the annotated objects of a models folder, by default that of the checkout.

        exemplars: how many of them, the nearest, give their grasps to a new object. Raises BlockworldError.
        """
        folder = models or default_models_dir()
        matcher = Matcher(DeformationNetwork.open(category, folder), _FIT)
        return cls(matcher, ExemplarLibrary.open(folder / "exemplars" / category, matcher), hand, exemplars)

    def grasps(
        self, shape: Shape, floor_m: float | None = None, most: int = 20, progress: Progress = lambda part: None
    ) -> list[TransferredGrasp]:
        """Grasps of a shape in m, z up, the best first, at most `most` that differ.

        What belongs to no surface, such as stray points, is left out. floor_m: height of what it stands on; None: that
        of its lowest points. Raises GraspTransferError for a shape of another size than hands and of another category,
        and, with what was in the way, where no grasp is feasible.
        """
        shape = tidied(shape, MOST_POINTS)
        length_m = float(np.ptp(shape.points, axis=0).max())
        if not SMALLEST_M <= length_m <= LARGEST_M:
            raise GraspTransferError(
                f"the object is {length_m:.3g} m long, but hands take what is from {SMALLEST_M} to {LARGEST_M} m: give "
                "its points in metres."
            )
        fit = self.matcher.fit(shape, lambda part, what: progress(0.7 * part), upright=True)
        return self.grasps_of(shape, fit, floor_m, most, lambda part: progress(0.7 + 0.3 * part))

    def grasps_of(
        self, shape: Shape, fit: Fit, floor_m: float | None = None, most: int = 20,
        progress: Progress = lambda part: None,
    ) -> list[TransferredGrasp]:
        """The same for a shape without stray points whose fit is known."""  # fmt: skip
        if fit.unlike > LARGEST_UNLIKE:
            category = self.matcher.network.bundle.manifest.category
            raise GraspTransferError(
                f"the object does not look like a {category}: the nearest one that the network knows is off by "
                f"{100 * fit.unlike:.0f} % of its radius, more than {100 * LARGEST_UNLIKE:.0f} %."
            )
        nearest = self.library.nearest(shape, fit, self._exemplars)
        return transfer(nearest, fit, surface_of(shape, fit, floor_m), self.hand, most, progress)


def transfer(
    exemplars: Sequence[tuple[Exemplar, float]], target: Fit, surface: Surface, hand: Hand = PANDA, most: int = 20,
    progress: Progress = lambda part: None,
) -> list[TransferredGrasp]:
    """The grasps of exemplars, each with its similarity, on a new object, the best first, at most `most` that differ.

    Raises GraspTransferError, with what was in the way, where none is feasible.
    """
    found, failed = list[TransferredGrasp](), Counter[str]()
    for number, (exemplar, similarity) in enumerate(exemplars):
        annotated = exemplar.object.grasps
        for index, pose in enumerate(moved_grasps(exemplar, target, hand)):
            progress((number + (index + 1) / len(annotated.tries)) / len(exemplars))
            refined = NOTHING if pose is None else refine(pose, surface, hand)
            if isinstance(refined, str):
                failed[refined] += 1
                continue
            successes, tries = int(annotated.successes[index]), int(annotated.tries[index])
            expected = (1 + successes) / (2 + tries)  # of a rate of which nothing was known before (Laplace)
            found.append(
                TransferredGrasp(
                    refined.pose, refined.opening_m, refined.contacts.width_m, expected * quality(refined, surface),
                    exemplar.name, index, successes, tries, similarity,
                )
            )
    if not found:
        told = ", ".join(f"{reason} ({count})" for reason, count in failed.most_common())
        raise GraspTransferError(
            f"none of the {failed.total()} grasps of {len(exemplars)} exemplars can be had on this object: {told}."
        )
    return _apart(sorted(found, key=lambda one: -one.score), most)


def moved_grasps(exemplar: Exemplar, target: Fit, hand: Hand) -> Iterator[np.ndarray | None]:
    """For each grasp of an exemplar where its clamp comes to be on a new object, (4, 4); None without contacts."""
    tree = cKDTree(exemplar.fit.points)
    for pose, contacts in zip(exemplar.object.grasps.T_object_clamp, exemplar.contacts(hand), strict=True):
        if contacts is None:
            yield None
            continue
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
