"""Correspondences between two shapes of a category: both are fitted by the same template, deformed.

Algorithm 1 of 3D-CODED (Groueix et al., ECCV 2018): a point of the source is nearest to a point of the template
deformed to it; where the same point of the template lies in the target is what it corresponds to.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from perception.shapes.chamfer import Neighbours, neighbours
from perception.shapes.deformation import DeformationNetwork, Floats
from perception.shapes.nonrigid import Membrane
from perception.shapes.normalise import frame_of, frame_of_cloud
from perception.shapes.partial_search import REACH, partial_starts
from perception.shapes.pose_search import Start, encoded, starts
from perception.shapes.regression import FIRST_STEP, Weighting, regressed
from perception.shapes.rotations import even_rotations, upright_rotations
from perception.shapes.sampling import regular_samples, subdivided, surface_samples
from perception.shapes.shape import Faces, Points, Shape
from perception.shapes.similarity import Similarity

Progress = Callable[[float, str], None]
"""Is told the part of the work that is done, from 0 to 1, and what is being done."""

WHOLE = Weighting()
ROBUST = Weighting(template=4, target=6)
"""Of the last steps: a partial shape lacks what part of the template stands for, and noise stands for no part of it."""
LARGEST_UNLIKE = 0.07
"""A shape whose fit is more `unlike` is hardly of the network's category: shapes of it are within 0.03, with a depth
camera's noise within 0.05."""
_PARTIAL_STARTS = 8
_FINALISTS, _MORE = 2, 3
_FEW_SAMPLES, _FEW_TEMPLATE = 1200, 700  # on which starts are told apart
_SURFACE = 15_000  # samples that the non-rigid steps follow
ROTATIONS, UPRIGHT_ROTATIONS = 576, 36
"""Of the grids that the pose search begins from: about 30 degrees apart, and 10 where only the heading is unknown."""


@dataclass(frozen=True)
class FitSettings:
    """How much is done for a fit; what is left out is for ablations.

    samples, template: points of the shape and of the template that the regression compares. starts: rotations that it
    is begun from, for `tries` steps each, and the two best of them for three times as many. steps: at most, from the
    best of these, and polish: after them, in which what has no counterpart counts less. regular: samples spread evenly,
    instead of some of the points as they come. dense: least number of points of the high-resolution template.
    stiffness: of the non-rigid steps at the end, which move the template to what its network cannot say; () for none.
    """

    samples: int = 2500
    template: int = 1500
    starts: int = 3
    tries: int = 25
    steps: int = 125
    polish: int = 50
    regular: bool = True
    dense: int = 40_000
    stiffness: tuple[float, ...] = (100.0, 50.0, 25.0, 12.0, 6.0, 3.0, 1.5)


@dataclass(frozen=True, eq=False)
class Fit:
    """A template deformed to a shape.

    latent (L,); placement, how the deformed template, whose RMS radius is about 1, lies in the shape's frame and units;
    points (V, 3) of the deformed high-resolution template there, their triangles `faces` being those of every fit by
    this network; residual (N,), the distance of each point of the shape from the nearest of these, in the shape's
    units; nearest (N,), which that is; unlike, how far the shape's points are in the mean, in RMS radii, from what its
    network alone makes of the template: much where the shape is of another category.
    """

    latent: Floats
    placement: Similarity
    points: Points
    faces: Faces
    residual: Points
    nearest: NDArray[np.int64]
    unlike: float


@dataclass(frozen=True, eq=False)
class Matches:
    """For each point of the source: indices (N,) of the target's point that it corresponds to, points (N, 3) where that
    is, and residual (N,), how far both fits are from their shapes there; in the target's units."""

    indices: NDArray[np.int64]
    points: Points
    residual: Points


