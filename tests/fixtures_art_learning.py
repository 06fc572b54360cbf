"""A collection and a network small enough to learn with in seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from perception.picture_folder import Found
from training.art.learning.reading import usable_pictures

WIDTH, HEIGHT = 480, 320


class SmallBackbone(nn.Module):
    """Two convolutions, of stride 16 together, each centred on its first pixel."""

    stride = 16

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.first = nn.Conv2d(3, 16, 9, 4, 4)
        self.second = nn.Conv2d(16, 24, 7, 4, 3)

    def forward(self, images: Tensor) -> Tensor:
        """See `training.art.backbone.Backbone`."""
        found = self.second(functional.relu(self.first(images.permute(0, 3, 1, 2).float() / 64 - 2)))
        return functional.normalize(found, dim=1).permute(0, 2, 3, 1)


@contextmanager
def little_to_do(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two scales of seven, the coarsest: a tenth of the time. One thread: two that wait for each other beside other
    work take twelve times as long over what is so little."""
    monkeypatch.setattr("training.art.extractor.SCALES", (36, 20))
    monkeypatch.setattr("training.art.learning.proposals.SCALES", (36, 20))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def write_copies(folder: Path, pictures: int = 3, width: int = WIDTH, height: int = HEIGHT) -> None:
    """Pictures of blots, each with the same blots in the middle, in other colours and noise."""
    folder.mkdir(parents=True, exist_ok=True)
    copied = _blots(1000, width, height)
    rows, columns = slice(height // 8, -height // 8), slice(width // 4, -width // 4)
    for number in range(pictures):
        picture = _blots(number, width, height)
        mixed = np.random.default_rng(number).dirichlet((1, 1, 1), 3)
        picture[rows, columns] = copied[rows, columns] @ mixed
        picture += np.random.default_rng(50 + number).normal(scale=6, size=picture.shape)
        Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(folder / f"{number}.png")


def copies(folder: Path, pictures: int = 3) -> list[Found]:
    """The same, as they are learned on."""
    write_copies(folder, pictures)
    return usable_pictures(folder)[0]


def _blots(seed: int, width: int, height: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(random.normal(size=(height, width, 3)), (0, 0), blot) for blot in (4, 12)]
    return 128 + 40 * sum(layer / layer.std() for layer in layers)
