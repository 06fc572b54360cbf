"""What the pads of a hand meet first as they close on a surface that is given by points with normals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.hand import Hand

SKIN_M = 0.0025
"""How far behind the first point of a surface a pad, which gives a little, touches too."""
FEWEST = 3
"""Points that make a contact: fewer may be stray ones."""


@dataclass(frozen=True, eq=False)
class Contacts:
    """Contacts of the pads on the sides of +x and -x, in the clamp frame.

    ends_m: (2,) x at which each pad stops. normals: (2, 3) mean normals there, out of the object. middles: (2, 3) of
    the points touched. counts: (2,) how many these are.
    """

    ends_m: NDArray[np.float64]
    normals: NDArray[np.float64]
    middles: NDArray[np.float64]
    counts: NDArray[np.int64]

    @property
    def width_m(self) -> float:
        """Between the pads once they are closed."""
        return float(self.ends_m[0] - self.ends_m[1])

    @property
    def middle(self) -> NDArray[np.float64]:
        """(3,) between both contacts."""
        return np.asarray(self.middles.mean(axis=0))

    @property
    def squareness(self) -> float:
        """Cosine of the larger angle between a contact's normal and the closing direction: a grasp holds without
        slipping where it is more than 1 / sqrt(1 + mu^2) for Coulomb's coefficient mu (Nguyen, 1988)."""
        return float(np.abs(self.normals[:, 0]).min())


def contacts_of(
    points: NDArray[np.floating], normals: NDArray[np.floating], T_object_clamp: np.ndarray, opening_m: float,
    hand: Hand,
) -> Contacts | None:
    """What a hand that is opening_m open at a pose (4, 4) closes on, of points (N, 3) and normals (N, 3); None where
    that is nothing. The sign of a normal does not matter: scans do not always know it."""
    low, high = hand.pad
    turn, origin = T_object_clamp[:3, :3], T_object_clamp[:3, 3]
    local = (points - origin) @ turn
    x, y, z = local.T
    inside = (np.abs(x) < opening_m / 2) & (y > low[0]) & (y < high[0]) & (z > low[1]) & (z < high[1])
    if inside.sum() < 2 * FEWEST:
        return None
    local, outward = local[inside], normals[inside] @ turn
    ordered = np.sort(local[:, 0])
    ends = np.array([ordered[-FEWEST], ordered[FEWEST - 1]])
    touched = local[:, 0] > ends[0] - SKIN_M, local[:, 0] < ends[1] + SKIN_M
    found = []
    for mask, side in zip(touched, (1.0, -1.0), strict=True):
        facing = outward[mask] * np.where(outward[mask, :1] * side < 0, -1.0, 1.0)
        # Edges of walls show normals along the wall too; a pad lies on what faces it.
        weight = np.abs(facing[:, 0]) ** 2 + 1e-6
        mean = (weight[:, None] * facing).sum(axis=0)
        found.append((mean / np.linalg.norm(mean), (weight[:, None] * local[mask]).sum(axis=0) / weight.sum()))
    return Contacts(
        ends,
        np.array([normal for normal, _ in found]),
        np.array([middle for _, middle in found]),
        np.array([mask.sum() for mask in touched]),
    )
