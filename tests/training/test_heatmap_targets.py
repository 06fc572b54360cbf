"""Targets, loss and decoding of heat maps."""

import torch

from training.localization.heatmaps import decode, heatmap_loss, target_maps

STRIDE = 4
HEIGHT, WIDTH = 24, 32
NOWHERE = (float("nan"), float("nan"))


def _points(*places):
    return torch.tensor([[list(places)]], dtype=torch.float32)


def _logits(maps, absent):
    return torch.log(maps + 1e-12), torch.log(absent + 1e-12)


def test_a_target_holds_all_mass_and_decodes_to_its_point():
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(5, 3, 1, 2, generator=generator) * torch.tensor([100.0, 70.0]) + 14
    maps, absent = target_maps(points.expand(-1, -1, 2, -1), HEIGHT, WIDTH, STRIDE, sigma=1.0)
    assert (absent == 0).all()
    torch.testing.assert_close(maps.sum((-2, -1)), torch.ones(5, 3))
    found = decode(torch.log(maps + 1e-12), STRIDE, radius=4)
    assert (found - points[:, :, 0]).abs().max() < 0.05


def test_two_points_share_a_channel_equally():
    maps, _ = target_maps(_points((20.0, 40.0), (100.0, 40.0)), HEIGHT, WIDTH, STRIDE, sigma=1.0)
    left = maps[0, 0, :, : WIDTH // 2].sum()
    torch.testing.assert_close(left, torch.tensor(0.5), atol=1e-4, rtol=0)


def test_the_share_of_a_point_outside_goes_to_absence():
    maps, absent = target_maps(_points((20.0, 40.0), (400.0, 40.0)), HEIGHT, WIDTH, STRIDE, sigma=1.0)
    torch.testing.assert_close(absent, torch.tensor([[0.5]]))
    torch.testing.assert_close(maps[0, 0, :, : WIDTH // 2].sum(), torch.tensor(0.5))


def test_what_is_not_there_is_all_absence():
    maps, absent = target_maps(_points(NOWHERE, (-50.0, 5.0)), HEIGHT, WIDTH, STRIDE, sigma=1.0)
    assert absent.item() == 1 and maps.sum() == 0


def test_absence_is_learned_and_its_gradients_are_finite():
    places, absent = torch.zeros(1, 1, HEIGHT, WIDTH, requires_grad=True), torch.zeros(1, 1, requires_grad=True)
    heatmap_loss((places, absent), _points(NOWHERE, NOWHERE), STRIDE, sigma=1.0).backward()
    assert absent.grad is not None and absent.grad.item() < 0  # a step against it raises the logit of absence
    assert torch.isfinite(places.grad).all() and (places.grad > 0).all()


def test_the_loss_is_zero_at_the_target_and_positive_elsewhere():
    points = _points((60.0, 40.0), (400.0, 40.0))
    target = target_maps(points, HEIGHT, WIDTH, STRIDE, sigma=1.0)
    assert heatmap_loss(_logits(*target), points, STRIDE, sigma=1.0).abs() < 1e-4
    flat = (torch.zeros_like(target[0]), torch.zeros_like(target[1]))
    assert heatmap_loss(flat, points, STRIDE, sigma=1.0) > 1
