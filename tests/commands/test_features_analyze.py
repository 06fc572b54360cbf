"""blockworld features analyze, as a user types it."""

import json

import pytest
import torch
from fixtures_renderers import opened

from training.features.squeezenet import SqueezeNet


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    opened("gl").close()
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.save(SqueezeNet().state_dict(), path)
    return f"squeezenet={path}"


def test_two_networks_are_compared_on_a_page_and_in_json(blockworld, weights, tmp_path):
    factors = ("--factor", "style=3", "--factor", "azimuth=4", "--size", 48)
    networks = ("--network", "squeezenet", "--network", "coarse", "--weights", weights)
    status, told, _ = blockworld("features", "analyze", *networks, *factors, "--out", tmp_path / "report")
    assert status == 0 and "12 pictures" in told
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert [one["name"] for one in report["networks"]] == ["squeezenet", "coarse"]
    for layer in (layer for network in report["networks"] for layer in network["layers"]):
        total = sum(one["share"] for one in layer["factors"].values()) + layer["residual"]
        assert abs(total - 1) <= 1e-6
        assert len(layer["factors"]["azimuth"]["embedding"]) == 4 and 1 <= layer["factors"]["style"]["dimension"] <= 2
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 3 + 4 and "http:" not in page and "https:" not in page


def test_a_factor_with_one_value_is_refused(refused, tmp_path):
    said = refused("features", "analyze", "--factor", "azimuth=1", "--out", tmp_path)
    assert said == "the factor azimuth has 1 value, so nothing varies by it: give 2 or more, or leave it out."


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--factor", "mood=3"), "there is no factor 'mood': choose of style, azimuth"),
        (("--factor", "azimuth"), "'azimuth' is not FACTOR=NUMBER"),
        (("--factor", "azimuth=3", "--factor", "azimuth=4"), "the factor azimuth is given 2 times"),
        (("--factor", "azimuth=900", "--factor", "style=900"), "810000 combinations of values are more than 100000"),
        (("--category", "dragon"), "there are no shapes of category 'dragon'"),
        (("--network", "coarse", "--layer", "fc7"), "coarse has no layer 'fc7': choose of relu, relu_1"),
        (("--network", "coarse", "--network", "tool", "--layer", "relu"), "--layer names layers of one network"),
        (("--network", "coarse", "--weights", "resnet18=x.npz"), "--weights are for resnet18, which is not asked for"),
        (("--weights", "resnet18=nothing.npz"), "nothing.npz do not exist"),
        (("--network", "coarse", "--weights", "coarse=x.npz"), "coarse brings its weights"),
    ],
)
def test_bad_input_is_one_sentence(refused, words, why, tmp_path):
    assert why in refused("features", "analyze", *words, "--out", tmp_path)


def test_pictures_too_small_for_a_network_are_one_sentence(refused, weights, tmp_path):
    said = refused(
        "features", "analyze", "--network", "squeezenet", "--weights", weights, "--size", 4, "--out", tmp_path
    )
    assert "pictures of 4 px are too small for squeezenet" in said
