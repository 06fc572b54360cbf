"""A second look at the block: pictures cut around a first estimate, turned so that the block lies from left to right.

There the network need not find the block any more, sees it larger, and tells its eight corners one from the other: what
half a turn leaves open is settled by how the picture was turned. It also tells whether a block is there at all: it was
trained on pictures of other things too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from perception import crop
from perception.adjustment import Adjusted, BlockPrior, Observations, Pose, adjust
from perception.bundle import Heatmaps, Manifest
from perception.camera import Camera
from perception.images import Image
from perception.search import Looking
from perception.sight import Frame, Sight, corners

Array = NDArray[np.float64]
Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

_MIDDLE, _LEFT, _RIGHT = (0.0, 0.0, 0.5), (-0.5, 0.0, 0.5), (0.5, 0.0, 0.5)  # in units of the block's size
_ROUNDS = 2
_FEWEST_POINTS = 6
_SETTLED_M, _SETTLED_RAD = 0.008, np.deg2rad(8.0)  # a round that moves the block by less is the last one
_SURE = 0.05  # a view's word is never taken for surer than this
_WORTH_NATS = 4.0  # a hypothesis that the pictures speak against by so much more is not adjusted


@dataclass(frozen=True)
class Looked:
    """What the pictures around a hypothesis say: its adjustment, None where they show too little of a block; seen (V,):
    the probability of each look that it shows a block there."""

    adjusted: Adjusted | None
    seen: Array

    @property
    def evidence(self) -> float:
        """log-odds that a block is there."""
        return evidence_of(self.seen)


def evidence_of(seen: Array) -> float:
    """The log-odds that a block is there, of views that find it as probable as that (V,)."""
    sure = np.clip(seen, _SURE, 1.0 - _SURE)
    return float(np.sum(np.log(sure / (1.0 - sure))))


@dataclass
class _Hypothesis:
    cameras: Sequence[Camera]
    block: Pose
    adjusted: Adjusted | None = None
    seen: Array = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class _Cut:
    """A picture around a hypothesis: from which look, what it covers, and whether its right end is the block's negative
    one."""

    of: _Hypothesis
    look: int
    frame: Frame
    picture: Image
    half_turn: bool


@dataclass(frozen=True)
class SecondLook:
    """Looks again with a network.

    run: the network of the manifest, of task localization.block. pictures: whole images, of the looks. robot: all that
    is seen of the robot, which holds the cameras.
    """

    manifest: Manifest
    run: Run
    looks: Sequence[Looking]
    pictures: Sequence[Image]
    robot: Observations
    prior: BlockPrior = field(default_factory=BlockPrior)

    def __call__(self, cameras: Sequence[Camera], blocks: Sequence[Pose]) -> list[Looked]:
        """What the network finds around each of some blocks that may be there."""
        every = [_Hypothesis(cameras, block) for block in blocks]
        active = every
        for _ in range(_ROUNDS):
            moving = []
            for one, points in zip(active, self._corners(active), strict=True):
                if sum(len(part.camera) for part in points) < _FEWEST_POINTS or self._outdone(one, every):
                    continue
                before = one.block
                one.adjusted = adjust(Observations.join([self.robot, *points]), one.cameras, before, self.prior)
                one.cameras, one.block = one.adjusted.cameras, one.adjusted.block
                if not _same(before, one.block):
                    moving.append(one)
            active = moving
            if not active:
                break
        return [Looked(one.adjusted, one.seen) for one in every]

    def _outdone(self, one: _Hypothesis, every: Sequence[_Hypothesis]) -> bool:
        return evidence_of(one.seen) < max(evidence_of(other.seen) for other in every) - _WORTH_NATS

    def _corners(self, hypotheses: Sequence[_Hypothesis]) -> list[list[Observations]]:
        """The corners in the pictures around each hypothesis, whose `seen` follows from the same."""
        output = self.manifest.output
        assert isinstance(output, Heatmaps)  # the manifest's own check holds this
        cuts = [cut for one in hypotheses for cut in self._cuts(one)]
        maps = np.exp(self.run(np.stack([cut.picture for cut in cuts]))) if cuts else ()
        looks = [self.looks[cut.look] for cut in cuts]
        sights = [
            Sight(look.sight.joints, cut.frame, output, own)
            for look, cut, own in zip(looks, cuts, maps, strict=True)
        ]
        found = corners(sights, [look.number for look in looks], [cut.half_turn for cut in cuts])
        for one in hypotheses:
            one.seen = np.zeros(len(self.looks))
        for cut, sight in zip(cuts, sights, strict=True):
            cut.of.seen[cut.look] = sight.share("block")
        return [[points for cut, points in zip(cuts, found, strict=True) if cut.of is one] for one in hypotheses]

    def _cuts(self, one: _Hypothesis) -> list[_Cut]:
        """The pictures around a block; none of a camera that has it behind it."""
        wanted, size = self.manifest.crop, self.manifest.input
        assert isinstance(self.manifest.output, Heatmaps) and wanted is not None  # the manifest's own check holds this
        middle, left, right = one.block.points(np.array([_MIDDLE, _LEFT, _RIGHT]))
        found = []
        for i, (look, picture) in enumerate(zip(self.looks, self.pictures, strict=True)):
            camera = one.cameras[look.number]
            ends = camera.project(np.stack([left, right]))[0]
            half_turn = bool(ends[1, 0] < ends[0, 0])
            from_left, to_right = (right, left) if half_turn else (left, right)
            window = crop.block_window(camera, middle, from_left, to_right, (size.width, size.height), wanted.side_m)
            if window is not None:
                frame = Frame.rectangle(window, self.manifest.output)
                found.append(_Cut(one, i, frame, crop.cut(picture, window), half_turn))
        return found


def _same(before: Pose, after: Pose) -> bool:
    moved = float(np.linalg.norm(after.position - before.position))
    turn = float(np.arccos(np.clip(after.rotation[:, 0] @ before.rotation[:, 0], -1.0, 1.0)))
    return moved < _SETTLED_M and turn < _SETTLED_RAD
