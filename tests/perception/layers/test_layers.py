"""Layers at run time: masks that know no resolution, exact numbers of layers and colours, bad files refused."""

import json
import zipfile
from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree

import numpy as np
import pytest
from fixtures_layers import small_bundle
from PIL import Image

from perception.errors import ImageError, LayersError
from perception.layers.compositing import pulls, sigmoid
from perception.layers.contours import contours
from perception.layers.decompose import Effort, decompose
from perception.layers.grid import pixel_centres
from perception.layers.network import LayersNetwork
from perception.layers.openraster import openraster
from perception.layers.palette import limited
from perception.layers.picture import decode_rgba, premultiplied
from perception.layers.project import from_json, to_json
from perception.layers.rendering import Region, render, to_rgba
from perception.layers.svg import svg
from perception.layers.tiles import TOLERANCE


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return LayersNetwork(small_bundle(tmp_path_factory.mktemp("layers")))


@pytest.fixture(scope="module")
def disc():
    picture = np.zeros((32, 48, 4), np.uint8)
    y, x = np.mgrid[:32, :48]
    picture[np.hypot(y - 16, x - 20) < 9] = (200, 40, 30, 255)
    return picture


@pytest.fixture(scope="module")
def made(network, disc):
    return decompose(network, disc, 4, Effort(2, 2, 10))


@pytest.mark.parametrize("normalisation", ["none", "group"])
def test_tiles_and_other_sizes_have_the_values_of_the_whole(tmp_path, normalisation):
    network = LayersNetwork(small_bundle(tmp_path, normalisation=normalisation))
    parameters = np.random.default_rng(1).normal(size=(2, 6)).astype(np.float32)
    whole = sigmoid(network.logits(pixel_centres(60, 60), parameters)).reshape(2, 60, 60)
    points = pixel_centres(60, 60).reshape(60, 60, 2)
    tile = sigmoid(network.logits(points[13:29, 40:57].reshape(-1, 2), parameters)).reshape(2, 16, 17)
    np.testing.assert_allclose(tile, whole[:, 13:29, 40:57], atol=1e-5)
    finer = sigmoid(network.logits(pixel_centres(180, 180), parameters)).reshape(2, 180, 180)
    np.testing.assert_allclose(finer[:, 1::3, 1::3], whole, atol=1e-5)


def test_a_large_render_is_that_of_every_pixel_and_its_parts_are_equal_to_it(network, made):
    whole = render(network, made, 960, 800)
    assert np.abs(whole - render(network, made, 960, 800, exact=True)).max() < len(made.layers) * TOLERANCE
    part = render(network, made, 960, 800, Region(333, 250, 200, 150))
    np.testing.assert_allclose(part, whole[250:400, 333:533], atol=1e-5)


def test_parts_outside_of_the_picture_are_refused(network, made):
    with pytest.raises(LayersError, match="part of the picture"):
        render(network, made, 100, 100, Region(90, 0, 20, 20))


def test_the_gradient_is_that_of_finite_differences(network):
    rng = np.random.default_rng(2)
    points, parameters = rng.uniform(-1, 1, (30, 2)).astype(np.float32), rng.normal(size=(2, 6)).astype(np.float32)
    pull = rng.normal(size=(2, 30)).astype(np.float32)
    slopes = network.gradient(network.logits_and_activations(points, parameters)[1], pull)
    for index in ((0, 0), (1, 3), (1, 5)):
        step = np.zeros_like(parameters)
        step[index] = 1e-2
        low, high = ((network.logits(points, parameters + s * step) * pull).sum() for s in (-1, 1))
        assert slopes[index] == pytest.approx((high - low) / 2e-2, rel=0.02, abs=2e-3)


def test_pulls_on_masks_and_colours_are_those_of_finite_differences():
    rng = np.random.default_rng(3)
    masks, paint, target = (rng.uniform(0, 1, shape).astype(np.float32) for shape in ((3, 5), (3, 4), (5, 4)))
    _, by_masks, by_paint = pulls(masks, paint, target)
    for array, slopes, index in ((masks, by_masks, (1, 2)), (paint, by_paint, (0, 1))):
        before = array[index]
        values = []
        for step in (-1e-2, 1e-2):
            array[index] = before + step
            values.append(pulls(masks, paint, target)[0])
        array[index] = before
        assert slopes[index] == pytest.approx((values[1] - values[0]) / 2e-2, abs=1e-4)


def test_there_are_exactly_as_many_layers_as_asked_for_and_refinement_pays(network, disc):
    def error(effort):
        found = decompose(network, disc, 5, effort)
        assert len(found.layers) == 5
        return ((render(network, found, 48, 32) - premultiplied(disc)) ** 2).mean()

    assert error(Effort(0, 0, 60)) < 0.8 * error(Effort())


