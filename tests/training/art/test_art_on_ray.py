"""Indexing and discovery shared out among machines: a machine that is lost costs its share, and the results stay."""

import os
import shutil
import signal

import pytest
from fixtures_art import scan
from fixtures_art_features import detail, picture, placed
from fixtures_ray import process_of, two_nodes, wait_for

from perception.errors import BlockworldError
from training.art.feature_store import FeatureStore
from training.art.index import index_folder
from training.art.mining import mine
from training.art.on_ray import comparing_on, indexing_on
from training.art.shortlist import all_pairs

SCALES = (36, 20)


class Inline:
    """Tasks one after the other in this process; those at the pictures named are lost, so many times."""

    def __init__(self, losses=None):
        self.losses, self.begun = losses or {}, 0

    def run(self, work, jobs):
        waiting = [*jobs]
        while waiting:
            job = waiting.pop()  # the last first
            self.begun += 1
            for made in work.task(*work.shared(), work.argument(job)):
                name = job[0].path.name if hasattr(job[0], "path") else job[0][0]
                if self.losses.get(name, 0) > 0:
                    self.losses[name] -= 1
                    waiting.append(work.lost(job, "of a test"))
                    break
                job = work.rest(job, made)
                yield made


@pytest.fixture
def folder(tmp_path):
    """Six pictures of a few cells a side, one of them there twice, and one that is none."""
    made = tmp_path / "scans"
    made.mkdir()
    for number in range(6):
        scan(number, 320, 32).save(made / f"{number}.png")
    shutil.copy(made / "1.png", made / "again.png")
    (made / "broken.png").write_text("no picture")
    return made


@pytest.fixture
def stores(tmp_path, network_file):
    """Two empty caches that know the network."""
    made = [FeatureStore(tmp_path / name, "key") for name in ("here", "there")]
    for one in made:
        one.keep_network(network_file)
    return made


@pytest.fixture(scope="module")
def features():
    """Two details, each in three of seven pictures."""
    places = [placed((0.3, 0.45), (0.3, 0.55)), placed((0.65, 0.5), (0.27, 0.5)), placed((0.6, 0.4), (0.33, 0.6))]
    made = {f"x{seed}": picture(seed, ((detail(5), place),), scales=SCALES) for seed, place in enumerate(places)}
    return made | {f"z{number}": picture(70 + number, scales=SCALES) for number in range(4)}


def told(index):
    return (
        [(one.path.name, one.digest) for one in index.pictures], index.made,
        [(one.path.name, one.of.name) for one in index.duplicates], [one.path.name for one in index.problems],
    )


def same(store, other, index):
    grids = (zip(store[one.digest].grids, other[one.digest].grids, strict=True) for one in index.pictures)
    return all((a == b).all() for each in grids for a, b in each)


def test_lost_tasks_cost_their_share_and_the_index_is_the_same(folder, stores, extractor):
    alone = index_folder(folder, stores[0], extractor)
    notices = []
    shared = index_folder(
        folder, stores[1], extractor, run=indexing_on(Inline({"2.png": 2, "5.png": 1}), notices.append)
    )
    assert told(shared) == told(alone) and same(*stores, alone)
    assert len(notices) == 3 and all("a task was lost at" in one for one in notices)
    assert index_folder(folder, stores[1], extractor, run=indexing_on(Inline(), notices.append)).made == 0


def test_a_picture_that_ends_task_after_task_is_a_problem_and_the_others_are_indexed(folder, stores, extractor):
    found = index_folder(folder, stores[1], extractor, run=indexing_on(Inline({"2.png": 99}), lambda _: None))
    assert found.made == 5 and [one.path.name for one in found.problems] == ["2.png", "broken.png"]
    assert "2.png ended 3 tasks, the last one because of a test: index it by itself." in found.problems[0].sentence


def kept(folder, features):
    store = FeatureStore(folder, "key")
    for key, one in features.items():
        store.put(key, one)
    return store


def test_discovery_on_a_cluster_writes_the_same_journal(features, tmp_path, monkeypatch):
    monkeypatch.setattr("training.art.extractor.SCALES", SCALES)
    keys, store, notices = list(features), kept(tmp_path / "cache", features), []
    pairs = all_pairs(len(keys))
    wanted = mine(keys, store, pairs, tmp_path / "alone.jsonl")
    compare = comparing_on(Inline({"x0": 2, "z1": 1}), store, notices.append)
    assert mine(keys, store, pairs, tmp_path / "shared.jsonl", workers=compare) == wanted
    assert (tmp_path / "shared.jsonl").read_bytes() == (tmp_path / "alone.jsonl").read_bytes()
    assert len(notices) == 3
    with pytest.raises(BlockworldError, match="3 tasks ended at picture x1, the last one because of a test: what was"):
        mine(keys, store, pairs, tmp_path / "third.jsonl", workers=comparing_on(Inline({"x1": 99}), store, print))


def test_a_machine_that_does_not_see_the_cache_is_told(features, tmp_path):
    store = FeatureStore(tmp_path / "cache", "key")
    compare = comparing_on(Inline(), store, print)
    shutil.rmtree(store.folder)
    with pytest.raises(BlockworldError, match=r"does not see the cache .*: put it on a file system that all share"):
        mine(["a", "b"], store, [(0, 1)], tmp_path / "journal.jsonl", workers=compare)
    assert not store.folder.exists()


@pytest.mark.slow
def test_on_two_nodes_a_worker_is_killed_on_the_way(folder, stores, extractor, monkeypatch):
    ray = pytest.importorskip("ray", reason="Ray is not installed (the extra `ray`)")
    from sim.ray_cluster import RayCluster

    for number in range(6, 16):
        scan(number, 320, 32).save(folder / f"{number}.png")
    alone, notices = index_folder(folder, stores[0], extractor), []
    with two_nodes(monkeypatch) as (nodes, second):
        ray.init(address=nodes.address, log_to_driver=False)
        run, killed = indexing_on(RayCluster(nodes.address), notices.append), []

        def disturbed(*words):
            for one in run(*words):
                if not killed and getattr(one, "made", False):
                    killed.append(wait_for(lambda: process_of(second, "index_share")))
                    os.kill(int(killed[0]), signal.SIGKILL)
                yield one

        shared = index_folder(folder, stores[1], extractor, run=disturbed)
        assert killed and told(shared) == told(alone) and same(*stores, alone)
        keys = [one.digest for one in alone.pictures][:4]
        pairs = all_pairs(len(keys))
        journals = [stores[1].folder.parent / name for name in ("alone.jsonl", "shared.jsonl")]
        mine(keys, stores[1], pairs, journals[0])
        mine(keys, stores[1], pairs, journals[1], workers=comparing_on(RayCluster(nodes.address), stores[1], print))
        assert journals[0].read_bytes() == journals[1].read_bytes()
    assert notices and all("a task was lost at" in one for one in notices)
