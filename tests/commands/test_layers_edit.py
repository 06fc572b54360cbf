"""blockworld layers edit, as a user types it, with a small network that was not trained."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pytest
from fixtures_layers import small_bundle
from PIL import Image

from blockworld.cli import EXIT_INTERRUPTED
from perception.layers.project import read_project, to_json

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A models folder."""
    made = tmp_path_factory.mktemp("layers")
    small_bundle(made)
    return made


@pytest.fixture
def picture(tmp_path):
    """Alone in its folder."""
    folder = tmp_path / "mine"
    folder.mkdir()
    Image.new("RGB", (40, 30), (200, 40, 30)).save(folder / "red.png")
    return folder / "red.png"


@pytest.fixture
def editor(place):
    """Starts the command; gives the address that it tells."""
    running = []

    def start(*words):
        given = [*words, "--port", "0", "--size", "64", "--model", "layers_small", "--models", place]
        process = subprocess.Popen(
            [sys.executable, "-c", "from blockworld.cli import main; main()", "layers", "edit", *map(str, given)],
            stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        running.append(process)
        told = process.stdout.readline()
        return re.fullmatch(r"the page is at (http://127\.0\.0\.1:\d+)/; Ctrl-C ends it\n", told).group(1)

    yield start
    for process in running:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) in (0, EXIT_INTERRUPTED)
        process.stdout.close()


def state(address):
    while True:
        found = json.loads(urlopen(f"{address}/api/state", timeout=30).read())
        if found["working"] is None:
            return found["document"]


def save(address, document, layers):
    body = json.dumps({"document": document["id"], "layers": layers}).encode()
    headers = {"Content-Type": "application/json"}
    assert json.loads(urlopen(Request(f"{address}/api/save", body, headers), timeout=30).read()) == {"saved": True}


def test_a_picture_is_edited_saved_and_its_project_opened_and_exported_again(blockworld, editor, place, picture):
    address = editor(picture, "--layers", 4, "--effort", "fast", "--colours", 2)
    document = state(address)
    assert document["name"] == "red.png" and len(document["layers"]) == 4
    assert len({tuple(layer["colour"]) for layer in document["layers"]}) <= 2
    lowest, *_, top = document["layers"]
    joined = top | {"masks": [3, 2, 1], "colour": [0.0, 0.0, 1.0], "lightness": 0.5}
    save(address, document, [joined, lowest | {"opacity": 0.25}])
    project = picture.with_suffix(".json")
    assert sorted(path.name for path in picture.parent.iterdir()) == ["red.json", "red.png"]

    again = state(editor(project))
    assert [layer["masks"] for layer in again["layers"]] == [[0, 1, 2], [3]]
    assert again["layers"][0]["colour"] == [0, 0, 1] and again["layers"][1]["opacity"] == 0.25

    out = picture.parent / "out.svg", picture.parent / "out.png"
    words = [word for path in out for word in ("--out", path)]
    assert blockworld("layers", "decompose", project, *words, "--models", place)[0] == 0
    assert '<g id="layer-1" fill="#8080ff"' in out[0].read_text() and 'opacity="0.250"' in out[0].read_text()
    assert np.asarray(Image.open(out[1])).shape == (30, 40, 4)


def test_a_project_is_saved_where_it_was_or_where_it_was_said(editor, picture, place, blockworld):
    project, other = picture.with_name("it.json"), picture.with_name("other.json")
    words = ("--effort", "fast", "--model", "layers_small", "--models", place)
    assert blockworld("layers", "decompose", picture, "--out", project, *words)[0] == 0
    before = project.read_text()
    address = editor(project, "--save", other)
    document = state(address)
    save(address, document, document["layers"][:1])
    assert project.read_text() == before and len(read_project(other).layers) == 1
    address = editor(project)
    save(address, state(address), state(address)["layers"][1:])
    assert len(read_project(project).layers) == 2 and to_json(read_project(project)) == project.read_text()


def test_bad_input_gets_one_sentence(refused, blockworld, picture, place):
    words = ("--model", "layers_small", "--models", place)
    (picture.parent / "text.png").write_bytes(b"no picture")
    (picture.parent / "bad.json").write_text('{"layers": "<script>"}')
    for name, sentence in (("nowhere.png", "cannot be read"), ("text.png", "is no picture that can be read"),
                           ("bad.json", "is no project of layers")):  # fmt: skip
        assert sentence in refused("layers", "edit", picture.parent / name, *words, "--save", picture.parent / "s.json")
    assert "nothing" in refused("layers", "edit", picture, "--model", "nothing", "--models", place)
    picture.with_suffix(".json").write_text("mine")
    assert "red.json exists already: edit that, or say where" in refused("layers", "edit", picture, *words)
    assert picture.with_suffix(".json").read_text() == "mine"
    assert blockworld("layers", "edit", picture, "--save", picture.parent / "red.svg", *words)[0] == 2
