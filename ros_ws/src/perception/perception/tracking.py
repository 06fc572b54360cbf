"""Coarse estimates of a stream of overviews: one in full now and then, and between them only the block looked at again.

The cameras stand still while the block is looked for, so what the robot said about them in one set of images (the
keyframe) holds for the next. And the block, unless somebody moves it, is where it was, or at one of the places where it
may have been: pictures around these suffice to see how it lies. Where they show it less clearly than those of the
keyframe did, or the keyframe is old, all is looked for anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from perception.adjustment import Pose
from perception.estimate import BlockEstimate
from perception.keyframe import Keyframe
from perception.localize import Localizer, View
from perception.refinement import evidence_of

KEYFRAME_S = 10.0  # a camera that was pushed is noticed within this time
_WORTH = 0.01  # share of the probability that a place has to have to be followed
_SURE = 0.3  # confidence of an estimate that is worth to be followed
_CLEAR_NATS, _LESS_NATS = 2.0, 1.5  # log-odds that suffice, and that may be lost since the keyframe


@dataclass(frozen=True)
class Start:
    """Where the block was before: (N, 6), for each place x, y and yaw of the long side in the base, length, width and
    height; m and rad."""

    places: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, estimate: BlockEstimate) -> Start:
        """All places of the estimate before, in the base, that are worth it."""
        worth = [mode for mode in estimate.modes if mode.weight >= _WORTH]
        return cls(tuple((*map(float, mode.mean), *estimate.size_m) for mode in worth))

    @classmethod
    def from_numbers(cls, numbers: Sequence[float]) -> Start:
        """From all numbers in one row."""
        rows = np.asarray(numbers, dtype=np.float64).reshape(-1, 6)
        return cls(tuple(tuple(row) for row in rows.tolist()))

    @property
    def numbers(self) -> list[float]:
        """All in one row."""
        return [number for place in self.places for number in place]

    @property
    def poses(self) -> list[Pose]:
        """Blocks on the plane."""
        return [Pose.upright(np.array([x, y, 0.0]), yaw, np.array(size)) for x, y, yaw, *size in self.places]


@dataclass(frozen=True)
class Origin:
    """What an estimate goes back to besides its own images: the views of the keyframe and where the block was before.
    With these, `follow` gives the same estimate again."""

    keyframe: tuple[View, ...]
    start: Start


@dataclass(frozen=True)
class _Reference:
    keyframe: Keyframe
    views: tuple[View, ...]
    least_nats: float


class Tracker:
    """Follows the block through views of the same cameras."""

    def __init__(self, localizer: Localizer, keyframe_s: float = KEYFRAME_S) -> None:
        """keyframe_s: age, by the images' stamps, from which all is looked for anew."""
        self._localizer, self._keyframe_s = localizer, keyframe_s
        self._reference: _Reference | None = None
        self._start = Start(())

    def estimate(self, views: Sequence[View]) -> tuple[BlockEstimate, Origin | None]:
        """The block, and what that goes back to, None for the images alone. Raises as `Localizer.coarse`."""
        if not self._localizer.can_track:
            return self._localizer.coarse(views), None
        reference, start = self._reference, self._start
        if reference is not None and self._holds(reference.keyframe, views):
            followed = self._localizer.track(reference.keyframe, views, start.poses)
            if followed is not None and _nats(followed) >= reference.least_nats:
                self._start = Start.of(followed)
                return followed, Origin(reference.views, start)
        self._reference = None
        keyframe = self._localizer.keyframe(views)
        estimate = self._localizer.coarse(views, keyframe)
        if estimate.confidence > _SURE:
            least_nats = min(_CLEAR_NATS, _nats(estimate) - _LESS_NATS)
            self._reference, self._start = _Reference(keyframe, tuple(views), least_nats), Start.of(estimate)
        return estimate, None

    def _holds(self, keyframe: Keyframe, views: Sequence[View]) -> bool:
        age_s = min(view.stamp_s for view in views) - keyframe.stamp_s
        return keyframe.fits(views) and 0.0 <= age_s < self._keyframe_s


def _nats(estimate: BlockEstimate) -> float:
    return evidence_of(np.array([one.block for one in estimate.evidence if one.used]))


def follow(localizer: Localizer, views: Sequence[View], origin: Origin | None) -> BlockEstimate:
    """The estimate of a tracker once more, to the last digit on the same engine: a recorded one is replayed by this.

    Raises as `Localizer.coarse`; looks for all anew where another engine does not see the block near its start.
    """
    if origin is None or not localizer.can_track:
        return localizer.coarse(views)
    followed = localizer.track(localizer.keyframe(origin.keyframe), views, origin.start.poses)
    return localizer.coarse(views) if followed is None else followed
