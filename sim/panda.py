"""The Franka Panda of `pybullet_data`, its visual meshes decimated once and kept in the user's cache.

The original visual meshes have 101,735 triangles, which makes PyBullet's software renderer spend most of a frame on
triangles smaller than a pixel. Each mesh is split into a light and a dark part (so that both can be recoloured),
decimated by quadric error (Garland and Heckbert, SIGGRAPH 1997) and written beside a URDF that uses them.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

TARGET_TRIANGLES = 12_000
DARK_BELOW = 128
RECIPE = f"light-dark-{TARGET_TRIANGLES}-v1"


def cache_dir() -> Path:
    """Folder for files that can be made again: BLOCKWORLD_CACHE, else XDG_CACHE_HOME, else ~/.cache."""
    if explicit := os.environ.get("BLOCKWORLD_CACHE"):
        return Path(explicit)
    home = os.environ.get("XDG_CACHE_HOME")
    base = Path(home) if home else Path("~").expanduser() / ".cache"
    return base / "blockworld"


def source_dir() -> Path:
    """Folder of the original URDF and meshes inside the installed `pybullet_data`."""
    import pybullet_data

    return Path(pybullet_data.getDataPath()) / "franka_panda"


def panda_urdf() -> Path:
    """Path of the decimated Panda's URDF, made on first use (about 3 s). Safe against concurrent first uses."""
    source = source_dir()
    key = hashlib.sha256(RECIPE.encode() + (source / "panda.urdf").read_bytes()).hexdigest()[:12]
    target = cache_dir() / f"panda-{key}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix="panda-", dir=target.parent))
        try:
            _write_decimated(source, scratch)
            scratch.replace(target)
        except OSError:
            if not target.exists():  # otherwise another process finished first, with the same bytes
                raise
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return target / "panda.urdf"


def _write_decimated(source: Path, target: Path) -> None:
    shutil.copytree(source / "meshes" / "collision", target / "meshes" / "collision")
    (target / "meshes" / "visual").mkdir()
    parts = {path.name: _split(path) for path in sorted((source / "meshes" / "visual").glob("*.obj"))}
    total = sum(len(mesh.faces) for split in parts.values() for mesh in split.values())
    written = {
        name: [
            _write_part(mesh, target, f"{Path(name).stem}_{tone}", TARGET_TRIANGLES / total)
            for tone, mesh in split.items()
        ]
        for name, split in parts.items()
    }
    tree = ElementTree.parse(source / "panda.urdf")
    for link in tree.getroot().iter("link"):
        for visual in link.findall("visual"):
            _replace_visual(link, visual, written)
    tree.write(target / "panda.urdf")


def _split(path: Path) -> dict[str, Any]:
    """Light and dark parts of a mesh file by the diffuse colour of its materials: tone -> trimesh.Trimesh."""
    import trimesh

    loaded: Any = trimesh.load(path, split_object=False, group_material=True, process=False)
    pieces = list(loaded.geometry.values()) if isinstance(loaded, trimesh.Scene) else [loaded]
    tones: dict[str, list] = {"light": [], "dark": []}
    for piece in pieces:
        diffuse = getattr(getattr(piece.visual, "material", None), "diffuse", (255, 255, 255, 255))
        bare = trimesh.Trimesh(piece.vertices, piece.faces, process=True, merge_norm=True, merge_tex=True)
        tones["dark" if sum(int(c) for c in diffuse[:3]) / 3 < DARK_BELOW else "light"].append(bare)
    return {tone: trimesh.util.concatenate(meshes) for tone, meshes in tones.items() if meshes}


def _write_part(mesh: Any, target: Path, name: str, keep: float) -> str:
    count = max(60, int(len(mesh.faces) * keep))
    small = mesh.simplify_quadric_decimation(face_count=count) if len(mesh.faces) > count else mesh
    small.visual = type(small.visual)()
    relative = f"meshes/visual/{name}.obj"
    (target / relative).write_text(small.export(file_type="obj", include_normals=True, header=""))
    return relative


def _replace_visual(link: Element, visual: Element, written: dict[str, list[str]]) -> None:
    """Put one visual element per tone where the original had one; shapes that stay keep their file."""
    filename = _mesh(visual).get("filename", "")
    place = list(link).index(visual)
    files = written.get(Path(filename).name) if "visual" in filename else None
    if files is None:
        return
    link.remove(visual)
    for offset, relative in enumerate(files):
        clone = ElementTree.fromstring(ElementTree.tostring(visual))
        _mesh(clone).set("filename", f"package://{relative}")
        material = clone.find("material")
        if material is not None:
            clone.remove(material)
        clone.append(_material(f"{Path(relative).stem}", dark="dark" in relative))
        link.insert(place + offset, clone)


def _mesh(visual: Element) -> Element:
    mesh = visual.find("geometry/mesh")
    assert mesh is not None  # every visual of this robot is a mesh
    return mesh


def _material(name: str, dark: bool) -> Element:
    material = ElementTree.Element("material", name=name)
    ElementTree.SubElement(material, "color", rgba="0.25 0.25 0.25 1" if dark else "0.95 0.95 0.95 1")
    return material