def test_a_step_that_does_not_pay_ends_it(network, disc):
    assert len(decompose(network, disc, 20, Effort(2, 5, 0), least_gain=0.5).layers) < 3


def test_colours_are_as_many_as_asked_for():
    colours = np.random.default_rng(4).uniform(0, 1, (12, 3)).astype(np.float32)
    assert len(np.unique(limited(colours, np.ones(12, np.float32), 4), axis=0)) == 4
    np.testing.assert_array_equal(limited(colours, np.ones(12, np.float32), 12), colours)


def test_contours_lie_on_the_level(network):
    rng, looked_at = np.random.default_rng(5), 0
    for parameters in rng.normal(0, 3, (20, 6)).astype(np.float32):
        for polygon in contours(network, parameters, 48, 32, 0.5, 0.01):
            inside = ((polygon > 0.5) & (polygon < (47.5, 31.5))).all(axis=1)
            places = (2 * polygon[inside] / (48, 32) - 1).astype(np.float32)
            if len(places):
                assert np.abs(sigmoid(network.logits(places, parameters[None])) - 0.5).max() < 0.02
                looked_at += 1
    assert looked_at > 5


def test_svg_has_a_group_of_paths_for_each_layer(network, made):
    hostile = replace(made, layers=(replace(made.layers[0], name='<script>"&\x01'), *made.layers[1:]))
    root = ElementTree.fromstring(svg(network, hostile, levels=3))
    groups = root.findall("{*}g")
    assert [one.get("id") for one in groups] == ["layer-1", "layer-2", "layer-3", "layer-4"]
    assert all(len(one.findall("{*}path")) == 3 for one in groups)
    assert groups[0].find("{*}title").text == '<script>"&?'
    assert not root.findall(".//{*}script")


def test_openraster_opens_and_what_is_transparent_stays_so(network, made):
    with zipfile.ZipFile(BytesIO(openraster(network, made, 48, 32))) as archive:
        assert archive.namelist()[0] == "mimetype"
        stack = ElementTree.fromstring(archive.read("stack.xml"))
        names = [one.get("name") for one in stack.iter("layer")]
        merged = np.asarray(Image.open(BytesIO(archive.read("mergedimage.png"))))
    assert names == ["layer 4", "layer 3", "layer 2", "layer 1"]
    assert merged.shape == (32, 48, 4)
    np.testing.assert_array_equal(merged, to_rgba(render(network, made, 48, 32)))


def test_a_project_is_read_as_it_was_written(network, made):
    again = from_json(to_json(made))
    np.testing.assert_array_equal(again.parameters, made.parameters)
    np.testing.assert_allclose(render(network, again, 48, 32), render(network, made, 48, 32), atol=1e-5)


@pytest.mark.parametrize("change", [
    {"width": 10**9}, {"layers": [{"colour": [2, 0, 0], "parameters": [1]}]}, {"network": "../../etc"},
    {"layers": [{"colour": [0, 0, 0], "parameters": [1e300]}]}, {"more": 1},
])  # fmt: skip
def test_hostile_projects_are_refused(made, change):
    with pytest.raises(LayersError, match="no project of layers"):
        from_json(json.dumps(json.loads(to_json(made)) | change))


def encoded(picture, ending="PNG", **options):
    out = BytesIO()
    picture.save(out, ending, **options)
    return out.getvalue()


@pytest.mark.parametrize("content", [
    encoded(Image.new("L", (20, 10), 77)), encoded(Image.new("P", (20, 10), 3)),
    encoded(Image.new("CMYK", (20, 10)), "JPEG"), encoded(Image.fromarray(np.full((10, 20), 20_000, np.uint16))),
    encoded(Image.new("RGB", (20, 10)), "GIF", save_all=True, append_images=[Image.new("RGB", (20, 10), 9)]),
])  # fmt: skip
def test_pictures_of_every_kind_are_read(content):
    assert decode_rgba(content, "it").shape == (10, 20, 4)


@pytest.mark.parametrize(("content", "kind"), [
    (b"", "empty"), (b"no picture", "format"), (encoded(Image.new("RGB", (40, 40)))[:60], "damaged"),
    (encoded(Image.new("RGB", (1, 1))), "size"), (encoded(Image.new("1", (10_000, 6000))), "size"),
])  # fmt: skip
def test_other_files_are_refused_in_a_sentence(content, kind):
    with pytest.raises(ImageError, match="it ") as caught:
        decode_rgba(content, "it")
    assert caught.value.kind == kind
