"""Pictures of what a preset gives: `python -m sim.randomization.contact_sheet [PRESET ...] --out FOLDER`.

One sheet per preset with images of all tasks, and one of the texture families.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from perception.errors import BlockworldError
from sim.optics import photograph
from sim.randomization.postures import Task
from sim.randomization.presets import PRESETS, preset
from sim.randomization.scenes import sample_scene
from sim.renderers import Renderer, Shot, open_renderer
from sim.scene import Texture
from sim.textures import FAMILIES, pixels

ROWS: tuple[Task, ...] = ("coarse", "coarse", "tool", "fine")
COLUMNS, WIDTH, HEIGHT = 5, 240, 180
SEED = 7
TEXTURES, TEXTURE_PX = 6, 64
JPEG_QUALITY = 88


def scenes_sheet(name: str, renderer: Renderer) -> np.ndarray:
    """(H, W, 3) uint8: images of scenes of a preset, tasks row by row; those of fine show what is near the clamp."""
    config, rows = preset(name), []
    for row, task in enumerate(ROWS):
        images = []
        for column in range(COLUMNS):
            scene = sample_scene(task, SEED, COLUMNS * row + column, views=1, config=config)
            camera = scene.cameras[0]
            shot = Shot.whole(camera, WIDTH, HEIGHT)
            if task == "fine":
                (u, v), _ = camera.project(scene.block.T_base_block[:3, 3])
                half = camera.width / 6
                shot = Shot(camera, u - half, v - 0.75 * half, u + half, v + 0.75 * half, WIDTH, HEIGHT)
            images.append(photograph(renderer, scene, [shot], [scene.views[0]])[0].rgb)
        rows.append(np.concatenate(images, axis=1))
    return np.concatenate(rows)


def textures_sheet() -> np.ndarray:
    """(H, W, 3) uint8: textures of all families, half of them in natural colours, two families a row."""
    strips = [
        np.concatenate([pixels(Texture(family, seed), TEXTURE_PX) for seed in range(TEXTURES)], axis=1)
        for family in FAMILIES
    ]
    return np.concatenate([np.concatenate(strips[i : i + 2], axis=1) for i in range(0, len(strips), 2)])


def main() -> None:
    """Write the sheets."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "presets", nargs="*", default=list(PRESETS), help="names or files; all presets if none is given"
    )
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--renderer", default="gl")
    options = parser.parse_args()
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        renderer = open_renderer(options.renderer)
        sheets = {f"preset_{Path(name).stem}": scenes_sheet(name, renderer) for name in options.presets}
    except (BlockworldError, ValueError, OSError) as error:
        parser.error(str(error))
    renderer.close()
    for name, sheet in {**sheets, "textures": textures_sheet()}.items():
        path = options.out / f"{name}.jpg"
        if not cv2.imwrite(str(path), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]):
            parser.error(f"{path} cannot be written: choose another --out.")
        print(path)


if __name__ == "__main__":
    main()
