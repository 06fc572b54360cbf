"""Masks as continuous functions of x, y and parameters: a perceptron of three layers with hyperbolic tangents."""

import torch
from torch import Tensor, nn

from perception.layers.grid import pixel_centres
from training.layers.config import Conditioning, Normalisation

REFERENCE_SIDE = 16
"""Of the grid whose statistics a group norm has."""
GROUPS = 8
_EPSILON = 1e-5
_STEEP, _SPREAD = 2.5, 1.5
"""Of the first layer's units at first: their slopes and where they change sign, a picture reaching from -1 to 1."""


class Masks(nn.Module):
    """Points (N, 2) and parameters (B, P) -> (B, N, outputs), of masks their logits.

    With a group norm a mask depends on statistics over an image. They are those of a reference grid, whatever the
    points, so that a part or another size of an image has the values of the whole."""

    reference: Tensor

    def __init__(
        self, parameters: int, hidden: int, normalisation: Normalisation, conditioning: Conditioning, outputs: int = 1
    ) -> None:
        super().__init__()
        self.conditioning, self.normalisation = conditioning, normalisation
        modulated = conditioning == "modulated"
        self.place = nn.Parameter(_STEEP * torch.randn(hidden, 2))
        self.code = nn.Linear(parameters, hidden * (3 if modulated else 1))
        nn.init.normal_(self.code.weight, std=_SPREAD / parameters**0.5)
        nn.init.normal_(self.code.bias, std=0.0 if modulated else 1.0)
        self.hidden = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(2))
        self.shifts = nn.ModuleList(nn.Linear(parameters, hidden, bias=False) for _ in range(2)) if modulated else None
        self.out = nn.Linear(hidden, outputs)
        self.norms = nn.ParameterList()
        if normalisation == "group":
            for _ in range(3):
                self.norms.append(torch.stack([torch.ones(hidden), torch.zeros(hidden)]))
        self.register_buffer("reference", torch.from_numpy(pixel_centres(REFERENCE_SIDE, REFERENCE_SIDE)), False)

    def forward(self, points: Tensor, parameters: Tensor) -> Tensor:
        """See the class."""
        return self.out(self.activations(points, parameters)[-1])

    def activations(self, points: Tensor, parameters: Tensor) -> list[Tensor]:
        """What the three layers give, (B, N, hidden) each."""
        normalised = self.normalisation == "group"
        x = self._first(points, parameters)
        reference = self._first(self.reference, parameters) if normalised else x
        found = []
        for number in range(3):
            if number:
                shift = self._shift(number - 1, parameters)
                x = self.hidden[number - 1](x) + shift
                reference = self.hidden[number - 1](reference) + shift if normalised else x
            if normalised:
                mean, scale = _statistics(reference)
                weight, bias = self.norms[number]
                x = torch.tanh((x.float() - mean) * scale * weight + bias)
                reference = torch.tanh((reference.float() - mean) * scale * weight + bias)
            else:
                x = torch.tanh(x)
            found.append(x)
        return found

    def _first(self, points: Tensor, parameters: Tensor) -> Tensor:
        """(B, N, hidden), computed in single precision: places in half of it are off by half a pixel."""
        device = points.device.type
        wanted = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else points.dtype
        with torch.autocast(device, enabled=False):
            code = self.code(parameters.float())
            hidden = self.place.shape[0]
            if self.conditioning == "concatenated":
                return (points @ self.place.T + code[:, None]).to(wanted)
            code = code.view(-1, 3, hidden)
            slopes = code[:, :2] + self.place.T
            return torch.baddbmm(code[:, 2:], points.expand(code.shape[0], -1, -1), slopes).to(wanted)

    def _shift(self, number: int, parameters: Tensor) -> Tensor:
        """(B, 1, hidden): what the parameters add to a layer."""
        if self.shifts is None:
            return parameters.new_zeros(1, 1, 1)
        return self.shifts[number](parameters)[:, None]


def _statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and inverse deviation (B, 1, hidden) of groups of channels over points, as group norm has them."""
    batch, count, hidden = x.shape
    groups = min(GROUPS, hidden)
    split = x.float().view(batch, count, groups, hidden // groups)
    mean = split.mean(dim=(1, 3), keepdim=True)
    variance = ((split - mean) ** 2).mean(dim=(1, 3), keepdim=True)
    scale = torch.rsqrt(variance + _EPSILON)
    shape = (batch, 1, groups, hidden // groups)
    return mean.expand(shape).reshape(batch, 1, hidden), scale.expand(shape).reshape(batch, 1, hidden)
