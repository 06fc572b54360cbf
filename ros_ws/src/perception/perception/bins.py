"""The method of Loing, Marlet and Aubry (IJCV 2018): every view scores bins, and the raw scores of all views add up.

A network scores the bins of x, y and yaw (coarse: in base, fine: in the clamp's frame) or of the clamp's place in the
image (tool). No camera is ever known. Close-ups at other orientations of the clamp, quarter turns apart, are brought to
the first one's frame by re-indexing: x and y trade places or are read backwards, yaw moves by half its bins.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from perception import angles, crop, images
from perception.adjustment import BlockPrior
from perception.bundle import BinScores, CircularBins, LinearBins, PixelBins, PoseBins
from perception.errors import LocalizationError
from perception.estimate import BlockEstimate, Evidence, Mode, Posterior, ToolEstimate, height_of_plane
from perception.keyframe import Keyframe
from perception.localize import Localizer, View

Array = NDArray[np.float64]
Scores = tuple[Array, Array, Array]  # of the bins of x, y, yaw

WINDOW_BINS = 4  # on each side of the mode, that count for its place
SAME_TURN_RAD = np.deg2rad(3.0)
SAME_PLACE_M = 0.004
LEAST_SHARE = 0.2  # of a view's probability near the estimate, below which it is said to disagree


class BinLocalizer(Localizer):
    """The three stages of the paper; the same answers as `Localizer`, without cameras."""

    OUTPUT: ClassVar[type] = BinScores
    SUFFIX: ClassVar[str] = "_bins"
    SHARPENS: ClassVar[tuple[str, ...]] = ()

    def coarse(self, views: Sequence[View], keyframe: Keyframe | None = None) -> BlockEstimate:
        """The block in the base frame, without a keyframe. Raises ImageError, JointStateError, or LocalizationError
        without an image."""
        checked = self._check(views)
        manifest = self._networks["coarse"].manifest
        inputs = [images.resize(view.image, manifest.input.width, manifest.input.height) for view in checked]
        return self._fuse("coarse", checked, self._scores("coarse", inputs), np.eye(4))

    def tool(self, view: View) -> ToolEstimate:
        """The clamp in one image. Raises as `coarse`."""
        checked = self._check([view])[0]
        manifest = self._networks["tool"].manifest
        assert isinstance(manifest.bins, PixelBins)  # the manifest's own check holds this
        picture = images.resize(checked.image, manifest.input.width, manifest.input.height)
        scores = self._networks["tool"].engine.run(picture[None])[0].astype(np.float64)
        height, width = checked.image.shape[:2]
        parts = (scores[: manifest.bins.u.count], scores[manifest.bins.u.count :])
        posteriors: list[Posterior] = []
        means: list[float] = []
        variances: list[float] = []
        confidence = 1.0
        for part, size in zip(parts, (width, height), strict=True):
            bins = LinearBins(count=len(part), width=size / len(part), centre=size / 2)
            posteriors.append(Posterior(bins.centres(), _softmax(part)))
            mean, variance = _read(bins, posteriors[-1].probabilities)
            means.append(mean)
            variances.append(variance)
            confidence *= _near(bins, posteriors[-1].probabilities, mean)
        return ToolEstimate(
            view.camera, means[0], means[1], np.diag(variances), confidence, posteriors[0], posteriors[1], width,
            height, view.stamp_s, self._networks["tool"].engine.name,
        )  # fmt: skip

    def fine(self, views: Sequence[View]) -> BlockEstimate:
        """The block in the clamp frame of views[0], from close-ups of any cameras at clamps that stand at one place and
        differ by quarter turns.

        Raises as `coarse`, and LocalizationError for clamps that stand otherwise, or that do not point down.
        """
        checked = self._check(views)
        clamps = [self._robot.clamp_pose(view.joints) for view in checked]
        self._check_clamp(clamps[0])
        turns = [quarter_turns(clamps[0], clamp) for clamp in clamps]
        manifest = self._networks["fine"].manifest
        assert manifest.crop is not None  # the manifest's own check holds this
        inputs = []
        for view in checked:
            tool = self.tool(view)
            square = crop.window_of_height((tool.u_px, tool.v_px), tool.height * manifest.crop.side_heights)
            inputs.append(crop.cut(view.image, square.upright(manifest.input.width)))
        scores = [turned(one, turn) for one, turn in zip(self._scores("fine", inputs), turns, strict=True)]
        return self._fuse("fine", checked, scores, clamps[0])

    def _scores(self, stage: str, inputs: Sequence[images.Image]) -> list[Scores]:
        network = self._networks[stage]
        bins = network.manifest.bins
        assert isinstance(bins, PoseBins)  # the manifest's own check holds this
        ends = np.cumsum([bins.x.count, bins.y.count])
        rows = network.engine.run(np.stack(inputs)).astype(np.float64)
        return [(row[: ends[0]], row[ends[0] : ends[1]], row[ends[1] :]) for row in rows]

    def _fuse(
        self, stage: str, views: Sequence[View], scores: Sequence[Scores], T_base_frame: Array
    ) -> BlockEstimate:
        manifest = self._networks[stage].manifest
        assert isinstance(manifest.bins, PoseBins)  # the manifest's own check holds this
        axes: tuple[LinearBins | CircularBins, ...] = (manifest.bins.x, manifest.bins.y, manifest.bins.yaw)
        shares = [_softmax(np.sum([one[i] for one in scores], axis=0)) for i in range(3)]
        read = [_read(axis, share) for axis, share in zip(axes, shares, strict=True)]
        mean = np.array([value for value, _ in read])
        factors = (manifest.calibration.place, manifest.calibration.place, manifest.calibration.yaw)
        covariance = np.diag([variance * factor for (_, variance), factor in zip(read, factors, strict=True)])
        confidence = _agreement(axes, shares, mean)
        evidence = []
        for view, one in zip(views, scores, strict=True):
            own = _agreement(axes, [_softmax(part) for part in one], mean)
            doubt = f"{view.camera} would have the block elsewhere, or does not show it" if own < LEAST_SHARE else ""
            evidence.append(Evidence(view.camera, own, own, True, doubt))
        marginals = [Posterior(axis.centres(), share) for axis, share in zip(axes, shares, strict=True)]
        return BlockEstimate(
            stage=stage,
            frame=manifest.frame,
            x_m=float(mean[0]),
            y_m=float(mean[1]),
            z_m=float(height_of_plane(T_base_frame, mean[0], mean[1])),
            yaw_rad=float(mean[2]),
            covariance=covariance,
            size_m=BlockPrior().size_m,
            modes=(Mode(mean, covariance, confidence),),
            confidence=confidence,
            x=marginals[0],
            y=marginals[1],
            yaw=marginals[2],
            evidence=tuple(evidence),
            cameras={},
            stamp_s=min(view.stamp_s for view in views),
            engine=self._networks[stage].engine.name,
            T_base_frame=T_base_frame,
        )


def quarter_turns(T_base_first: Array, T_base_clamp: Array) -> int:
    """How many quarter turns, 0 to 3, about its z axis bring the first clamp to another one at the same place.

    Raises LocalizationError where no number of them does.
    """
    R = T_base_first[:3, :3].T @ T_base_clamp[:3, :3]
    angle = float(np.arctan2(R[1, 0], R[0, 0]))
    turns = round(angle / (np.pi / 2))
    tilt = float(np.arccos(np.clip(R[2, 2], -1.0, 1.0)))
    offset = float(np.linalg.norm(T_base_clamp[:3, 3] - T_base_first[:3, 3]))
    if max(abs(angle - turns * np.pi / 2), tilt) > SAME_TURN_RAD or offset > SAME_PLACE_M:
        raise LocalizationError(
            f"the clamp is turned by {np.rad2deg(angle):.1f} deg and moved by {1e3 * offset:.1f} mm between the images:"
            " the method bins needs quarter turns in place; use the method heatmaps, or look from such orientations."
        )
    return turns % 4


def turned(scores: Scores, turns: int) -> Scores:
    """Scores over bins in the frame of a clamp that stands `turns` quarter turns about z from the first one's, as
    scores in the first one's frame; bins of x and y must be alike and centred."""
    x, y, yaw = scores
    for _ in range(turns):
        # p_first = Rz(90 deg) p: x_first = -y and y_first = x.
        x, y, yaw = y[::-1], x, np.roll(yaw, len(yaw) // 2)
    return x, y, yaw


def _softmax(scores: Array) -> Array:
    weights = np.exp(scores - scores.max())
    return np.asarray(weights / weights.sum())


def _offsets(bins: LinearBins | CircularBins, place: float) -> Array:
    """Of the bins' centres from a place, in bins."""
    centres = bins.centres()
    apart = angles.difference(centres, place, bins.period) if isinstance(bins, CircularBins) else centres - place
    return np.asarray(apart / bins.width)


def _read(bins: LinearBins | CircularBins, shares: Array) -> tuple[float, float]:
    """Mean and variance, in the bins' unit, in a window around the mode; never narrower than a bin."""
    mode = float(bins.centres()[int(np.argmax(shares))])
    offsets = _offsets(bins, mode)
    weights = np.where(np.abs(offsets) <= WINDOW_BINS + 0.5, shares, 0.0)
    weights = weights / weights.sum()
    shift = float(weights @ offsets)
    variance = float(weights @ (offsets - shift) ** 2) + 1.0 / 12.0
    mean = mode + shift * bins.width
    if isinstance(bins, CircularBins):
        mean = float(angles.wrap(mean, bins.period))
    return mean, variance * bins.width**2


def _agreement(axes: Sequence[LinearBins | CircularBins], shares: Sequence[Array], place: Array) -> float:
    """Probability, by the shares of each quantity, that all of them are near a place (3,): they are scored apart."""
    near = [_near(axis, share, float(value)) for axis, share, value in zip(axes, shares, place, strict=True)]
    return near[0] * near[1] * near[2]


def _near(bins: LinearBins | CircularBins, shares: Array, place: float) -> float:
    """Probability within the window around a place."""
    return float(shares[np.abs(_offsets(bins, place)) <= WINDOW_BINS + 0.5].sum())
