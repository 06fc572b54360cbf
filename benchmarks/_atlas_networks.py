"""The networks that `./run bench atlas` compares: how each differs from a recipe, and where it is once trained."""

from dataclasses import dataclass
from pathlib import Path

from perception.bundle_folder import default_models_dir
from perception.configuration import read_configuration
from training.recipes import RECIPES
from training.shapes.atlas.config import AtlasConfig
from training.shapes.atlas.export import export
from training.shapes.atlas.surface_set import CATEGORIES
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
    def shipped(self) -> bool:
        """Whether it is that of the recipe itself."""
        return not self.changes

    @property
    def name(self) -> str:
        """Of its bundle."""
        if self.shipped:
            return self.recipe.replace("-", "_")
        return f"{self.recipe.replace('-', '_')}_" + "".join(c if c.isalnum() else "_" for c in self.label.lower())

    @property
    def folder(self) -> Path:
        """Where its bundle is."""
        own = default_models_dir() / self.name
        return own if own.is_dir() else TRAINED / self.name

    def trained(self) -> None:
        """Train it where that was not done, going on where it was broken off."""
        if self.folder.is_dir():
            return
        words = [*self.changes, f"out={RUNS / self.name}"]
        config = read_configuration(AtlasConfig, RECIPES[self.recipe].config, words)
        train(config)
        export(config, TRAINED, self.name, " ".join(["blockworld train", self.recipe, *words]))


CHARTS = (
    Compared("points", "atlas-ae", ("structure=points", "charts=1")),
    Compared("1 patch", "atlas-ae", ("charts=1",)),
    Compared("sphere", "atlas-ae", ("structure=sphere", "charts=1")),
    Compared("5 patches", "atlas-ae", ("charts=5",)),
    Compared("25 patches", "atlas-ae"),
    Compared("125 patches", "atlas-ae", ("charts=125",)),
)
NORMALS = Compared("points and normals", "atlas-ae", ("structure=points_normals", "charts=1"))
ELEMENTARY = (
    Compared("10 patches", "atlas-elementary", ("structure=squares",)),
    Compared("10 learned patches, 2D", "atlas-elementary", ("dimension=2",)),
    Compared("10 learned patches, 3D", "atlas-elementary"),
    Compared("10 learned patches, 10D", "atlas-elementary", ("dimension=10",)),
    Compared("10 learned points, 3D", "atlas-elementary", ("structure=translation", "points=2560")),
)
PICTURES = (
    Compared(
        "points from pictures", "atlas-svr",
        ("structure=points", "charts=1", "decoder_of=runs/atlas_ae_points/weights.pt"),
    ),
    Compared("25 patches from pictures", "atlas-svr"),
)  # fmt: skip


def without(category: str) -> tuple[Compared, Compared]:
    """The baseline and 25 patches, trained on all categories but one."""
    rest = f"data.categories=[{','.join(one for one in CATEGORIES if one != category)}]"
    data = (rest, f"data.folder=data/surfaces/without_{category}", "shapes=96000")
    return (
        Compared(f"points, no {category}", "atlas-ae", ("structure=points", "charts=1", *data)),
        Compared(f"25 patches, no {category}", "atlas-ae", data),
    )
