"""Posterior of the block's pose on a grid of bins, from the views' log-scores added up.

Two images of log-scores on a grid of the support plane go in: one for "the block's centre is here", one for
"an end of the block is here". They are sums over views; that is all that fusing views takes.

    log p(x, y, yaw) = centre(x, y) + log mean_length [ ends(x + dx, y + dy) + ends(x - dx, y - dy) ] + const,
    (dx, dy) = length / 2 * (cos yaw, sin yaw)

for the candidate lengths of the block, each as likely before looking.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from perception import angles
from perception.bundle import CircularBins, LinearBins, PoseBins
from perception.estimate import Posterior

Array = NDArray[np.float64]

LENGTHS_M = np.arange(0.060, 0.1201, 0.005)
_HALF_LENGTH_M = 0.060  # reach of the ends beyond the grid of centres
_CANDIDATES = 400  # bins of (x, y) at most whose yaw is looked at
_CANDIDATE_NATS = 9.0  # ... which are those within this of the best one
_WINDOW_BINS = 12  # half-width of the window around the mode that counts, in bins, at first
_FILLED = 0.24  # a standard deviation of more window widths than this was cut off: 0.29 is uniform
_WINDOW_YAW_RAD = np.deg2rad(30.0)


@dataclass(frozen=True)
class Grid:
    """Bins of x, y and yaw in some frame, with a margin of x and y bins for the block's ends."""

    x: LinearBins
    y: LinearBins
    yaw: CircularBins

    @classmethod
    def of(cls, bins: PoseBins) -> "Grid":
        return cls(bins.x, bins.y, bins.yaw)

    @property
    def margins(self) -> tuple[int, int]:
        """Bins of x and of y added on each side so that ends of blocks at the border are on the grid."""
        return int(np.ceil(_HALF_LENGTH_M / self.x.width)) + 1, int(
            np.ceil(_HALF_LENGTH_M / self.y.width)
        ) + 1

    def places(self) -> tuple[Array, Array]:
        """x (ny, nx) and y (ny, nx) of the centres of all bins, margins included."""
        margin_x, margin_y = self.margins
        x = (
            self.x.centre
            + (np.arange(self.x.count + 2 * margin_x) - margin_x - (self.x.count - 1) / 2) * self.x.width
        )
        y = (
            self.y.centre
            + (np.arange(self.y.count + 2 * margin_y) - margin_y - (self.y.count - 1) / 2) * self.y.width
        )
        grid_x, grid_y = np.meshgrid(x, y)
        return grid_x, grid_y


@dataclass(frozen=True)
class PosePosterior:
    """Posterior over (x, y, yaw): marginals, and the estimate around the highest mode.

    covariance (3, 3): second moments in the window around the mode, plus bin^2 / 12 for the width of the
    bins. joint (ny, nx, nyaw): probabilities of all bins, summing to 1.
    """

    x: Posterior
    y: Posterior
    yaw: Posterior
    x_m: float
    y_m: float
    yaw_rad: float
    covariance: Array
    length_m: float
    joint: NDArray[np.float32]


