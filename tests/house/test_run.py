"""`./run`: what it says when it cannot help, from wherever it is called, before anything is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What `run` calls besides the shell and Python.
TOOLS = (
    "cat",
    "cksum",
    "date",
    "dirname",
    "find",
    "flock",
    "id",
    "mkdir",
    "rm",
    "sh",
    "sort",
    "tail",
    "xargs",
)


def run(*arguments: str, script: Path = ROOT / "run", cwd: Path = ROOT, **environment: str):
    return subprocess.run(
        [script, *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path):
    """A copy of what the set-up reads, without .venv."""
    copy = tmp_path / "checkout"
    copy.mkdir()
    for name in ("run", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, copy / name)
    for name in ("scripts", "ros_ws/src/perception_interfaces"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture
def path_without_python(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        if found:
            (tools / name).symlink_to(found)
    return str(tools)


@pytest.mark.parametrize("word", ["help", "-h", "--help"])
def test_help_names_every_command(word):
    done = run(word)
    assert done.returncode == 0
    assert all(
        f"\n  {command} " in done.stdout for command in ("demo", "test", "bench", "lint", "shell", "help")
    )


def test_without_a_command_it_shows_the_help_and_fails():
    done = run()
    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage: ./run COMMAND" in done.stderr


def test_an_unknown_command_is_named():
    done = run("dance", "--fast")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "run: there is no command 'dance'; ./run help lists them\n"


@pytest.mark.parametrize("name", ["nothing", "", "../run", "a b", "*"])
def test_an_unknown_benchmark_is_named(name):
    done = run("bench", name)
    assert done.returncode == 2
    assert done.stderr.startswith(f"run: there is no benchmark '{name}'; there are: ")


def test_it_works_from_any_folder(tmp_path):
    here = run("help")
    there = run("help", cwd=tmp_path)
    relative = run("help", script=Path(os.path.relpath(ROOT / "run", tmp_path)), cwd=tmp_path)
    assert here.stdout == there.stdout == relative.stdout


@pytest.mark.parametrize("command", ["demo", "test", "lint", "shell"])
def test_a_missing_python_is_one_sentence(checkout, path_without_python, command):
    done = run(command, script=checkout / "run", cwd=checkout, PATH=path_without_python)
    assert done.returncode == 1
    assert done.stderr.startswith("run: Python >= 3.11 is missing; install it")
    assert done.stderr.count("\n") == 1
    assert not (checkout / ".venv").exists()


def test_an_old_python_will_not_do(checkout, path_without_python):
    old = Path(path_without_python) / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")  # what `sys.exit(sys.version_info < (3, 11))` comes to
    old.chmod(0o755)
    done = run("demo", script=checkout / "run", cwd=checkout, PATH=path_without_python)
    assert done.stderr.startswith("run: Python >= 3.11 is missing")


def test_a_sourced_ros_without_a_matching_python_is_named(checkout, path_without_python, tmp_path):
    (tmp_path / "humble" / "share" / "rclpy").mkdir(parents=True)
    done = run(
        "demo",
        script=checkout / "run",
        cwd=checkout,
        PATH=path_without_python,
        AMENT_PREFIX_PATH=f"/nowhere:{tmp_path / 'humble'}",
    )
    assert done.returncode == 1
    assert f"imports the rclpy of the sourced ROS 2 in {tmp_path / 'humble'}" in done.stderr


def test_ci_calls_it():
    assert 'run" test "$@"' in (ROOT / ".ci" / "run").read_text()
