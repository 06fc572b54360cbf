"""What is minimised, by the kind of supervision."""

from collections.abc import Callable

import torch
from torch import Tensor

from perception.shapes.normalise import frame_of
from training.shapes.config import ShapesConfig
from training.shapes.losses import Regularization, chamfer, supervised
from training.shapes.model import DeformationNetwork
from training.shapes.sampling import Sample
from training.shapes.shape_set import ShapeSet
from training.shapes.template import simplified

Objective = Callable[[DeformationNetwork, Sample, int], Tensor]
"""Of a network, some samples and the number of the step: the loss."""


def objective_of(config: ShapesConfig, shapes: ShapeSet) -> Objective:
    """The loss of the configuration's kind of supervision."""
    if config.unsupervised:
        return _Unsupervised(config, shapes)
    return _corresponding


def _corresponding(network: DeformationNetwork, sample: Sample, step: int) -> Tensor:
    return supervised(network(sample.points, sample.template).float(), sample.places)


class _Unsupervised:
    """Equation 3.2. For its first steps every shape is to give the template as it is: from a random start, the nearest
    point of a shape says nothing of where a point belongs."""

    def __init__(self, config: ShapesConfig, shapes: ShapeSet) -> None:
        mesh = simplified(shapes.mesh, config.template_vertices)
        assert mesh.faces is not None
        vertices = frame_of(shapes.template).normalised(mesh.points)
        self._config = config
        self._template = torch.from_numpy(vertices).float()
        self._regularization = Regularization.of(vertices, mesh.faces)

    def __call__(self, network: DeformationNetwork, sample: Sample, step: int) -> Tensor:
        config, template = self._config, self._template.to(sample.points.device)
        deformed = network(sample.points, template).float()
        if step < config.warm_steps:
            return supervised(deformed, template.expand_as(deformed))
        loss = chamfer(deformed, sample.places)
        if config.supervision == "regularized":
            loss = loss + config.laplacian * self._regularization.laplacian_loss(deformed, template)
            loss = loss + config.edges * self._regularization.edge_loss(deformed)
        return loss
