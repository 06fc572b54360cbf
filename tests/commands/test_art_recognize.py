"""blockworld art recognize, as a user types it. Features are of pixels: no network runs."""

import csv
import json

import numpy as np
import pytest
import torch
from fixtures_art import published, random_backbone
from PIL import Image

from training.art.features import Features
from training.art.recognition import marks
from training.art.recognition.orientations import ORIENTATIONS, oriented
from training.art.recognition.symbols import drawing, symbol

TURNED = ORIENTATIONS[5]
"""A quarter, mirrored."""


def picture(number):
    """The drawing of a mark."""
    return np.repeat(drawing(symbol(1, number))[..., None], 3, axis=2)


class Pixels(marks.MarkExtractor):
    """Features are the pixels of each cell."""

    def _grid(self, picture, shape):
        rows, columns = shape
        small = np.asarray(Image.fromarray(picture.rgb).convert("L").resize((columns * 4, rows * 4)), np.float32)
        values = small.reshape(rows, 4, columns, 4).transpose(0, 2, 1, 3).reshape(rows, columns, 16) - small.mean()
        return (values / np.maximum(np.linalg.norm(values, axis=2, keepdims=True), 1e-6)).astype(np.float16)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Drawings of four marks: two files, and two folders of one that also have bad ones; photographs of two."""
    made = tmp_path_factory.mktemp("marks")
    for folder in ("drawings/crown", "drawings/bull", "photographs/crown", "photographs/anchor", "photographs/nobody"):
        (made / folder).mkdir(parents=True)
    for number, name in enumerate(("anchor.png", "bell.png", "crown/1.png", "bull/1.png")):
        Image.fromarray(picture(number)).save(made / "drawings" / name)
    (made / "drawings" / "bull" / "empty.jpg").touch()
    for number, name in ((0, "anchor/a.png"), (2, "crown/b.png"), (2, "nobody/c.png")):
        Image.fromarray(np.ascontiguousarray(oriented(picture(number), TURNED))).save(made / "photographs" / name)
    (made / "photographs" / "crown" / "text.jpg").write_text("no picture")
    torch.save(published(random_backbone()), made / "weights.pth")
    return made


@pytest.fixture
def words(place, monkeypatch):
    monkeypatch.setattr(marks, "MarkExtractor", Pixels)
    return (
        "--references", place / "drawings", "--weights", place / "weights.pth", "--cache", place / "cache"
    )


def test_a_turned_picture_is_given_its_class_in_every_form(blockworld, place, words, tmp_path):
    asked = place / "photographs" / "crown" / "b.png"
    table, found, drawn = (tmp_path / name for name in ("found.csv", "found.json", "found.png"))
    status, told, errors = blockworld("art", "recognize", asked, "--out", table, "--picture", drawn, *words)
    first = told.splitlines()[0].split()
    assert status == 0 and first[0] == "1" and first[2:] == ["crown", "crown/1.png", "(turned", "90,", "mirrored)"]
    assert "empty.jpg is empty" in errors and told.splitlines()[-1].startswith("4 classes in 4 references; ")
    (best, *others) = csv.DictReader(table.open())
    assert (best["class"], best["turned_deg"], best["mirrored"]) == ("crown", "90", "yes") and len(others) == 3
    assert min(Image.open(drawn).size) > 200
    assert blockworld("art", "recognize", asked, "--most", 1, "--out", found, *words)[0] == 0
    (only,) = json.loads(found.read_text())["results"]
    assert only["class"] == "crown" and only["mirrored"] is True


def test_of_a_folder_it_is_told_how_often_the_class_is_right(blockworld, place, words, tmp_path):
    status, told, errors = blockworld(
        "art", "recognize", place / "photographs", "--out", tmp_path / "all.csv", *words
    )
    assert status == 0 and "2 pictures: top-1 100.0 %, top-5 100.0 %" in told
    assert "anchor                      1 pictures, top-1 100.0 %" in told
    assert "text.jpg is no picture" in errors
    assert "c.png is of nobody, which is no class of the references." in errors
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 1 + 3 * 4


def test_bad_input_is_told(refused, blockworld, place, words, tmp_path):
    told = blockworld("art", "recognize", place / "photographs" / "crown" / "text.jpg", *words)[2]
    assert "text.jpg is no picture that can be read" in told
    (tmp_path / "empty").mkdir()
    assert "there is no picture in" in refused("art", "recognize", tmp_path / "empty", *words)
    sentence = refused("art", "recognize", place / "photographs", "--picture", tmp_path / "a.png", *words)
    assert "shows one picture's classes" in sentence
    one = tmp_path / "one"
    one.mkdir()
    Image.fromarray(picture(0)).save(one / "a.png")
    again = (*words[:1], one, *words[2:])
    assert "has fewer than two classes" in refused("art", "recognize", one / "a.png", *again)


def test_the_same_file_in_two_classes_is_told_and_both_keep_it(blockworld, place, words, tmp_path):
    for name in ("first.png", "second.png", "third.png"):
        Image.fromarray(picture(3 if name == "third.png" else 0)).save(tmp_path / name)
    again = (*words[:1], tmp_path, *words[2:])
    status, told, errors = blockworld("art", "recognize", tmp_path / "first.png", *again)
    assert status == 0 and "of another class: nothing can tell the two apart." in errors
    assert "3 classes in 3 references" in told


def test_help_has_an_example(blockworld):
    status, told, _ = blockworld("art", "recognize", "--help")
    assert status == 0 and "Example: blockworld art recognize photo.jpg --references drawings" in told


def test_features_are_kept_for_these_scales(tmp_path):
    store = marks.FeatureStore(tmp_path, "key", marks.REFERENCE_CELLS)
    grids = tuple(np.ones((*marks.grid_shape((30, 40), cells), 4), np.float16) for cells in marks.REFERENCE_CELLS)
    store.put("ab" + 62 * "0", Features((30, 40), grids))
    assert [one.shape for one in store["ab" + 62 * "0"].grids] == [one.shape for one in grids]
