"""What a data set holds, as its user writes it down."""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sim.randomization import PRESETS, RandomizationConfig, changed, preset
from sim.renderers import RENDERERS
from sim.robots import known_descriptions, load_robot
from sim.textures import check_pictures, pictures

FORMAT = 4
"""Version of all that this code makes of a configuration: raise it when the same one comes to draw or store other
bytes, be it by scenes, meshes, lens, sensor, labels or codecs. `tests/sim/test_dataset_format.py` tells some of it."""

Task = Literal["coarse", "tool", "fine", "block"]
Codec = Literal["png", "jpeg"]


class DatasetConfig(BaseModel):
    """Sizes are in pixels of the stored images, counts are at least one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Task
    """Whose images: whole ones for coarse and tool, crops around the clamp for fine, around the block for block."""
    robot: str = "panda"
    """Name of a robot, or the path of its description or of that file's folder; kept as an absolute path."""
    renderer: str = "gl"
    preset: str = "train"
    """Ranges that scenes are drawn from: a preset's name, or the path of a file; kept as an absolute path."""
    randomization: dict[str, Any] = Field(default_factory=dict)
    """Ranges that differ from those of the preset, by their names there."""
    seed: int = Field(default=0, ge=0)
    scenes: int = Field(gt=0)
    views: int = Field(default=3, gt=0, le=8)
    width: int = Field(gt=0, le=1920)
    height: int = Field(gt=0, le=1920)
    oversampling: float = Field(default=1.25, ge=1, le=4)
    codec: Codec = "png"
    """png keeps every value; jpeg, of quality 95, is smaller and faster."""
    depth: bool = False
    """Store depth too."""
    segmentation: bool = False
    """Store labels of pixels too."""
    shard_scenes: int = Field(default=100, gt=0)

    @field_validator("renderer")
    @classmethod
    def _known_renderer(cls, name: str) -> str:
        if name not in RENDERERS:
            raise ValueError(f"there is no renderer {name!r}; choose one of: {', '.join(RENDERERS)}")
        return name

    @field_validator("robot")
    @classmethod
    def _robot_from_any_folder(cls, robot: str) -> str:
        return robot if robot in known_descriptions() or not Path(robot).exists() else str(Path(robot).resolve())

    @field_validator("preset")
    @classmethod
    def _preset_from_any_folder(cls, name: str) -> str:
        return name if name in PRESETS or not Path(name).exists() else str(Path(name).resolve())

    @model_validator(mode="after")
    def _possible_ranges(self) -> "DatasetConfig":
        self.ranges()
        return self

    def ranges(self) -> RandomizationConfig:
        """The preset with this configuration's own ranges in it; raises ValueError for impossible ones."""
        return changed(preset(self.preset), self.randomization)

    def check_files(self) -> None:
        """Raises ValueError where the robot, the preset or the pictures that scenes are drawn from cannot be used."""
        load_robot(self.robot)
        if (folder := self.ranges().pictures.folder) is not None:
            check_pictures(folder)

    @property
    def shards(self) -> int:
        """Number of shards, the last one perhaps shorter."""
        return -(-self.scenes // self.shard_scenes)

    @property
    def images(self) -> int:
        """Number of images in all."""
        return self.scenes * self.views

    def scenes_of(self, shard: int) -> range:
        """Scenes of one shard."""
        first = shard * self.shard_scenes
        return range(first, min(first + self.shard_scenes, self.scenes))

    @property
    def fingerprint(self) -> str:
        """Names the contents: equal contents have an equal one. What robot, preset and pictures hold is part of it,
        where they lie is not."""
        decisive = {"format": FORMAT, **self.model_dump(mode="json", exclude={"preset", "randomization", "robot"})}
        decisive["robot"] = load_robot(self.robot).digest
        ranges = self.ranges()
        # Settings that came later have defaults, with which the same images are drawn as before.
        decisive["ranges"] = ranges.model_dump(mode="json", exclude={"pictures": {"folder"}}, exclude_defaults=True)
        if ranges.pictures.folder is not None:
            decisive["pictures"] = _digests(ranges.pictures.folder)
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:16]


class StoredConfig(DatasetConfig):
    """That of a data set on the disk: its images are read without the files that its scenes were drawn from."""

    @model_validator(mode="after")
    def _possible_ranges(self) -> "StoredConfig":
        return self


def _digests(folder: str) -> dict[str, str]:
    """What the user's pictures hold, by their places in the folder: others would make other images."""
    return {
        Path(path).relative_to(folder).as_posix(): hashlib.sha256(Path(path).read_bytes()).hexdigest()
        for path in pictures(folder)
    }
