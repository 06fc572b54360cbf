"""What is seen of a robot: visual meshes and shapes, split by tone and decimated to at most MOST_TRIANGLES.

A detailed URDF has a hundred thousand triangles, most of them smaller than a pixel. Each tone of each link becomes
one mesh, decimated by quadric error (Garland and Heckbert, SIGGRAPH 1997). The same error is allowed everywhere, so
that triangles go where shape is: to fingers and flanges rather than to the tubes between them. Only
`sim.robots.cache` calls this, once per robot: trimesh is slow to import.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import fast_simplification
import numpy as np
import trimesh
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from perception.errors import RobotError
from sim.meshes import Mesh, mesh_of
from sim.robots.elements import numbers, origin_of
from sim.robots.tones import sort_into_tones

MOST_TRIANGLES = 10_000
FEW_TRIANGLES = 400  # of one part, which are left as they are
LOSSES = np.arange(2.25, 6.0, 0.1)  # exponents of the quadric error that an edge may cost when it is taken away
UNCOLOURED = (0.8, 0.8, 0.8)
CREASE_RAD = np.radians(35)
UV_M = 0.25  # a texture's unit is this long on a robot
SEGMENTS = 32


@dataclass(frozen=True, eq=False)
class Visual:
    """One tone of one link: its mesh in the frame of the link."""

    link: str
    tone: int
    mesh: Mesh


@dataclass(frozen=True, eq=False)
class _Piece:
    link: str
    colour: tuple[float, float, float]
    mesh: trimesh.Trimesh


def read_visuals(robot: Element) -> tuple[list[Visual], list[tuple[float, float, float]]]:
    """The parts of an assembled robot, and the colour (sRGB) of each tone, the lightest first."""
    pieces = [
        piece
        for link in robot.findall("link")
        for visual in link.findall("visual")
        for piece in _pieces(visual, link.get("name", ""))
    ]
    if not pieces:
        raise RobotError(f"the URDF of {robot.get('name')} has no visual: give its links <visual> elements.")
    tones, colours = sort_into_tones([(piece.colour, float(piece.mesh.area)) for piece in pieces])
    groups: dict[tuple[str, int], list[trimesh.Trimesh]] = {}
    for piece, tone in zip(pieces, tones, strict=True):
        groups.setdefault((piece.link, tone), []).append(piece.mesh)
    meshes = _decimated([_joined(group) for group in groups.values()])
    visuals = [Visual(link, tone, _shaded(mesh)) for (link, tone), mesh in zip(groups, meshes, strict=True)]
    return visuals, colours


def _pieces(visual: Element, link: str) -> list[_Piece]:
    """The visual's shapes of one colour each, in the frame of the link."""
    shape = visual.find("geometry/*")
    if shape is None:
        raise RobotError(f"a visual of link {link} has no geometry: give it a mesh, box, cylinder or sphere.")
    given = visual.find("material/color")
    colour = None if given is None else _triple(numbers(given.get("rgba", "")))
    own = _load(Path(shape.get("filename", "")), link) if shape.tag == "mesh" else [(None, _primitive(shape, link))]
    colours = {piece_colour for piece_colour, _ in own}
    placed = []
    for piece_colour, mesh in own:
        if shape.tag == "mesh":
            mesh.apply_scale(numbers(shape.get("scale", "1 1 1")))
        mesh.apply_transform(origin_of(visual))
        # A material of the URDF paints a mesh that is of one colour; one of several keeps its own.
        chosen = piece_colour if len(colours) > 1 or colour is None else colour
        placed.append(_Piece(link, chosen or UNCOLOURED, mesh))
    return placed


def _load(path: Path, link: str) -> list[tuple[tuple[float, float, float] | None, trimesh.Trimesh]]:
    """(diffuse colour, mesh) of every material of a mesh file."""
    try:
        scene: Any = trimesh.load_scene(path, split_object=False, group_material=True, process=False)
    except (ImportError, NotImplementedError) as error:
        needs = "`pip install pycollada`" if path.suffix.lower() == ".dae" else "convert it to OBJ or STL"
        raise RobotError(f"link {link}: {path} cannot be read here ({error}): {needs}.") from None
    except Exception as error:  # readers of damaged files raise whatever they meet
        raise RobotError(
            f"link {link}: {path} is no mesh that can be read ({type(error).__name__}: {error}): mend or replace it."
        ) from None
    meshes = [mesh for mesh in scene.dump() if isinstance(mesh, trimesh.Trimesh) and len(mesh.faces)]
    if not meshes:
        raise RobotError(f"link {link}: {path} holds no triangles: mend or replace it.")
    return [(_colour(mesh), _welded(mesh)) for mesh in meshes]


