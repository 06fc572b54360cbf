"""What is done to a batch moves pixels and points together, whoever does it."""

import pytest
import torch

from training.localization.augmentation import CHUNK, augment, augment_batch
from training.localization.photography import compressed, shaded, sharpened, taken


def blobs(count):
    """Pictures (count, 3, 80, 100) with a bright spot each, and its place."""
    generator = torch.Generator().manual_seed(3)
    points = torch.rand(count, 1, 1, 2, generator=generator) * torch.tensor([60.0, 40.0]) + 20
    y, x = torch.meshgrid(torch.arange(80) + 0.5, torch.arange(100) + 0.5, indexing="ij")
    grid = torch.stack([x, y], -1)
    spots = torch.exp(-((grid - points[:, 0, :, None, :]) ** 2).sum(-1) / 18) * 2 - 1
    return spots[:, None].repeat(1, 3, 1, 1), points


@pytest.mark.parametrize("task", ["coarse", "tool"])
def test_points_move_with_the_pixels(task):
    images, points = blobs(32)
    changed, moved = augment(images, points, torch.Generator().manual_seed(3), task)
    gray = changed.mean(1)
    bright = (gray > gray.amax((1, 2), keepdim=True) - 0.1).float()  # a disc where the exposure is long
    y, x = torch.meshgrid(torch.arange(80) + 0.5, torch.arange(100) + 0.5, indexing="ij")
    found = torch.stack([(bright * axis).sum((1, 2)) / bright.sum((1, 2)) for axis in (x, y)], -1)
    distance = (found - moved[:, 0, 0]).norm(dim=-1)
    assert (points - moved).abs().max() > 2
    assert distance.median() < 2.5


def test_some_images_are_overexposed():
    dark = torch.full((200, 3, 32, 32), -0.6)
    changed, _ = augment(dark, torch.zeros(200, 1, 2, 2), torch.Generator().manual_seed(5))
    white = changed.mean((1, 2, 3)) > 0.9
    assert 0.15 < white.float().mean() < 0.5


def test_shadows_darken_a_part_of_some_images():
    white = torch.ones(300, 3, 32, 48)
    dark = (shaded(white, torch.Generator().manual_seed(1)) - white).abs()[:, 0]
    touched = dark.amax((1, 2)) > 0.05
    assert 0.2 < touched.float().mean() < 0.45 and (dark[~touched] < 0.1).all()
    parts = (dark > dark.amax((1, 2), keepdim=True) / 2).float().mean((1, 2))[touched]
    assert ((parts > 0.02) & (parts < 0.98)).float().mean() > 0.8


def test_some_images_are_sharpened_and_flat_ones_stay():
    flat = torch.full((200, 3, 16, 16), 0.25)
    torch.testing.assert_close(sharpened(flat, torch.Generator().manual_seed(2)), flat)
    edge = torch.zeros(200, 3, 16, 16)
    edge[..., 8:] = 0.5
    changed = sharpened(edge, torch.Generator().manual_seed(2))
    steeper = (changed[..., 8] - changed[..., 7])[:, 0, 0] > 0.51
    assert 0.2 < steeper.float().mean() < 0.45
    torch.testing.assert_close(changed[~steeper][..., 4], edge[~steeper][..., 4])


def test_some_images_are_compressed_and_stay_what_they_show():
    generator = torch.Generator().manual_seed(4)
    images = (
        torch.nn.functional.interpolate(torch.rand(200, 3, 8, 8, generator=generator), scale_factor=8.0) * 1.6 - 0.8
    )
    changed = compressed(images, torch.Generator().manual_seed(2))
    off = (changed - images).abs().mean((1, 2, 3))
    assert 0.35 < (off > 1e-3).float().mean() < 0.65
    assert torch.equal(changed[off <= 1e-3], images[off <= 1e-3])
    assert off.max() > 0.1 and (changed.mean((2, 3)) - images.mean((2, 3))).abs().max() < 0.2


@pytest.mark.parametrize("finer", [1.0, 1.9])
def test_pictures_keep_their_size_and_place_at_any_resolution_of_the_camera(finer):
    edge = torch.full((80, 3, 40, 60), -0.5)
    edge[..., 30:] = 0.5
    for seed in range(6):
        seen = taken(edge, torch.Generator().manual_seed(seed), 0.5, 1.2, finer)
        assert seen.shape == edge.shape
        assert (seen[..., :26].mean() + 0.5).abs() < 0.03 and (seen[..., 34:].mean() - 0.5).abs() < 0.03


def test_tools_are_enlarged_around_their_points_at_times():
    points = torch.tensor([30.0, 20.0]) + torch.tensor([[0.0, 0.0], [10.0, 10.0]])[:, None].expand(2, 2, 2)
    points = points.repeat(200, 1, 1, 1)
    images = torch.zeros(200, 3, 80, 100)
    _, moved = augment(images, points, torch.Generator().manual_seed(6), "tool")
    scale = (moved[:, 1, 0] - moved[:, 0, 0]).norm(dim=-1) / 200**0.5
    assert 0.3 < (scale > 1.1).float().mean() < 0.6 and scale.max() > 1.5
    assert (moved > 0).all() and (moved < torch.tensor([100.0, 80.0])).all()


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
