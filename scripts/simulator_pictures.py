"""Pictures of docs/simulator.md and docs/photoreal.md: `python scripts/simulator_pictures.py [--out docs/images]`.

renderers.jpg shows one scene of every preset in each renderer that works here; labels.jpg the outputs of one of them;
photoreal.jpg some poses of each photoreal set.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from perception.errors import BlockworldError
from sim.keypoints import channels, locate, points_of, visibility
from sim.optics import photograph
from sim.randomization import preset, sample_scene
from sim.renderers import RENDERERS, Frame, Renderer, Shot, open_renderer
from sim.robots import load_robot
from sim.scene import Scene

SEED = 11
INDEX = {"train": 4, "lab": 3, "field": 0, "adv": 5}
WIDTH, HEIGHT = 360, 270
CAPTION_PX = 26
PALETTE = np.array([(30, 30, 30), (120, 120, 120), (230, 160, 60), (220, 60, 60), (80, 90, 140)], np.uint8)
DISTRACTOR_COLOUR = (70, 170, 120)
PHOTOREAL, POSES, POSTURES = Path("benchmarks/photoreal"), (7, 30), ("overview", "fine0", "fine90")
SMALL = (240, 180)
DOT = {1: (255, 200, 0), 2: (0, 230, 60)}


def scene_of(name: str) -> Scene:
    """The scene by which a preset is shown."""
    return sample_scene("coarse", SEED, INDEX[name], views=1, config=preset(name))


def picture(scene: Scene, renderer: Renderer) -> Frame:
    """A photograph by the scene's first camera."""
    shot = Shot.whole(scene.cameras[0], WIDTH, HEIGHT, oversampling=3.0)
    return photograph(renderer, scene, [shot], [scene.views[0]])[0]


def captioned(image: np.ndarray, text: str) -> np.ndarray:
    """The image (H, W, 3) under a line of text."""
    bar = np.full((CAPTION_PX, image.shape[1], 3), 255, np.uint8)
    cv2.putText(bar, text, (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.48, (40, 40, 40), 1, cv2.LINE_AA)
    return np.concatenate([bar, image])


def comparison(renderers: dict[str, Renderer]) -> np.ndarray:
    """A row per preset, a column per renderer."""
    rows = [
        [captioned(picture(scene_of(name), renderer).rgb, f"{name}, {which}") for which, renderer in renderers.items()]
        for name in INDEX
    ]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows])


def outputs(renderer: Renderer) -> np.ndarray:
    """rgb, depth, labels, and keypoints by visibility, side by side."""
    scene = scene_of("adv")
    frame, shot = picture(scene, renderer), Shot.whole(scene.cameras[0], WIDTH, HEIGHT)
    description = load_robot(scene.robot)
    near, far = np.percentile(frame.depth[np.isfinite(frame.depth)], [1, 99])
    gray = (255 * (1 - np.clip((frame.depth - near) / (far - near), 0, 1))).astype(np.uint8)
    depth = cv2.applyColorMap(gray, cv2.COLORMAP_VIRIDIS)[..., ::-1]
    labels = np.where(
        (frame.segmentation < len(PALETTE))[..., None],
        PALETTE[np.minimum(frame.segmentation, len(PALETTE) - 1)],
        np.array(DISTRACTOR_COLOUR, np.uint8),
    ).astype(np.uint8)
    marked = frame.rgb.copy()
    wanted = channels("coarse", description)
    points = points_of(wanted, scene, description)
    places = locate(points, shot, scene.views[0])
    seen = visibility(points, shot, frame, scene.views[0])
    for (u, v), state in zip(places.reshape(-1, 2), seen.ravel(), strict=True):
        if state:
            cv2.circle(marked, (round(u), round(v)), 4, DOT[int(state)], -1, cv2.LINE_AA)
    images = {"rgb": frame.rgb, "depth": depth, "labels": labels, "keypoints: seen green, hidden yellow": marked}
    return np.concatenate([captioned(image, text) for text, image in images.items()], axis=1)


def photoreal() -> np.ndarray:
    """Two poses of each set: from the first two cameras the overview and both orientations of the clamp."""
    rows = []
    for name in ("lab", "field", "adv"):
        for pose in POSES:
            stems = [f"{pose:03d}_{posture}_{camera}" for camera in (0, 1) for posture in POSTURES]
            files = [PHOTOREAL / name / "images" / f"{stem}.webp" for stem in stems]
            rows.append(np.concatenate([cv2.resize(cv2.imread(str(file)), SMALL) for file in files], axis=1)[..., ::-1])
    return np.concatenate(rows)


def main() -> None:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    renderers = {}
    for name in RENDERERS:
        try:
            renderers[name] = open_renderer(name)
        except (BlockworldError, ValueError) as error:
            print(f"without {name}: {error}")
    made = {"renderers": comparison(renderers), "labels": outputs(renderers["gl"]), "photoreal": photoreal()}
    for name, image in made.items():
        file = f"{name}.jpg"
        cv2.imwrite(str(out / file), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 86])
        print(out / file)
    for renderer in renderers.values():
        renderer.close()


if __name__ == "__main__":
    main()
