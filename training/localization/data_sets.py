"""The data sets that recipes learn from: built where they are missing, on the device that is here."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from perception.configuration import read_configuration
from sim.dataset import DatasetConfig, build, present_images, read_config

FOLDER = Path(__file__).resolve().parent / "datasets"
WAIT_S = 2.0


def build_missing(folders: Sequence[Path]) -> None:
    """Build those folders that are named like a configuration of `datasets/` and are not complete; a data set of
    another configuration, of one's own robot for one, is used as it is.

    Of the processes that torchrun started, the first builds and the others wait for it. Raises ValueError as `build`
    does, and for a folder that neither is a data set nor can be built.
    """
    for folder in folders:
        if not _recipe_of(folder).is_file():
            read_config(folder)  # what cannot be built has to be there, which is told before anything is
    for folder in folders:
        file = _recipe_of(folder)
        if not file.is_file():
            continue
        config = read_configuration(DatasetConfig, file)
        if _is_another(folder, config):
            continue
        while int(os.environ.get("RANK", "0")) > 0 and present_images(config, folder) < config.images:
            time.sleep(WAIT_S)
        missing = config.images - present_images(config, folder)
        if missing:
            with tqdm(total=missing, unit="image", desc=f"rendering {folder.name}") as bar:
                for count in build(config, folder, workers=len(os.sched_getaffinity(0))):
                    bar.update(count)


def _is_another(folder: Path, config: DatasetConfig) -> bool:
    """Whether the folder is a data set, of another configuration."""
    try:
        return read_config(folder).model_dump() != config.model_dump()
    except ValueError:  # none, or one that `build` has to judge
        return False


def _recipe_of(folder: Path) -> Path:
    return FOLDER / f"{folder.name}.yaml"
