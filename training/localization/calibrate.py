"""Making the covariances of finished bundles honest: how far off they are on cases of the protocol, drawn by gl.

The adjustment takes the errors of one network in one image for independent, which they are not quite, so its
covariances are off by a factor. The factors for place and yaw, one each per stage, are those under which the truth
falls into the 50, 90 and 95 % regions as often as it should, in cases that no training image came from.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy.stats import chi2
from tqdm import tqdm

from perception.bundle import Bundle, Calibration
from perception.errors import LocalizationError
from perception.estimate import BlockEstimate
from perception.methods import METHODS, open_localizer
from sim.protocol import Case, cases
from sim.randomization import changed, preset
from sim.renderers import open_renderer

LEVELS = np.array([0.50, 0.90, 0.95])
FACTORS = np.geomspace(0.3, 60.0, 48)
STAGES = ("coarse", "fine")


class CalibrationConfig(BaseModel):
    """Which cases, and whose bundles."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str = Field(default="heatmaps", pattern="|".join(METHODS))
    presets: tuple[str, ...] = Field(default=("lab", "field", "adv"), min_length=1)
    cases: int = Field(default=40, gt=0)
    """Per preset."""
    seed: int = 31_001
    width_px: int = Field(default=480, gt=0)
    """Of the images; their height is three quarters of it."""


@dataclass(frozen=True)
class Misses:
    """Errors (N, 3) of x, y, yaw, and the covariances (N, 3, 3) that were claimed."""

    errors: np.ndarray
    covariances: np.ndarray


def calibrate(config: CalibrationConfig, models_dir: Path) -> dict[str, float]:
    """Measure, and write the factors into the manifests of models_dir; returns them and the shares before and after."""
    localizer = open_localizer(models_dir, method=config.method)
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {stage: [] for stage in STAGES}
    for case in tqdm(_drawn(config), total=config.cases * len(config.presets), unit="case"):
        views = {"coarse": case.views["overview"], "fine": (*case.views["fine0"], *case.views["fine90"])}
        for stage in STAGES:
            try:
                found[stage].append(_miss(getattr(localizer, stage)(views[stage]), case.block.T_base_block))
            except LocalizationError:
                continue
    figures: dict[str, float] = {}
    for stage, rows in found.items():
        bundle = Bundle.load(models_dir / f"{stage}{type(localizer).SUFFIX}")
        before = bundle.manifest.calibration
        misses = Misses(*(np.array(column) for column in zip(*rows, strict=True)))
        misses = Misses(misses.errors, _scaled(misses.covariances, 1 / before.place, 1 / before.yaw))
        factors = fit(misses)
        bundle.described_as(bundle.manifest.model_copy(update={"calibration": factors}))
        figures |= {f"{stage}_place": factors.place, f"{stage}_yaw": factors.yaw}
        after = shares(Misses(misses.errors, _scaled(misses.covariances, factors.place, factors.yaw)))
        figures |= {f"{stage}_in_{level:.0%}": float(share) for level, share in zip(LEVELS, after, strict=True)}
    return figures


def fit(misses: Misses) -> Calibration:
    """The factors on place and yaw under which truths fall into the regions of all three and of each alone as they
    should."""
    place = np.array([_off(misses, factor, slice(0, 2)) for factor in FACTORS])
    yaw = np.array([_off(misses, factor, slice(2, 3)) for factor in FACTORS])
    best, least = (0, 0), np.inf
    for i, own in enumerate(FACTORS):
        for j, turn in enumerate(FACTORS):
            joint = shares(Misses(misses.errors, _scaled(misses.covariances, own, turn)))
            loss = place[i] + yaw[j] + 2 * float(np.sum((joint - LEVELS) ** 2))
            if loss < least:
                best, least = (i, j), loss
    return Calibration(place=round(float(FACTORS[best[0]]), 3), yaw=round(float(FACTORS[best[1]]), 3))


def shares(misses: Misses, part: slice = slice(0, 3)) -> np.ndarray:
    """(3,) shares of truths within the regions of LEVELS."""
    errors, covariances = misses.errors[:, part], misses.covariances[:, part, part]
    distances = np.einsum("ni,nij,nj->n", errors, np.linalg.inv(covariances), errors)
    return np.array([(distances < chi2.ppf(level, errors.shape[1])).mean() for level in LEVELS])


def _off(misses: Misses, factor: float, part: slice) -> float:
    return float(np.sum((shares(Misses(misses.errors, misses.covariances * factor), part) - LEVELS) ** 2))


def _scaled(covariances: np.ndarray, place: float, yaw: float) -> np.ndarray:
    scale = np.sqrt([place, place, yaw])
    return np.asarray(covariances * np.outer(scale, scale))


def _drawn(config: CalibrationConfig) -> Iterator[Case]:
    renderer = open_renderer("gl")
    size = {"camera": {"width_px": config.width_px, "height_px": config.width_px * 3 // 4}}
    for number, name in enumerate(config.presets):
        yield from cases(config.seed + number, config.cases, renderer, changed(preset(name), size))


def _miss(estimate: BlockEstimate, T_base_block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return estimate.errors(T_base_block), estimate.covariance
