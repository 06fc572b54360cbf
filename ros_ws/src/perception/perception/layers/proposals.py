"""Parts of a picture that a network is asked for one by one: regions of one colour that are not painted yet.

Where nothing else differs from what is painted, the network's next layer is that region.
"""

import cv2
import numpy as np

from perception.layers.grid import Floats

_COLOURS = 12
_FEWEST_PX = 4


def candidates(target: Floats, canvas: Floats, most: int) -> list[Floats]:
    """Pictures (C, S, S), at most so many: what is painted, with one region of the target's in its mean colour. Regions
    are those with the largest squared error, of colours of the target by k-means."""
    wanted, painted = target.transpose(1, 2, 0), canvas.transpose(1, 2, 0)
    side, channels = wanted.shape[0], wanted.shape[2]
    flat = np.ascontiguousarray(wanted.reshape(-1, channels))
    error = ((wanted - painted) ** 2).sum(axis=2)
    cv2.setRNGSeed(0)
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 1e-3)
    _, labels, _ = cv2.kmeans(flat, min(_COLOURS, len(flat)), None, stop, 1, cv2.KMEANS_PP_CENTERS)  # type: ignore[call-overload]
    labels = labels.reshape(side, side)
    regions = []
    for colour in range(int(labels.max()) + 1):
        same = labels == colour
        regions.append((float(error[same].sum()), same))
        count, parts, stats, _ = cv2.connectedComponentsWithStats(same.astype(np.uint8), connectivity=4)
        for part in range(1, count):
            if _FEWEST_PX <= stats[part, cv2.CC_STAT_AREA] < same.sum():
                inside = parts == part
                regions.append((float(error[inside].sum()), inside))
    regions.sort(key=lambda one: -one[0])
    found = []
    for _, inside in regions[:most]:
        picture = painted.copy()
        picture[inside] = wanted[inside].mean(axis=0)
        found.append(np.ascontiguousarray(picture.transpose(2, 0, 1)))
    return found
