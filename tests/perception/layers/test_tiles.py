"""Large renders: masks over tiles are those of every pixel, of smooth and of steep masks, at a part of the cost."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures_layers import small_bundle

from perception.layers.compositing import sigmoid
from perception.layers.grid import pixel_centres
from perception.layers.layer import Decomposition, Layer
from perception.layers.network import LayersNetwork
from perception.layers.rendering import Region, masks_at, render
from perception.layers.tiles import EMPTY, FULL, HIDDEN, MIXED, TOLERANCE, TiledMasks, tile_of

WIDTH, HEIGHT = 640, 512


class Steeper:
    """The masks of a network, so many times as fast in place and as steep; it counts the points it is asked for."""

    def __init__(self, network, faster, steeper):
        self.network, self.faster, self.steeper, self.asked = network, faster, steeper, 0

    def logits(self, points, parameters):
        self.asked += len(points) * len(parameters)
        return self.steeper * self.network.logits((self.faster * points).astype(np.float32), parameters)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return LayersNetwork(small_bundle(tmp_path_factory.mktemp("layers")))


@pytest.fixture(scope="module")
def made():
    rng = np.random.default_rng(1)
    layers = tuple(
        Layer(
            rng.normal(size=6).astype(np.float32), rng.uniform(0, 1, 3).astype(np.float32), opacity=0.7 + 0.3 * (i % 2)
        )
        for i in range(4)
    )
    return Decomposition("layers_small", 100, 80, layers, True)


# Of the last, parts of tiles are interpolated, and others evaluated at every pixel.
@pytest.mark.parametrize(("faster", "steeper", "most"), [(1, 1, 0.08), (2, 20, 0.08), (6, 20, 0.2), (20, 5, 0.75)])
def test_masks_over_tiles_are_those_of_every_pixel(network, made, faster, steeper, most):
    counting = Steeper(network, faster, steeper)
    whole = render(counting, made, WIDTH, HEIGHT)
    assert counting.asked < most * 4 * WIDTH * HEIGHT
    exact = render(counting, made, WIDTH, HEIGHT, exact=True)
    assert np.abs(whole - exact).max() < len(made.layers) * TOLERANCE
    for region in (Region(133, 150, 200, 150), Region(600, 500, 40, 12), Region(0, 0, 1, 1)):
        part = render(counting, made, WIDTH, HEIGHT, region)
        rows = slice(region.top, region.top + region.height)
        np.testing.assert_allclose(part, whole[rows, region.left : region.left + region.width], atol=1e-5)


def test_every_way_of_finding_a_mask_is_taken(network, made):
    corners = np.stack(np.meshgrid(np.arange(0, WIDTH, 32), np.arange(0, HEIGHT, 32)), axis=2).reshape(-1, 2)
    assert tile_of(WIDTH, HEIGHT) == (32, 32)

    def states(faster, steeper):
        masks = TiledMasks(Steeper(network, faster, steeper), made.parameters, made.opacities, (WIDTH, HEIGHT),
                           (32, 32), corners)  # fmt: skip
        return masks, set(masks.states.ravel())

    assert states(2, 20)[1] == {EMPTY, MIXED, FULL, HIDDEN}
    parts = [part for many in states(20, 5)[0]._parts.values() for part in many]
    assert any(part.values is None for part in parts) and any(isinstance(part.values, np.ndarray) for part in parts)


def test_layers_that_are_not_shown_cost_nothing_and_show_nothing(network, made):
    hidden = replace(made, layers=tuple(replace(one, visible=i == 2) for i, one in enumerate(made.layers)))
    alone = replace(made, layers=made.layers[2:3])
    np.testing.assert_allclose(render(network, hidden, WIDTH, HEIGHT), render(network, alone, WIDTH, HEIGHT), atol=1e-6)
    nothing = replace(made, layers=tuple(replace(one, visible=False) for one in made.layers))
    assert not render(network, nothing, WIDTH, HEIGHT).any()


@pytest.mark.parametrize(("faster", "steeper"), [(2, 20), (20, 5)])
def test_masks_of_all_layers_are_those_of_every_pixel(network, made, faster, steeper):
    own = Steeper(network, faster, steeper)
    exact = sigmoid(own.logits(pixel_centres(200, 330), made.parameters)).reshape(-1, 330, 200)
    assert tile_of(200, 330) == (16, 16)
    assert np.abs(masks_at(own, made, 200, 330) - exact).max() < 2 * TOLERANCE
