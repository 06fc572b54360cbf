"""Checkpoints that survive an interruption at any moment."""

import os
from pathlib import Path
from typing import Any

import torch

from perception.errors import BlockworldError


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state` (tensors, numbers, strings and containers of them) to `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}.part")
    torch.save(state, scratch)
    scratch.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """What was saved at `path`, on the CPU, or None where nothing was.

    Raises BlockworldError for a file that is damaged or holds anything but what `save_checkpoint` writes.
    """
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # of many kinds, whose texts advise to load it as code
        state = None
    if not isinstance(state, dict):
        raise BlockworldError(
            f"{path} cannot be read, is damaged, or holds more than numbers and text: copy it again or train anew."
        )
    return state


def states(parts: dict[str, Any]) -> dict[str, Any]:
    """The state of each part that has one, as network, optimiser and schedule."""
    return {name: part.state_dict() for name, part in parts.items()}


def resume(path: Path, parts: dict[str, Any]) -> int:
    """Give the parts the states that a checkpoint holds; the number of steps done before it, 0 where there is none.

    Raises BlockworldError for a checkpoint of other parts, such as a network of another size.
    """
    saved = load_checkpoint(path)
    if saved is None:
        return 0
    try:
        for name, part in parts.items():
            part.load_state_dict(saved[name])
        return int(saved["done"])
    except (KeyError, RuntimeError, TypeError, ValueError):  # whose texts list every tensor
        raise BlockworldError(
            f"{path} is the checkpoint of another network or training: name another folder, or delete it."
        ) from None
