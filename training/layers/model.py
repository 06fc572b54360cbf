"""The network: a ResNet-18 that gives the next layer's parameters and colour, and a perceptron that draws its mask."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from perception.layers.grid import pixel_centres
from training.core.resnet import Stages
from training.layers.config import LayersConfig
from training.layers.masks import Masks

_FLAT, _CELL_PX = 32, 32
"""Channels of each cell of the last stage that the linear layers see, and pixels of a cell."""


class Encoder(nn.Module):
    """Target and canvas (B, C, S, S) each in [0, 1] -> (B, outputs).

    Statistics of batches differ from step to step of a recursion, so that nothing is normalised: convolutions have a
    bias instead, and residual branches begin at zero, which trains as well (Zhang et al., "Fixup", 2019)."""

    def __init__(self, config: LayersConfig, outputs: int) -> None:
        super().__init__()
        self.stages = Stages(config.encoder, 2 * config.channels, lambda _: nn.Identity())
        for name, layer in self.stages.named_modules():
            if isinstance(layer, nn.Conv2d):
                layer.bias = nn.Parameter(torch.zeros(layer.out_channels))
            if name.endswith("conv2"):
                nn.init.zeros_(layer.weight)
        self.stages.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        cells = (config.seen_px // _CELL_PX) ** 2
        self.narrow = nn.Conv2d(config.encoder[-1], max(_FLAT, config.encoder[-1] // 4), 1)
        self.hidden = nn.Linear(cells * self.narrow.out_channels, 2 * config.encoder[-1])
        self.out = nn.Linear(2 * config.encoder[-1], outputs)
        nn.init.normal_(self.out.weight, std=0.5 / config.encoder[-1] ** 0.5)

    def forward(self, target: Tensor, canvas: Tensor) -> Tensor:
        """See the class."""
        # Channels last is what convolutions on a processor compute in.
        x = (4 * torch.cat([target, canvas], dim=1) - 2).contiguous(memory_format=torch.channels_last)
        x = self.stages.planes(x)
        x = functional.relu(self.narrow(x)).flatten(1)
        return self.out(functional.relu(self.hidden(x)))


@dataclass(frozen=True)
class Layers:
    """parameters: (B, T, P). colours: (B, T, 3) in [0, 1]."""

    parameters: Tensor
    colours: Tensor


class LayersModel(nn.Module):
    """B pictures, T layers, P parameters of a mask, N points, C channels: RGB, and how opaque, colours multiplied with
    that. Points are (x, y) in [-1, 1], x to the right and y down, of the picture's borders."""

    grid: Tensor

    def __init__(self, config: LayersConfig) -> None:
        super().__init__()
        self.config = config
        single = config.structure == "single"
        self.inputs = config.numbers if single else config.mask_parameters
        per_pass = {"recursive": self.inputs + 3, "one_shot": config.numbers, "single": config.numbers}
        self.encoder = Encoder(config, per_pass[config.structure])
        outputs = config.channels if single else 1
        self.masks = Masks(self.inputs, config.hidden, config.normalisation, config.conditioning, outputs)
        self.register_buffer("grid", torch.from_numpy(pixel_centres(config.canvas_px, config.canvas_px)), False)

    def proposed(self, target: Tensor, canvas: Tensor) -> Layers:
        """The next layer of pictures seen (B, C, S, S) over what is painted, or with one_shot all of them."""
        found = self.encoder(target, canvas).float()
        found = found.view(found.shape[0], -1, self.config.mask_parameters + 3)
        return Layers(found[..., 3:], torch.sigmoid(found[..., :3]))

    def mask(self, points: Tensor, parameters: Tensor) -> Tensor:
        """Points (N, 2) and parameters (B, P) -> (B, N) in [0, 1]."""
        return torch.sigmoid(self.masks(points, parameters)[..., 0].float())

    def blended(self, canvas: Tensor, mask: Tensor, colour: Tensor) -> Tensor:
        """Canvas (B, N, C), mask (B, N) and colour (B, 3) -> what the layer makes of it (equation 3.8)."""
        if self.config.transparent:
            colour = functional.pad(colour, (0, 1), value=1.0)
        return torch.lerp(canvas, colour[:, None].expand_as(canvas), mask[..., None])

    def decomposed(self, target: Tensor, layers: int | None = None) -> Layers:
        """Layers of pictures (B, C, S, S), as many as in training or, where the structure is recursive, as asked for.

        What is painted is seen without a gradient, at canvas_px pixels a side; so a loss needs the masks at its own
        points alone (`painted`).
        """
        if self.config.structure != "recursive":
            return self.proposed(target, torch.zeros_like(target))
        side = self.config.canvas_px
        canvas = target.new_zeros(len(target), side * side, self.config.channels)
        found = []
        for _ in range(layers or self.config.layers):
            view = canvas.transpose(1, 2).reshape(len(target), -1, side, side)
            view = functional.interpolate(view, size=target.shape[2:], mode="bilinear", align_corners=False)
            found.append(self.proposed(target, view))
            with torch.no_grad():
                mask = self.mask(self.grid, found[-1].parameters[:, 0])
                canvas = self.blended(canvas, mask, found[-1].colours[:, 0])
        return Layers(
            torch.cat([one.parameters for one in found], dim=1), torch.cat([one.colours for one in found], dim=1)
        )

    def painted(self, layers: Layers, points: Tensor, each: int = 1) -> list[Tensor]:
        """Canvases (B, N, C) after each layer, at N pixels of `each` points (N * each, 2), the means of masks there."""
        batch, count = layers.parameters.shape[:2]
        masks = self.mask(points, layers.parameters.flatten(0, 1)).view(batch, count, -1, each).mean(dim=3)
        canvas = masks.new_zeros(batch, masks.shape[2], self.config.channels)
        canvases = []
        for t in range(count):
            canvas = self.blended(canvas, masks[:, t], layers.colours[:, t])
            canvases.append(canvas)
        return canvases

    def forward(self, target: Tensor, points: Tensor, each: int = 1, layers: int | None = None) -> list[Tensor]:
        """What the network makes of pictures (B, C, S, S), as `painted`; without layers, the picture alone."""
        if self.config.structure != "single":
            return self.painted(self.decomposed(target, layers), points, each)
        code = self.encoder(target, torch.zeros_like(target)).float()
        found = torch.sigmoid(self.masks(points, code).float())
        return [found.view(len(target), -1, each, self.config.channels).mean(dim=2)]
