"""What is done to a batch moves pixels and points together, whoever does it."""

import pytest
import torch

from training.localization.augmentation import CHUNK, augment, augment_batch


def blobs(count):
    """Pictures (count, 3, 80, 100) with a bright spot each, and its place."""
    generator = torch.Generator().manual_seed(3)
    points = torch.rand(count, 1, 1, 2, generator=generator) * torch.tensor([60.0, 40.0]) + 20
    y, x = torch.meshgrid(torch.arange(80) + 0.5, torch.arange(100) + 0.5, indexing="ij")
    grid = torch.stack([x, y], -1)
    spots = torch.exp(-((grid - points[:, 0, :, None, :]) ** 2).sum(-1) / 18) * 2 - 1
    return spots[:, None].repeat(1, 3, 1, 1), points


def test_points_move_with_the_pixels():
    images, points = blobs(16)
    changed, moved = augment(images, points, torch.Generator().manual_seed(3))
    brightest = changed.mean(1).flatten(1).argmax(-1)
    found = torch.stack([brightest % 100, brightest // 100], -1) + 0.5
    distance = (found - moved[:, 0, 0]).norm(dim=-1)
    assert (points - moved).abs().max() > 2
    assert distance.median() < 2.5


def test_equal_generators_give_equal_batches():
    images, points = torch.zeros(4, 3, 32, 32), torch.full((4, 2, 2, 2), 16.0)
    first, second = (augment(images, points, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert first[0].abs().max() <= 1


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_processes_that_share_a_batch_see_what_one_sees(processes):
    images, points = blobs(4 * CHUNK)
    whole = augment_batch(images, points, seed=1, step=7, first=0)
    size = len(images) // processes
    parts = [
        augment_batch(images[i : i + size], points[i : i + size], seed=1, step=7, first=i)
        for i in range(0, len(images), size)
    ]
    assert torch.equal(torch.cat([image for image, _ in parts]), whole[0])
    assert torch.equal(torch.cat([place for _, place in parts]), whole[1])


def test_what_is_absent_stays_absent():
    images, points = blobs(CHUNK)
    points[2] = torch.nan
    _, moved = augment_batch(images, points, seed=1, step=0, first=0)
    assert torch.isnan(moved[2]).all() and torch.isfinite(moved[3:]).all()
