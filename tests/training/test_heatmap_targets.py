"""Targets, loss and decoding of heat maps."""

import torch

from training.localization.heatmaps import decode, heatmap_loss, target_maps

STRIDE = 4
HEIGHT, WIDTH = 24, 32


def _points(*places):
    return torch.tensor([[list(places)]], dtype=torch.float32)


def test_a_target_holds_all_mass_and_decodes_to_its_point():
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(5, 3, 1, 2, generator=generator) * torch.tensor([100.0, 70.0]) + 14
    maps, counts = target_maps(points.expand(-1, -1, 2, -1), HEIGHT, WIDTH, STRIDE, sigma=1.0)
    assert counts.all()
    torch.testing.assert_close(maps.sum((-2, -1)), torch.ones(5, 3))
    found = decode(torch.log(maps + 1e-12), STRIDE, radius=4)
    assert (found - points[:, :, 0]).abs().max() < 0.05


def test_two_points_share_a_channel_equally():
    maps, _ = target_maps(_points((20.0, 40.0), (100.0, 40.0)), HEIGHT, WIDTH, STRIDE, sigma=1.0)
    left = maps[0, 0, :, : WIDTH // 2].sum()
    torch.testing.assert_close(left, torch.tensor(0.5), atol=1e-4, rtol=0)


def test_a_point_outside_leaves_its_mass_to_the_other_one():
    maps, counts = target_maps(_points((20.0, 40.0), (400.0, 40.0)), HEIGHT, WIDTH, STRIDE, sigma=1.0)
    assert counts.all()
    assert maps[0, 0, :, : WIDTH // 2].sum() > 0.999


def test_a_channel_without_a_point_inside_does_not_count():
    logits = torch.zeros(1, 1, HEIGHT, WIDTH, requires_grad=True)
    loss = heatmap_loss(logits, _points((-50.0, 5.0), (float("nan"), 5.0)), STRIDE, sigma=1.0)
    loss.backward()
    assert loss == 0
    assert torch.isfinite(logits.grad).all()


def test_the_loss_is_zero_at_the_target_and_positive_elsewhere():
    points = _points((60.0, 40.0), (60.0, 40.0))
    maps, _ = target_maps(points, HEIGHT, WIDTH, STRIDE, sigma=1.0)
    assert heatmap_loss(torch.log(maps + 1e-12), points, STRIDE, sigma=1.0).abs() < 1e-4
    assert heatmap_loss(torch.zeros_like(maps), points, STRIDE, sigma=1.0) > 1
