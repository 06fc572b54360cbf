"""From features of photographs to those of renders: phi, learned on pairs (Massa, Russell and Aubry, CVPR 2016)."""

import copy
import io
import json
from pathlib import Path
from typing import Literal
from zipfile import BadZipFile

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional

from perception.errors import BlockworldError, reason

Kind = Literal["relu", "affine", "convolutional", "deep"]
Loss = Literal["cosine", "l2"]
_ABOUT = "about"


class AdaptationConfig(BaseModel):
    """How phi is learned. kind: relu, ReLU(Ax + b), with the same A in all cells; affine, Ax + b; convolutional, as
    relu over 3 x 3 cells; deep, relu twice. regularisation: of the mean squared distance of weights from the identity.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = "relu"
    loss: Loss = "cosine"
    regularisation: float = Field(default=1.0, ge=0)
    rate: float = Field(default=1e-3, gt=0)
    epochs: int = Field(default=200, gt=0)
    batch: int = Field(default=64, gt=0)
    patience: int = Field(default=15, gt=0)
    """Epochs without a better validation loss after which it ends."""
    seed: int = 0


class Learned(BaseModel):
    """How it went: losses of both splits without adaptation and with the weights kept, which are those of the best
    validation loss, the identity of epoch 0 among them; epochs: how many ran."""

    training_before: float
    training: float
    validation_before: float
    validation: float
    found_before: float
    found: float
    """Of the pairs held out, the share in which the view on white nearest by cosine is the right one: a loss would fall
    as well if all features became alike, and this would not."""
    kept_epoch: int
    epochs: int


def phi(kind: Kind, channels: int) -> nn.Module:
    """(B, C, h, w) -> (B, C, h, w), the identity of features that are not negative until it is learned."""
    size = 3 if kind == "convolutional" else 1
    layers: list[nn.Module] = []
    for _ in range(2 if kind == "deep" else 1):
        convolution = nn.Conv2d(channels, channels, size, padding=size // 2)
        nn.init.dirac_(convolution.weight)
        nn.init.zeros_(convolution.bias)  # type: ignore[arg-type]  # there is one
        layers += [convolution] if kind == "affine" else [convolution, nn.ReLU()]
    return nn.Sequential(*layers)


def loss_of(loss: Loss, found: Tensor, wanted: Tensor) -> Tensor:
    """The mean over pairs (B, ...): of half the square of 1 less the cosine, or of the squared distance over the
    squared length of what is wanted."""
    a, b = found.flatten(1), wanted.flatten(1)
    if loss == "cosine":
        return (0.5 * (1 - functional.cosine_similarity(a, b)) ** 2).mean()
    return ((a - b).square().sum(1) / b.square().sum(1).clamp(min=1e-12)).mean()


def learn(
    real: np.ndarray, rendered: np.ndarray, validation: np.ndarray, config: AdaptationConfig
) -> tuple[nn.Module, Learned]:
    """phi of features of pairs (N, C, h, w) each; validation (N,) bool: which pairs are held out. Raises
    BlockworldError where a split is empty, or phi is learned to numbers that are not finite."""
    if validation.all() or not validation.any():
        raise BlockworldError("all pairs are in one split, so that overfitting would not be seen: make more pairs.")
    torch.manual_seed(config.seed)
    x, y = torch.from_numpy(real), torch.from_numpy(rendered)
    held_out = torch.from_numpy(validation)
    (x, x_held), (y, y_held) = ((one[~held_out], one[held_out]) for one in (x, y))
    network = phi(config.kind, x.shape[1])
    start = [one.detach().clone() for one in network.parameters()]
    optimizer = torch.optim.Adam(network.parameters(), lr=config.rate)

    def measured(a: Tensor, b: Tensor) -> float:
        with torch.no_grad():
            return float(loss_of(config.loss, network(a), b))

    def found_first() -> float:
        with torch.no_grad():
            a, b = (functional.normalize(one.flatten(1)) for one in (network(x_held), y_held))
        return float(((a @ b.T).argmax(1) == torch.arange(len(a))).double().mean())

    found_before = found_first()
    before, before_held = measured(x, y), measured(x_held, y_held)
    best, kept, kept_epoch, epoch = before_held, copy.deepcopy(network.state_dict()), 0, 0
    for epoch in range(1, config.epochs + 1):
        for chosen in torch.randperm(len(x)).split(config.batch):
            away = sum((one - first).square().mean() for one, first in zip(network.parameters(), start, strict=True))
            optimizer.zero_grad()
            (loss_of(config.loss, network(x[chosen]), y[chosen]) + config.regularisation * away).backward()
            optimizer.step()
        now = measured(x_held, y_held)
        if not np.isfinite(now):
            raise BlockworldError(f"the loss is {now} after {epoch} epochs: give a rate below {config.rate:g}.")
        if now < best:
            best, kept, kept_epoch = now, copy.deepcopy(network.state_dict()), epoch
        elif epoch - kept_epoch >= config.patience:
            break
    network.load_state_dict(kept)
    found = Learned(
        training_before=before, training=measured(x, y), validation_before=before_held, validation=best,
        found_before=found_before, found=found_first(), kept_epoch=kept_epoch, epochs=epoch,
    )  # fmt: skip
    return network.eval(), found


class Adaptation:
    """phi with the network and the layer whose features it takes."""

    def __init__(self, module: nn.Module, kind: Kind, network: str, layer: str, learned: Learned | None = None) -> None:
        self._module, self.kind, self.network, self.layer, self.learned = module, kind, network, layer, learned

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(B, C, h, w) float32 -> the same."""
        with torch.inference_mode():
            return np.asarray(self._module(torch.from_numpy(features)).numpy())

    def content(self) -> bytes:
        """The .npz file of it, which holds no code."""
        about = {"kind": self.kind, "network": self.network, "layer": self.layer}
        learned = self.learned.model_dump() if self.learned else None
        arrays = {name: one.numpy() for name, one in self._module.state_dict().items()}
        file = io.BytesIO()
        np.savez(file, **{_ABOUT: np.array(json.dumps({**about, "learned": learned}))}, **arrays)  # type: ignore[arg-type]
        return file.getvalue()

    @classmethod
    def load(cls, path: Path, network: str, layer: str) -> "Adaptation":
        """That of a file, for features of this layer. Raises BlockworldError for a file that is none, or is for
        another network or layer."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                about = json.loads(str(arrays[_ABOUT]))
                weights = {name: torch.from_numpy(arrays[name]) for name in arrays.files if name != _ABOUT}
            learned = Learned(**about["learned"]) if about["learned"] else None
            module = phi(about["kind"], len(weights["0.bias"]))
            module.load_state_dict(weights)
            own = (str(about["network"]), str(about["layer"]))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError, EOFError, BadZipFile) as error:
            raise BlockworldError(
                f"{path} holds no adaptation ({reason(error)}): name a file of `blockworld features adapt`."
            ) from error
        if own != (network, layer):
            raise BlockworldError(
                f"{path} is for features of {own[0]}, layer {own[1]}, and not of {network}, layer {layer}: "
                "name one for these, or learn it with `blockworld features adapt`."
            )
        return cls(module.eval(), about["kind"], network, layer, learned)
