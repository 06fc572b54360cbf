"""A data set built by a Ray cluster is the same, also when a machine of it is lost on the way."""

import pytest
from fixtures_dataset import changed, contents
from fixtures_ray import lose, two_nodes

from sim.dataset import build, present_images
from sim.dataset.cluster import SCENES_AHEAD

ray = pytest.importorskip("ray", reason="Ray is not installed (the extra `ray`)")

# A task renders a shard, and waits when SCENES_AHEAD scenes are: so that after the first scene none has ended yet.
CONFIG = changed(scenes=3 * (SCENES_AHEAD + 4), shard_scenes=SCENES_AHEAD + 4, width=32, height=32)


@pytest.fixture
def cluster(monkeypatch):
    """Two nodes with a processor each, on this machine; the second one can be removed."""
    with two_nodes(monkeypatch) as nodes:
        yield nodes


def test_a_node_is_lost_on_the_way_and_nothing_else(cluster, tmp_path):
    nodes, second = cluster
    undisturbed, out, told = tmp_path / "undisturbed", tmp_path / "out", []
    assert sum(build(CONFIG, undisturbed)) == CONFIG.images
    count = 0
    for images in build(CONFIG, out, ray=nodes.address, notice=told.append):
        count += images
        if count == CONFIG.views:
            assert len({node["NodeID"] for node in ray.nodes() if node["Alive"]}) == 2
            lose(nodes, second, "render")
        assert present_images(CONFIG, out) == count, "every image that was reported is there, and once"
    assert count == CONFIG.images
    assert contents(out) == contents(undisturbed)
    assert told and all("a task was lost at scene" in sentence for sentence in told)


def test_a_cluster_that_is_not_there_is_told(tmp_path):
    for address in ("127.0.0.1:1", "nowhere"):
        with pytest.raises(ValueError, match=f"no Ray cluster answers at {address}: give the address"):
            list(build(CONFIG, tmp_path, ray=address))
    assert not list(tmp_path.iterdir())
