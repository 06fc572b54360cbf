"""Borders as Bezier curves: within the tolerance, in few pieces, closed, with their corners kept."""

import re

import numpy as np
import pytest
from fixtures_layers import small_bundle

from perception.layers.contours import contours, curved_contours
from perception.layers.curves import fitted, sampled
from perception.layers.network import LayersNetwork
from perception.layers.svg import curved_path, path

TURN = np.linspace(0, 2 * np.pi, 400, endpoint=False)
CIRCLE = 40 * np.stack([np.cos(TURN), np.sin(TURN)], axis=1)
SIDE = np.linspace(-30, 30, 60, endpoint=False)
SQUARE = np.concatenate([
    np.stack(one, axis=1)
    for one in ((SIDE, 0 * SIDE - 30), (0 * SIDE + 30, SIDE), (-SIDE, 0 * SIDE + 30), (0 * SIDE - 30, -SIDE))
])  # fmt: skip
ROUND = np.stack([30 * np.cos(TURN), 18 * np.sin(TURN) + 6 * np.cos(3 * TURN)], axis=1)


def off(points, polygon):
    """How far each of some points is from a closed polygon."""
    begin, along = polygon, np.roll(polygon, -1, axis=0) - polygon
    beside = points[:, None] - begin
    share = np.clip((beside * along).sum(axis=2) / np.maximum((along**2).sum(axis=1), 1e-12), 0, 1)
    return np.linalg.norm(beside - share[..., None] * along, axis=2).min(axis=1)


@pytest.mark.parametrize(("points", "most"), [(CIRCLE, 8), (SQUARE, 4), (ROUND, 24)])
@pytest.mark.parametrize("tolerance", [0.02, 0.1, 0.5])
def test_pieces_are_within_the_tolerance_closed_and_few(points, most, tolerance):
    pieces = fitted(points, tolerance)
    assert len(pieces) <= most
    for one, following in zip(pieces, [*pieces[1:], pieces[0]], strict=True):
        np.testing.assert_array_equal(one[-1], following[0])
    drawn = sampled(pieces, 64)
    assert off(drawn, points).max() <= 1.2 * tolerance and off(points, drawn).max() <= 1.2 * tolerance


def test_corners_stay_and_straight_sides_are_lines():
    pieces = fitted(SQUARE, 0.1)
    assert [len(one) for one in pieces] == [2, 2, 2, 2]
    corners = {(x, y) for x in (-30, 30) for y in (-30, 30)}
    assert {tuple(np.round(one[0]).astype(int).tolist()) for one in pieces} == corners


def test_smooth_borders_stay_smooth():
    pieces = fitted(CIRCLE, 0.05)
    for one, following in zip(pieces, [*pieces[1:], pieces[0]], strict=True):
        end, begin = one[3] - one[2], following[1] - following[0]
        assert end @ begin / np.linalg.norm(end) / np.linalg.norm(begin) > 0.999


def test_next_to_nothing_has_no_pieces():
    assert fitted(np.zeros((5, 2)), 0.1) == [] and fitted(np.eye(2), 0.1) == []


def test_a_path_says_where_its_curves_are():
    text = curved_path([fitted(SQUARE, 0.1), fitted(CIRCLE, 0.1)])
    assert re.fullmatch(r"(M-?[\d.]+[ -][\d.]+([lc][-\d. ]+)+Z){2}", text) and text.count("l") == 4
    assert curved_path([]) == "M0 0Z"


def test_masks_take_fewer_bytes_than_as_polygons(tmp_path):
    network, curved, straight = LayersNetwork(small_bundle(tmp_path)), 0, 0
    for parameters in np.random.default_rng(5).normal(0, 3, (12, 6)).astype(np.float32):
        given = network, parameters, 128, 128, 0.5, 0.05
        pieces = curved_contours(*given)
        curved, straight = curved + len(curved_path(pieces)), straight + len(path(contours(*given)))
        for one in pieces:
            logits = network.logits((2 * sampled(one) / 128 - 1).astype(np.float32), parameters[None])[0]
            inner = ((sampled(one) > 1) & (sampled(one) < 127)).all(axis=1)
            assert not inner.any() or np.abs(logits[inner]).max() < 0.1
    assert 0 < curved < 0.8 * straight
