"""Views of one thing in which one property alone is set."""

import numpy as np
import pytest
from fixtures_renderers import opened

from sim.shapes.controlled import WHITE, Look, cut_out, on_background, picture

MESH, SIZE_PX = "shape/chair/0/0", 64


@pytest.fixture(scope="module")
def renderer():
    made = opened("gl")
    yield made
    made.close()


def middle(image):
    rows, columns = np.nonzero((image < 250).any(axis=2))
    return np.array([columns.mean(), rows.mean()]) / SIZE_PX


def test_a_shift_moves_the_thing_by_so_much_of_the_side(renderer):
    shifts = ((0.0, 0.0), (0.2, -0.1))
    before, after = (middle(picture(renderer, MESH, Look(shift=one, fill=0.5), SIZE_PX)) for one in shifts)
    np.testing.assert_allclose(after - before, (0.2, -0.1), atol=0.01)


def test_a_fill_makes_the_thing_larger_by_its_ratio(renderer):
    pictures = [picture(renderer, MESH, Look(fill=one), 128) for one in (0.4, 0.8)]
    heights = [np.ptp(np.nonzero((one < 250).any(axis=(1, 2)))[0]) for one in pictures]
    assert heights[1] / heights[0] == pytest.approx(2, abs=0.1)


def test_a_background_changes_nothing_of_the_thing(renderer):
    white, blue = (picture(renderer, MESH, Look(background=one), SIZE_PX) for one in (WHITE, (0.1, 0.2, 0.8)))
    covered = cut_out(renderer, MESH, Look(), SIZE_PX)[..., 3] == 255
    assert covered.sum() > 100
    np.testing.assert_array_equal(white[covered], blue[covered])
    assert np.abs(blue[0, 0].astype(int) - (26, 51, 204)).max() <= 1


@pytest.mark.parametrize("colour", [(255, 255, 255), (20, 60, 140)])
def test_a_cut_out_on_a_colour_is_the_picture_before_that_colour(renderer, colour):
    rendered = picture(renderer, MESH, Look(background=tuple(one / 255 for one in colour)), SIZE_PX)
    pasted = on_background(cut_out(renderer, MESH, Look(), SIZE_PX), colour)
    assert np.abs(rendered.astype(int) - pasted).max() <= 12  # edges are smoothed in linear light
