"""Full factorial designs: each combination once."""

import numpy as np
import pytest

from training.features.design import FACTORS, design_of


def test_each_combination_is_one_picture():
    design = design_of("chair", [("style", 2), ("azimuth", 3), ("scale", 2)])
    seen = {(mesh, look) for mesh, look in (design.view(index) for index in range(len(design)))}
    assert len(seen) == len(design) == 12


def test_single_values_are_those_of_pictures_that_differ_in_one_factor():
    design = design_of("car", [("light", 3), ("style", 4)], seed=5)
    singles = design.singles()
    np.testing.assert_array_equal(design.levels(np.array(singles[0])), [(0, 0), (1, 0), (2, 0)])
    np.testing.assert_array_equal(design.levels(np.array(singles[1])), [(0, 0), (0, 1), (0, 2), (0, 3)])
    assert design.view(singles[1][3])[0] == "shape/car/5/3"


@pytest.mark.parametrize("name", FACTORS)
@pytest.mark.parametrize("count", [2, 5, 9])
def test_a_factor_has_as_many_different_values_as_asked_for(name, count):
    design = design_of("chair", [(name, count)])
    assert len({design.view(index) for index in range(count)}) == count == len(set(design.factors[0].labels))
