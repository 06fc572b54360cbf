"""Any bundle, of whatever kind: the task in its manifest says which."""

from pathlib import Path

from perception.bundle import Bundle
from perception.bundle_folder import manifest_content
from perception.shapes.bundle import SHAPES_TASK, ShapeBundle


def load_bundle(folder: Path) -> Bundle | ShapeBundle:
    """Reads and checks the bundle; raises BundleError with what is wrong and what to do about it."""
    return Bundle.load(folder) if takes_images(folder) else ShapeBundle.load(folder)


def takes_images(folder: Path) -> bool:
    """Whether the bundle's network takes images, and runs on any engine; raises BundleError for a manifest that cannot
    be read."""
    return bool(manifest_content(folder).get("task") != SHAPES_TASK)
