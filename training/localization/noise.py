"""How far off the points of a trained network are, channel by channel, as its manifest tells it.

The runtime's own decoder reads held-out maps. For each channel, the covariance scale * C + floor * 1, with C the map's
own covariance, is fitted to the errors by maximum likelihood of a Student distribution, which outliers hardly move.
"""

import numpy as np
import torch

from perception import heatmaps
from perception.bundle import Noise
from training.localization.data import Samples
from training.localization.model import STRIDE
from training.localization.objectives import BATCH, HeatmapObjective

SCALES = np.geomspace(0.25, 8.0, 11)
FLOORS = np.geomspace(0.002, 2.0, 25)
FREEDOM = 4.0
LEAST_CONFIDENCE = 0.5
IMAGES = 600


def noises(trained: HeatmapObjective, samples: Samples, sigma: float) -> list[Noise]:
    """One per channel, from at most IMAGES of the samples."""
    chosen = samples.part(slice(None, None, max(1, len(samples) // IMAGES)))
    errors: list[list[np.ndarray]] = [[] for _ in range(chosen.points.shape[1])]
    for i in range(0, len(chosen), BATCH):
        part = chosen.part(slice(i, i + BATCH))
        places, absent = trained.predict(part.images)
        shares = torch.softmax(torch.cat([places.flatten(2), absent[..., None]], -1), -1)[..., :-1]
        maps = shares.reshape(places.shape).numpy()
        cells = part.points.numpy().astype(np.float64) / STRIDE
        for image, truth in zip(maps, cells, strict=True):
            for channel, values in enumerate(image):
                errors[channel] += _errors(values, truth[channel], sigma)
    return [_fitted(np.array(rows).reshape(-1, 2)) for rows in errors]


def _errors(values: np.ndarray, truth: np.ndarray, sigma: float) -> list[np.ndarray]:
    """(squared error, the map's variance) in cells^2 along each axis of every point of a channel that is found."""
    if not ((truth > 0) & (truth < values.shape[::-1])).all():
        return []
    alone = np.array_equal(truth[0], truth[1])
    wanted = truth[:1] if alone else truth
    found = heatmaps.decode(values[None], sigma) if alone else heatmaps.decode_pairs(values[None], truth[None], sigma)
    spread, axes = np.linalg.eigh(found.covariances)
    along = (axes.transpose(0, 2, 1) @ (found.places - wanted)[..., None])[..., 0]
    clear = found.confidences >= LEAST_CONFIDENCE
    return list(np.stack([along[clear] ** 2, spread[clear]], axis=-1).reshape(-1, 2))


def _fitted(rows: np.ndarray) -> Noise:
    if len(rows) < 20:
        return Noise()
    squares, own = rows[:, 0], rows[:, 1]
    variance = SCALES[:, None, None] * own + FLOORS[None, :, None]
    spread = variance * (FREEDOM - 2) / FREEDOM
    loss = 0.5 * np.log(spread) + (FREEDOM + 1) / 2 * np.log1p(squares / (FREEDOM * spread))
    scale, floor = np.unravel_index(int(np.argmin(loss.mean(axis=-1))), loss.shape[:2])
    return Noise(scale=round(float(SCALES[scale]), 4), floor=round(float(FLOORS[floor]), 5))
