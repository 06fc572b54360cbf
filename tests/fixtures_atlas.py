"""Small networks for atlases: a few shapes, a few steps, real bundles."""

from pathlib import Path

from training.shapes.atlas.config import AtlasConfig
from training.shapes.atlas.picture_set import PictureSetConfig
from training.shapes.atlas.surface_set import SurfaceSetConfig

CATEGORIES = ("table", "mug")


def small_config(folder: Path, out: Path, **changes) -> AtlasConfig:
    """A configuration whose sets are in `folder`, so that they are made once."""
    own = {"categories": CATEGORIES, "points": 600, "part": 8}
    values = {
        "data": SurfaceSetConfig(folder=folder / "shapes", shapes=16, **own),
        "validation": SurfaceSetConfig(folder=folder / "held_out", shapes=6, seed=1, **own),
        "out": out,
        "charts": 4,
        "encoder": (16, 32),
        "decoder": (32, 16),
        "latent": 24,
        "points": 256,
        "seen": 128,
        "shapes": 32,
        "batch": 8,
    }
    return AtlasConfig(**(values | changes))


def for_pictures(folder: Path) -> dict:
    """What a network for pictures has beside that."""
    return {
        "input": "picture",
        "pictures": PictureSetConfig(folder=folder / "pictures", size_px=64, part=8),
        "validation_pictures": PictureSetConfig(folder=folder / "held_out_pictures", size_px=64, part=8, seed=1),
        "encoder": (8, 8, 16, 16),
    }
