"""Trained weights on disk, with the names of the heat maps that they make, and networks that begin with them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from perception.errors import BlockworldError, reason
from training.core.checkpoint import load_checkpoint, save_checkpoint

PER_CHANNEL = ("head.1.weight", "head.1.bias", "absent.weight", "absent.bias")
"""Tensors of a HeatmapNetwork that have a row, or the same number of rows, for each channel."""


def save_weights(path: Path, network: nn.Module, channels: Sequence[str]) -> None:
    """Write a network's weights, whole or not at all. channels: names of its heat maps, in their order."""
    save_checkpoint(path, {"channels": list(channels), "network": network.state_dict()})


def load_weights(path: Path, network: nn.Module) -> bool:
    """Give a network the weights at `path`, which must be its own; False where there are none.

    Raises BlockworldError for a file that is damaged or has those of another network.
    """
    saved = load_checkpoint(path)
    if saved is None:
        return False
    try:
        network.load_state_dict(saved["network"])
    except (KeyError, RuntimeError, TypeError) as error:
        raise BlockworldError(
            f"{path} has the weights of another network ({reason(error)}): train anew with this configuration."
        ) from None
    return True


def begin_with(path: Path, network: nn.Module, channels: Sequence[str]) -> None:
    """Give a network the weights of another that fit it: layers of the same shape, and of the heat maps' last layers
    the rows of channels of the same names. Raises BlockworldError where there is no such file."""
    saved = load_checkpoint(path)
    if saved is None:
        raise BlockworldError(f"{path} does not exist: train that recipe first or give warm_start=null.")
    weights: dict[str, Tensor] = saved["network"]
    weights = {**{f"dense.{name}": value for name, value in weights.items()}, **weights}  # of heat maps, for bins
    own: dict[str, Any] = network.state_dict()
    for name, value in weights.items():
        if name not in own:
            continue
        if name.removeprefix("dense.") in PER_CHANNEL:
            own[name] = _by_channel(own[name], channels, value, saved["channels"])
        elif own[name].shape == value.shape:
            own[name] = value
    network.load_state_dict(own)


def _by_channel(own: Tensor, channels: Sequence[str], other: Tensor, others: Sequence[str]) -> Tensor:
    """`own` with the rows of the channels that both have from `other`."""
    mine, theirs = own.clone().unflatten(0, (len(channels), -1)), other.unflatten(0, (len(others), -1))
    if mine.shape[1:] != theirs.shape[1:]:
        return own
    shared = [(channels.index(name), i) for i, name in enumerate(others) if name in channels]
    rows = torch.tensor(shared, dtype=torch.long).reshape(-1, 2)
    mine[rows[:, 0]] = theirs[rows[:, 1]]
    return mine.flatten(0, 1)