class Matcher:
    """Fits shapes by one network, and matches what it has fitted."""

    def __init__(self, network: DeformationNetwork, settings: FitSettings = FitSettings()) -> None:
        self.network, self.settings = network, settings
        template = network.template
        assert template.faces is not None
        self._few = regular_samples(template, settings.template)
        self._membrane = Membrane(len(template.points), template.faces)
        self._dense, self.faces = template.points, template.faces
        while len(self._dense) < settings.dense:
            self._dense, self.faces = subdivided(self._dense, self.faces)

    def fit(
        self, shape: Shape, progress: Progress = lambda done, what: None, upright: bool = False
    ) -> Fit:
        """The template, turned and deformed to the shape, which may be a part of one, such as what a camera sees.

        upright: the shape stands as the template does, z up, and only its heading is unknown.
        """
        grid = upright_rotations(UPRIGHT_ROTATIONS) if upright else even_rotations(ROTATIONS)
        samples = self._samples(shape)
        frame = frame_of(samples) if shape.faces is not None else frame_of_cloud(samples)
        normalised = frame.normalised(samples)
        found = starts(
            self.network, normalised, self._few, grid, self.settings.starts,
            lambda part: progress(0.3 * part, "turning"),
        )
        if self.settings.steps:
            best = self._regressed(found, normalised, grid, progress)
        else:
            best = encoded(self.network, [start.pose for start in found[:1]], normalised, self._few)[0]
            progress(1.0, "turning")
        scale = float(frame.scale)
        shift = scale * best.pose.translation + frame.centre
        return self.fit_of(shape, best.latent, Similarity(best.pose.rotation, shift, scale * best.pose.scale))

    def fit_of(self, shape: Shape, latent: Floats, placement: Similarity) -> Fit:
        """The fit of a shape whose latent vector (L,) and placement are known."""
        points = self.network.decode(latent[None], self._dense)[0].astype(np.float64)
        given = placement.undo(shape.points)
        residual, nearest = cKDTree(points).query(given)
        unlike = float(residual.mean())
        if self.settings.stiffness:
            points = points + self._left(points, placement.undo(surface_samples(shape, _SURFACE)))
            residual, nearest = cKDTree(points).query(given)
        return Fit(
            latent, placement, placement.apply(points), self.faces, placement.scale * residual, nearest, unlike
        )

    def match(self, source: Fit, target: Fit, target_shape: Shape) -> Matches:
        """Where the points of the shape that `source` is a fit of lie on `target_shape`, that `target` is a fit of."""
        through = target.points[source.nearest]
        away, indices = cKDTree(target_shape.points).query(through)
        residual = away + source.residual * target.placement.scale / source.placement.scale
        return Matches(indices, target_shape.points[indices], residual)

    def _left(self, deformed: Points, samples: Points) -> Points:
        """How far points (D, 3) of the deformed high-resolution template are to be moved to lie on samples (N, 3)."""
        coarse = deformed[: len(self.network.template.points)]
        moved = self._membrane.drawn(coarse, samples, self.settings.stiffness, ROBUST) - coarse
        faces = self.network.template.faces
        assert faces is not None
        while len(moved) < len(deformed):
            moved, faces = subdivided(moved, faces)
        return moved

    def _regressed(self, found: list[Start], samples: Points, grid: Points, progress: Progress) -> Start:
        def share(begin: float, end: float) -> Callable[[float], None]:
            return lambda part: progress(begin + (end - begin) * part, "fitting")

        best = self._best(found, samples, share(0.3, 0.6), WHOLE)
        best = self._steps(best, samples, self.settings.steps, share(0.6, 0.8))
        if self._neighbours(best, samples, self._few).lacks():
            parts = partial_starts(self.network, samples, self._few, grid, _PARTIAL_STARTS, share(0.8, 0.82))
            part = self._best(parts, samples, share(0.82, 0.86), ROBUST)
            part = self._steps(part, samples, self.settings.steps, share(0.86, 0.9), ROBUST)
            best = min(best, part, key=lambda start: self._neighbours(start, samples, self._few).truncated(REACH))
        return self._steps(best, samples, self.settings.polish, share(0.9, 1.0), ROBUST, FIRST_STEP / 2)

    def _best(
        self, found: list[Start], samples: Points, progress: Callable[[float], None], weighting: Weighting
    ) -> Start:
        """The one that some steps bring closest: after a few the best two are ahead of the rest, not of each other."""
        few, template = samples[:_FEW_SAMPLES], self._few[:_FEW_TEMPLATE]
        rounds = ((len(found), self.settings.tries), (_FINALISTS, _MORE * self.settings.tries))
        whole, done = sum(min(len(found), count) * steps for count, steps in rounds), 0
        for count, steps in rounds:
            tried = []
            for start in found[:count]:
                tried.append(
                    regressed(self.network, start, few, template, steps, lambda part: None, weighting)
                )
                done += steps
                progress(done / whole)
            found = sorted(tried, key=lambda start: self._neighbours(start, few, template).truncated(REACH))
        return found[0]

    def _steps(
        self,
        start: Start,
        samples: Points,
        steps: int,
        progress: Callable[[float], None],
        weighting: Weighting = WHOLE,
        first_step: float = FIRST_STEP,
    ) -> Start:
        return regressed(self.network, start, samples, self._few, steps, progress, weighting, first_step)

    def _neighbours(self, start: Start, samples: Points, template: Points) -> Neighbours:
        deformed = self.network.decode(start.latent[None], template)[0]
        return neighbours(start.pose.apply(deformed), samples, cKDTree(samples))

    def _samples(self, shape: Shape) -> Points:
        count = self.settings.samples
        if self.settings.regular:
            return regular_samples(shape, count)
        chosen = np.random.default_rng(0).permutation(len(shape.points))[:count]
        return shape.points[chosen]
