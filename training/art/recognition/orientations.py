"""The eight ways in which a sheet can lie: turned by quarters, either side up."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Orientation:
    """A picture is mirrored first, left to right, and then turned counterclockwise by so many quarters."""

    quarters: int
    mirrored: bool

    @property
    def back(self) -> "Orientation":
        """What brings a picture in this orientation back. A mirrored one is its own."""
        return self if self.mirrored else Orientation(-self.quarters % 4, False)

    def __str__(self) -> str:
        turned = f"turned {90 * self.quarters}" if self.quarters else "upright"
        return f"{turned}, mirrored" if self.mirrored else turned


ORIENTATIONS = tuple(Orientation(quarters, mirrored) for mirrored in (False, True) for quarters in range(4))


def oriented(picture: NDArray[np.uint8], orientation: Orientation) -> NDArray[np.uint8]:
    """(H, W, ...) -> the same, mirrored and turned; (W, H, ...) for an odd number of quarters."""
    seen = picture[:, ::-1] if orientation.mirrored else picture
    return np.rot90(seen, orientation.quarters)
