"""A data set that is built within seconds: small images of calm scenes by the renderer that runs everywhere."""

from pathlib import Path

from sim.dataset import DatasetConfig

SMALL = DatasetConfig(
    task="fine",
    renderer="tiny",
    preset="lab",
    randomization={"light": {"shadow_share": 0.0}},
    seed=3,
    scenes=5,
    views=2,
    width=48,
    height=48,
    oversampling=1,
    shard_scenes=2,
)


def changed(**changes: object) -> DatasetConfig:
    """SMALL with other values."""
    return DatasetConfig.model_validate(SMALL.model_dump() | changes)


def contents(folder: Path) -> dict[str, bytes]:
    """Name and bytes of everything in the folder that a build leaves."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != ".lock"}
