"""blockworld layers decompose, as a user types it, with a small network that was not trained."""

import json
import zipfile
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from fixtures_layers import small_bundle
from PIL import Image


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A models folder, and a picture of a disc on nothing."""
    made = tmp_path_factory.mktemp("layers")
    small_bundle(made)
    disc = np.zeros((40, 60, 4), np.uint8)
    cv2.circle(disc, (24, 20), 12, (200, 40, 30, 255), -1)
    Image.fromarray(disc).save(made / "disc.png")
    return made


@pytest.fixture
def words(place):
    return "--model", "layers_small", "--models", place


def test_a_picture_is_written_in_every_format_and_its_json_is_read_again(blockworld, place, words, tmp_path):
    files = {ending: tmp_path / f"disc.{ending}" for ending in ("svg", "ora", "png", "json")}
    outs = [word for path in files.values() for word in ("--out", path)]
    status, told, _ = blockworld(
        "layers", "decompose", place / "disc.png", "--layers", 5, "--effort", "fast", *outs, *words
    )
    assert status == 0 and "disc.png: 5 layers, mean absolute error 0." in told
    groups = ElementTree.parse(files["svg"]).getroot().findall("{*}g")
    assert len(groups) == 5 and all(group.findall("{*}path") for group in groups)
    assert Image.open(files["png"]).size == (60, 40)
    assert zipfile.ZipFile(files["ora"]).namelist()[0] == "mimetype"
    assert "c" in groups[0].find("{*}path").get("d") or "l" in groups[0].find("{*}path").get("d")
    words = ("layers", "decompose", files["json"], "--polygons", "--out", tmp_path / "straight.svg", "--models", place)
    assert blockworld(*words)[0] == 0
    straight = ElementTree.parse(tmp_path / "straight.svg").getroot().findall("{*}g/{*}path")
    assert not any(set(one.get("d")) & set("cl") for one in straight)
    large = tmp_path / "large.png"
    assert blockworld("layers", "decompose", files["json"], "--size", 240, "--out", large, "--models", place)[0] == 0
    assert Image.open(large).size == (240, 160)


def test_there_are_as_many_colours_as_asked_for(blockworld, refused, place, words, tmp_path):
    out = tmp_path / "few.json"
    asked = ("layers", "decompose", place / "disc.png", "--layers", 6, "--effort", "fast", "--out", out)
    assert blockworld(*asked, "--colours", 2, *words)[0] == 0
    assert len({tuple(layer["colour"]) for layer in json.loads(out.read_text())["layers"]}) == 2
    assert "7 colours were asked for of 6 layers: ask for more layers." in refused(*asked, "--colours", 7, *words)


def test_bad_input_gets_one_sentence_and_nothing_is_written(refused, blockworld, place, words, tmp_path):
    out = tmp_path / "out.svg"
    for name, content, sentence in (
        ("empty.png", b"", "is empty"),
        ("text.png", b"no picture", "is no picture that can be read"),
        ("project.json", b"{}", "is no project of layers"),
    ):
        (tmp_path / name).write_bytes(content)
        assert sentence in refused("layers", "decompose", tmp_path / name, "--out", out, *words)
    told = refused("layers", "decompose", tmp_path / "nowhere.png", "--out", out, *words)
    assert "nowhere.png cannot be read" in told
    assert blockworld("layers", "decompose", place / "disc.png", "--out", tmp_path / "out.gif", *words)[0] == 2
    assert not out.exists()
