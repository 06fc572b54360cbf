"""blockworld grasp, as a user types it."""

import json
import sys
from types import ModuleType

import cv2
import pytest

from perception.errors import BlockworldError


def test_try_tells_how_many_pass_each_phase(blockworld, tmp_path):
    status, out, _ = blockworld("grasp", "try", "--episodes", 2, "--seed", 7, "--out", tmp_path)
    assert status == 0
    assert "success rate 1.000 of 2 trials" in out
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["passed"] == dict.fromkeys(("reach", "approach", "close", "lift", "hold", "shake"), 2)
    assert (summary["robot"], summary["success_rate"], summary["reasons"]) == ("panda", 1.0, {})
    assert [one["success"] for one in summary["trials"]] == [True, True]


def test_a_large_error_fails_with_its_reason(blockworld, tmp_path):
    status, out, _ = blockworld("grasp", "try", "--episodes", 2, "--noise-mm", 200, "--out", tmp_path)
    assert status == 0
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["success_rate"] == 0.0
    assert sum(summary["reasons"].values()) == 2
    assert next(iter(summary["reasons"])) in out


def test_a_film_is_a_strip_of_pictures(blockworld, tmp_path):
    path = tmp_path / "film.png"
    status, out, _ = blockworld("grasp", "film", "--renderer", "tiny", "--noise-mm", 200, "--out", path)
    assert status == 0
    height, width, _ = cv2.imread(str(path)).shape
    assert height == 260
    assert width % 240 == 0
    assert not out.strip().endswith("success")


def test_a_folder_that_cannot_be_written_is_told_before_the_trials(blockworld, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("sim.grasp_tries.tries", lambda *_: pytest.fail("a trial has begun"))
    for folder in (tmp_path / "file" / "out", "/proc/xx", "/proc"):
        status, out, error = blockworld("grasp", "try", "--episodes", 1, "--out", folder)
        assert (status, out) == (2, "")
        assert f"cannot write into {folder}: " in error and error.count("\n") == 1


@pytest.mark.parametrize("words", [("try", "--episodes", 1), ("film", "--out", "x.png")])
def test_without_pybullet_the_commands_say_what_to_do(blockworld, monkeypatch, words):
    class Missing(ModuleType):
        def __getattr__(self, name):
            raise BlockworldError("PyBullet is not here: install it.")

    monkeypatch.setitem(sys.modules, "sim.bullet", Missing("sim.bullet"))
    for name in ("sim.grasp_trial", "sim.grasp_tries", "sim.film", "sim.physics"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert blockworld("grasp", *words) == (2, "", "blockworld: PyBullet is not here: install it.\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("try", "--robot", "hal", "--episodes", 1), "hal"),
        (("try", "--preset", "moon", "--episodes", 1), "moon"),
        (("try", "--noise-mm", -3), "noise-mm"),
        (("try", "--noise-mm", "nan", "--episodes", 1), "finite"),
        (("film", "--out", "film.tiff"), "film.tiff"),
        (("film", "--renderer", "crayon", "--out", "x.png"), "crayon"),
    ],
)
def test_bad_input_is_a_sentence(blockworld, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    status, _, error = blockworld("grasp", *words)
    assert status == 2
    assert said in error
    assert len(error.strip().splitlines()) <= 2
