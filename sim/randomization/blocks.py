"""The block: its size, its place within the robot's reach, and its look, which differs from the support's."""

import numpy as np

from sim.random_streams import stream
from sim.randomization.config import BlockRanges, RandomizationConfig
from sim.randomization.draws import within
from sim.randomization.supports import Support
from sim.randomization.surfaces import shown, surface
from sim.robots import RobotDescription
from sim.scene import Block, Material

TRIES = 200


def sample_block(
    seed: int, index: int, config: RandomizationConfig, description: RobotDescription, support: Support
) -> Block:
    """The block of a scene; on uneven ground with its full pose."""
    ranges, rng = config.block, stream(seed, index, "block")
    size = _size(rng, ranges)
    yaw, sunk = np.pi * rng.random(), within(rng, ranges.sunk_m)
    x, y = _place(rng, description)
    material = _look(stream(seed, index, "block look"), config, support.material, size[0])
    if support.kind is None:
        return Block(size, x, y, yaw, material)
    pose = support.lay(x, y, yaw, size[:2], np.radians(ranges.most_tilt_deg), sunk)[0]
    return Block(size, x, y, yaw, material, pose)


def _size(rng: np.random.Generator, ranges: BlockRanges) -> tuple[float, float, float]:
    width = within(rng, ranges.width_m)
    length = within(rng, (max(ranges.length_m[0], ranges.least_aspect * width), ranges.length_m[1]))
    return length, width, within(rng, ranges.height_m)


def _place(rng: np.random.Generator, description: RobotDescription) -> tuple[float, float]:
    """A place in the workspace at a distance that the robot reaches."""
    for _ in range(TRIES):
        x, y = within(rng, description.workspace_x_m), within(rng, description.workspace_y_m)
        if description.reach_m[0] <= np.hypot(x, y) <= description.reach_m[1]:
            return x, y
    raise ValueError(
        f"robot {description.name}: no place of its workspace (x {description.workspace_x_m} m, y "
        f"{description.workspace_y_m} m) was found within its reach_m {description.reach_m}; correct its description."
    )


def _look(
    rng: np.random.Generator, config: RandomizationConfig, support: Material, length_m: float
) -> Material:
    """A material whose colour stands out from the support's; the one that does most where none does enough."""
    ground, drawn = shown(support), []
    for _ in range(TRIES):
        material = surface(rng, config.block.look, length_m, config.textures)
        contrast = float(np.abs(shown(material) - ground).max())
        if contrast >= config.block.least_contrast:
            return material
        drawn.append((contrast, material))
    return max(drawn, key=lambda pair: pair[0])[1]
