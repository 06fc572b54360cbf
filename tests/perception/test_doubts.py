"""What speaks against an estimate, and how sure of it that leaves one."""

import numpy as np
import pytest
from fixtures_bundle import POSE_BINS

from perception import doubts
from perception.adjustment import BlockPrior

PRIOR = BlockPrior()


@pytest.mark.parametrize(
    ("stage", "x_m", "y_m", "known"),
    [
        ("coarse", 0.5, 0.1, True),
        ("coarse", 0.95, -0.5, True),
        ("coarse", 0.96, 0.0, False),
        ("coarse", 0.5, -0.51, False),
        ("fine", -0.059, 0.059, True),
        ("fine", 0.0, 0.061, False),
    ],
)
def test_a_place_outside_of_the_bins_is_doubted(stage, x_m, y_m, known):
    found = doubts.of_place("base", x_m, y_m, POSE_BINS[stage])
    assert (found == []) == known


def test_the_doubt_names_the_place_and_the_limits():
    (found,) = doubts.of_place("clamp", 0.07, 0.0, POSE_BINS["fine"])
    assert found == (
        "the block is at x 70 mm, y 0 mm of the clamp, outside of what the networks know: "
        "x -60 to 60 mm, y -60 to 60 mm"
    )


def test_a_size_far_from_the_prior_is_doubted():
    assert doubts.of_size((0.085, 0.04, 0.045), PRIOR) == []
    assert doubts.of_size((0.12, 0.06, 0.03), PRIOR) == []
    (found,) = doubts.of_size((0.2, 0.041, 0.045), PRIOR)
    assert found == "the block measures 200 x 41 x 45 mm, unlike those of about 85 x 40 x 45 mm that the networks know"


def test_confidence_is_the_share_of_the_place_times_what_the_views_see():
    assert doubts.confidence(0.8, np.array([1.0, 0.5]), []) == pytest.approx(0.6)
    assert doubts.confidence(1.0, np.array([1.0, 1.0 + 1e-6]), []) == 1.0
    assert doubts.confidence(1.0, np.zeros(0), []) == 0.0
    assert doubts.confidence(0.8, np.array([1.0, 0.5]), ["too large"]) == pytest.approx(0.15)
