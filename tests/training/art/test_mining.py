"""Discovery in a collection: clusters are found, work is not lost, and the shortlist leaves out little."""

import json

import pytest
from fixtures_art_features import box_of, detail, picture, placed

from perception.errors import BlockworldError
from training.art.boxes import overlap
from training.art.clusters import Cluster, Region, cluster_recall, clusters
from training.art.mining import Detail, MiningConfig, mine
from training.art.shortlist import all_pairs, build_index, shortlist

SIZE = (800, 450)
PLACES = [
    placed((0.3, 0.45), (0.3, 0.55)), placed((0.6, 0.5), (0.25, 0.45)), placed((0.7, 0.4), (0.3, 0.6), 8.0),
    placed((0.35, 0.5), (0.28, 0.5), -6.0),
]
SCALES = (49, 36, 20)
CONFIG = MiningConfig(least_score=0.04)


@pytest.fixture(scope="module")
def features():
    """Two details, each in four pictures, and four pictures without, by key."""
    made = {}
    for name, copied in (("x", detail(5)), ("y", detail(6))):
        for number, place in enumerate(PLACES):
            made[f"{name}{number}"] = picture(100 * ord(name) + number, ((copied, place),), 0.4, scales=SCALES)
    for number in range(4):
        made[f"z{number}"] = picture(900 + number, scales=SCALES)
    return made


@pytest.fixture(scope="module")
def mined(features, tmp_path_factory):
    """All pairs compared: the journal, and its details."""
    journal = tmp_path_factory.mktemp("mined") / "journal.jsonl"
    keys = sorted(features)
    return journal, mine(keys, features, all_pairs(len(keys)), journal, CONFIG)


def test_each_detail_is_a_cluster_of_its_pictures_with_its_boxes(mined):
    found = clusters(mined[1], CONFIG.least_score)
    assert sorted(sorted(one.pictures) for one in found) == [[f"{name}{k}" for k in range(4)] for name in "xy"]
    for one in found:
        for member in one.members:
            assert overlap(member.box, box_of(PLACES[int(member.picture[1])], SIZE)) > 0.5


def test_the_shortlist_keeps_the_clusters_that_all_pairs_have(features, mined, tmp_path):
    keys = sorted(features)
    index = build_index(keys, features)
    pairs = shortlist(keys, features, index, neighbours=3)
    assert len(pairs) < 0.6 * len(all_pairs(len(keys)))
    found = mine(keys, features, pairs, tmp_path / "journal.jsonl", CONFIG)
    assert cluster_recall(clusters(found, CONFIG.least_score), clusters(mined[1], CONFIG.least_score)) == 1
    assert pairs == shortlist(keys, features, build_index(keys, features), neighbours=3)


@pytest.mark.parametrize("torn", [0, 20])
def test_a_run_that_was_killed_goes_on_and_ends_in_the_same_file(features, mined, tmp_path, torn):
    journal, details = mined
    lines = journal.read_bytes().splitlines(keepends=True)
    cut = tmp_path / "journal.jsonl"
    cut.write_bytes(b"".join(lines[:4]) + lines[4][:torn])
    keys = sorted(features)
    assert mine(keys, features, all_pairs(len(keys)), cut, CONFIG) == details
    assert cut.read_bytes() == journal.read_bytes()


def test_a_run_killed_before_its_first_line_begins_anew(features, tmp_path):
    journal = tmp_path / "journal.jsonl"
    journal.write_text('{"version"')
    keys = sorted(features)[:2]
    mine(keys, features, [(0, 1)], journal, CONFIG)
    assert len(journal.read_text().splitlines()) == 2


def test_two_processes_write_the_same_file(features, tmp_path):
    keys = sorted(features)[:4]
    chosen = {key: features[key] for key in keys}
    files = [tmp_path / f"{workers}.jsonl" for workers in (1, 2)]
    for workers, file in enumerate(files, start=1):
        mine(keys, chosen, all_pairs(4), file, CONFIG, workers)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_journal_of_something_else_is_refused(features, mined):
    keys = sorted(features)
    with pytest.raises(BlockworldError, match="other pictures, pairs or settings"):
        mine(keys, features, all_pairs(len(keys)), mined[0], MiningConfig(least_score=0.5))


def test_a_damaged_journal_is_refused(features, mined, tmp_path):
    damaged = tmp_path / "journal.jsonl"
    damaged.write_bytes(b"{\n" + mined[0].read_bytes())
    with pytest.raises(BlockworldError, match="damaged"):
        mine(sorted(features), features, [(0, 1)], damaged, CONFIG)


def test_the_journal_is_lines_of_json(mined):
    lines = [json.loads(line) for line in mined[0].read_text().splitlines()]
    assert lines[0]["version"] == 1
    assert {len(point) for line in lines[1:] for one in line["details"] for point in one["points"]} == {4}


def _detail(a, b, score=0.1, a_box=(0, 0, 10, 10), b_box=(0, 0, 10, 10)):
    return Detail(a, b, score, a_box, b_box, ((1, 0, 0), (0, 1, 0)), ())


def test_details_at_different_places_of_a_picture_are_different_clusters():
    joined = [_detail("a", "b"), _detail("b", "c", b_box=(0, 0, 10, 10))]
    apart = [_detail("a", "b"), _detail("b", "c", a_box=(50, 50, 10, 10))]
    assert [len(one.members) for one in clusters(joined, 0)] == [3]
    assert clusters(apart, 0) == []
    assert clusters(joined, 0.5) == []


def test_recall_counts_clusters_of_which_half_the_pictures_are_together():
    def cluster(*pictures):
        return Cluster(tuple(Region(one, (0, 0, 1, 1)) for one in pictures), ())

    wanted = [cluster(*"abcdef"), cluster(*"uvw")]
    assert cluster_recall([cluster(*"abc"), cluster(*"uvx")], wanted) == 0.5
    assert cluster_recall([cluster(*"abuvw")], wanted) == 0.5
    assert cluster_recall([], []) == 1
