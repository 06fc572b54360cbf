"""A builder that is killed again and again leaves, in the end, what an undisturbed one leaves."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from fixtures_dataset import changed, contents

from sim.dataset import build, present_images

KILLS = 20
CONFIG = changed(scenes=70, shard_scenes=6, width=32, height=32)
# Everything is imported once; then each build is a copy of this process, killed as a whole at a random moment.
BUILDERS = """
import os, random, signal, sys, time
from pathlib import Path
from fixtures_dataset import changed
from sim.dataset import build, present_images
from sim.dataset.studio import studio
from test_dataset_faults import CONFIG, KILLS

out, moments = Path(sys.argv[1]), random.Random(5)
studio(CONFIG.model_dump_json()).packed(0)
for number in range(KILLS):
    reader, writer = os.pipe()
    builder = os.fork()
    if builder == 0:
        os.setpgid(0, 0)
        for _ in build(CONFIG, out):
            os.write(writer, b".")
        os._exit(0)
    os.setpgid(builder, builder)
    os.close(writer)
    reported = len(b"".join(os.read(reader, 1) for _ in range(moments.randrange(4))))
    time.sleep(moments.uniform(0.0, 0.1))
    os.killpg(builder, signal.SIGKILL)
    ended = os.waitpid(builder, 0)[1]
    reported = CONFIG.views * (reported + len(os.read(reader, 1 << 16)))
    os.close(reader)
    print(os.WIFSIGNALED(ended), reported, present_images(CONFIG, out), flush=True)
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    assert sum(build(CONFIG, folder)) == CONFIG.images
    return folder


@pytest.mark.fault(
    "a data set's builder is killed twenty times",
    "it goes on where it was; nothing is lost or there twice",
)
def test_killed_twenty_times_nothing_is_lost_and_nothing_is_there_twice(undisturbed, tmp_path):
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*sys.path, str(Path(__file__).parent)])}
    words = [sys.executable, "-W", "ignore", "-c", BUILDERS, str(tmp_path)]
    lines = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=120, check=True).stdout
    present = 0
    for line in lines.splitlines():
        reported, after = line.split()[1:]
        assert int(after) >= present + int(reported), "an image that was reported is there"
        assert int(after) <= present + int(reported) + CONFIG.views, "and at most the scene that was being reported"
        present = int(after)
    assert len(lines.splitlines()) == KILLS
    assert lines.count("True") == KILLS, "every build was killed before its end"
    assert present > 0
    assert sum(build(CONFIG, tmp_path)) == CONFIG.images - present
    assert contents(tmp_path) == contents(undisturbed)


def start(folder, config, *words):
    """The command line of a build, in a process group of its own."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONWARNINGS": "ignore"}
    code = "from blockworld.cli import main; main()"
    command = [sys.executable, "-c", code, "dataset", "build", str(config), "--out", str(folder), *words]
    return subprocess.Popen(command, env=environment, start_new_session=True, stderr=subprocess.DEVNULL)


@pytest.fixture
def configuration(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(CONFIG.model_dump(mode="json")))
    return path


def test_workers_do_not_outlive_their_builder(configuration, undisturbed, tmp_path):
    out = tmp_path / "out"
    builder = start(out, configuration, "--workers", "2")
    wait_until(lambda: out.is_dir() and present_images(CONFIG, out) > 0)
    group = builder.pid
    builder.kill()  # the builder alone
    builder.wait()
    wait_until(lambda: not alive(group))
    missing = CONFIG.images - present_images(CONFIG, out)
    assert sum(build(CONFIG, out)) == missing
    assert contents(out) == contents(undisturbed)


@pytest.mark.slow
def test_the_command_with_two_workers_killed_twenty_times(configuration, undisturbed, tmp_path):
    out, moments = tmp_path / "out", random.Random(11)
    for _ in range(KILLS):
        builder = start(out, configuration, "--workers", "2")
        time.sleep(moments.uniform(0.3, 4.0))
        os.killpg(builder.pid, signal.SIGKILL)
        builder.wait()
    assert start(out, configuration, "--workers", "2").wait(300) == 0
    assert contents(out) == contents(undisturbed)


def wait_until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def alive(group):
    """A process of the group runs."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
