"""A data set built by a Ray cluster is the same, also when a machine of it is lost on the way."""

import time
from contextlib import suppress
from pathlib import Path

import pytest
from fixtures_dataset import changed, contents

from sim.dataset import build, present_images
from sim.dataset.cluster import SCENES_AHEAD

ray = pytest.importorskip("ray", reason="Ray is not installed (the extra `ray`)")
cluster_utils = pytest.importorskip("ray.cluster_utils")

# A task renders a shard, and waits when SCENES_AHEAD scenes are: so that after the first scene none has ended yet.
CONFIG = changed(scenes=3 * (SCENES_AHEAD + 4), shard_scenes=SCENES_AHEAD + 4, width=32, height=32)
WAIT_S = 120.0


@pytest.fixture
def cluster(monkeypatch):
    """Two nodes with a processor each, on this machine; the second one can be removed."""
    monkeypatch.setenv("RAY_DISABLE_IMPORT_WARNING", "1")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "120")
    nodes = cluster_utils.Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False},
    )
    second = nodes.add_node(num_cpus=1, object_store_memory=80_000_000)
    nodes.wait_for_nodes()
    yield nodes, second
    ray.shutdown()
    nodes.shutdown()


def renderer_of(node):
    """The process of a task on the node: Ray names it after its task, and it is a child of the node's raylet."""
    (raylet,) = node.all_processes["raylet"]
    pid = raylet.process.pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if title(child).startswith("ray::render"):
            return child
    return None


def title(pid):
    """Empty where the process has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def wait_for(found):
    until = time.monotonic() + WAIT_S
    while not (value := found()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return value


def test_a_node_is_lost_on_the_way_and_nothing_else(cluster, tmp_path):
    nodes, second = cluster
    undisturbed, out, told = tmp_path / "undisturbed", tmp_path / "out", []
    assert sum(build(CONFIG, undisturbed)) == CONFIG.images
    count = 0
    for images in build(CONFIG, out, ray=nodes.address, notice=told.append):
        count += images
        if count == CONFIG.views:
            lost = wait_for(lambda: renderer_of(second))
            assert len({node["NodeID"] for node in ray.nodes() if node["Alive"]}) == 2
            nodes.remove_node(second, allow_graceful=False)
            # It outlives its raylet for a moment, in which it could end its shard.
            wait_for(lambda pid=lost: not title(pid))
        assert present_images(CONFIG, out) == count, "every image that was reported is there, and once"
    assert count == CONFIG.images
    assert contents(out) == contents(undisturbed)
    assert told and all("a task was lost at scene" in sentence for sentence in told)


def test_a_cluster_that_is_not_there_is_told(tmp_path):
    for address in ("127.0.0.1:1", "nowhere"):
        with pytest.raises(ValueError, match=f"no Ray cluster answers at {address}: give the address"):
            list(build(CONFIG, tmp_path, ray=address))
    assert not list(tmp_path.iterdir())
