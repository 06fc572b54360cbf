"""`blockworld render` where something is missing, and the files that it writes."""

import os
import subprocess
import sys

import cv2
import pytest

pytest.importorskip("pybullet")
SMALL = ("render", "--preset", "lab", "--width", "64")
NO_DRIVER = {"__EGL_VENDOR_LIBRARY_FILENAMES": "/nonexistent.json"}
WITHOUT_PYBULLET = "import sys; sys.modules['pybullet'] = None; from blockworld.cli import main; main()"


def run(*words, code="from blockworld.cli import main; main()", **changes):
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, env=os.environ | changes, capture_output=True, text=True)


def test_without_opengl_tiny_draws_and_one_sentence_says_so(tmp_path):
    done = run(*SMALL, "--out", tmp_path / "a.png", **NO_DRIVER)
    assert done.returncode == 0 and "PyBullet TinyRenderer" in done.stdout
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("blockworld: OpenGL does not work here")
    assert sentence.endswith("so 'tiny' draws in place of 'gl'.")
    assert cv2.imread(str(tmp_path / "a.png")).shape == (48, 64, 3)


def test_without_opengl_a_data_set_for_gl_is_refused(tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text("task: coarse\nscenes: 1\nviews: 1\nwidth: 32\nheight: 32\npreset: lab\n")
    for workers in (1, 2):
        done = run("dataset", "build", config, "--out", tmp_path / "d", "--workers", workers, **NO_DRIVER)
        assert done.returncode == 2
        assert done.stderr.startswith("blockworld: OpenGL does not work here")
        assert "choose the renderer 'tiny'" in done.stderr and "Traceback" not in done.stderr
    done = run("dataset", "build", config, "renderer=tiny", "--out", tmp_path / "d", "--overwrite", **NO_DRIVER)
    assert done.returncode == 0


def test_without_pybullet_one_sentence_says_what_to_install(tmp_path):
    done = run(*SMALL, "--renderer", "tiny", "--out", tmp_path / "a.png", code=WITHOUT_PYBULLET)
    assert done.returncode == 2 and not list(tmp_path.iterdir())
    assert done.stderr.startswith("blockworld: physics and the renderer 'tiny' need PyBullet: install it with pip")


@pytest.mark.parametrize(
    ("option", "name"), [("--out", "a.jpg"), ("--depth", "a.tif"), ("--segmentation", "a"), ("--joints", "a.png")]
)
def test_a_file_is_named_for_what_it_holds(blockworld, tmp_path, option, name):
    words = [*SMALL, option, str(tmp_path / name)]
    status, _, err = blockworld(*words, *([] if option == "--out" else ["--out", str(tmp_path / "b.png")]))
    assert status == 2 and f"'{name}' is to end in ." in err
    assert not list(tmp_path.iterdir())


def test_all_files_are_written_or_none_and_what_was_there_stays(blockworld, tmp_path):
    kept = tmp_path / "a.png"
    kept.write_bytes(b"mine")
    status, _, err = blockworld(*SMALL, "--out", str(kept), "--depth", str(tmp_path / "none" / "d.png"))
    assert status == 2 and "d.png: No such file or directory; choose a folder that exists" in err
    assert kept.read_bytes() == b"mine" and list(tmp_path.iterdir()) == [kept]
