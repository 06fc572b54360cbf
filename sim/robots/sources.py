"""Where the files that a robot is made of lie: beside its description, in ROS packages, or in `pybullet_data`."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from perception.errors import RobotError

DATA_VARIABLE = "BLOCKWORLD_ROBOT_DATA"
DATA_SCHEME, PACKAGE_SCHEME, FILE_SCHEME = "pybullet_data://", "package://", "file://"


def data_folder() -> Path | None:
    """The folder that BLOCKWORLD_ROBOT_DATA names, else that of `pybullet_data` where it is installed.

    Nothing is imported: the files alone are needed, and `pybullet` may be missing.
    """
    if named := os.environ.get(DATA_VARIABLE):
        return Path(named)
    spec = find_spec("pybullet_data")
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def find_file(name: str, folder: Path, wanted_by: str) -> Path:
    """The file that a description in `folder` names; `wanted_by` says in a message what asks for it."""
    if name.startswith(DATA_SCHEME):
        data = data_folder()
        if data is None:
            raise RobotError(
                f"{wanted_by} needs {name.removeprefix(DATA_SCHEME)} of pybullet_data, which is not here: "
                f"`pip install pybullet`, or set {DATA_VARIABLE} to a folder with those files."
            )
        path = data / name.removeprefix(DATA_SCHEME)
        advice = f"`pip install pybullet`, or correct {DATA_VARIABLE}"
    else:
        named = Path(name).expanduser()
        path = folder / named
        advice = "correct the path" + ("" if named.is_absolute() else f"; relative ones start at {folder}")
    if not path.is_file():
        raise RobotError(f"{wanted_by} needs {path}, which is not there: {advice}.")
    return path


def find_mesh(name: str, source: Path, packages: Mapping[str, Path], wanted_by: str) -> Path:
    """The mesh file that the URDF or SDF `source` names; raises RobotError that says where it was looked for."""
    if name.startswith(PACKAGE_SCHEME):
        package, _, rest = name.removeprefix(PACKAGE_SCHEME).partition("/")
        if package in packages:
            places = [packages[package] / rest]
        else:  # beside the URDF, or, as ROS lays packages out, beside a folder above it
            above = [source.parent, *source.parent.parents][:4]
            places = [folder / package / rest for folder in above]
            places += [folder / rest for folder in above if folder.name == package]
    else:
        places = [source.parent / name.removeprefix(FILE_SCHEME)]
    for place in places:
        if place.is_file():
            return place
    hint = "name its package's folder under `packages` in the description" if "package:" in name else "put it there"
    raise RobotError(f"{source}: {wanted_by} needs the mesh {name}, which is not at {places[0]}: {hint}.")
