"""Where OpenGL does not work, `gl` says so in one sentence and `tiny` draws."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim.renderers import open_renderer
from sim.renderers.gl import probe

pytest.importorskip("pybullet")
ROOT = Path(__file__).resolve().parents[2]
OPEN = """
import warnings
from sim.renderers import open_renderer
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    renderers = [open_renderer("gl"), open_renderer("gl")]
print(*{type(renderer).__name__ for renderer in renderers}, sep=",")
print(*(one.message for one in said if "OpenGL" in str(one.message)), sep="\\n")
"""


def output(code, **changes):
    path = os.pathsep.join([str(ROOT), str(ROOT / "ros_ws/src/perception")])
    env = os.environ | {"PYTHONPATH": path} | changes
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_without_a_driver_tiny_draws_and_one_sentence_says_so():
    kind, *sentences = output(OPEN, __EGL_VENDOR_LIBRARY_FILENAMES="/nonexistent.json")[-3:]
    assert kind == "TinyRenderer"
    assert len(set(sentences)) == 1
    assert "OpenGL does not work here" in sentences[0]
    assert "'tiny' draws in place of 'gl'" in sentences[0]
    assert sentences[0].count(". ") == 0


def test_where_nothing_may_stand_in_it_is_refused(monkeypatch):
    monkeypatch.setattr(probe, "failure", lambda: "no driver")
    with pytest.raises(ValueError, match=r"OpenGL does not work here \(no driver\): install its driver"):
        open_renderer("gl", instead=False)


@pytest.mark.parametrize(
    ("trial", "reason"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGABRT)", "the driver ended the process with signal 6"),
        ("raise SystemExit(3)", "the driver ended the process with exit code 3"),
        ("raise RuntimeError('no display')", "RuntimeError: no display"),
        ("import time; time.sleep(60)", "the driver did not answer within 1 s"),
    ],
)
def test_a_trial_that_fails_in_any_way_is_a_reason(monkeypatch, trial, reason):
    monkeypatch.setattr(probe, "TRIAL", trial)
    monkeypatch.setattr(probe, "TIMEOUT_S", 1.0 if "sleep" in trial else 60.0)
    assert probe.failure.__wrapped__() == reason


def test_the_driver_is_tried_once_a_process(monkeypatch):
    probe.failure()
    monkeypatch.setattr(probe, "TRIAL", "raise RuntimeError")
    probe.failure()
    assert probe.failure.cache_info().hits >= 1


def test_drawing_needs_no_pybullet():
    code = """
import sys
sys.modules["pybullet"] = None
import sim.renderers.gl.renderer
print(any(name.startswith("pybullet") and module for name, module in sys.modules.items()))
"""
    assert output(code) == ["False"]
