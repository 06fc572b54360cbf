"""Learned weights as a file that `training.art.weights` reads: tensors under the names of torchvision."""

import os
from pathlib import Path

import torch
from torch import Tensor

from perception.errors import BlockworldError, reason
from training.art.backbone import Backbone

_STAGES, _FIRST = "stages.", "layer"


def named_as_torchvision(backbone: Backbone) -> dict[str, Tensor]:
    """Its weights, on the processor; of another backbone than a ResNet under its own names."""
    named = {}
    for name, one in backbone.state_dict().items():
        name = name.removeprefix(_STAGES)
        if name.startswith(_STAGES):
            stage, _, rest = name.removeprefix(_STAGES).partition(".")
            name = f"{_FIRST}{int(stage) + 1}.{rest}"
        named[name] = one.detach().cpu().contiguous()
    return named


def write_weights(backbone: Backbone, path: Path) -> None:
    """Write them, whole or not at all. Raises BlockworldError where they cannot be written."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(named_as_torchvision(backbone), scratch)
        scratch.replace(path)
    except (OSError, RuntimeError) as error:  # torch tells some of what the disk says as a RuntimeError
        raise BlockworldError(f"{path} cannot be written ({reason(error)}): name another file with --out.") from error
    finally:
        scratch.unlink(missing_ok=True)
