"""Layers that were changed by hand: gradients, lightness, joined masks, in pixels, SVG, OpenRaster and JSON alike."""

import json
import zipfile
from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from fixtures_layers import small_bundle
from PIL import Image

from perception.errors import LayersError
from perception.layers.layer import Decomposition, Gradient, Layer
from perception.layers.network import LayersNetwork
from perception.layers.openraster import openraster
from perception.layers.project import from_json, to_json
from perception.layers.rendering import Region, colours_at, mask_at, render, to_rgba
from perception.layers.svg import svg

RED, BLUE, GREY = (np.array(one, np.float32) for one in ([1, 0, 0], [0, 0, 1], [0.5, 0.5, 0.5]))


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return LayersNetwork(small_bundle(tmp_path_factory.mktemp("layers")))


@pytest.fixture(scope="module")
def parameters():
    return np.random.default_rng(6).normal(0, 2, (3, 6)).astype(np.float32)


@pytest.fixture(scope="module")
def edited(parameters):
    """Two layers: a joined one that fades from red to blue, darkened, and a light one half seen over it."""
    gradient = Gradient(BLUE, (-0.5, 0.0), (0.5, 0.25))
    lower = Layer(parameters[0], RED, "joined", 1.0, True, -0.25, gradient, (parameters[1],))
    upper = Layer(parameters[2], GREY, "over", 0.5, True, 0.5)
    return Decomposition("layers_small", 48, 32, (lower, upper), True)


def test_lightness_goes_straight_to_black_and_to_white(parameters):
    colour = np.array([0.2, 0.4, 0.8], np.float32)
    shown = [Layer(parameters[0], colour, lightness=one).paint for one in (-1, -0.5, 0, 0.5, 1)]
    wanted = [[0, 0, 0], [0.1, 0.2, 0.4], [0.2, 0.4, 0.8], [0.6, 0.7, 0.9], [1, 1, 1]]
    np.testing.assert_allclose(shown, wanted, atol=1e-6)


def test_a_gradient_lies_between_its_ends_and_is_perpendicular_to_its_line_in_px(parameters):
    along = colours_at(Layer(parameters[0], RED, gradient=Gradient(BLUE, (-0.5, -0.5), (0.5, 0.5))), 40, 20)
    assert along.shape == (20, 40, 3)
    np.testing.assert_array_equal(along[0, 0], RED)
    np.testing.assert_array_equal(along[-1, -1], BLUE)
    # From the middle (20, 10) by (10, -20): perpendicular to the line, which goes by (20, 10).
    np.testing.assert_allclose(along[5, 22], along[7, 21], atol=1e-6)
    np.testing.assert_allclose(along.sum(axis=2), 1, atol=1e-6)


@pytest.mark.parametrize("transparent", [True, False])
def test_pixels_are_as_the_layers_say(network, edited, transparent):
    made = replace(edited, transparent=transparent)
    found = render(network, made, 48, 32)
    wanted = np.zeros((32, 48, 4 if transparent else 3), np.float32)
    for layer in made.layers:
        outside = np.prod([1 - mask_at(network, Layer(one, RED), 48, 32) for one in layer.masks], axis=0)
        mask = layer.opacity * (1 - outside)[..., None]
        paint = np.broadcast_to(colours_at(layer, 48, 32), (32, 48, 3))
        if transparent:
            paint = np.concatenate([paint, np.ones((32, 48, 1))], axis=2)
        wanted += mask * (paint - wanted)
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_parts_of_edited_layers_are_equal_to_the_whole(network, edited):
    whole = render(network, edited, 960, 640)
    part = render(network, edited, 960, 640, Region(333, 250, 200, 150))
    np.testing.assert_allclose(part, whole[250:400, 333:533], atol=1e-5)


def test_plain_layers_are_the_same_whichever_way_they_are_painted(network, edited, parameters):
    layers = tuple(Layer(one, colour) for one, colour in zip(parameters, (RED, BLUE, GREY), strict=True))
    plain = replace(edited, layers=layers)
    faded = replace(plain.layers[0], gradient=Gradient(RED, (-1, 0), (1, 0)))
    other = replace(plain, layers=(faded, *plain.layers[1:]))
    np.testing.assert_allclose(render(network, plain, 700, 660), render(network, other, 700, 660), atol=1e-5)


def test_svg_has_the_gradient_and_paths_of_all_masks(network, edited):
    root = ElementTree.fromstring(svg(network, edited, levels=2))
    (gradient,) = root.findall(".//{*}linearGradient")
    assert [gradient.get(one) for one in ("x1", "y1", "x2", "y2")] == ["12", "16", "36", "20"]
    assert [stop.get("stop-color") for stop in gradient] == ["#bf0000", "#0000bf"]
    lower, upper = root.findall("{*}g")
    assert lower.get("fill") == f"url(#{gradient.get('id')})" and len(lower.findall("{*}path")) == 4
    assert upper.get("fill") == "#bfbfbf" and upper.get("opacity") == "0.500"


def test_openraster_has_the_gradient_in_its_layer(network, edited):
    with zipfile.ZipFile(BytesIO(openraster(network, edited, 48, 32))) as archive:
        lower = np.asarray(Image.open(BytesIO(archive.read("data/layer1.png"))))
        merged = np.asarray(Image.open(BytesIO(archive.read("mergedimage.png"))))
    np.testing.assert_array_equal(lower[..., :3], np.rint(255 * colours_at(edited.layers[0], 48, 32)))
    np.testing.assert_array_equal(merged, to_rgba(render(network, edited, 48, 32)))


def test_edits_are_read_as_they_were_written(network, edited):
    text = to_json(edited)
    again = from_json(text)
    assert to_json(again) == text
    np.testing.assert_array_equal(render(network, again, 48, 32), render(network, edited, 48, 32))


def test_colours_asked_for_take_the_place_of_gradients(edited):
    plain = edited.with_colours(np.stack([RED, BLUE]))
    np.testing.assert_array_equal(plain.colours, [RED, BLUE])
    assert plain.layers[0].gradient is None and plain.layers[0].joined


@pytest.mark.parametrize("change", [
    {"lightness": 1.5}, {"lightness": "nan"}, {"gradient": {"colour": [0, 0, 0]}}, {"script": "alert(1)"},
    {"gradient": {"colour": [0, 0, 2], "start": [0, 0], "end": [0, 0]}}, {"opacity": -1}, {"name": "a" * 300},
    {"gradient": {"colour": [0, 0, 0], "start": [0, 0], "end": [0, 1e9]}}, {"joined": [[1, 2]]}, {"joined": [[]]},
    {"joined": [[0.0] * 6] * 256}, {"visible": "perhaps"},
])  # fmt: skip
def test_hostile_edits_are_refused(edited, change):
    project = json.loads(to_json(edited))
    project["layers"][0] |= change
    with pytest.raises(LayersError, match=r"the project (is no project|has)"):
        from_json(json.dumps(project))
