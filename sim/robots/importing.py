"""Importing a robot: its URDF and description checked, and written as one folder that everything here loads."""

import os
import shutil
import tempfile
from pathlib import Path

import yaml

from perception.errors import RobotError
from perception.robot import CHAIN_FILE
from sim.robots.chains import chain_text
from sim.robots.description import RobotDescription
from sim.robots.loading import check_robot, load_robot
from sim.robots.schema import DESCRIPTION_FILE, DescriptionFields, read_description
from sim.robots.sources import DATA_SCHEME, find_file

FILES = {DESCRIPTION_FILE, CHAIN_FILE}
MARK = "written by `blockworld robot import`"  # in the first line of both


def import_robot(urdf: str, description: Path, out: Path) -> RobotDescription:
    """Write robot.yaml, with every path made absolute, and chain.yaml into the folder `out`, and load the robot.

    `urdf`, a path or pybullet_data://PATH, goes before the `urdf` of the description. Raises RobotError for what
    cannot be used, and for a folder that holds anything but an earlier import.
    """
    fields = read_description(description)
    _refuse_to_overwrite(out)
    if description.resolve() == (out / DESCRIPTION_FILE).resolve():
        raise RobotError(f"{out} holds the description itself, which would be overwritten: give another folder.")
    find_file(urdf, Path.cwd(), f"the robot {fields.name} ({description})")
    fields = _with_absolute_paths(fields, description.parent.resolve(), urdf)
    _, chain = check_robot(description, fields)
    out.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        text = yaml.safe_dump(fields.model_dump(mode="json", exclude_defaults=True), sort_keys=False)
        (scratch / DESCRIPTION_FILE).write_text(f"# {MARK.capitalize()}.\n{text}", encoding="utf-8")
        (scratch / CHAIN_FILE).write_text(chain_text(chain, urdf), encoding="utf-8")
        load_robot(scratch)  # its meshes too can be used
        out.mkdir(exist_ok=True)
        for name in sorted(FILES):
            (scratch / name).replace(out / name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return load_robot(out)


def _refuse_to_overwrite(out: Path) -> None:
    if out.exists() and (not out.is_dir() or {path.name for path in out.iterdir()} - FILES):
        raise RobotError(f"{out} is not empty and holds more than an imported robot: give a new folder as --out.")
    for path in (out / name for name in sorted(FILES)):
        if path.exists() and MARK.encode() not in path.read_bytes().partition(b"\n")[0].lower():
            raise RobotError(f"{path} was not {MARK} and would be overwritten: give a new folder as --out.")


def _with_absolute_paths(fields: DescriptionFields, folder: Path, urdf: str) -> DescriptionFields:
    """The description as it reads from any folder; `urdf` is relative to the working folder, the rest to `folder`."""
    attach = tuple(one.model_copy(update={"file": _absolute(one.file, folder)}) for one in fields.attach)
    packages = {name: _absolute(place, folder) for name, place in fields.packages.items()}
    changes = {"urdf": _absolute(urdf, Path.cwd()), "attach": attach, "packages": packages}
    return fields.model_copy(update=changes)


def _absolute(path: str, folder: Path) -> str:
    return path if path.startswith(DATA_SCHEME) else os.path.abspath(folder / Path(path).expanduser())  # noqa: PTH100
