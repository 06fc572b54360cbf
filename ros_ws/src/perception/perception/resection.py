"""Finding a camera, its focal length included, from known 3-D points and where they appear in the image.

Resection with outliers: hypotheses from the perspective-n-point solver SQPnP (Terzakis and Lourakis, ECCV
2020) over a sweep of focal lengths, on all points and on random fours, scored by a robust cost; the best ones
are refined by Levenberg-Marquardt on (log focal, rotation, translation) under a Cauchy loss and a log-normal
focal prior.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.adjustment import FOCAL_PRIOR_SIGMA, FOCAL_PRIOR_WIDTHS, Observations
from perception.camera import NEAREST_DEPTH_M, Camera
from perception.errors import LocalizationError

Array = NDArray[np.float64]

FEWEST_POINTS = 4
_CAUCHY = 2.0  # residuals of so many standard deviations count half
_INLIER = 4.0  # standard deviations
_SWEEP = np.exp(FOCAL_PRIOR_SIGMA * np.array([-1.8, -1.2, -0.6, 0.0, 0.6, 1.2, 1.8])) * FOCAL_PRIOR_WIDTHS
_TRIALS = 36  # random fours: with 25 % outliers all of them miss once in a million
_REFINED = 2  # hypotheses refined to the end
_ITERATIONS = 40
_ROUGH, _EXACT = 1.0, 1e-4  # gains of the cost (squared standard deviations) that end a refinement
_BEHIND = 1e3  # residual, in standard deviations, of a point behind the camera
_LOOSEST_ROTATION_RAD = 0.3


@dataclass(frozen=True)
class Matches:
    """Points (N, 3) in m of the base frame, their pixels (N, 2), and the pixels' covariances (N, 2, 2)."""

    points_m: Array
    pixels: Array
    covariances: Array

    @classmethod
    def join(cls, parts: "list[Matches]") -> "Matches":
        """All matches of the parts; of none, none."""
        return cls(
            np.concatenate([np.empty((0, 3)), *(part.points_m for part in parts)]),
            np.concatenate([np.empty((0, 2)), *(part.pixels for part in parts)]),
            np.concatenate([np.empty((0, 2, 2)), *(part.covariances for part in parts)]),
        )

    def seen_by(self, number: int) -> Observations:
        """As observations of the robot by camera `number`."""
        count = len(self.points_m)
        return Observations(
            np.full(count, number), self.pixels, self.covariances, np.zeros(count, bool), self.points_m
        )


@dataclass(frozen=True)
class Resection:
    """A camera with the covariance (7, 7) of (log focal, rotation vector, translation); inliers (N,) bool.

    The rotation vector is in camera coordinates, R = exp(vector) R0; the translation is that of
    T_camera_base.
    """

    camera: Camera
    covariance: Array
    inliers: NDArray[np.bool_]

    def pixel_covariance(self, point_m: Array) -> Array:
        """Covariance (2, 2) in px^2 of where the camera sees a point (3,), as far as the camera is
        uncertain."""
        rotation, translation = self.camera.T_camera_base[:3, :3], self.camera.T_camera_base[:3, 3]
        state = _State(self.camera.focal_px, rotation, translation)
        _, jacobian = state.project_with_jacobian(point_m[None])
        return np.asarray(jacobian[0] @ self.covariance @ jacobian[0].T)


def resect(matches: Matches, width: int, height: int, initial: Camera | None = None) -> Resection:
    """The camera of width x height pixels that explains the matches, most of them at least.

    With `initial` the search is left out and only that camera is refined. Raises LocalizationError with fewer
    than 4 points, where fewer than 4 agree on a camera, and where they leave its rotation open (points in a
    line).
    """
    count = len(matches.points_m)
    if count < FEWEST_POINTS:
        raise LocalizationError(
            f"only {count} points of the robot are visible, a camera needs {FEWEST_POINTS}: "
            "show more of the robot."
        )
    problem = _Problem(matches, width, height)
    if initial is not None:
        state, _ = problem.refine(problem.state_of(initial))
    else:
        state, _ = _search(problem)
    inliers = problem.distances([state])[0] < _INLIER
    if inliers.sum() < FEWEST_POINTS:
        raise LocalizationError(
            f"only {inliers.sum()} of {count} points of the robot agree on a camera, {FEWEST_POINTS} are "
            "needed: check the joint positions and that the robot is in the image."
        )
    covariance = problem.covariance(state)
    loosest = float(np.sqrt(np.linalg.eigvalsh(covariance[1:4, 1:4])[-1]))
    if not loosest < _LOOSEST_ROTATION_RAD:
        raise LocalizationError(
            f"the {count} visible points of the robot leave the camera's rotation open by {loosest:.2f} rad "
            f"(limit {_LOOSEST_ROTATION_RAD} rad): show more of the robot."
        )
    return Resection(problem.camera_of(state), covariance, inliers)


