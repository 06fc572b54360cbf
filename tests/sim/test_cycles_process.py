"""The child process of the cycles renderer, with stand-ins for Blender: messages, chatter, death."""

import io
import sys

import numpy as np
import pytest

from sim.renderers import cycles_process
from sim.renderers.cycles_messages import receive, send
from sim.renderers.cycles_process import BlenderError, BlenderProcess, blender_python

PREAMBLE = """
import os, sys
sys.path.insert(0, {folder!r})
from cycles_messages import receive, send
requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)
send(answers, {{"ready": "4.5", "device": "CPU"}})
"""


def child(body):
    text = PREAMBLE.format(folder=str(cycles_process.WORKER.parent)) + body
    return BlenderProcess(command=[sys.executable, "-c", text])


def test_a_message_comes_out_as_it_went_in():
    pipe = io.BytesIO()
    arrays = {"a/b": np.arange(6, dtype=np.int32).reshape(2, 3), "empty": np.empty((0, 4))}
    send(pipe, {"items": ["ü", 1.5, None]}, arrays)
    send(pipe, {"second": True})
    pipe.seek(0)
    header, found = receive(pipe)
    assert header == {"items": ["ü", 1.5, None]}
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)
    assert receive(pipe) == ({"second": True}, {})


def test_a_message_cut_short_is_an_end_of_file():
    pipe = io.BytesIO()
    send(pipe, {"key": "value"}, {"a": np.zeros(100)})
    with pytest.raises(EOFError):
        receive(io.BytesIO(pipe.getvalue()[:-5]))


def test_messages_hold_no_code():
    pipe = io.BytesIO()
    send(pipe, {}, {"a": np.array([print], dtype=object)})
    pipe.seek(0)
    with pytest.raises(ValueError, match="allow_pickle"):
        receive(pipe)


def test_what_blender_prints_disturbs_nothing():
    process = child(
        "print('Fra:1 Mem:12M')\n"
        "os.system('echo Saved: picture')\n"
        "header, arrays = receive(requests)\n"
        "send(answers, {}, {'twice': 2 * arrays['a']})\n"
        "receive(requests)\n"
    )
    assert process.ask({}, {"a": np.array([1, 2])})["twice"].tolist() == [2, 4]
    process.close()
    process.close()


def test_a_child_that_dies_is_told_in_one_sentence():
    process = child("receive(requests)\nprint('out of memory')\nsys.stdout.flush()\nos._exit(7)\n")
    with pytest.raises(BlenderError, match=r"has ended \(exit status 7\); its last words: out of memory\."):
        process.ask({}, {})
    with pytest.raises(BlenderError, match="has ended"):
        process.ask({}, {})
    process.close()


def test_a_python_without_blender_is_told_with_what_to_do():
    with pytest.raises(BlenderError, match=r"No module named 'no_bpy'\. Make an environment .*\./run setup photoreal"):
        BlenderProcess(command=[sys.executable, "-c", "import no_bpy"])


def test_what_the_child_refuses_leaves_it_alive():
    process = child(
        "receive(requests)\nsend(answers, {'error': 'KeyError: mesh'})\n"
        "receive(requests)\nsend(answers, {}, {})\n"
    )
    with pytest.raises(BlenderError, match="could not draw the scene: KeyError: mesh"):
        process.ask({}, {})
    assert process.ask({}, {}) == {}
    process.close()


@pytest.fixture
def search(monkeypatch, tmp_path):
    blender_python.cache_clear()
    monkeypatch.delenv(cycles_process.VARIABLE, raising=False)
    monkeypatch.setattr(cycles_process, "find_spec", lambda name: None)
    monkeypatch.setattr(cycles_process, "OWN", tmp_path / "own/python")
    yield monkeypatch
    blender_python.cache_clear()


def test_where_there_is_no_blender_the_message_says_how_to_get_it(search):
    with pytest.raises(BlenderError, match=r"\./run setup photoreal.*BLOCKWORLD_PHOTOREAL_PYTHON"):
        blender_python()


def test_a_python_that_is_named_must_be_there(search, tmp_path):
    search.setenv(cycles_process.VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(BlenderError, match="which is no file"):
        blender_python()
    there = tmp_path / "python"
    there.touch()
    blender_python.cache_clear()
    search.setenv(cycles_process.VARIABLE, str(there))
    assert blender_python() == there


def test_an_environment_of_its_own_is_found(search, tmp_path):
    own = tmp_path / "own/python"
    own.parent.mkdir()
    own.touch()
    assert blender_python() == own
