"""Bins of the seed method: targets, loss, sub-bin reading."""

import math

import pytest
import torch

from perception.bundle import CircularBins, ImageBins, LinearBins, PixelBins, PoseBins
from training.localization.bins import bin_loss, counts_of, expectation, in_bins, moments, target_shares

POSE = PoseBins(
    x=LinearBins(count=60, width=0.002),
    y=LinearBins(count=40, width=0.002, centre=0.3),
    yaw=CircularBins(count=90, width=math.pi / 90, period=math.pi),
)


def test_places_in_bins_agree_with_the_runtime_s_centres():
    x, y, yaw = (torch.tensor(axis.centres(), dtype=torch.float32) for axis in (POSE.x, POSE.y, POSE.yaw))
    poses = torch.stack([x[[3, 50]], y[[7, 30]], yaw[[0, 89]]], -1)
    wanted = torch.tensor([[3.5, 7.5, 0.5], [50.5, 30.5, 89.5]])
    torch.testing.assert_close(in_bins(poses, POSE), wanted, atol=1e-3, rtol=0)
    assert counts_of(POSE) == (60, 40, 90)


def test_places_in_the_image_are_shares_of_its_size():
    bins = PixelBins(u=ImageBins(count=50), v=ImageBins(count=20))
    torch.testing.assert_close(in_bins(torch.tensor([[0.5, 0.25]]), bins), torch.tensor([[25.0, 5.0]]))


def test_a_yaw_s_soft_target_goes_round():
    share = target_shares(torch.tensor([0.0]), 90, circular=True, sigma=1.0)[0]
    torch.testing.assert_close(share[0], share[89])
    torch.testing.assert_close(share.sum(), torch.tensor(1.0))


@pytest.mark.parametrize("place", [0.3, 12.5, 30.0, 59.2])
def test_an_expectation_lies_between_the_bins(place):
    score = torch.log(target_shares(torch.tensor([place]), 60, circular=False, sigma=1.0))
    assert abs(expectation(score, circular=False).item() - place) < (0.05 if 4 < place < 56 else 0.7)
    turning = torch.log(target_shares(torch.tensor([place]), 60, circular=True, sigma=1.0))
    assert abs(expectation(turning, circular=True).item() - place) < 0.05


def test_hard_labels_give_the_sum_of_cross_entropies():
    scores = [torch.randn(4, count, generator=torch.Generator().manual_seed(count)) for count in (60, 40, 90)]
    places = torch.tensor([[3.2, 7.9, 0.1], [59.9, 0.0, 89.9], [30.0, 20.0, 45.0], [1.0, 2.0, 3.0]])
    labels = places.long()
    wanted = sum(torch.nn.functional.cross_entropy(score, labels[:, i]) for i, score in enumerate(scores))
    torch.testing.assert_close(bin_loss(scores, places + 1e-3, sigma=0.0), wanted)


def test_images_without_a_block_do_not_count():
    scores = [torch.zeros(2, count, requires_grad=True) for count in (60, 40, 90)]
    known = torch.tensor([[3.5, 7.5, 0.5]])
    both = torch.cat([known, torch.full((1, 3), float("nan"))])
    alone = bin_loss([score[:1] for score in scores], known, sigma=1.0)
    loss = bin_loss(scores, both, sigma=1.0)
    torch.testing.assert_close(loss, alone)
    loss.backward()
    assert torch.isfinite(scores[0].grad).all()


def test_moments_are_those_of_what_maps_say():
    logits, absent = torch.full((1, 3, 20, 40), -30.0), torch.tensor([[-30.0, 0.0, 30.0]])
    logits[0, 0, 5, 10] = logits[0, 0, 5, 30] = 0.0  # two points, in a row
    logits[0, 1, 15, 20] = 0.0  # there with a probability of a half
    mass, x, y, xx, xy, yy = moments(logits, absent).unflatten(-1, (6, 3))[0]
    torch.testing.assert_close(mass, torch.tensor([1.0, 0.5, 0.0]))
    torch.testing.assert_close(x, torch.tensor([0.025, 0.5 * 0.025, 0.0]), atol=1e-5, rtol=0)
    torch.testing.assert_close(y, torch.tensor([-0.45, 0.5 * 0.55, 0.0]), atol=1e-5, rtol=0)
    torch.testing.assert_close(xx, torch.tensor([20 * 0.5**2, 0.0, 0.0]), atol=1e-4, rtol=0)
    torch.testing.assert_close(torch.stack([xy, yy]), torch.zeros(2, 3), atol=1e-4, rtol=0)
