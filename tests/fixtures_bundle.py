"""Bundles whose networks find coloured discs, and images with such discs at the true places.

Every channel of the three networks has a colour of its own; the ONNX network scores each pixel by how near it
is to that colour, smoothed a little. On a picture drawn by `draw_markers` that is a perfect network; on
any other picture it finds nothing. So real bundles, engines and geometry run in the tests without training.
"""

from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from perception.adjustment import Pose
from perception.bundle import (
    Bundle,
    Channel,
    CircularBins,
    Crop,
    Heatmaps,
    ImageBins,
    Input,
    LinearBins,
    LinkPoint,
    Manifest,
    PixelBins,
    PoseBins,
)
from perception.camera import Camera
from perception.estimate import BlockEstimate
from perception.robot import Robot

STRIDE = 2  # px of the input per cell
SIGMA = 1.25  # cells: of a disc, smoothed by the bell
DISC_RADIUS_PX = 3
BELL_CELLS = 1.0
BACKGROUND = (128, 128, 128)
SIZE_M = (0.09, 0.042, 0.045)
ARM_LINKS = (
    "panda_link0",
    "panda_link2",
    "panda_link3",
    "panda_link4",
    "panda_link5",
    "panda_link6",
    "panda_link8",
    "panda_hand",
)


def _robot_channel(name: str, *points: tuple[str, tuple[float, float, float]]) -> Channel:
    return Channel(name=name, kind="robot", points=tuple(LinkPoint(link=link, xyz_m=xyz) for link, xyz in points))


def _half_turn(name: str, x: float, y: float, z: float) -> Channel:
    return Channel(name=name, kind="block", parts=((x, y, z), (-x, -y, z)))


CLAMP = _robot_channel("clamp", ("clamp", (0.0, 0.0, 0.0)))
OVERVIEW = (
    *(_robot_channel(link, (link, (0.0, 0.0, 0.0))) for link in ARM_LINKS),
    _robot_channel("base_front", ("panda_link0", (0.07, 0.0, 0.0))),
    _robot_channel("base_left", ("panda_link0", (-0.05, 0.09, 0.0))),
    _robot_channel("base_right", ("panda_link0", (-0.05, -0.09, 0.0))),
    CLAMP,
)
BLOCK = (
    Channel(name="block_centre", kind="block", parts=((0.0, 0.0, 0.0),)),
    Channel(name="block_top", kind="block", parts=((0.0, 0.0, 1.0),)),
    _half_turn("block_ends", 0.5, 0.0, 0.0),
    _half_turn("block_foot_a", 0.5, 0.5, 0.0),
    _half_turn("block_foot_b", 0.5, -0.5, 0.0),
    _half_turn("block_roof_a", 0.5, 0.5, 1.0),
    _half_turn("block_roof_b", 0.5, -0.5, 1.0),
)
CHANNELS = {
    "coarse": (*OVERVIEW, *BLOCK),
    "tool": OVERVIEW,
    "fine": (
        CLAMP,
        _robot_channel("panda_hand", ("panda_hand", (0.0, 0.0, 0.0))),
        _robot_channel("hand_ends", ("panda_hand", (0.0, 0.1, 0.05)), ("panda_hand", (0.0, -0.1, 0.05))),
        *BLOCK,
    ),
}
POSE_BINS = {
    "coarse": PoseBins(
        x=LinearBins(count=202, width=0.005, centre=0.45),
        y=LinearBins(count=202, width=0.005),
        yaw=CircularBins(count=36, width=np.pi / 36, period=np.pi),
    ),
    "tool": PixelBins(u=ImageBins(count=50), v=ImageBins(count=50)),
    "fine": PoseBins(
        x=LinearBins(count=60, width=0.002),
        y=LinearBins(count=60, width=0.002),
        yaw=CircularBins(count=90, width=np.pi / 90, period=np.pi),
    ),
}
FRAMES = {"coarse": "base", "tool": "image", "fine": "clamp"}
SIZES = {"coarse": (640, 480), "tool": (640, 480), "fine": (256, 256)}


def _colours() -> dict[str, tuple[int, int, int]]:
    names = dict.fromkeys(channel.name for channels in CHANNELS.values() for channel in channels)
    corners = [(r, g, b) for r in (0, 128, 255) for g in (0, 128, 255) for b in (0, 128, 255)]
    corners.remove(BACKGROUND)
    corners.remove((0, 0, 0))  # what lies outside of a crop
    return dict(zip(names, corners, strict=False))


COLOURS = _colours()


