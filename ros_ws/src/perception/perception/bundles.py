"""Any bundle, of whatever kind: the task in its manifest says which."""

from pathlib import Path

from perception.bundle import Bundle
from perception.bundle_folder import list_bundles, manifest_content
from perception.shapes.bundle import SHAPES_TASK, ShapeBundle


def load_bundle(folder: Path) -> Bundle | ShapeBundle:
    """Reads and checks the bundle; raises BundleError with what is wrong and what to do about it."""
    return ShapeBundle.load(folder) if _of_shapes(folder) else Bundle.load(folder)


def list_image_bundles(models_dir: Path) -> list[str]:
    """Names of the bundles whose networks take images and run on any engine, sorted; raises BundleError for a manifest
    that cannot be read."""
    return [name for name in list_bundles(models_dir) if not _of_shapes(models_dir / name)]


def _of_shapes(folder: Path) -> bool:
    return bool(manifest_content(folder).get("task") == SHAPES_TASK)