def _welded(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    bare = trimesh.Trimesh(mesh.vertices, mesh.faces, process=True, merge_norm=True, merge_tex=True)
    bare.update_faces(bare.nondegenerate_faces())
    return bare


def _colour(mesh: trimesh.Trimesh) -> tuple[float, float, float] | None:
    material = getattr(mesh.visual, "material", None)
    for field in ("diffuse", "baseColorFactor"):
        value = getattr(material, field, None)
        if value is not None and len(value) >= 3:
            return _triple([float(channel) / 255 for channel in value])
    return None


def _primitive(shape: Element, link: str) -> trimesh.Trimesh:
    if shape.tag == "box":
        return trimesh.creation.box(numbers(shape.get("size", "")))
    if shape.tag == "sphere":
        return trimesh.creation.icosphere(subdivisions=2, radius=float(shape.get("radius", "")))
    if shape.tag in ("cylinder", "capsule"):
        size = {"radius": float(shape.get("radius", "")), "height": float(shape.get("length", ""))}
        if shape.tag == "cylinder":
            return trimesh.creation.cylinder(sections=SEGMENTS, **size)
        return trimesh.creation.capsule(count=(SEGMENTS, SEGMENTS // 2), **size)
    raise RobotError(f"link {link}: there is no shape {shape.tag!r}: use a mesh, box, cylinder, capsule or sphere.")


def _joined(meshes: list[trimesh.Trimesh]) -> trimesh.Trimesh:
    if len(meshes) == 1:
        return meshes[0]
    offsets = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes[:-1])])
    faces = [mesh.faces + offset for mesh, offset in zip(meshes, offsets, strict=True)]
    return trimesh.Trimesh(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces), process=False)


def _decimated(meshes: list[trimesh.Trimesh]) -> list[trimesh.Trimesh]:
    """The meshes with at most MOST_TRIANGLES in all, unless parts of FEW_TRIANGLES come to more."""
    detailed = [number for number, mesh in enumerate(meshes) if len(mesh.faces) > FEW_TRIANGLES]
    kept = list(meshes)
    for loss in LOSSES.tolist():
        for number in detailed:
            mesh = meshes[number]
            kept[number] = trimesh.Trimesh(
                *fast_simplification.simplify(mesh.vertices, mesh.faces, target_count=FEW_TRIANGLES, agg=loss)
            )
        if sum(len(mesh.faces) for mesh in kept) <= MOST_TRIANGLES:
            break
    return kept


def _shaded(mesh: trimesh.Trimesh) -> Mesh:
    """One vertex for the corners of faces that meet at less than CREASE_RAD there, so that edges stay sharp and the
    rest is smooth; UV by the dominant axis."""
    smooth = mesh.face_adjacency_angles < CREASE_RAD
    pairs, ends = mesh.face_adjacency[smooth], mesh.face_adjacency_edges[smooth]
    corners = mesh.faces.reshape(-1)
    # Number of the corner of each pair's first and second face at each end of the edge between them.
    first, second = (
        (3 * side[:, None] + (mesh.faces[side][:, None, :] == ends[:, :, None]).argmax(axis=2)).ravel()
        for side in pairs.T
    )
    graph = coo_array((np.ones(len(first), bool), (first, second)), shape=(len(corners), len(corners)))
    groups, group = connected_components(graph, directed=False)
    weighted = np.repeat(mesh.face_normals * mesh.area_faces[:, None], 3, axis=0)
    normals = np.stack([np.bincount(group, weighted[:, axis], groups) for axis in range(3)], axis=1)
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    vertices = mesh.vertices[corners[np.unique(group, return_index=True)[1]]]
    flat = np.array([(1, 2), (0, 2), (0, 1)])[np.abs(normals).argmax(axis=1)]
    uv = np.take_along_axis(vertices, flat, axis=1) / UV_M
    return mesh_of(vertices, group.reshape(-1, 3), uv, normals)


def _triple(values: list[float]) -> tuple[float, float, float]:
    return round(values[0], 4), round(values[1], 4), round(values[2], 4)
