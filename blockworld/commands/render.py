"""blockworld render: one training image."""

from pathlib import Path

import click

from perception.errors import BlockworldError


@click.command(epilog="Example: blockworld render --index 7 --seed 1 --task fine --out fine.png")
@click.option("--index", default=0, show_default=True, type=click.IntRange(0), help="Scene of the series.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Series of scenes.")
@click.option("--task", default="coarse", show_default=True, type=click.Choice(["coarse", "tool", "fine"]))
@click.option("--view", default=1, show_default=True, type=click.IntRange(1, 8), help="Camera of the scene.")
@click.option("--renderer", default="tiny", show_default=True, help="Renderer to draw with.")
@click.option("--keypoints", is_flag=True, help="Draw the keypoints in.")
@click.option(
    "--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="PNG file to write."
)
def command(index: int, seed: int, task: str, view: int, renderer: str, keypoints: bool, out: Path) -> None:
    """Draw one training image; equal arguments give equal bytes on one machine."""
    import cv2

    from perception.robot import Robot
    from sim.dataset import DatasetConfig, shots_of
    from sim.keypoints import CHANNELS, locate
    from sim.randomization import sample_scene
    from sim.renderers import open_renderer

    size = (512, 512) if task == "fine" else (640, 480)
    fields = {"task": task, "seed": seed, "scenes": index + 1, "views": view, "oversampling": 2.0}
    settings = DatasetConfig.model_validate({**fields, "width": size[0], "height": size[1]})
    try:
        canvas = open_renderer(renderer)
    except (ModuleNotFoundError, ValueError) as error:
        raise BlockworldError(str(error)) from error
    robot = Robot.load("panda")
    scene = sample_scene(settings.task, seed, index, view, robot)
    shot = shots_of(scene, settings, robot)[view - 1]
    image = canvas.render(scene, [shot])[0].rgb.copy()
    if keypoints:
        for points in locate(CHANNELS[task], scene, shot, robot).round().astype(int):
            for u, v in points.tolist():
                cv2.circle(image, (u, v), 4, (255, 64, 64), 1, cv2.LINE_AA)
    encoded, png = cv2.imencode(".png", image[..., ::-1])
    if not encoded or not _write(out, png.tobytes()):
        raise BlockworldError(f"cannot write {out}: choose a folder that exists and can be written to.")
    click.echo(f"{out}: {task} scene {index} of series {seed}, view {view}, {renderer}")


def _write(path: Path, content: bytes) -> bool:
    try:
        path.write_bytes(content)
    except OSError:
        return False
    return True
