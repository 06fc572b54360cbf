"""blockworld render: one training image."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockworld.files import NewFile, write_files
from perception.errors import BlockworldError

if TYPE_CHECKING:
    import numpy as np

    from sim.dataset import Picture

FULL_SIZE = {"coarse": (640, 480), "tool": (640, 480), "fine": (512, 512)}
VIEWS = 3
"""As many as a data set has unless told."""

PNG, YAML = NewFile(".png"), NewFile(".yaml", ".yml")


@click.command(epilog="Example: blockworld render --index 7 --seed 1 --task fine --preset lab --out fine.png")
@click.option("--index", default=0, show_default=True, type=click.IntRange(0), help="Scene of the series.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Series of scenes.")
@click.option("--task", default="coarse", show_default=True, type=click.Choice(list(FULL_SIZE)))
@click.option("--view", default=0, show_default=True, type=click.IntRange(0, 7), help="Camera of the scene.")
@click.option("--renderer", default="gl", show_default=True, help="Renderer to draw with.")
@click.option("--preset", default="train", show_default=True, help="Ranges that the scene is drawn from.")
@click.option("--robot", default="panda", show_default=True, help="Robot: a name, or its description file.")
@click.option("--width", type=click.IntRange(8, 1920), help="Pixels; with the height in proportion.")
@click.option("--keypoints", is_flag=True, help="Draw keypoints and the block's box in.")
@click.option("--depth", type=PNG, help="PNG file for depth, in 0.2 mm.")
@click.option("--segmentation", type=PNG, help="PNG file for the labels, in colours.")
@click.option("--joints", type=YAML, help="YAML file for the joint positions, as `blockworld localize` takes them.")
@click.option("--out", required=True, type=PNG, help="PNG file to write.")
def command(
    index: int,
    seed: int,
    task: str,
    view: int,
    renderer: str,
    preset: str,
    robot: str,
    width: int | None,
    keypoints: bool,
    depth: Path | None,
    segmentation: Path | None,
    joints: Path | None,
    out: Path,
) -> None:
    """Draw one training image; equal arguments give equal bytes on one machine."""
    from perception.configuration import validated
    from sim.dataset import DatasetConfig, Studio
    from sim.dataset.images import encode_depth, encode_rgb

    full = FULL_SIZE[task]
    size = full if width is None else (width, round(width * full[1] / full[0]))
    fields = {"task": task, "robot": robot, "renderer": renderer, "preset": preset, "seed": seed}
    views = max(view + 1, VIEWS)  # what stands around depends on how many cameras look
    place = {"scenes": index + 1, "views": views, "width": size[0], "height": size[1], "oversampling": 2.0}
    settings = validated(DatasetConfig, fields | place, "the options")
    try:
        studio = Studio(settings, instead=True)
        picture = studio.photograph(studio.scene(index), range(view, view + 1))[0]
    except (ModuleNotFoundError, ValueError) as error:
        raise BlockworldError(str(error)) from error
    rgb = _annotated(picture) if keypoints else picture.frame.rgb
    files = {out: encode_rgb(rgb, "png")}
    if depth is not None:
        files[depth] = encode_depth(picture.frame.depth)
    if segmentation is not None:
        files[segmentation] = encode_rgb(_coloured(picture.frame.segmentation), "png")
    if joints is not None:
        positions = picture.record["robot"]["joints"]
        files[joints] = "".join(f"{name}: {value}\n" for name, value in positions.items()).encode()
    write_files(files)
    click.echo(f"{out}: {task} scene {index} of series {seed}, view {view}, preset {preset}, {studio.device}")


def _annotated(picture: "Picture") -> "np.ndarray":
    """The image with the block's box and its keypoints: rings, filled where the point is visible."""
    import cv2
    import numpy as np

    from sim.dataset.labels import EDGES, block_corners, to_pixels

    image, record = picture.frame.rgb.copy(), picture.record
    corners = to_pixels(record, block_corners(record))
    if np.isfinite(corners).all():
        for i, j in EDGES:
            begin, end = np.clip(corners[[i, j]], -9999, 9999).round().astype(int).tolist()
            cv2.line(image, begin, end, (255, 79, 163), 1, cv2.LINE_AA)
    for channel in record["keypoints"]:
        colour = (0, 194, 209) if channel["kind"] == "block" else (255, 176, 0)
        for place, state in zip(channel["px"], channel["visibility"], strict=True):
            if state:
                centre = (round(place[0]), round(place[1]))
                cv2.circle(image, centre, 4, colour, -1 if state == 2 else 1, cv2.LINE_AA)
    return image


def _coloured(labels: "np.ndarray") -> "np.ndarray":
    """A colour per label, far apart for neighbouring ones; black for nothing."""
    import cv2
    import numpy as np

    hsv = np.full((1, 256, 3), (0, 170, 235), np.uint8)
    hsv[..., 0] = np.arange(256) * 47 % 180
    table = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0]
    table[0] = 0
    return table[labels]
