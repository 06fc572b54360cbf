"""Cases of the protocol that localization is measured by: overviews, and close-ups at two orientations of the clamp.

After Loing, Marlet and Aubry (IJCV 2018), section 5: cameras stay where they are while the robot first stands anywhere,
then hovers over the block with the clamp at some yaw and at that yaw plus 90 degrees.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from perception.localize import View
from sim.inverse_kinematics import hover_pose, solve
from sim.optics import photograph
from sim.random_streams import stream
from sim.randomization import RandomizationConfig, random_posture, sample_scene
from sim.randomization.postures import is_clear
from sim.renderers import Renderer, Shot
from sim.robots import RobotDescription, load_robot
from sim.scene import Block, Scene

POSTURES = ("overview", "fine0", "fine90")
OVERSAMPLING = 1.25
ANOTHER = 1_000_000  # a scene without a second orientation is replaced by that many numbers later


@dataclass(frozen=True, eq=False)
class Case:
    """One block and the pictures of it; views: by posture, one per camera."""

    scene: Scene
    views: dict[str, tuple[View, ...]]

    @property
    def block(self) -> Block:
        """The truth."""
        return self.scene.block


def cases(
    seed: int,
    count: int,
    renderer: Renderer,
    config: RandomizationConfig,
    robot: str = "panda",
    postures: Sequence[str] = POSTURES,
    cameras: int = 3,
) -> Iterator[Case]:
    """Cases 0, 1, ... of a series. Raises ValueError as `sample_scene` does."""
    description = load_robot(robot)
    for index in range(count):
        scene, joints = _posed(seed, index, config, description, cameras)
        views = {posture: pictures(replace(scene, joints=joints[posture]), renderer) for posture in postures}
        yield Case(scene, views)


def _posed(
    seed: int, index: int, config: RandomizationConfig, description: RobotDescription, cameras: int
) -> tuple[Scene, dict[str, np.ndarray]]:
    """A scene in which the robot can take all postures, and the joint positions (J,) of each."""
    scene = sample_scene("fine", seed, index, cameras, config, description)
    clamp = description.robot.clamp_pose(scene.joints)
    yaw = float(np.arctan2(clamp[1, 0], clamp[0, 0])) + np.pi / 2
    turned = solve(description.robot, hover_pose(clamp[:3, 3], yaw), scene.joints, iterations=200)
    if turned is None or not is_clear(description, turned, scene.block, None, config.robot.clearance_m):
        return _posed(seed, index + ANOTHER, config, description, cameras)
    anywhere = random_posture(stream(seed, index, "overview"), description, scene.block)
    return scene, {"overview": anywhere, "fine0": scene.joints, "fine90": turned}


def pictures(scene: Scene, renderer: Renderer) -> tuple[View, ...]:
    """One view per camera of a scene, its robot as it stands."""
    shots = [Shot.whole(camera, oversampling=OVERSAMPLING) for camera in scene.cameras]
    frames = photograph(renderer, scene, shots, scene.views)
    return tuple(View(f"camera_{i + 1}", frame.rgb, scene.joints) for i, frame in enumerate(frames))
