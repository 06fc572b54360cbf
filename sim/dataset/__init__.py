"""Data sets of rendered images on disk: WebDataset shards that are built by many workers, resumed and exported."""

from sim.dataset.build import build
from sim.dataset.config import DatasetConfig
from sim.dataset.folder import present_images, read_config, shard_path
from sim.dataset.journal import DiskFullError
from sim.dataset.reader import complete_shards, depth_m, read_samples, read_shard, rgb, segmentation
from sim.dataset.studio import Picture, Studio, close_up, shots_of
from sim.dataset.tar import DamagedError, Sample, samples
from sim.dataset.work import WorkerError

__all__ = [
    "DamagedError",
    "DatasetConfig",
    "DiskFullError",
    "Picture",
    "Sample",
    "Studio",
    "WorkerError",
    "build",
    "close_up",
    "complete_shards",
    "depth_m",
    "present_images",
    "read_config",
    "read_samples",
    "read_shard",
    "rgb",
    "samples",
    "segmentation",
    "shard_path",
    "shots_of",
]
