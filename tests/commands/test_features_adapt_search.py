"""blockworld features adapt and search, as a user types them, with a network that nobody trained."""

import json

import cv2
import numpy as np
import pytest
import torch
import trimesh
from fixtures_renderers import opened

from sim.shapes import load_shape
from sim.shapes.controlled import Look
from training.features import search
from training.features.squeezenet import SqueezeNet

SIZE_PX, MODELS = 48, ("car", "lamp", "table")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Weights, three meshes of different things, and a picture of the second."""
    made = tmp_path_factory.mktemp("features")
    torch.manual_seed(0)
    torch.save(SqueezeNet().state_dict(), made / "random.pth")
    (made / "meshes").mkdir()
    for category in MODELS:
        shape = load_shape(f"{category}/0/0")
        trimesh.Trimesh(shape.vertices, shape.faces, process=False).export(made / "meshes" / f"{category}.obj")
    renderer = opened("gl")
    picture = search.on_white(renderer, "shape/lamp/0/0", Look(elevation_rad=0.45, foreground=(0.5, 0.3, 0.2)), SIZE_PX)
    renderer.close()
    cv2.imwrite(str(made / "lamp.png"), picture[..., ::-1])
    return made


@pytest.fixture
def network(place, monkeypatch, tmp_path):
    monkeypatch.setenv("BLOCKWORLD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(search, "AZIMUTHS", 4)
    monkeypatch.setattr(search, "ELEVATIONS_RAD", (0.4,))
    monkeypatch.setattr(search, "NEGATIVES", 64)
    chosen = ("--network", "squeezenet", "--layer", "fire4", "--size", SIZE_PX)
    return (*chosen, "--weights", f"squeezenet={place / 'random.pth'}")


def test_what_is_learned_is_used_to_find_the_model_that_a_picture_shows(blockworld, place, network, tmp_path):
    phi, out, picture = tmp_path / "phi.npz", tmp_path / "found.json", tmp_path / "found.png"
    status, told, _ = blockworld("features", "adapt", "--pairs", 20, "--models", 5, *network, "--out", phi)
    assert status == 0 and "models held out" in told and "models learned from" in told
    status, told, _ = blockworld(
        "features", "search", place / "lamp.png", "--models", place / "meshes", "--adaptation", phi, *network,
        "--out", out, "--picture", picture,
    )  # fmt: skip
    assert status == 0 and "3 of 3 models" in told
    found = json.loads(out.read_text())
    assert found[0]["model"].endswith("lamp.obj") and found[0]["score"] > found[1]["score"]
    assert cv2.imread(str(picture)).shape == (256, 4 * 256, 3)


def test_features_are_kept_for_the_next_kind(blockworld, network, tmp_path, monkeypatch):
    words = ("features", "adapt", "--pairs", 10, "--models", 5, *network, "--out", tmp_path / "phi.npz")
    assert blockworld(*words)[0] == 0
    monkeypatch.setattr("training.features.pairs.pair", None)  # nothing is drawn again
    assert blockworld(*words, "--kind", "deep")[0] == 0


def test_an_adaptation_of_another_layer_is_one_sentence(blockworld, refused, place, network, tmp_path):
    phi = tmp_path / "phi.npz"
    assert blockworld("features", "adapt", "--pairs", 10, "--models", 5, *network, "--out", phi)[0] == 0
    other = [*network[:3], "fire2", *network[4:]]
    said = refused(
        "features", "search", place / "lamp.png", "--models", place / "meshes", "--adaptation", phi, *other
    )
    assert "is for features of squeezenet, layer fire4, and not of squeezenet, layer fire2" in said


def test_bad_input_is_one_sentence(refused, place, network, tmp_path):
    (tmp_path / "empty").mkdir()
    adapt = ("features", "adapt", *network, "--out", tmp_path / "phi.npz")
    assert "there is no picture in" in refused(*adapt, "--backgrounds", tmp_path / "empty")
    assert "there are no shapes of category 'dragon'" in refused(*adapt, "--category", "dragon")
    find = ("features", "search", place / "lamp.png", *network)
    assert "there is no model in" in refused(*find, "--models", tmp_path / "empty")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "bad.obj").write_text("nothing")
    assert "bad.obj" in refused(*find, "--models", tmp_path / "bad")


def test_a_thing_in_a_tight_box_touches_two_edges(place):
    renderer = opened("gl")
    drawn = search.on_white(renderer, "shape/lamp/0/0", Look(), SIZE_PX)
    renderer.close()
    rows, columns = np.nonzero((drawn < 250).any(axis=2))
    assert max(np.ptp(rows), np.ptp(columns)) >= SIZE_PX - 2
