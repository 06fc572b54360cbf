"""Checkpoints that survive an interruption at any moment."""

import os
from pathlib import Path
from typing import Any

import torch


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state` (tensors, numbers, strings and containers of them) to `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}.part")
    torch.save(state, scratch)
    scratch.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any] | None:
    """What was saved at `path`, on the CPU, or None where nothing was."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state
