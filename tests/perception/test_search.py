"""First guesses of where the block is."""

import sys
from pathlib import Path

import numpy as np
import pytest
from fixtures_bundle import upright

from perception.adjustment import BlockPrior
from perception.angles import difference
from perception.camera import Camera
from perception.search import attitudes, gathered, log_likelihood, places

sys.path.insert(0, str(Path(__file__).parent))
from ideal_networks import Truth

PRIOR = BlockPrior()
JOINTS = np.array([0.2, -0.5, 0.0, -2.0, 0.0, 1.6, 0.8, 0.04, 0.04])
EYES = [
    Camera.looking_at((1.4, 0.6, 0.9), (0.36, 0.0, 0.2), 600.0, 640, 480),
    Camera.looking_at((1.3, -0.8, 1.0), (0.36, 0.0, 0.2), 620.0, 640, 480),
    Camera.looking_at((0.3, 1.5, 0.8), (0.36, 0.0, 0.2), 640.0, 640, 480),
]


def truth(block, cameras=3, **given):
    case = Truth(block, **given)
    for i in range(cameras):
        case.view(f"camera_{i}", EYES[i], JOINTS)
    return case


def test_the_place_that_all_views_agree_on_comes_first():
    block = upright(0.5, 0.1, 0.7)
    other = upright(0.4, -0.2, 0.2)
    looks = truth(block, others=[(other, 0.3)]).looks()
    found = places(looks, 3, PRIOR)
    assert np.linalg.norm(found[0][0] - block.position) < 0.01
    assert np.linalg.norm(found[1][0] - other.position) < 0.01
    scores = [score for _, score in found]
    assert scores == sorted(scores, reverse=True) and scores[0] - scores[-1] > 5.0


def test_places_are_apart_and_on_the_plane():
    found = [place for place, _ in places(truth(upright(0.5, 0.1, 0.7), noise_px=2.0).looks(), 5, PRIOR)]
    gaps = np.linalg.norm(np.array(found)[:, None] - found, axis=-1)[np.triu_indices(len(found), 1)]
    assert len(found) > 1 and gaps.min() > 0.02
    np.testing.assert_allclose(np.array(found)[:, 2], 0.0, atol=1e-9)


def test_one_misled_view_does_not_veto_the_others():
    block = upright(0.45, -0.05, 2.0)
    found = places(truth(block, misled={1}).looks(), 1, PRIOR)
    assert np.linalg.norm(found[0][0] - block.position) < 0.015


def test_a_camera_that_sees_only_sky_proposes_nothing():
    block = upright(0.45, -0.05, 2.0)
    case = truth(block, cameras=1)
    up = Camera.looking_at((1.3, 0.0, 0.9), (0.3, 0.0, 3.0), 600.0, 640, 480)
    case.scenes[0] = (up, JOINTS)
    assert places(case.looks(), 3, PRIOR) == []


def test_views_agree_on_a_place_between_their_cells():
    block = upright(0.5, 0.1, 0.7)
    looks = truth(block).looks()
    for off in ((0.02, -0.01), (-0.015, 0.02)):
        start = upright(0.5 + off[0], 0.1 + off[1], 0.0, block.size)
        seen = [look.sight.block_points(i, EYES[i], start, 40.0, pairs=False) for i, look in enumerate(looks)]
        place = gathered(list(zip(looks, seen, strict=True)), EYES, start)
        assert np.linalg.norm(place - block.position) < 0.003


def test_a_place_that_no_view_sees_stays_where_it_is():
    looks = truth(upright(0.5, 0.1, 0.7), without_block={0, 1, 2}).looks()
    start = upright(0.4, 0.0, 0.0)
    seen = [look.sight.block_points(i, EYES[i], start, 40.0, pairs=False) for i, look in enumerate(looks)]
    np.testing.assert_allclose(gathered(list(zip(looks, seen, strict=True)), EYES, start), start.position)


@pytest.mark.parametrize("yaw", [0.05, 0.9, 1.8, 3.1])
def test_the_attitude_is_found_to_a_step(yaw):
    block = upright(0.5, 0.1, yaw, (0.1, 0.04, 0.045))
    (found,) = attitudes(truth(block).looks(), EYES, block.position)
    assert abs(difference(found.yaw_rad, yaw, np.pi)) < np.deg2rad(8)
    assert found.size[0] > 0.08


def test_the_truth_is_likelier_than_what_is_near():
    block = upright(0.5, 0.1, 0.7)
    looks = truth(block).looks()
    poses = [block, upright(0.53, 0.1, 0.7), upright(0.5, 0.1, 1.1), upright(0.5, 0.1, 0.7, (0.06, 0.042, 0.045))]
    scores = np.sum([log_likelihood(look, camera, poses) for look, camera in zip(looks, EYES, strict=True)], axis=0)
    assert scores.shape == (4,)
    assert np.argmax(scores) == 0 and scores[0] - np.sort(scores)[-2] > 1.0


def test_half_a_turn_is_as_likely():
    block, turned = upright(0.5, 0.1, 0.7), upright(0.5, 0.1, 0.7 + np.pi)
    (look,) = truth(block, cameras=1).looks()
    one, other = log_likelihood(look, EYES[0], [block, turned])
    assert one == pytest.approx(other)
