"""The published annotation formats are read as they are, and what is malformed is refused in one sentence."""

import json

import pytest

from perception.errors import InputError
from training.art.annotations import Region, read_detections, read_recognition, read_retrieval

BRUEGHEL = {"11": [{"query": ["a.jpg", [409, 37, 544, 271]], "gt": [["b (Paris).jpg", [391, 20, 521, 205]]]}]}
LTLL = {
    "val": ["old_1.jpg"],
    "test": ["old_1.jpg", "old_2.jpg"],
    "searchImg": ["new_1.jpg", "new_2.jpg"],
    "annotation": {"old_1.jpg": "BigBen", "old_2.jpg": "Q016", "new_1.jpg": "BigBen", "new_2.jpg": "Q016"},
}
OXFORD = {
    "test": ["ashmolean_000058.jpg"],
    "annotation": {"ashmolean_000058.jpg": {"gt": ["x.jpg", "y.jpg"], "bbox": [34, 119, 682, 700]}},
}


def _written(folder, data):
    path = folder / "labels.json"
    path.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return path


def _oxford_folder(folder, query="oxc1_all_souls_000013 136.5 34.1 648.5 955.7", good="a\nb\n", ok="c\n", junk="d\n"):
    for ending, text in (("query", query), ("good", good), ("ok", ok), ("junk", junk)):
        if text is not None:
            (folder / f"all_souls_1_{ending}.txt").write_text(text, encoding="utf-8")
    return folder


def test_brueghel_corners_become_boxes(tmp_path):
    (query,) = read_detections(_written(tmp_path, BRUEGHEL))
    assert query.category == "11"
    assert query.query == Region("a.jpg", (409, 37, 135, 234))
    assert query.wanted == (Region("b (Paris).jpg", (391, 20, 130, 185)),)


def test_ltll_has_a_label_for_every_picture(tmp_path):
    found = read_recognition(_written(tmp_path, LTLL))
    assert found.queries == ("old_1.jpg", "old_2.jpg")
    assert found.searched == ("new_1.jpg", "new_2.jpg")
    assert found.labels["old_2.jpg"] == "Q016"
    assert read_recognition(_written(tmp_path, LTLL), "val").queries == ("old_1.jpg",)


def test_oxford_text_files_lose_the_prefix_of_their_query(tmp_path):
    (query,) = read_retrieval(_oxford_folder(tmp_path))
    assert (query.name, query.picture) == ("all_souls_1", "all_souls_000013")
    assert query.box == pytest.approx((136.5, 34.1, 512.0, 921.6))
    assert query.wanted == {"a", "b", "c"}
    assert query.junk == {"d"}


def test_oxford_json_has_boxes_or_none(tmp_path):
    (query,) = read_retrieval(_written(tmp_path, OXFORD))
    assert query.box == (34, 119, 648, 581)
    assert query.wanted == {"x.jpg", "y.jpg"}
    whole = OXFORD | {"annotation": {"ashmolean_000058.jpg": ["x.jpg"]}}
    assert read_retrieval(_written(tmp_path, whole))[0].box is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ([], "an object of categories"),
        ({}, "no queries"),
        ({"11": {}}, "a list"),
        ({"11": [{"query": ["a", [0, 0, 1, 1]]}]}, "query and gt"),
        ({"11": [{"query": ["a", [0, 0, 1, 1]], "gt": []}]}, "gt of query 0 of category 11 is empty"),
        ({"11": [{"query": ["a", [0, 0, 1]], "gt": [["b", [0, 0, 1, 1]]]}]}, "left, top, right, bottom"),
        ({"11": [{"query": ["a", [5, 0, 1, 1]], "gt": [["b", [0, 0, 1, 1]]]}]}, "empty or not finite"),
        ({"11": [{"query": ["a", [0, 0, 1, float("nan")]], "gt": [["b", [0, 0, 1, 1]]]}]}, "empty or not finite"),
        ({"11": [{"query": [3, [0, 0, 1, 1]], "gt": [["b", [0, 0, 1, 1]]]}]}, "picture"),
        ({"11": [{"query": ["a", None], "gt": [["b", [0, 0, 1, 1]]]}]}, "left, top, right, bottom"),
    ],
)
def test_malformed_detections_are_told_in_one_sentence(tmp_path, data, said):
    with pytest.raises(InputError, match=said) as error:
        read_detections(_written(tmp_path, data))
    assert "labels.json" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"test": None}, "list"),
        ({"test": []}, "not empty"),
        ({"searchImg": ["nobody.jpg"]}, "no label for nobody.jpg"),
        ({"annotation": []}, "object of labels"),
        ({"annotation": {"old_1.jpg": 3}}, "word"),
    ],
)
def test_malformed_recognition_is_told_in_one_sentence(tmp_path, changed, said):
    with pytest.raises(InputError, match=said):
        read_recognition(_written(tmp_path, LTLL | changed))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"query": "one 1 2 3"}, "on one line"),
        ({"query": "one 1 2 x 4"}, "left, top"),
        ({"good": "", "ok": ""}, "names a picture"),
        ({"junk": None}, "cannot be read"),
    ],
)
def test_malformed_oxford_files_are_told_in_one_sentence(tmp_path, changed, said):
    with pytest.raises(InputError, match=said):
        read_retrieval(_oxford_folder(tmp_path, **changed))


def test_a_folder_without_queries_and_a_missing_file_are_told(tmp_path):
    with pytest.raises(InputError, match="name the folder"):
        read_retrieval(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        read_detections(tmp_path / "missing.json")
