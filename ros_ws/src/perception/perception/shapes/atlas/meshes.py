"""Reconstructions as files: GLB and OBJ with an atlas of their charts as texture, PLY with a colour per chart."""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.errors import ShapeError
from perception.shapes.atlas.reconstruction import Atlas
from perception.shapes.writing import ply

ENDINGS = (".glb", ".obj", ".ply")
_TILE_PX = 64
_GUTTER = 1 / 16  # of a tile, that stays its chart's colour, so that no neighbour bleeds in


def chart_colours(count: int) -> NDArray[np.uint8]:
    """(count, 3) RGB, as different as so many can be: hues by the golden angle, in three lightnesses."""
    hue = (np.arange(count) * 137.508) % 360
    light = np.array([62.0, 75.0, 50.0])[np.arange(count) % 3]
    lab = np.stack([light, 45 * np.cos(np.radians(hue)), 45 * np.sin(np.radians(hue))], axis=1)
    rgb = cv2.cvtColor(lab[None].astype(np.float32), cv2.COLOR_LAB2RGB)[0]
    return np.rint(255 * np.clip(rgb, 0, 1)).astype(np.uint8)


def colours_of(atlas: Atlas) -> NDArray[np.uint8]:
    """(N, 3) RGB of its points, by chart."""
    return chart_colours(int(atlas.chart.max()) + 1)[atlas.chart]


def atlas_picture(charts: int) -> NDArray[np.uint8]:
    """(H, W, 3) RGB: one tile per chart, in its colour, with a fine grid by which distortion is seen."""
    across = math.ceil(math.sqrt(charts))
    image = np.full((across * _TILE_PX, across * _TILE_PX, 3), 255, np.uint8)
    for number, colour in enumerate(chart_colours(charts)):
        row, column = divmod(number, across)
        tile = np.tile(colour, (_TILE_PX, _TILE_PX, 1))
        tile[:: _TILE_PX // 8] = tile[:, :: _TILE_PX // 8] = colour * 0.8
        image[row * _TILE_PX : (row + 1) * _TILE_PX, column * _TILE_PX : (column + 1) * _TILE_PX] = tile
    return image


def atlas_uv(atlas: Atlas) -> NDArray[np.float64]:
    """(N, 2) coordinates of its points in `atlas_picture`, from its lower left corner."""
    assert atlas.uv is not None
    charts = int(atlas.chart.max()) + 1
    across = math.ceil(math.sqrt(charts))
    row, column = np.divmod(atlas.chart, across)
    inside = _GUTTER + (1 - 2 * _GUTTER) * atlas.uv
    u, v = (column + inside[:, 0]) / across, (row + inside[:, 1]) / across
    return np.stack([u, 1 - v], axis=1)


def mesh_file(atlas: Atlas, ending: str) -> dict[str, bytes]:
    """Files by what their names end with, the mesh first: .glb alone; .obj with .mtl and .png beside it, which it calls
    `NAME`; .ply alone, also for a cloud.

    Raises ShapeError for a cloud as .glb or .obj.
    """
    if ending == ".ply":
        return {".ply": ply(atlas.shape, colours_of(atlas))}
    if atlas.faces is None:
        raise ShapeError(f"this network gives a cloud, which a {ending} file has no place for: write a .ply.", "type")
    import trimesh
    from PIL import Image

    material = trimesh.visual.material.PBRMaterial(
        baseColorTexture=Image.fromarray(atlas_picture(int(atlas.chart.max()) + 1)),
        metallicFactor=0.0, roughnessFactor=0.8, doubleSided=True,
    )  # fmt: skip
    visual = trimesh.visual.TextureVisuals(uv=atlas_uv(atlas), material=material)
    if ending == ".glb":
        upright = atlas.points[:, [1, 2, 0]]  # glTF has +y up and looks along +z
        whole = trimesh.Trimesh(upright, atlas.faces, visual=visual, process=False)
        return {".glb": trimesh.exchange.gltf.export_glb(trimesh.Scene(whole))}
    white = np.full(4, 255, np.uint8)  # what the texture is multiplied by
    visual.material = trimesh.visual.material.SimpleMaterial(material.baseColorTexture, white, white)
    visual.material.name = "atlas"
    mesh = trimesh.Trimesh(atlas.points, atlas.faces, visual=visual, process=False)
    text, textures = trimesh.exchange.obj.export_obj(mesh, return_texture=True, mtl_name="NAME.mtl")
    picture = next(content for name, content in textures.items() if name.endswith(".png"))
    materials = textures["NAME.mtl"].replace(b"map_Kd atlas.png", b"map_Kd NAME.png")
    return {".obj": text.encode(), ".mtl": materials, ".png": picture}
