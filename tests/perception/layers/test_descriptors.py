"""Masks are compared by shape wherever they are, whatever their size, and where asked for in any orientation."""

import numpy as np
import pytest

from perception.layers.descriptors import distances, shapes, small_masks

WIDTH, HEIGHT = 120, 90


class Drawn:
    """Masks of bars and of wedges, drawn in place of a network: parameters are x, y and size in pictures' heights, an
    angle, and which."""

    def logits(self, points, parameters):
        found = []
        for x, y, size, angle, kind in parameters:
            at = points.astype(float) * (WIDTH / HEIGHT, 1) - (x, y)
            along, across = at @ (np.cos(angle), np.sin(angle)) / size, at @ (-np.sin(angle), np.cos(angle)) / size
            bar = np.minimum(1 - np.abs(along), 0.35 - np.abs(across))
            wedge = np.minimum(0.7 + along, np.minimum(0.5 - 0.7 * along - across, 0.5 - 0.7 * along + across))
            found.append(1000 * size * (bar if kind == 0 else wedge))
        return np.array(found, np.float32)


def described(*masks):
    parameters = np.array(masks, np.float32)
    small = small_masks(Drawn(), parameters, WIDTH, HEIGHT)
    return shapes(Drawn(), parameters, small, WIDTH, HEIGHT)


def test_a_shape_elsewhere_and_of_another_size_is_nearer_than_another_shape():
    found = described((-0.3, 0.2, 0.4, 0, 0), (0.6, -0.4, 0.25, 0, 0), (-0.3, 0.2, 0.4, 0, 1))
    near, far = distances(found[0], found[1:], "shape")
    assert near < 0.5 and far > 1.5 * near


def test_a_turned_shape_is_found_where_that_is_asked_for():
    found = described((0, 0, 0.4, 0.3, 0), (0.2, 0.1, 0.3, 1.8, 0), (0.2, 0.1, 0.4, 0.3, 1))
    turned, other = distances(found[0], found[1:], "turned")
    assert turned < 0.35 and other > 1.5 * turned
    assert distances(found[0], found[1:], "shape")[0] > 0.8


def test_the_least_over_orientations_is_that_of_rolled_descriptors():
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0, 1, (2, 16, 64)).astype(np.float32)
    rolled = [np.linalg.norm(np.roll(a, k, axis=1) - b) for k in range(64)]
    assert distances(a, b[None], "turned")[0] == pytest.approx(min(rolled), rel=1e-4)


def test_the_squared_distance_is_the_area_in_which_shapes_differ():
    found = described((0, 0, 0.4, 0, 0), (0, 0, 0.4, np.pi / 2, 0))
    common = 0.7**2 / (4 * 0.35)  # of the bar's area; what differs is the rest of both
    assert distances(found[0], found[1:], "shape")[0] ** 2 == pytest.approx(2 * (1 - common), rel=0.08)


def test_a_mask_of_almost_nothing_has_no_shape():
    assert not described((0, 0, 0.01, 0, 0)).any()
