"""blockworld shapes transfer-grasp: grasps of annotated objects on a new one."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blockworld.files import NewFile, write_files
from blockworld.models_folder import MODELS, folder_of
from blockworld.shape_pairs import FILE
from blockworld.up_axis import UP, upright
from perception.shapes.categories import OBJECTS, Category

if TYPE_CHECKING:
    import numpy as np

    from perception.grasp_transfer import TransferredGrasp
    from perception.shapes.shape import Shape

METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254}


@click.command(
    "transfer-grasp",
    epilog="Example: blockworld shapes transfer-grasp scan.ply --category mug --unit mm --out grasps.json",
)
@click.argument("target", type=FILE)
@click.option("--category", required=True, type=click.Choice(OBJECTS), help="What the object is.")
@click.option("--unit", default="m", show_default=True, type=click.Choice(list(METRES)), help="Of the file.")
@click.option("--up", default="z", show_default=True, type=click.Choice(UP), help="Axis of the file that points up.")
@click.option("--exemplars", default=3, show_default=True, type=click.IntRange(1, 99), help="Objects to learn from.")
@click.option("--most", default=20, show_default=True, type=click.IntRange(1, 1000), help="Grasps to give at most.")
@click.option("--out", type=NewFile(".json"), help="JSON file for the grasps.")
@click.option("--picture", type=NewFile(".png"), help="PNG file of the object in the hand.")
@MODELS
def transfer_grasp(
    target: Path, category: Category, unit: str, up: str, exemplars: int, most: int, out: Path | None,
    picture: Path | None, models: Path | None,
) -> None:
    """Find grasps of the object in TARGET, a mesh or a cloud that stands on its lowest points.

    The grasps of the annotated objects that are most like it are moved to it and refined. The JSON file has for each,
    the best first: pose, `T_object_clamp` (4, 4) in the axes of the file, in m whatever its unit (the clamp's x closes,
    its z is out of the hand); opening_m of the hand as it comes in, width_m once it has closed, score from 0 to 1, and
    which grasp of which annotated object it was. The picture shows the best grasp, then the best six, from both sides.
    """  # fmt: skip
    import numpy as np
    from tqdm import tqdm

    from perception.grasp_transfer import MOST_POINTS, GraspTransfer
    from perception.shapes.reading import read_shape
    from perception.shapes.sampling import tidied
    from perception.shapes.shape import Shape

    read = read_shape(target)
    T_up_file = upright(up)
    shape = tidied(Shape(METRES[unit] * read.points @ T_up_file[:3, :3].T, read.faces), MOST_POINTS)
    size_m = np.ptp(shape.points, axis=0).max()
    transfer = GraspTransfer.open(category, folder_of(models), exemplars=exemplars)
    with tqdm(total=100, unit="%", bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}", disable=None) as bar:
        bar.set_description(f"grasps of {target.name}")
        grasps = transfer.grasps(shape, most=most, progress=lambda part: bar.update(100 * part - bar.n) and None)
    files: dict[Path, bytes] = {}
    if out is not None:
        files[out] = json.dumps([_plain(grasp, T_up_file) for grasp in grasps], indent=1).encode()
    if picture is not None:
        files[picture] = _drawn(shape, grasps, transfer)
    write_files(files)
    click.echo(f"{target}: {len(grasps)} grasps of a {category} {100 * size_m:.1f} cm long")
    click.echo("  score  width  opening  from")
    for grasp in grasps[:5]:
        width, opening = f"{1000 * grasp.width_m:.1f} mm", f"{1000 * grasp.opening_m:.0f} mm"
        known = f"{grasp.exemplar}, grasp {grasp.grasp}: {grasp.successes} of {grasp.tries}"
        click.echo(f"  {grasp.score:5.2f}  {width:>8}  {opening:>6}  {known}")
    for path in files:
        click.echo(f"{path} written")


def _plain(grasp: "TransferredGrasp", T_up_file: "np.ndarray") -> dict[str, Any]:
    return {
        "T_object_clamp": (T_up_file.T @ grasp.T_object_clamp).tolist(),
        "opening_m": grasp.opening_m,
        "width_m": grasp.width_m,
        "score": grasp.score,
        "exemplar": grasp.exemplar,
        "grasp": grasp.grasp,
    }


def _drawn(shape: "Shape", grasps: "list[TransferredGrasp]", transfer: Any) -> bytes:
    """The object with the hand at the best grasp, and with where the fingers are at the others."""
    import cv2

    from perception.shapes.hand_picture import with_hands
    from perception.shapes.picture import picture

    image = picture([with_hands(shape, grasps[:1], transfer.hand), with_hands(shape, grasps[:6], transfer.hand, False)])
    return cv2.imencode(".png", image[..., ::-1])[1].tobytes()