def manifest(stage: str, size: tuple[int, int] | None = None) -> Manifest:
    """The manifest of a marker network, or of one for inputs of another size, without its checksum."""
    width, height = size or SIZES[stage]
    return Manifest(
        name=stage,
        version="0.0.1",
        task=f"localization.{stage}",
        robot="panda",
        frame=FRAMES[stage],
        input=Input(width=width, height=height),
        output=Heatmaps(width=width // STRIDE, height=height // STRIDE, sigma=SIGMA, channels=CHANNELS[stage]),
        crop=Crop(side_m=0.40) if stage == "fine" else None,
        bins=POSE_BINS[stage],
        training={"commit": "none", "command": "none", "seed": 0, "samples": 0},
        metrics={"position_error_m": 0.0},
    )


def marker_network(stage: str) -> bytes:
    """ONNX bytes of the network that finds the colours of a stage's channels.

    -|p - c|^2 = 2 p.c - |p|^2 - |c|^2 is a 1 x 1 convolution of (p, |p|^2); its exponential is averaged over cells and
    spread by a narrow Gaussian. A map without a disc sums to next to nothing.
    """
    width, height = SIZES[stage]
    maps_shape = ["B", len(CHANNELS[stage]), height // STRIDE, width // STRIDE]
    colours = np.array([COLOURS[channel.name] for channel in CHANNELS[stage]], dtype=np.float32) / 255.0
    count, sharpness = len(colours), 80.0
    kernel = sharpness * np.concatenate([2 * colours, -np.ones((count, 3), np.float32)], axis=1)
    bell = np.exp(-0.5 * (np.arange(-3, 4) / BELL_CELLS) ** 2)
    constants = {
        "bell": np.tile(np.outer(bell, bell) / bell.sum() ** 2, (count, 1, 1, 1)).astype(np.float32),
        "scale": np.float32(1 / 255.0),
        "kernel": kernel.reshape(count, 6, 1, 1).astype(np.float32),
        "bias": (-sharpness * np.sum(colours**2, axis=1)).astype(np.float32),
        "floor": np.float32(1e-9),
        "absence": np.float32(0.2),  # cells: what a disc is weighed against
        "axes": np.array([2, 3], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["float", "scale"], ["unit"]),
        helper.make_node("Transpose", ["unit"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Mul", ["planes", "planes"], ["squares"]),
        helper.make_node("Concat", ["planes", "squares"], ["features"], axis=1),
        helper.make_node("Conv", ["features", "kernel", "bias"], ["closeness"]),
        helper.make_node("Exp", ["closeness"], ["alike"]),
        helper.make_node("AveragePool", ["alike"], ["coarser"], kernel_shape=[STRIDE] * 2, strides=[STRIDE] * 2),
        helper.make_node("Conv", ["coarser", "bell"], ["cells"], group=count, pads=[3] * 4),
        helper.make_node("Add", ["cells", "floor"], ["positive"]),
        helper.make_node("Log", ["positive"], ["log"]),
        helper.make_node("ReduceSum", ["positive", "axes"], ["sum"]),
        helper.make_node("Add", ["sum", "absence"], ["total"]),
        helper.make_node("Log", ["total"], ["log_total"]),
        helper.make_node("Sub", ["log", "log_total"], ["log_heatmaps"]),
    ]
    graph = helper.make_graph(
        nodes,
        f"markers_{stage}",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["B", height, width, 3])],
        [helper.make_tensor_value_info("log_heatmaps", TensorProto.FLOAT, maps_shape)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def write_marker_bundles(folder: Path) -> Path:
    """Writes the bundles coarse, tool and fine into a models folder and returns it."""
    for stage in CHANNELS:
        Bundle.write(folder / stage, manifest(stage), marker_network(stage), f"# {stage}\n\nFinds coloured discs.\n")
    return folder


def upright(x_m: float, y_m: float, yaw_rad: float, size_m: tuple[float, float, float] = SIZE_M) -> Pose:
    """A block that lies flat on the support plane."""
    return Pose.upright(np.array([x_m, y_m, 0.0]), yaw_rad, np.array(size_m))


def draw_markers(
    camera: Camera, joints: np.ndarray, block: Pose | None, noise_px: float = 0.0, seed: int = 0
) -> np.ndarray:
    """Image (H, W, 3) RGB with a disc at each keypoint's projection, moved by Gaussian noise of noise_px.

    Without a block, it shows the robot alone.
    """
    rng = np.random.default_rng(seed)
    robot = Robot.load("panda")
    image = np.full((camera.height, camera.width, 3), BACKGROUND, dtype=np.uint8)
    places = {}
    for channel in dict.fromkeys(channel for channels in CHANNELS.values() for channel in channels):
        if channel.kind == "robot":
            places[channel.name] = robot.points(joints, [(point.link, point.xyz_m) for point in channel.points])
        elif block is not None:
            places[channel.name] = block.points(np.array(channel.parts))
    for name in sorted(places, key=lambda name: name.startswith("block")):  # the block's discs lie on top
        pixels, _ = camera.project(places[name])
        for pixel in pixels + rng.normal(size=pixels.shape) * noise_px:
            if np.isfinite(pixel).all() and np.all(np.abs(pixel) < 10_000):
                centre = np.round((pixel - 0.5) * 256).astype(int)
                radius = DISC_RADIUS_PX * 256
                cv2.circle(image, tuple(centre.tolist()), radius, COLOURS[name], -1, cv2.LINE_AA, shift=8)
    return image


def error_of(estimate: BlockEstimate, block: Pose) -> tuple[float, float]:
    """Distance in m and yaw error in rad of an estimate from the true block, in the base frame."""
    x, y, yaw = estimate.in_base()
    turn = (yaw - block.yaw_rad + np.pi / 2) % np.pi - np.pi / 2
    return float(np.hypot(x - block.position[0], y - block.position[1])), abs(float(turn))
