"""Shapes and their colours from files: .obj .ply .off .stl .glb .xyz .npy .npz, points in the order of the file."""

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from perception.bounded_files import read_bounded
from perception.errors import ShapeError, reason
from perception.shapes.shape import Shape

ENDINGS = (".obj", ".ply", ".off", ".stl", ".glb", ".xyz", ".npy", ".npz")
MOST_FILE_BYTES = 1 << 28
_PLY_HEAD = re.compile(rb"element vertex (\d+)")


def read_shape(path: Path) -> Shape:
    """The mesh or the cloud in a file: .npy holds points (N, 3), .npz `points` or `vertices` and perhaps `faces`, .stl
    three points for each triangle, .xyz x y z and what else there may be in each line, with spaces or commas between.
    Textures and other files that it names are not read.

    Raises ShapeError: one sentence that names the file.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise ShapeError(f"{path} has the unknown ending {ending!r}: give one of {' '.join(ENDINGS)}.", "type")
    try:
        content = read_bounded(path, MOST_FILE_BYTES)
    except OSError as error:
        raise ShapeError(f"{path} cannot be read ({reason(error.strerror)}).", "unreadable") from None
    if not content:
        raise ShapeError(f"{path} is empty.", "empty")
    try:
        points, faces = _parsed(content, ending)
    except ShapeError:
        raise
    except Exception as error:  # trimesh's readers fail in every way there is
        raise ShapeError(
            f"{path} is no {ending} file that can be read ({reason(error)}): export it again.", "damaged"
        ) from None
    try:
        return Shape(points, faces if faces is not None and len(faces) else None)
    except ShapeError as error:
        raise ShapeError(f"{path}: {error}", error.kind) from None


def read_colours(path: Path, shape: Shape) -> NDArray[np.uint8]:
    """(N, 3) RGB of the shape's points, read from the same file: its colours of points or faces, else its texture's.

    A texture lies beside the file or within it. Raises ShapeError where there is no colour.
    """
    trimesh = _trimesh()
    try:
        parts = _parts(trimesh, trimesh.load(path, process=False))
        coloured = [part for part in parts if _is_coloured(part)]
        points = [np.asarray(part.vertices) for part in coloured]
        colours = [_colours(part) for part in coloured]
    except Exception as error:  # as above
        raise _colourless(path, f" ({reason(error)})") from None
    if not coloured:
        blank = any(part.visual.kind == "texture" and part.visual.uv is not None for part in parts)
        raise _colourless(path, " (the picture of its texture is missing)" if blank else "")
    # Where a texture's seams split points, the reader has more of them, in the same places.
    nearest = cKDTree(np.concatenate(points)).query(shape.points)[1]
    return np.asarray(np.concatenate(colours)[nearest, :3], dtype=np.uint8)


def _parsed(content: bytes, ending: str) -> tuple[Any, Any]:
    if ending == ".obj":
        return _obj(content.decode("utf-8", errors="replace"))
    if ending == ".npy":
        return np.load(io.BytesIO(content), allow_pickle=False), None
    if ending == ".npz":
        _check_unpacked(content)
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            name = "points" if "points" in arrays else "vertices"
            return arrays[name], arrays.get("faces")
    if ending == ".xyz":
        return _xyz(content.decode("utf-8", errors="replace")), None
    trimesh = _trimesh()
    loaded = trimesh.load(io.BytesIO(content), file_type=ending[1:], process=False, fix_texture=False)
    parts = _parts(trimesh, loaded)
    meshes = [part for part in parts if isinstance(part, trimesh.Trimesh) and len(part.faces)]
    if not meshes:
        if ending == ".stl":  # whatever is no binary file is taken for a text without triangles
            raise ValueError("it has no triangles, or its end is missing")
        points = np.concatenate([np.asarray(part.vertices) for part in parts]) if parts else np.zeros((0, 3))
        _check_count(content, ending, points)
        return points, None
    firsts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = [np.asarray(mesh.faces) + first for mesh, first in zip(meshes, firsts, strict=False)]
    return np.concatenate([np.asarray(mesh.vertices) for mesh in meshes]), np.concatenate(faces)


def _obj(text: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Points and triangles of an .obj file. trimesh leaves out points that no face uses, and splits others, so that
    their numbers would no longer be those of the file."""
    points: list[list[float]] = []
    faces: list[tuple[int, int, int]] = []
    for line in text.replace("\r\n", "\n").replace("\\\n", " ").splitlines():
        kind, *words = line.split() or ("",)
        if kind == "v":
            points.append([float(word) for word in words[:3]])
        elif kind == "f":
            numbers = [int(word.partition("/")[0]) for word in words]
            if 0 in numbers:
                raise ValueError("a face has the point 0, but they are counted from 1")
            corners = [number - 1 if number > 0 else len(points) + number for number in numbers]
            faces += [(corners[0], corners[i], corners[i + 1]) for i in range(1, len(corners) - 1)]
    return np.array(points, dtype=np.float64).reshape(-1, 3), np.array(faces, dtype=np.int64).reshape(-1, 3)


def _xyz(text: str) -> NDArray[np.float64]:
    """trimesh's reader knows neither comments nor commas."""
    return np.loadtxt(
        io.StringIO(text.replace(",", " ").replace(";", " ")), comments=("#", "//"), usecols=(0, 1, 2), ndmin=2
    )


def _check_unpacked(archive: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        unpacked = sum(one.file_size for one in packed.infolist())
    if unpacked > MOST_FILE_BYTES:
        raise ValueError(f"it unpacks to {unpacked} bytes, more than the {MOST_FILE_BYTES} that it may have")


def _check_count(content: bytes, ending: str, points: NDArray[np.floating]) -> None:
    """Raises ValueError for a text .ply file of which only the first points are there: its reader does not mind."""
    told = _PLY_HEAD.search(content) if ending == ".ply" else None
    if told and int(told[1]) != len(points):
        raise ValueError(f"it has {len(points)} of the {int(told[1])} points that its head tells of")


def _parts(trimesh: Any, loaded: Any) -> list[Any]:
    """The meshes and clouds of what was loaded, each where it stands in the scene."""
    found = loaded.dump() if isinstance(loaded, trimesh.Scene) else [loaded]
    return [part for part in found if isinstance(part, trimesh.Trimesh | trimesh.PointCloud)]


def _is_coloured(part: Any) -> bool:
    visual = part.visual
    if visual.kind != "texture":
        return visual.kind is not None
    pictures = (getattr(visual.material, name, None) for name in ("image", "baseColorTexture"))
    # Where the picture is missing, all is grey, or trimesh puts a picture of 2 x 2 grey pixels in its place.
    return visual.uv is not None and any(one is not None and max(one.size) > 2 for one in pictures)


def _colourless(path: Path, why: str) -> ShapeError:
    return ShapeError(
        f"{path} has no colours that can be read{why}: give a file with colours of its points, or with a texture, its "
        "picture and its coordinates.",
        "colour",
    )


def _colours(part: Any) -> NDArray[np.uint8]:
    visual = part.visual
    colours = visual.to_color().vertex_colors if visual.kind == "texture" else visual.vertex_colors
    found = np.asarray(colours, dtype=np.uint8)
    if found.shape != (len(part.vertices), 4):
        raise ValueError("it has no colour for each point")
    return found


def _trimesh() -> Any:
    try:
        import trimesh
    except ModuleNotFoundError:
        raise ShapeError(
            "reading this file takes trimesh, which is not installed: pip install 'blockworld[render]'.", "missing"
        ) from None
    return trimesh