@dataclass(frozen=True)
class _State:
    """Focal length in px, rotation (3, 3) and translation (3,) to camera coordinates."""

    focal: float
    rotation: Array
    translation: Array

    def project_with_jacobian(self, points: Array) -> tuple[Array, Array]:
        """Pixels from the principal point (N, 2) and their derivatives (N, 2, 7).

        For points behind the camera, the pixels mean nothing and the derivatives are 0.
        """
        turned = points @ self.rotation.T
        px, py, pz = turned.T
        x, y, z = (turned + self.translation).T
        in_front = z > NEAREST_DEPTH_M
        inverse = np.where(in_front, 1.0 / np.where(in_front, z, 1.0), 0.0)
        scale = self.focal * inverse
        u, v = scale * x, scale * y
        du, dv = -u * inverse, -v * inverse
        jacobian = np.zeros((len(points), 2, 7))
        jacobian[:, 0, 0], jacobian[:, 1, 0] = u, v
        jacobian[:, 0, 4] = jacobian[:, 1, 5] = scale
        jacobian[:, 0, 6], jacobian[:, 1, 6] = du, dv
        # A small rotation w moves the turned point p by w x p: these are p x (the derivatives by
        # translation).
        jacobian[:, 0, 1], jacobian[:, 0, 2], jacobian[:, 0, 3] = py * du, pz * scale - px * du, -py * scale
        jacobian[:, 1, 1], jacobian[:, 1, 2], jacobian[:, 1, 3] = py * dv - pz * scale, -px * dv, px * scale
        return np.stack([u, v], axis=-1), jacobian

    def moved(self, step: Array) -> "_State":
        turn, _ = cv2.Rodrigues(step[1:4])
        return _State(self.focal * float(np.exp(step[0])), turn @ self.rotation, self.translation + step[4:7])


