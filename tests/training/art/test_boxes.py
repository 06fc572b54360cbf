"""Boxes: overlap, suppression, and what is no box of a picture."""

import numpy as np
import pytest

from perception.errors import InputError
from training.art.boxes import checked_box, overlap, suppressed


def test_overlap_is_intersection_over_union():
    assert overlap((0, 0, 10, 10), (5, 0, 10, 10)) == pytest.approx(50 / 150)
    assert overlap((0, 0, 10, 10), (10, 0, 10, 10)) == 0
    assert overlap((0, 0, 0, 0), (0, 0, 0, 0)) == 0


def test_of_boxes_that_overlap_the_best_is_kept():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 10, 10], [30, 0, 10, 10]], float)
    assert suppressed(boxes, [0.5, 0.9, 0.1], 0.3) == [1, 2]
    assert suppressed(boxes, [0.5, 0.9, 0.1], 0.9) == [1, 0, 2]


def test_what_is_beyond_the_picture_is_cut_off():
    assert checked_box((-5, 10, 20, 1000), (100, 50)) == (0, 10, 15, 40)


@pytest.mark.parametrize(
    ("box", "said"),
    [
        ((200, 0, 10, 10), "outside the picture, which is 100 x 50 px"),
        ((0, 0, 0, 10), "empty"),
        ((0, 0, -5, 10), "empty"),
        ((0, 0, float("nan"), 10), "finite"),
        ((0, 0, 10), "four"),
    ],
)
def test_what_is_no_box_of_the_picture_is_refused(box, said):
    with pytest.raises(InputError, match=said):
        checked_box(box, (100, 50))
