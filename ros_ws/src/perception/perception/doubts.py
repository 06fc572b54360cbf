"""What speaks against an estimate, in sentences without a full stop, and how sure of it that leaves one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from perception.adjustment import BlockPrior
from perception.bundle import LinearBins, PoseBins
from perception.estimate import Evidence
from perception.resection import Resection
from perception.sight import Sight

Array = NDArray[np.float64]

OUT_OF_RANGE = 0.25  # factor on the confidence in a block unlike all that the networks were trained on
LEAST_BLOCK = 0.3  # probability below which a view is said not to show the block
_SIZE_SIGMAS = 3.0


def of_place(frame: str, x_m: float, y_m: float, bins: PoseBins) -> list[str]:
    """Whether a place in a frame is where the networks' training had blocks."""
    (low_x, high_x), (low_y, high_y) = _range_m(bins.x), _range_m(bins.y)
    if low_x <= x_m <= high_x and low_y <= y_m <= high_y:
        return []
    return [
        f"the block is at x {1e3 * x_m:.0f} mm, y {1e3 * y_m:.0f} mm of the {frame}, outside of what the networks know:"
        f" x {1e3 * low_x:.0f} to {1e3 * high_x:.0f} mm, y {1e3 * low_y:.0f} to {1e3 * high_y:.0f} mm"
    ]


def of_size(size_m: Sequence[float], prior: BlockPrior) -> list[str]:
    """Whether a block is as large as those of the networks' training."""
    off = np.abs(np.array(size_m) - prior.size_m) / prior.size_sigma_m
    if off.max() <= _SIZE_SIGMAS:
        return []
    found, known = (" x ".join(f"{1e3 * side:.0f}" for side in sides) for sides in (size_m, prior.size_m))
    return [f"the block measures {found} mm, unlike those of about {known} mm that the networks know"]


def of_views(
    cameras: Sequence[str],
    sights: Sequence[Sight | None],
    found: Sequence[Resection | None],
    seen: Sequence[float],
) -> tuple[Evidence, ...]:
    """What each view had to say: sights and found cameras (None where there is none) of all; seen: how probably those
    that have both show the block where the estimate has it, in their order, none without an estimate."""
    left = iter(seen)
    out = []
    for camera, sight, resection in zip(cameras, sights, found, strict=True):
        robot = 0.0 if sight is None else sight.share("robot")
        used = resection is not None and sight is not None
        block = float(next(left, 0.0)) if used else 0.0
        doubt = ""
        if resection is None:
            doubt = f"{camera} does not show enough of the robot to know where it stands"
        elif sight is None:
            doubt = f"{camera} does not have the clamp in front of it"
        elif block < LEAST_BLOCK:
            doubt = f"{camera} hardly shows the block"
        out.append(Evidence(camera, robot, block, used, doubt))
    return tuple(out)


def confidence(weight: float, seen: Array, doubts: Sequence[str]) -> float:
    """In the likeliest of some places, given its share of the probability and how probable the views (V,) that should
    see the block find it that one is at any of these places: the share times their mean, with doubts a quarter of that.
    """
    found = float(np.minimum(seen, 1.0).mean()) if len(seen) else 0.0
    return weight * found * (OUT_OF_RANGE if doubts else 1.0)


def _range_m(bins: LinearBins) -> tuple[float, float]:
    half = bins.count * bins.width / 2
    return bins.centre - half, bins.centre + half