def posterior(
    grid: Grid, centre_scores: NDArray[np.float32], end_scores: NDArray[np.float32]
) -> PosePosterior:
    """Fuses log-scores (ny, nx) on grid.places(), margins included, each summed over the views."""
    margin_x, margin_y = grid.margins
    inner = centre_scores[margin_y : margin_y + grid.y.count, margin_x : margin_x + grid.x.count]
    order = np.argsort(inner, axis=None)[::-1][:_CANDIDATES]
    order = order[inner.ravel()[order] > inner.max() - _CANDIDATE_NATS]
    rows, columns = np.unravel_index(order, inner.shape)
    by_length = _end_scores(grid, end_scores, rows + margin_y, columns + margin_x)  # (bins, yaws, lengths)
    peak = by_length.max(axis=-1, keepdims=True)
    ends = peak[..., 0] + np.log(np.mean(np.exp(by_length - peak), axis=-1))  # (bins, yaws)
    # The other bins keep their centre score, with ends as poor as the poorest candidate's. Where there were
    # more candidates than could be looked at, the centres say little, and nothing speaks against the others'
    # ends.
    crowded = len(order) == _CANDIDATES
    others = np.log(np.mean(np.exp(ends - ends.max()))) + ends.max() if crowded else ends.min()
    log_joint = np.repeat((inner + others)[:, :, None], grid.yaw.count, axis=2).astype(np.float32)
    log_joint[rows, columns] = inner[rows, columns][:, None] + ends
    joint = np.exp(log_joint - log_joint.max())
    joint /= joint.sum(dtype=np.float64)
    best = int(np.argmax(joint[rows, columns].max(axis=1)))
    yaw_bin = int(np.argmax(joint[rows[best], columns[best]]))
    length_weight = np.exp(by_length[best, yaw_bin] - by_length[best, yaw_bin].max())
    return _summary(grid, joint, float(length_weight @ LENGTHS_M / length_weight.sum()))


def _end_scores(
    grid: Grid, scores: NDArray[np.float32], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Sum of both ends' scores (bins, yaws, lengths) for blocks centred at the given bins of the padded
    grid."""
    yaw = grid.yaw.centres()
    half = LENGTHS_M / 2
    step_x = np.cos(yaw)[:, None] * half / grid.x.width  # (yaws, lengths), in bins
    step_y = np.sin(yaw)[:, None] * half / grid.y.width
    total = np.zeros((len(rows), yaw.size * half.size), dtype=np.float32)
    for sign in (1.0, -1.0):
        x = columns[:, None] + sign * step_x.ravel()
        y = rows[:, None] + sign * step_y.ravel()
        total += cv2.remap(
            scores,
            x.astype(np.float32),
            y.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return total.reshape(len(rows), yaw.size, half.size)


def _summary(grid: Grid, joint: NDArray[np.float32], length_m: float) -> PosePosterior:
    x, y, yaw = grid.x.centres(), grid.y.centres(), grid.yaw.centres()
    marginal_x = Posterior(x, joint.sum(axis=(0, 2), dtype=np.float64))
    marginal_y = Posterior(y, joint.sum(axis=(1, 2), dtype=np.float64))
    marginal_yaw = Posterior(yaw, joint.sum(axis=(0, 1), dtype=np.float64))
    row, column, turn = (int(i) for i in np.unravel_index(int(np.argmax(joint)), joint.shape))
    mode_yaw = float(yaw[turn])
    reach = _WINDOW_BINS
    while True:
        rows = slice(max(row - reach, 0), row + reach + 1)
        columns = slice(max(column - reach, 0), column + reach + 1)
        offset = angles.difference(yaw, mode_yaw, grid.yaw.period)
        near = np.abs(offset) <= _WINDOW_YAW_RAD
        part = joint[rows, columns][:, :, near].astype(np.float64)
        part /= part.sum()
        values = np.meshgrid(y[rows], x[columns], offset[near], indexing="ij")
        deviations = np.stack([values[i].ravel() for i in (1, 0, 2)])  # x, y, yaw
        mean = deviations @ part.ravel()
        deviations -= mean[:, None]
        covariance = (deviations * part.ravel()) @ deviations.T
        filled = np.sqrt(np.diag(covariance)[:2]) / (grid.x.width, grid.y.width) / part.shape[1::-1]
        if filled.max() < _FILLED or reach >= max(joint.shape[:2]):
            break
        reach *= 2
    covariance += np.diag([grid.x.width, grid.y.width, grid.yaw.width]) ** 2 / 12.0
    yaw_rad = float(angles.wrap(mode_yaw + mean[2], grid.yaw.period))
    return PosePosterior(
        marginal_x,
        marginal_y,
        marginal_yaw,
        float(mean[0]),
        float(mean[1]),
        yaw_rad,
        covariance,
        length_m,
        joint,
    )
