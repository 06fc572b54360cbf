"""Reading a data set back, image by image."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sim.dataset.folder import read_config, shard_path
from sim.dataset.images import decode_depth, decode_labels, decode_rgb
from sim.dataset.tar import DamagedError, Sample, samples


def read_samples(out: Path) -> Iterator[Sample]:
    """The images of the complete shards in `out`, in order.

    Raises ValueError where there is no data set, and DamagedError, which names the file, for a damaged shard.
    """
    for path in complete_shards(out):
        yield from read_shard(path)


def read_shard(path: Path) -> Iterator[Sample]:
    """The images of one complete shard, in order; raises DamagedError as `read_samples`."""
    try:
        for sample, _ in samples(path.read_bytes()):
            yield sample
    except DamagedError as error:
        raise DamagedError(
            f"{path} is damaged ({error}): delete it and run `blockworld dataset build` again."
        ) from error


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