class _Problem:
    """Robust least squares over the camera's seven numbers, with the points moved to their centroid."""

    def __init__(self, matches: Matches, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.centroid = matches.points_m.mean(axis=0)
        self.points = matches.points_m - self.centroid
        self.pixels = matches.pixels - (width / 2, height / 2)
        self.whiten = np.linalg.inv(np.linalg.cholesky(matches.covariances))

    def state_of(self, camera: Camera) -> _State:
        rotation, translation = camera.T_camera_base[:3, :3], camera.T_camera_base[:3, 3]
        return _State(camera.focal_px, rotation, translation + rotation @ self.centroid)

    def camera_of(self, state: _State) -> Camera:
        pose = np.eye(4)
        pose[:3, :3] = state.rotation
        pose[:3, 3] = state.translation - state.rotation @ self.centroid
        return Camera(state.focal, self.width, self.height, pose)

    def prior_residual(self, focal: float) -> float:
        return float(np.log(focal / (FOCAL_PRIOR_WIDTHS * self.width)) / FOCAL_PRIOR_SIGMA)

    def distances(self, states: list[_State]) -> Array:
        """Residuals (S, N) in standard deviations."""
        focal = np.array([state.focal for state in states])[:, None, None]
        rotation = np.array([state.rotation for state in states])
        translation = np.array([state.translation for state in states])
        camera = self.points @ rotation.transpose(0, 2, 1) + translation[:, None]
        depth = camera[..., 2:]
        in_front = depth > NEAREST_DEPTH_M
        offset = focal * camera[..., :2] / np.where(in_front, depth, 1.0) - self.pixels
        residual = (self.whiten @ offset[..., None])[..., 0]
        return np.where(in_front[..., 0], np.hypot(residual[..., 0], residual[..., 1]), _BEHIND)

    def costs(self, states: list[_State]) -> Array:
        """Robust costs (S,): Cauchy loss of the residuals and the focal prior."""
        loss = _CAUCHY**2 * np.sum(np.log1p((self.distances(states) / _CAUCHY) ** 2), axis=-1)
        return np.asarray(loss + [self.prior_residual(state.focal) ** 2 for state in states])

    def normal_equations(self, state: _State) -> tuple[Array, Array, float]:
        """Gauss-Newton matrix (7, 7), gradient (7,) and weighted sum of squared residuals."""
        seen, jacobian = state.project_with_jacobian(self.points)
        residual = (self.whiten @ (seen - self.pixels)[..., None])[..., 0]
        weight = 1.0 / (1.0 + np.sum(residual**2, axis=-1) / _CAUCHY**2)
        rows = (self.whiten @ jacobian).reshape(-1, 7)
        weighted = rows * np.repeat(weight, 2)[:, None]
        matrix = weighted.T @ rows
        gradient = weighted.T @ residual.ravel()
        matrix[0, 0] += 1.0 / FOCAL_PRIOR_SIGMA**2
        gradient[0] += self.prior_residual(state.focal) / FOCAL_PRIOR_SIGMA
        return matrix, gradient, float(np.sum(weight * np.sum(residual**2, axis=-1)))

    def refine(self, state: _State, tolerance: float = _EXACT) -> tuple[_State, float]:
        """Levenberg-Marquardt until a step gains less than the tolerance; returns the state and its robust
        cost."""
        cost, damping = float(self.costs([state])[0]), 1e-3
        matrix, gradient, _ = self.normal_equations(state)
        for _ in range(_ITERATIONS):
            damped = matrix.copy()
            damped.flat[::8] += damping * (matrix.flat[::8] + 1e-9)
            step = -np.linalg.solve(damped, gradient)
            if -step @ gradient < tolerance:
                break
            moved = state.moved(np.clip(step, -1.0, 1.0))
            moved_cost = float(self.costs([moved])[0])
            if not moved_cost < cost:
                damping *= 10.0
                if damping > 1e6:
                    break
                continue
            gained, state, cost = cost - moved_cost, moved, moved_cost
            damping = max(damping / 10.0, 1e-9)
            if gained < tolerance:
                break
            matrix, gradient, _ = self.normal_equations(state)
        return state, cost

    def covariance(self, state: _State) -> Array:
        """Covariance (7, 7) at a refined state, scaled up where the residuals are larger than their
        covariances."""
        matrix, _, squares = self.normal_equations(state)
        freedom = max(2 * len(self.points) - 6, 1)
        covariance = np.linalg.pinv(matrix, hermitian=True) * max(1.0, squares / freedom)
        loose = np.linalg.eigvalsh(matrix)[0] < 1e-9 * np.linalg.eigvalsh(matrix)[-1]
        if loose:
            covariance += np.eye(7) * 1e6
        # From the translation of the centroid to that of the base's origin: t = t' - R c.
        turned = state.rotation @ self.centroid
        change = np.eye(7)
        change[4:7, 1:4] = [
            [0, -turned[2], turned[1]],
            [turned[2], 0, -turned[0]],
            [-turned[1], turned[0], 0],
        ]
        return np.asarray(change @ covariance @ change.T)

    def hypotheses(self, trials: list[tuple[NDArray[np.intp], float]]) -> list[_State]:
        """The poses from each trial's points (indices) and focal length (in image widths), best cost
        first."""
        solved = [self._solve_pnp(chosen, widths * self.width) for chosen, widths in trials]
        states = [state for state in solved if state is not None]
        return [states[i] for i in np.argsort(self.costs(states))] if states else []

    def _solve_pnp(self, chosen: NDArray[np.intp], focal: float) -> _State | None:
        """The pose for a given focal length from some of the points; None where SQPnP finds none."""
        matrix = np.diag([focal, focal, 1.0])
        method = cv2.SOLVEPNP_AP3P if len(chosen) == FEWEST_POINTS else cv2.SOLVEPNP_SQPNP
        try:
            found, rotation, translation = cv2.solvePnP(
                self.points[chosen], self.pixels[chosen], matrix, None, flags=method
            )
        except cv2.error:
            return None
        if not found or not np.isfinite(rotation).all() or not np.isfinite(translation).all():
            return None
        turn, _ = cv2.Rodrigues(rotation)
        return _State(focal, np.asarray(turn, float), np.asarray(translation[:, 0], float))


def _search(problem: _Problem) -> tuple[_State, float]:
    """The best hypothesis, refined to the end; raises LocalizationError where SQPnP finds none."""
    everything = np.arange(len(problem.points))
    sweep = problem.hypotheses([(everything, focal) for focal in _SWEEP])
    best = [problem.refine(state, _ROUGH) for state in sweep[:1]]
    if not best or np.any(problem.distances([best[0][0]])[0] > _INLIER):
        random = np.random.default_rng(0)  # the same views must always give the same camera
        fours = [random.choice(everything, FEWEST_POINTS, replace=False) for _ in range(_TRIALS)]
        robust = problem.hypotheses([(four, _SWEEP[1 + 2 * (i % 3)]) for i, four in enumerate(fours)])
        best += [problem.refine(state, _ROUGH) for state in robust[:_REFINED]]
    if not best:
        raise LocalizationError(
            "no camera explains the points of the robot in the image: show more of the robot."
        )
    return problem.refine(min(best, key=lambda candidate: candidate[1])[0])
