"""Pictures of shapes, a row per category: `python -m sim.shapes.contact_sheet --out FILE.jpg [--assemblies]`."""

import argparse
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from perception.camera import Camera
from perception.errors import BlockworldError
from sim.random_streams import stream
from sim.renderers import Renderer, Shot, open_renderer
from sim.robots import load_robot
from sim.scene import BLOCK, DISTRACTOR, ROBOT, SUPPORT, Block, Body, Environment, Light, Material, Scene, View
from sim.shapes import ASSEMBLIES, CATEGORIES, load_shape

COLUMNS, TILE_PX = 8, 200
SEED = 0
FOCAL_PX = 4.0 * TILE_PX
AZIMUTH_RAD, ELEVATION_RAD = -0.9, 0.55
LARGEST_M = 0.5  # larger things are shown as models of that size
JPEG_QUALITY = 90


def sheet(
    renderer: Renderer, columns: int = COLUMNS, seed: int = SEED, categories: Iterable[str] = CATEGORIES
) -> np.ndarray:
    """(H, W, 3) uint8: the first shapes of the series `seed`, a row per category."""
    rows = [
        np.concatenate([picture(f"{category}/{seed}/{index}", renderer) for index in range(columns)], axis=1)
        for category in categories
    ]
    return np.concatenate(rows)


def picture(name: str, renderer: Renderer) -> np.ndarray:
    """(TILE_PX, TILE_PX, 3) uint8: the shape CATEGORY/SEED/INDEX on a table, seen from above its side."""
    vertices = load_shape(name).vertices
    size = min(1.0, LARGEST_M / np.ptp(vertices, axis=0).max())
    low, high = size * vertices.min(axis=0), size * vertices.max(axis=0)
    target, radius = (low + high) / 2, np.linalg.norm(high - low) / 2
    way = np.array([np.cos(AZIMUTH_RAD), np.sin(AZIMUTH_RAD), np.tan(ELEVATION_RAD)]) * np.cos(ELEVATION_RAD)
    distance = radius * 2.2 * FOCAL_PX / TILE_PX
    camera = Camera.looking_at(target + distance * way, target, FOCAL_PX, TILE_PX, TILE_PX)
    description = load_robot("panda")
    hue = stream(SEED, len(vertices), f"contact sheet {name}").uniform(0.25, 0.85, 3)
    grey, paint = Material((0.86, 0.87, 0.88), roughness=0.9), Material(tuple(hue), roughness=0.4)  # type: ignore[arg-type]
    sun = np.array([0.1, -0.6, 0.8])
    scene = Scene(
        seed=0,
        index=0,
        robot=description.name,
        joints=description.home,
        robot_materials=(grey,),
        block=Block((0.1, 0.05, 0.05), 0.0, 0.0, 0.0, grey),
        bodies=(
            Body("plane", np.eye(4), grey, SUPPORT, (8.0, 8.0, 1.0)),
            Body(f"shape/{name}", np.eye(4), paint, DISTRACTOR, (size,) * 3),
        ),
        lights=(Light("directional", tuple(sun / np.linalg.norm(sun)), intensity=0.6, radius=0.06),),
        environment=Environment(ambient=0.4),
        views=(View(camera),),
        absent=(ROBOT, BLOCK),
    )
    return renderer.render(scene, [Shot.whole(camera, oversampling=2.0)])[0].rgb


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("docs/images/shapes.jpg"))
    parser.add_argument("--renderer", default="gl")
    parser.add_argument("--assemblies", action="store_true", help="furniture, devices and vehicles")
    options = parser.parse_args()
    try:
        renderer = open_renderer(options.renderer)
        image = sheet(renderer, categories=ASSEMBLIES if options.assemblies else CATEGORIES)
    except (BlockworldError, ValueError, OSError) as error:
        parser.error(str(error))
    renderer.close()
    if not cv2.imwrite(str(options.out), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]):
        parser.error(f"{options.out} cannot be written: choose another --out.")
    print(options.out)


if __name__ == "__main__":
    main()
