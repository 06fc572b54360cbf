"""What is done to a batch moves pixels and points together."""

import torch

from training.localization.data import augment


def test_points_move_with_the_pixels():
    generator = torch.Generator().manual_seed(3)
    points = torch.rand(16, 1, 1, 2, generator=generator) * torch.tensor([60.0, 40.0]) + 20
    y, x = torch.meshgrid(torch.arange(80) + 0.5, torch.arange(100) + 0.5, indexing="ij")
    grid = torch.stack([x, y], -1)
    blob = torch.exp(-((grid - points[:, 0, :, None, :]) ** 2).sum(-1) / 18) * 2 - 1
    images, moved = augment(blob[:, None].repeat(1, 3, 1, 1), points, generator)
    brightest = images.mean(1).flatten(1).argmax(-1)
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
