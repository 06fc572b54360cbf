"""What a manifest says of its network's input and output, held against what an engine is given and what it gives."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from perception.errors import EngineError
from perception.manifest import Heatmaps, Manifest

_ROUNDING = 0.01  # by which a log-probability may lie above 0


def image_shape(manifest: Manifest) -> tuple[int, int, int]:
    """(H, W, 3) of one image that the network takes."""
    return (manifest.input.height, manifest.input.width, 3)


def check_images(manifest: Manifest, images: NDArray[np.uint8]) -> None:
    """Raises ValueError for images other than (B, H, W, 3) uint8 of the network's size."""
    height, width, _ = wanted = image_shape(manifest)
    if images.dtype != np.uint8 or images.shape[1:] != wanted:
        raise ValueError(f"images must be (B, {height}, {width}, 3) uint8, not {images.shape} {images.dtype}")


def fits(declared: Sequence[int | str | None], one: Sequence[int]) -> bool:
    """Whether a shape that a network declares, in which unknown sizes have names or none, can be that of a batch."""
    return len(declared) == 1 + len(one) and all(
        not isinstance(size, int) or size == wanted for size, wanted in zip(declared[1:], one, strict=True)
    )


def check_found(manifest: Manifest, count: int, found: NDArray[np.float32]) -> None:
    """Raises EngineError unless a network gave for `count` images what its manifest's output describes:
    log-probabilities, or finite scores."""
    expected = (count, *manifest.output_shape)
    if found.shape != expected:
        raise EngineError(
            f"the network {manifest.name} gave {found.shape}, but its manifest says "
            f"{expected}: export the bundle again."
        )
    dense = isinstance(manifest.output, Heatmaps)
    if not (np.all(found <= _ROUNDING) if dense else np.isfinite(found).all()):  # false for what is not a number
        told = "log-probabilities" if dense else "finite scores"
        raise EngineError(f"the network {manifest.name} gave values that are no {told}: export the bundle again.")
