"""Parameters and colours of layers, fitted to the picture itself by gradient: what quality a user has time for."""

from collections.abc import Callable

import numpy as np

from perception.layers.compositing import paints, pulls, sigmoid
from perception.layers.grid import Floats, axis
from perception.layers.network import LayersNetwork

Progress = Callable[[float], None]
PIXELS = 1024
"""Of the picture that a step looks at, drawn anew for each."""
RATE, COLOUR_RATE = 0.06, 0.015
"""Of Adam: of parameters, which are about of size 1, and of colours in [0, 1]."""
_BETAS, _EPSILON = (0.9, 0.95), 1e-8  # of Kingma and Ba, "Adam", 2015
_LAST_RATE = 0.1


class Refinement:
    """Steps of Adam on layers of one picture (H, W, C): random pixels of it, all layers at once."""

    def __init__(self, network: LayersNetwork, picture: Floats, seed: int = 0) -> None:
        self._network, self._picture = network, picture
        self._each = network.manifest.supersampling
        height, width = picture.shape[:2]
        self._x, self._y = axis(width, self._each), axis(height, self._each)
        self._rng = np.random.default_rng(seed)

    def run(
        self, parameters: Floats, colours: Floats, steps: int, progress: Progress = lambda _: None, first: int = 0
    ) -> tuple[Floats, Floats]:
        """Parameters (T, P) and colours (T, 3) after so many steps; layers below `first` stay as they are."""
        values = [parameters.astype(np.float32), colours.astype(np.float32)]
        rates = (RATE, COLOUR_RATE)
        means = [np.zeros_like(one) for one in values]
        squares = [np.zeros_like(one) for one in values]
        for step in range(steps):
            slopes = self._slopes(*values)
            share = _LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + np.cos(np.pi * step / steps))
            for i, slope in enumerate(slopes):
                slope[:first] = 0
                means[i] = _BETAS[0] * means[i] + (1 - _BETAS[0]) * slope
                squares[i] = _BETAS[1] * squares[i] + (1 - _BETAS[1]) * slope**2
                deviation = np.sqrt(squares[i] / (1 - _BETAS[1] ** (step + 1))) + _EPSILON
                values[i] = values[i] - share * rates[i] * means[i] / (1 - _BETAS[0] ** (step + 1)) / deviation
            values[1] = np.clip(values[1], 0, 1)
            progress((step + 1) / steps)
        return np.asarray(values[0], np.float32), np.asarray(values[1], np.float32)

    def _slopes(self, parameters: Floats, colours: Floats) -> tuple[Floats, Floats]:
        """Derivatives of the mean squared error of some pixels by parameters and colours."""
        points, target = self._pixels()
        each = self._each**2
        logits, activations = self._network.logits_and_activations(points, parameters)
        fine = sigmoid(logits)
        masks = fine.reshape(len(fine), -1, each).mean(axis=2) if each > 1 else fine
        _, by_masks, by_paint = pulls(masks, paints(colours, target.shape[1]), target)
        by_fine = np.repeat(by_masks, each, axis=1) / each if each > 1 else by_masks
        return self._network.gradient(activations, by_fine * fine * (1 - fine)), by_paint[:, :3].copy()

    def _pixels(self) -> tuple[Floats, Floats]:
        height, width = self._picture.shape[:2]
        count, each = height * width, self._each
        chosen = np.arange(count) if count <= PIXELS else self._rng.integers(0, count, PIXELS)
        row, column = chosen // width, chosen % width
        points = np.empty((len(chosen), each, each, 2), np.float32)
        points[..., 0] = self._x.reshape(-1, each)[column][:, None, :]
        points[..., 1] = self._y.reshape(-1, each)[row][:, :, None]
        return points.reshape(-1, 2), self._picture[row, column]
