"""Reading a data set back, image by image."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim.dataset.folder import read_config, shard_path
from sim.dataset.images import decode_depth, decode_labels, decode_rgb
from sim.dataset.tar import DamagedError, Sample, samples
from sim.keypoints import MOST_POINTS


def read_samples(out: Path) -> Iterator[Sample]:
    """The images of the complete shards in `out`, in order.

    Raises ValueError where there is no data set, and DamagedError, which names the file, for a damaged shard.
    """
    for path in complete_shards(out):
        yield from _samples(path)


def _samples(path: Path) -> Iterator[Sample]:
    try:
        for sample, _ in samples(path.read_bytes()):
            yield sample
    except DamagedError as error:
        raise DamagedError(
            f"{path} is damaged ({error}): delete it and run `blockworld dataset build` again."
        ) from error


@dataclass(frozen=True)
class Batch:
    """What networks learn from, of N images: rgb (N, H, W, 3) uint8, points (N, K, 2, 2) float32 px of the channels
    `names`, NaN behind the camera and twice the same where a channel has one point, and hovers (N,) bool."""

    names: tuple[str, ...]
    rgb: np.ndarray
    points: np.ndarray
    hovers: np.ndarray


def read_batches(out: Path, threads: int = 2) -> Iterator[Batch]:
    """The complete shards in `out` in order, one batch each. Raises as `read_samples`."""
    with ThreadPoolExecutor(threads) as pool:  # OpenCV decodes without holding the interpreter's lock
        yield from pool.map(_batch, complete_shards(out))


def _batch(path: Path) -> Batch:
    images = list(_samples(path))
    records = [sample.record for sample in images]
    return Batch(
        tuple(channel["name"] for channel in records[0]["keypoints"]),
        np.stack([rgb(sample) for sample in images]),
        np.array([[_pair(channel["px"]) for channel in record["keypoints"]] for record in records], np.float32),
        np.array([record["robot"]["hovers"] for record in records]),
    )


def _pair(places: list[list[float] | None]) -> list[list[float]]:
    known = [place or [np.nan, np.nan] for place in places]
    return known if len(known) == MOST_POINTS else known * MOST_POINTS


def complete_shards(out: Path) -> list[Path]:
    """Files of the shards that are complete, in order; raises ValueError where there is no data set."""
    config = read_config(out)
    return [path for shard in range(config.shards) if (path := shard_path(out, shard)).is_file()]


def rgb(sample: Sample) -> np.ndarray:
    """(H, W, 3) uint8 sRGB."""
    return decode_rgb(sample.files.get("png") or sample.files["jpg"])


def depth_m(sample: Sample) -> np.ndarray | None:
    """(H, W) float32 m, inf where there is nothing; None where the data set holds none."""
    data = sample.files.get("depth.png")
    return None if data is None else decode_depth(data)


def segmentation(sample: Sample) -> np.ndarray | None:
    """(H, W) uint8 labels of `sim.scene`; None where the data set holds none."""
    data = sample.files.get("segmentation.png")
    return None if data is None else decode_labels(data)
