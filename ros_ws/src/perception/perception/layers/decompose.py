"""A picture's layers: proposed by the network one after the other, until a step no longer pays, and refined."""

from dataclasses import dataclass

import numpy as np

from perception.errors import LayersError
from perception.layers.compositing import best_paint, composited, paints, sigmoid
from perception.layers.grid import Floats, pixel_centres
from perception.layers.layer import Decomposition, Layer
from perception.layers.network import LayersNetwork
from perception.layers.picture import Rgba, premultiplied, scaled
from perception.layers.proposals import candidates
from perception.layers.refinement import Progress, Refinement

MOST_LAYERS = 256
FIT_PX = 192
"""Longest side of the picture that layers are fitted to: masks are as smooth as pictures of about this size."""


@dataclass(frozen=True)
class Effort:
    """How much time a decomposition takes. candidates: parts of the picture that the network is also asked for, of
    which the best is taken. each: steps by gradient of all layers after each new one. last: after the last one."""

    candidates: int = 0
    each: int = 0
    last: int = 0


EFFORTS = {"fast": Effort(), "good": Effort(6, 10, 100), "best": Effort(12, 30, 600)}


def decompose(
    network: LayersNetwork,
    picture: Rgba,
    layers: int | None = None,
    effort: Effort = EFFORTS["fast"],
    least_gain: float = 0.0,
    progress: Progress = lambda _: None,
) -> Decomposition:
    """At most `layers` layers of a picture (H, W, 4), by default as many as in the network's training.

    least_gain: of the mean absolute error before the first layer, the part that a layer is to take away; the first that
    does not is left out, and ends it. With 0 there are exactly as many layers as asked for. Raises LayersError where
    the network cannot give so many, or its layers cannot be refined.
    """
    wanted = checked(network, layers, effort)
    manifest = network.manifest
    whole = premultiplied(picture)[..., : manifest.channels]
    steps = Steps(network, whole)
    refinement = Refinement(network, _fitted(whole)) if effort.each or effort.last else None
    total = effort.each * wanted + effort.last + wanted
    while len(steps.colours) < wanted:
        kept = steps.state()
        steps.add(effort.candidates)
        if refinement is not None and effort.each:
            steps.replace(*refinement.run(steps.parameters, steps.colours, effort.each))
        if least_gain and steps.gain < least_gain * steps.errors[0]:
            steps.restore(kept)
            break
        progress(len(steps.colours) * (1 + effort.each) / total)
    if refinement is not None and effort.last and len(steps.colours):
        done = len(steps.colours) * (1 + effort.each)
        steps.replace(*refinement.run(
            steps.parameters, steps.colours, effort.last, lambda share: progress((done + share * effort.last) / total)
        ))  # fmt: skip
    progress(1.0)
    pairs = zip(steps.parameters, steps.colours, strict=True)
    made = tuple(Layer(mask, colour, f"layer {number + 1}") for number, (mask, colour) in enumerate(pairs))
    height, width = picture.shape[:2]
    return Decomposition(manifest.name, width, height, made, manifest.channels == 4, tuple(steps.errors))


class Steps:
    """Layers so far of a picture (H, W, C), and what they have painted, as the network sees it."""

    def __init__(self, network: LayersNetwork, picture: Floats) -> None:
        manifest = network.manifest
        self._network, self._one_shot = network, manifest.structure == "one_shot"
        self._seen = np.ascontiguousarray(scaled(picture, manifest.seen, manifest.seen).transpose(2, 0, 1))[None]
        self._points = pixel_centres(manifest.canvas, manifest.canvas)
        self._target = scaled(picture, manifest.canvas, manifest.canvas).reshape(-1, manifest.channels)
        self.parameters = np.zeros((0, manifest.parameters), np.float32)
        self.colours = np.zeros((0, 3), np.float32)
        self._canvas = np.zeros_like(self._target)
        self.errors = [float(np.abs(self._target).mean())]

    @property
    def gain(self) -> float:
        """By which the last layer lowered the error."""
        return self.errors[-2] - self.errors[-1]

    def add(self, others: int) -> None:
        """The network's next layer; or, of that and of `others` for parts of the picture, the one that pays most."""
        if self._one_shot:
            if not len(self.colours):
                self._proposed = self._network.propose(self._seen, np.zeros_like(self._seen))
            number = len(self.colours)
            parameters, colours = (one[number : number + 1] for one in self._proposed)
        else:
            parameters, colours = self._network.propose(self._seen, self._view())
            if others:
                asked = candidates(self._seen[0], self._view()[0], others)
                found = [parameters, *(self._network.propose(one[None], self._view())[0] for one in asked)]
                parameters, colours = self._best(np.concatenate(found))
        self._painted(parameters, colours)

    def replace(self, parameters: Floats, colours: Floats) -> None:
        """The same layers with other values."""
        self.parameters, self.colours = parameters, colours
        masks = sigmoid(self._network.logits(self._points, parameters))
        blank = np.zeros_like(self._target)
        self._canvas = composited(masks, paints(colours, self._target.shape[1]), blank)
        self.errors[-1] = float(np.abs(self._canvas - self._target).mean())

    def state(self) -> tuple[Floats, Floats, Floats, list[float]]:
        """For `restore`."""
        return self.parameters, self.colours, self._canvas, self.errors.copy()

    def restore(self, state: tuple[Floats, Floats, Floats, list[float]]) -> None:
        """As it was."""
        self.parameters, self.colours, self._canvas, self.errors = state

    def _best(self, parameters: Floats) -> tuple[Floats, Floats]:
        masks = sigmoid(self._network.logits(self._points, parameters))
        tried = [best_paint(mask, self._canvas, self._target) for mask in masks]
        best = int(np.argmax([gain for _, gain in tried]))
        return parameters[best : best + 1], tried[best][0][None]

    def _painted(self, parameters: Floats, colours: Floats) -> None:
        masks = sigmoid(self._network.logits(self._points, parameters))
        self._canvas = composited(masks, paints(colours, self._target.shape[1]), self._canvas)
        self.parameters = np.concatenate([self.parameters, parameters])
        self.colours = np.concatenate([self.colours, colours])
        self.errors.append(float(np.abs(self._canvas - self._target).mean()))

    def _view(self) -> Floats:
        """(1, C, S, S): what is painted, as in training."""
        side, seen = self._network.manifest.canvas, self._network.manifest.seen
        view = scaled(self._canvas.reshape(side, side, -1), seen, seen)
        return np.ascontiguousarray(view.transpose(2, 0, 1))[None]


def checked(network: LayersNetwork, layers: int | None, effort: Effort) -> int:
    """How many layers are made. Raises LayersError where the network cannot give so many, or not refine them."""
    manifest = network.manifest
    wanted = manifest.layers if layers is None else layers
    most = MOST_LAYERS if manifest.structure == "recursive" else manifest.layers
    if not 1 <= wanted <= most:
        raise LayersError(f"{wanted} layers were asked for: give a number from 1 to {most}.")
    if (effort.each or effort.last) and not network.has_gradient:
        raise LayersError(f"layers of {manifest.name} cannot be refined, it has no gradient: choose the effort fast.")
    return wanted


def _fitted(picture: Floats) -> Floats:
    height, width = picture.shape[:2]
    share = min(1.0, FIT_PX / max(height, width))
    return scaled(picture, max(1, round(width * share)), max(1, round(height * share)))
