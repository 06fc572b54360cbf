"""What is told of a block that was located: its pose in the stage's frame, how sure that is, what speaks against it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from perception import doubts
from perception.adjustment import BlockPrior
from perception.bundle import Manifest, PoseBins
from perception.estimate import BlockEstimate
from perception.geometry import Solution
from perception.keyframe import Keyframe
from perception.posterior import marginal, mode_in, yaw_marginal

Array = NDArray[np.float64]


def describe(
    keyframe: Keyframe,
    solutions: Sequence[Solution],
    stage: str,
    manifest: Manifest,
    engine: str,
    T_base_frame: Array,
    shared: bool,
    stamp_s: float,
) -> BlockEstimate:
    """The estimate of solutions, likeliest first, of which there is one at least.

    manifest: of the stage's network. shared: whether what a view sees of the block at several places adds up, as in
    maps of whole images, which share one block out among all places; pictures around them know nothing of each other.
    stamp_s: of the oldest image.
    """
    assert isinstance(manifest.bins, PoseBins)  # the manifest's own check holds this
    best, shown = solutions[0].adjusted, solutions[0].seen.tolist()
    modes = tuple(mode_in(T_base_frame, one, manifest.calibration) for one in solutions)
    place = T_base_frame[:3, :3].T @ (best.block.position - T_base_frame[:3, 3])
    size_m = (float(best.block.size[0]), float(best.block.size[1]), float(best.block.size[2]))
    against = [
        *doubts.of_place(manifest.frame, float(place[0]), float(place[1]), manifest.bins),
        *doubts.of_size(size_m, BlockPrior()),
    ]
    should_see = [
        look.sight.frame.covers(best.cameras[look.number].project(best.block.position)[0]) for look in keyframe.looks
    ]
    seen = (np.sum if shared else np.max)([one.seen for one in solutions], axis=0)
    return BlockEstimate(
        stage=stage,
        frame=manifest.frame,
        x_m=float(place[0]),
        y_m=float(place[1]),
        z_m=float(place[2]),
        yaw_rad=float(modes[0].mean[2]),
        covariance=modes[0].covariance,
        size_m=size_m,
        modes=modes,
        confidence=doubts.confidence(modes[0].weight, seen[should_see], against),
        x=marginal(manifest.bins.x, modes, 0),
        y=marginal(manifest.bins.y, modes, 1),
        yaw=yaw_marginal(manifest.bins.yaw, modes),
        evidence=doubts.of_views(keyframe.names, keyframe.sights, keyframe.found, shown),
        cameras={name: best.cameras[n] for name, n in zip(keyframe.names, keyframe.numbers, strict=True) if n >= 0},
        stamp_s=stamp_s,
        engine=engine,
        T_base_frame=T_base_frame,
        doubts=tuple(against),
    )
