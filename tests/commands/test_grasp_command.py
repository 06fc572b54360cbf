"""blockworld grasp, as a user types it."""

import json

import cv2
import pytest


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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("try", "--robot", "hal", "--episodes", 1), "hal"),
        (("try", "--preset", "moon", "--episodes", 1), "moon"),
        (("try", "--noise-mm", -3), "noise-mm"),
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
