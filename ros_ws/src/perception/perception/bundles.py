"""Any bundle, of whatever kind: the task in its manifest says which."""

from pathlib import Path

from perception.bundle import Bundle
from perception.bundle_folder import manifest_content
from perception.layers.bundle import LAYERS_TASK, LayersBundle
from perception.shapes.atlas.bundle import ATLAS_TASK, AtlasBundle
from perception.shapes.bundle import SHAPES_TASK, ShapeBundle

AnyBundle = Bundle | ShapeBundle | AtlasBundle | LayersBundle


def load_bundle(folder: Path) -> AnyBundle:
    """Reads and checks the bundle; raises BundleError with what is wrong and what to do about it."""
    kinds: dict[str, type[ShapeBundle] | type[AtlasBundle] | type[LayersBundle]] = {
        SHAPES_TASK: ShapeBundle,
        ATLAS_TASK: AtlasBundle,
        LAYERS_TASK: LayersBundle,
    }
    return kinds.get(_task(folder), Bundle).load(folder)  # type: ignore[return-value]


def takes_images(folder: Path) -> bool:
    """Whether the bundle's network takes images and gives maps or bins, and runs on any engine; raises BundleError for
    a manifest that cannot be read."""
    return _task(folder) not in (SHAPES_TASK, ATLAS_TASK, LAYERS_TASK)


def _task(folder: Path) -> str:
    return str(manifest_content(folder).get("task"))
