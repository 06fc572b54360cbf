"""Weights of a ResNet-18: torchvision's, downloaded or from a file, under the names that `Stages` has."""

import re
from collections.abc import Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from torch import Tensor, nn

from perception.errors import BlockworldError, reason
from training.core.resnet import Stages

URL = "https://download.pytorch.org/models/resnet18-f37072fd.pth"
"""ImageNet weights as torchvision publishes them (IMAGENET1K_V1); its name ends with the beginning of its SHA-256."""
_ADVICE = "give a .pth or .pt file of torchvision, or an .npz file"
_BIAS = re.compile(r"(conv\d|downsample\.0)\.bias$")
_COUNTER = "num_batches_tracked"
STANDARDISED = "standardised"
"""Name of what says, in a file of learned weights, that they are for standardised features."""


def load_weights(stages: Stages, path: Path | None) -> bool:
    """Give the network ImageNet's weights, which are downloaded once, or those of a file, which may have more stages.
    Returns whether they are for standardised features.

    path: a .pth or .pt file of torchvision's names; or an .npz file of the same names with each batch norm folded into
    the convolution before it. Raises BlockworldError for a file that is neither, or where nothing can be downloaded.
    """
    source = URL if path is None else str(path)
    found = _as_stages(downloaded(URL) if path is None else read_tensors(path))
    wanted = {name: one.shape for name, one in stages.state_dict().items() if not name.endswith(_COUNTER)}
    for name, shape in wanted.items():
        if name not in found or found[name].shape != shape:
            there = f"of shape {tuple(found[name].shape)}" if name in found else "not there"
            raise BlockworldError(
                f"{source} is not of a ResNet-18 ({name} is {there}, but should have {tuple(shape)}): {_ADVICE}."
            )
        if not torch.isfinite(found[name]).all():
            raise BlockworldError(f"{source} has values that are not finite in {name}: {_ADVICE}.")
    stages.load_state_dict({name: found[name] for name in wanted}, strict=False)
    return STANDARDISED in found


def downloaded(url: str) -> Mapping[str, Tensor]:
    """Tensors by name, from the cache after the first time. Raises BlockworldError where they cannot be had."""
    try:
        return torch.hub.load_state_dict_from_url(url, map_location="cpu", check_hash=True, weights_only=True)
    except Exception as error:  # of the network, of the disk, or of a file that is damaged
        raise BlockworldError(
            f"{url} cannot be had ({reason(error)}): download it where that works, and name the file with --weights."
        ) from error


def read_tensors(path: Path) -> Mapping[str, Tensor]:
    """The tensors of a .pth, .pt or .npz file, by name. Raises BlockworldError for a file that holds anything else."""
    try:
        if path.suffix.lower() == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
        given = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise BlockworldError(f"{path} cannot be read ({reason(error.strerror or error)}): {_ADVICE}.") from error
    except (ValueError, TypeError, AttributeError, EOFError, KeyError, BadZipFile) as error:
        raise BlockworldError(f"{path} holds no weights ({reason(error)}): {_ADVICE}.") from error
    except Exception as error:  # the loader's own, for a file that is damaged or holds anything but tensors
        raise BlockworldError(f"{path} holds no weights, or more than weights: {_ADVICE}.") from error
    if not isinstance(given, Mapping) or not all(isinstance(one, Tensor) for one in given.values()):
        raise BlockworldError(f"{path} holds something else than tensors by name: {_ADVICE}.")
    return given


def _as_stages(given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Named as `Stages` has it. Where batch norms are folded, a convolution's bias becomes all that its norm does."""
    found = {}
    for name, one in given.items():
        kept = re.sub(r"^layer(\d)", lambda match: f"stages.{int(match[1]) - 1}", name)
        if _BIAS.search(kept):
            norm = re.sub(r"downsample\.0\.bias$", "downsample.1", re.sub(r"conv(\d)\.bias$", r"bn\1", kept))
            found[f"{norm}.weight"], found[f"{norm}.bias"] = torch.ones_like(one), one
            found[f"{norm}.running_mean"] = torch.zeros_like(one)
            found[f"{norm}.running_var"] = torch.full_like(one, 1.0 - nn.BatchNorm2d(1).eps)
        else:
            found[kept] = one
    return found
