"""The networks that `./run bench atlas` compares: how each differs from a recipe, and where it is once trained."""

from dataclasses import dataclass
from pathlib import Path

from perception.bundle_folder import default_models_dir
from perception.configuration import read_configuration
from training.recipes import RECIPES
from training.shapes.atlas.config import AtlasConfig
from training.shapes.atlas.export import export
from training.shapes.atlas.train import train

RUNS = Path("runs")
TRAINED = RUNS / "models"
LEFT_OUT = ("chair", "lamp", "plane", "bottle")


@dataclass(frozen=True)
class Compared:
    """One network: its label in tables, the recipe that it follows, and KEY=VALUE words that make it differ."""

    label: str
    recipe: str
    changes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Of its bundle: the recipe's where it is that of the recipe itself."""
        recipe = self.recipe.replace("-", "_")
        return f"{recipe}_{_word(self.label)}" if self.changes else recipe

    @property
    def folder(self) -> Path:
        """Where its bundle is."""
        own = default_models_dir() / self.name
        return own if own.is_dir() else TRAINED / self.name

    @property
    def weights(self) -> Path:
        """What its training ends with."""
        return RUNS / self.name / "weights.pt"

    def config(self) -> AtlasConfig:
        """As it is trained."""
        return read_configuration(AtlasConfig, RECIPES[self.recipe].config, self._words)

    def trained(self) -> None:
        """Train it where that was not done, going on where it was broken off."""
        if self.folder.is_dir():
            return
        config = self.config()
        train(config)
        export(config, TRAINED, self.name, " ".join(["blockworld train", self.recipe, *self._words]))

    @property
    def _words(self) -> list[str]:
        return [*self.changes, f"out={RUNS / self.name}"]


def _word(label: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in label.lower())


ALIKE = ("shapes=60000",)  # all networks of a table learn from as many shapes
_LIST = ("charts=1", "points=2500", "decoder=[1024,512,256]")  # the baseline as wide as the paper's: it costs little
NARROW = ("structure=points", "charts=1", "points=2500", "decoder=[256,128,64]")  # as wide as the recipe's charts
LISTED, WITH_NORMALS = ("structure=points", *_LIST), ("structure=points_normals", *_LIST)

POINTS = Compared("points", "atlas-ae", (*LISTED, *ALIKE))
NORMALS = Compared("points and normals", "atlas-ae", (*WITH_NORMALS, *ALIKE))
CHARTS = (
    POINTS,
    Compared("1 patch", "atlas-ae", ("charts=1", *ALIKE)),
    Compared("sphere", "atlas-ae", ("structure=sphere", "charts=1", *ALIKE)),
    Compared("5 patches", "atlas-ae", ("charts=5", *ALIKE)),
    Compared("25 patches", "atlas-ae", ALIKE),
    Compared("125 patches", "atlas-ae", ("charts=125", *ALIKE)),
)
WIDE = "decoder=[1024,512,256,128]"  # the paper's charts; those of the recipes are a quarter as wide
WIDTHS = (
    Compared("points, narrow", "atlas-ae", (*NARROW, *ALIKE)),
    Compared("1 patch, wide", "atlas-ae", ("charts=1", WIDE, *ALIKE)),
    Compared("sphere, wide", "atlas-ae", ("structure=sphere", "charts=1", WIDE, *ALIKE)),
)
ELEMENTARY = (
    Compared("10 patches", "atlas-elementary", ("structure=squares", *ALIKE)),
    Compared("10 learned patches, 2D", "atlas-elementary", ("dimension=2", *ALIKE)),
    Compared("10 learned patches, 3D", "atlas-elementary", ALIKE),
    Compared("10 learned patches, 10D", "atlas-elementary", ("dimension=10", *ALIKE)),
    Compared("10 learned points, 3D", "atlas-elementary", ("structure=translation", "points=2560", *ALIKE)),
)
SHIPPED = Compared("25 patches, shipped", "atlas-ae"), Compared("10 learned patches, 3D, shipped", "atlas-elementary")
PICTURES = (
    Compared(
        "points and normals from pictures", "atlas-svr", (*WITH_NORMALS, f"decoder_of={NORMALS.weights}")
    ),
    Compared("25 patches from pictures", "atlas-svr"),
)  # fmt: skip


STRETCHED = "stretched=0.7"
"""What an unknown category is nearer to."""


def without(category: str) -> tuple[Compared, ...]:
    """The baseline and 25 patches, trained on all categories but one, of shapes as they are and stretched."""
    changes = (f"left_out=[{category}]", "shapes=30000")
    return tuple(
        Compared(f"{label}{more}, no {category}", "atlas-ae", (*structure, *changes, *varied))
        for varied, more in (((), ""), ((STRETCHED,), ", stretched"))
        for label, structure in (("points", LISTED), ("25 patches", ()))
    )
