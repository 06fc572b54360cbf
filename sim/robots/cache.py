"""A robot's parts and URDF as files of the cache, made on first use and keyed by all that they are made of."""

import hashlib
import json
import shutil
from functools import cache
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np

from perception.errors import RobotError
from sim.cache import CACHE_VARIABLE, cache_dir, made_once
from sim.meshes import Mesh
from sim.robots.elements import text_of

RECIPE = 4  # raise it when the same files shall become other parts
URDF_FILE, PARTS_FILE, INDEX_FILE = "robot.urdf", "parts.npz", "parts.json"
ARRAYS = ("vertices", "normals", "uv", "faces")


def made_folder(robot: Element) -> Path:
    """The cache's folder of an assembled robot: robot.urdf, parts.npz and parts.json. A few seconds the first time.

    Raises RobotError for meshes that cannot be read, and where the cache cannot be written.
    """
    name = f"robots/{robot.get('name')}-{_key(robot)}"
    try:
        return made_once(name, lambda folder: _make(robot, folder))
    except OSError as error:
        raise RobotError(
            f"{cache_dir() / name} cannot be written ({error.strerror}): set {CACHE_VARIABLE} to a folder of yours."
        ) from error


def read_index(folder: Path) -> tuple[list[tuple[str, int]], list[tuple[float, float, float]]]:
    """(link, tone) of every part, and the colour of every tone."""
    content = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
    return [(link, tone) for link, tone in content["parts"]], [tuple(colour) for colour in content["tones"]]


@cache
def read_parts(folder: Path) -> list[Mesh]:
    """The mesh of every part, in the frame of its link."""
    with np.load(folder / PARTS_FILE) as arrays:
        count = sum(name.startswith("faces_") for name in arrays.files)
        return [Mesh(*(arrays[f"{name}_{i}"] for name in ARRAYS)) for i in range(count)]


def _key(robot: Element) -> str:
    """A digest of the URDF without its paths, and of every file that it names."""
    copy, digest = ElementTree.fromstring(ElementTree.tostring(robot)), hashlib.sha256(str(RECIPE).encode())
    for mesh in copy.iter("mesh"):
        content = Path(mesh.get("filename", "")).read_bytes()
        mesh.set("filename", hashlib.sha256(content).hexdigest())
    digest.update(ElementTree.tostring(copy))
    return digest.hexdigest()[:16]


def _make(robot: Element, folder: Path) -> None:
    from sim.robots.visuals import read_visuals

    visuals, tones = read_visuals(robot)
    arrays = {f"{name}_{i}": getattr(part.mesh, name) for i, part in enumerate(visuals) for name in ARRAYS}
    np.savez(folder / PARTS_FILE, **arrays)  # type: ignore[arg-type]
    index = {"parts": [[part.link, part.tone] for part in visuals], "tones": tones}
    (folder / INDEX_FILE).write_text(json.dumps(index), encoding="utf-8")
    copy = ElementTree.fromstring(ElementTree.tostring(robot))
    for link in copy.findall("link"):
        for visual in link.findall("visual"):
            link.remove(visual)
        _copy_collisions(link, folder)
        for i, part in enumerate(visuals):
            if part.link == link.get("name"):
                (folder / f"part_{i}.obj").write_text(_obj(part.mesh), encoding="ascii")
                link.append(_visual(f"part_{i}.obj", np.array(tones[part.tone])))
    ElementTree.ElementTree(copy).write(folder / URDF_FILE, encoding="utf-8", xml_declaration=True)


def _copy_collisions(link: Element, folder: Path) -> None:
    """Bring the link's collision meshes along, so that the folder stands by itself."""
    for i, mesh in enumerate(link.findall("collision/geometry/mesh")):
        source = Path(mesh.get("filename", ""))
        name = f"collision_{link.get('name')}_{i}{source.suffix.lower()}"
        shutil.copyfile(source, folder / name)
        mesh.set("filename", name)


def _visual(file: str, colour: np.ndarray) -> Element:
    visual = Element("visual")
    SubElement(SubElement(visual, "geometry"), "mesh", filename=file)
    material = SubElement(visual, "material", name=f"rgb {text_of(colour)}")
    SubElement(material, "color", rgba=f"{text_of(colour)} 1")
    return visual


def _obj(mesh: Mesh) -> str:
    lines = [f"v {x:.7g} {y:.7g} {z:.7g}" for x, y, z in mesh.vertices.tolist()]
    lines += [f"vn {x:.5g} {y:.5g} {z:.5g}" for x, y, z in mesh.normals.tolist()]
    lines += ["f " + " ".join(f"{i}//{i}" for i in face) for face in (mesh.faces + 1).tolist()]
    return "\n".join(lines) + "\n"
