"""A second look at the block: pictures cut around a first estimate, turned so that the block lies from left to right.

There the network need not find the block any more, sees it larger, and tells its eight corners one from the other: what
half a turn leaves open is settled by how the picture was turned.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from perception import crop
from perception.adjustment import Adjusted, BlockPrior, Observations, adjust
from perception.bundle import Heatmaps, Manifest
from perception.images import Image
from perception.search import Looking
from perception.sight import Frame, Sight

Array = NDArray[np.float64]
Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

_MIDDLE, _LEFT, _RIGHT = (0.0, 0.0, 0.5), (-0.5, 0.0, 0.5), (0.5, 0.0, 0.5)  # in units of the block's size
_ROUNDS = 2
_FEWEST_POINTS = 6
_SETTLED_M, _SETTLED_RAD = 0.003, np.deg2rad(4.0)  # a round that moves the block by less is the last one


def refine(
    manifest: Manifest,
    run: Run,
    looks: Sequence[Looking],
    pictures: Sequence[Image],
    first: Adjusted,
    robot: Observations,
    prior: BlockPrior | None = None,
) -> Adjusted:
    """The adjustment with the corners that the network finds around a first one, in the pictures of the looks.

    run: the network of the manifest, of task localization.block. The first one is returned where it finds too little.
    """
    output, current = manifest.output, first
    assert isinstance(output, Heatmaps) and manifest.crop is not None  # the manifest's own check holds this
    for _ in range(_ROUNDS):
        seen, windows, turned = [], [], []
        for look, picture in zip(looks, pictures, strict=True):
            camera = current.cameras[look.number]
            middle, left, right = current.block.points(np.array([_MIDDLE, _LEFT, _RIGHT]))
            ends = camera.project(np.stack([left, right]))[0]
            half_turn = bool(ends[1, 0] < ends[0, 0])
            left, right = (right, left) if half_turn else (left, right)
            size = (manifest.input.width, manifest.input.height)
            window = crop.block_window(camera, middle, left, right, size, manifest.crop.side_m)
            if window is not None:
                seen.append(crop.cut_turned(picture, window))
                windows.append((look, Frame.turned(window, output)))
                turned.append(half_turn)
        if not seen:
            return current
        maps = np.exp(run(np.stack(seen)))
        corners = [
            Sight(look.sight.joints, frame, output, one).corners(look.number, half_turn)
            for (look, frame), one, half_turn in zip(windows, maps, turned, strict=True)
        ]
        if sum(len(one.camera) for one in corners) < _FEWEST_POINTS:
            return current
        before = current.block
        current = adjust(Observations.join([robot, *corners]), current.cameras, before, prior)
        moved = float(np.linalg.norm(current.block.position - before.position))
        turn = float(np.arccos(np.clip(current.block.rotation[:, 0] @ before.rotation[:, 0], -1.0, 1.0)))
        if moved < _SETTLED_M and turn < _SETTLED_RAD:
            break
    return current
