"""The demo as its user runs it: a process that starts others, and leaves none behind however it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fixtures_bundle import write_marker_bundles

from blockworld.demo.run import MARK, choose_domain, prepare
from perception.bundle import list_bundles
from perception.errors import BlockworldError
from perception.localize import STAGES
from perception.ros_environment import free_domain_id

ROOT = Path(__file__).resolve().parents[2]
START_S, RUN_S, STOP_S = 120.0, 240.0, 30.0
NODES = {"sim_world", "localizer", "pick", "bag_recorder", "episode_runner"}


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """Networks that find the coloured discs of `fixtures_world`."""
    return write_marker_bundles(tmp_path_factory.mktemp("models"))


@pytest.fixture
def domain(monkeypatch) -> int:
    """A free DDS domain, which the environment names, so that the demo's processes are told from others."""
    pytest.importorskip("rclpy", reason="no ROS 2: neither the wheels of the extra `ros` nor a sourced one")
    monkeypatch.setenv("ROS_DOMAIN_ID", str(free_domain_id()))
    # The sources come first: tests/perception would otherwise be taken for the package of that name.
    sources = (ROOT / "ros_ws" / "src" / "perception", ROOT, ROOT / "tests")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, sources)))
    return int(os.environ["ROS_DOMAIN_ID"])


def command(out: Path, *more: object) -> list[str]:
    start = [sys.executable, "-c", "from blockworld.cli import main; main()"]
    return [*start, "demo", "--episodes", "1", "--out", str(out), *map(str, more)]


def demo(out: Path, *more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(out, *more), capture_output=True, text=True, timeout=RUN_S)


def processes_of(domain_id: int) -> dict[str, int]:
    """Process ids of the nodes that run in a domain, by the name of their module."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes().split(b"\0")
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        modules = [word for word in words if word.startswith(b"perception.nodes.")]
        if modules and f"ROS_DOMAIN_ID={domain_id}".encode() in environment:
            found[modules[0].decode().rpartition(".")[2]] = int(folder.name)
    return found


def wait_for(condition, timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come within {timeout_s:g} s"
        time.sleep(0.05)


@pytest.fixture
def started(domain, models, tmp_path):
    """A demo whose processes are all there."""
    line = command(tmp_path / "out", "--models", models, "--world", "fixtures_world:MarkerWorld")
    process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: set(processes_of(domain)) == NODES, START_S, "every process")
        yield process
    finally:
        process.kill()
        process.wait()
        for pid in processes_of(domain).values():
            os.kill(pid, signal.SIGKILL)


def test_an_episode_is_run_recorded_and_reported(domain, models, tmp_path):
    out = tmp_path / "out"
    done = demo(out, "--models", models, "--world", "fixtures_world:MarkerWorld", "--seed", 2)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "episode 1/1  picked" in done.stdout, done.stdout
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["success_rate"], summary["engine"], summary["seed"]) == (1.0, "onnxruntime-cpu", 2)
    episode = summary["episodes"][0]
    assert episode["fine_error_m"] < 0.005
    assert episode["fine_error_m"] < episode["coarse_error_m"] < 0.05
    assert episode["yaw_error_rad"] < 0.05
    assert len(episode["pictures"]["final"]) == 3
    assert episode["pictures"]["coarse"]
    assert episode["pictures"]["fine"]
    page = (out / "report.html").read_text(encoding="utf-8")
    pictures = sum(len(cameras) for cameras in episode["pictures"].values())
    assert page.count("data:image/jpeg;base64,") == pictures
    assert (out / "contact_sheet.png").is_file()
    assert list((out / "bag").glob("*.mcap"))
    assert processes_of(domain) == {}


def missing_models() -> list[str]:
    present = list_bundles(ROOT / "models")
    return [stage for stage in STAGES if stage not in present]


@pytest.mark.skipif(
    bool(missing_models()), reason=f"models/ lacks {', '.join(missing_models())}: not trained yet"
)
def test_the_trained_networks_localize_in_the_physical_world(domain, tmp_path):
    pytest.importorskip("pybullet", reason="the extra `sim` is not installed")
    done = demo(tmp_path / "out", "--models", ROOT / "models", "--seed", 5)
    assert done.returncode == 0, done.stdout + done.stderr
    episode = json.loads((tmp_path / "out" / "summary.json").read_text())["episodes"][0]
    assert episode["coarse_error_m"] < 0.06, "what the fine stage can still put right"
    assert episode["fine_error_m"] is not None, episode["message"]
    assert episode["fine_error_m"] < 0.02
    assert processes_of(domain) == {}


def told(out: Path, word: str) -> bool:
    """Whether the demo's log holds a word."""
    return (out / "demo.log").is_file() and word in (out / "demo.log").read_text()


@pytest.mark.parametrize(
    ("number", "word"),
    [(signal.SIGINT, ""), (signal.SIGTERM, '"event": "ready"'), (signal.SIGINT, '"step": "fine"')],
)
def test_a_signal_at_any_time_stops_every_process(domain, started, tmp_path, number, word):
    wait_for(lambda: told(tmp_path / "out", word), START_S, word)
    started.send_signal(number)
    _, errors = started.communicate(timeout=STOP_S)
    assert (started.returncode, errors.strip()) == (130, "blockworld: interrupted.")
    assert processes_of(domain) == {}


def test_a_node_that_dies_ends_the_demo_with_one_sentence(domain, started):
    os.kill(processes_of(domain)["pick"], signal.SIGKILL)
    _, errors = started.communicate(timeout=STOP_S)
    assert started.returncode == 1
    assert errors.startswith("blockworld: pick ended with SIGKILL")
    assert errors.count("\n") == 1
    assert processes_of(domain) == {}


def test_a_missing_model_is_told_before_anything_starts(domain, tmp_path):
    (tmp_path / "models").mkdir()
    done = demo(tmp_path / "out", "--models", tmp_path / "models")
    assert done.returncode == 2
    assert done.stderr.startswith("blockworld: there is no model coarse in")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_the_output_of_an_earlier_demo_is_replaced_and_nothing_else(tmp_path):
    prepare(tmp_path / "new")
    (tmp_path / "new" / "bag").mkdir()
    (tmp_path / "new" / "bag" / "bag.mcap").touch()
    prepare(tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == [MARK]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(BlockworldError, match=r"mine is not empty and holds no earlier demo: give"):
        prepare(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").exists()
    with pytest.raises(BlockworldError, match="cannot be written"):
        prepare(tmp_path / "mine" / "thesis.txt" / "below")


def test_a_domain_in_use_is_refused(monkeypatch):
    domain_id = free_domain_id()
    monkeypatch.setenv("ROS_DOMAIN_ID", str(domain_id))
    assert choose_domain() == domain_id
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("", 7400 + 250 * domain_id))
        with pytest.raises(BlockworldError, match=f"ROS_DOMAIN_ID is {domain_id}, which is in use"):
            choose_domain()
    for nonsense in ("x", "9999"):
        monkeypatch.setenv("ROS_DOMAIN_ID", nonsense)
        with pytest.raises(BlockworldError, match=f"ROS_DOMAIN_ID is {nonsense}"):
            choose_domain()
    monkeypatch.delenv("ROS_DOMAIN_ID")
    assert 1 <= choose_domain() <= 101
