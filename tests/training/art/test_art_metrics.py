"""Metrics give what was computed by hand."""

import pytest

from training.art.annotations import DetectionQuery, Recognition, Region, RetrievalQuery
from training.art.metrics import (
    detection_precision,
    detection_scores,
    retrieval_precision,
    retrieval_score,
    top_1_accuracy,
)

HERE, AWAY = (0.0, 0.0, 10.0, 10.0), (50.0, 50.0, 10.0, 10.0)
WANTED = (Region("a", HERE), Region("b", HERE), Region("c", HERE))


def test_precision_is_averaged_where_boxes_are_found_and_zero_where_not():
    found = [Region("a", HERE), Region("x", HERE), Region("b", HERE)]
    assert detection_precision(WANTED, found) == pytest.approx((1 / 1 + 2 / 3) / 3)


def test_a_box_that_overlaps_too_little_is_wrong():
    exact = Region("a", (0.0, 0.0, 10.0, 3.0))  # 0.3, which is not more than 0.3
    enough = Region("a", (0.0, 0.0, 10.0, 3.1))
    assert detection_precision(WANTED[:1], [exact, enough]) == pytest.approx(1 / 2)
    assert detection_precision(WANTED[:1], [Region("a", AWAY)]) == 0


def test_a_second_box_at_the_same_place_is_wrong():
    found = [Region("a", HERE), Region("a", HERE), Region("b", HERE), Region("c", HERE)]
    assert detection_precision(WANTED, found) == pytest.approx((1 + 2 / 3 + 3 / 4) / 3)


def test_two_wanted_boxes_in_one_picture_are_found_each_by_its_own():
    wanted = (Region("a", HERE), Region("a", AWAY))
    assert detection_precision(wanted, [Region("a", AWAY), Region("a", HERE)]) == 1


def test_categories_are_averaged_over_their_queries():
    query = Region("q", HERE)
    queries = [
        DetectionQuery("one", query, WANTED[:1]),
        DetectionQuery("one", query, WANTED[:1]),
        DetectionQuery("two", query, WANTED[:1]),
    ]
    right, wrong = [Region("a", HERE)], [Region("x", HERE)]
    scores = detection_scores(queries, [right, wrong, wrong])
    assert scores.per_query == (1, 0, 0)
    assert dict(scores.per_category) == {"one": 0.5, "two": 0.0}
    assert scores.mean == pytest.approx(1 / 3)
    assert scores.mean_of_categories == pytest.approx(1 / 4)


def test_a_query_without_an_answer_counts_as_wrong():
    labels = {"q1": "A", "q2": "B", "q3": "B", "a": "A", "b": "B"}
    recognition = Recognition(("q1", "q2", "q3"), ("a", "b"), labels)
    assert top_1_accuracy(recognition, {"q1": "a", "q2": "a"}) == pytest.approx(1 / 3)


def _query(junk=()):
    return RetrievalQuery("q", "q", None, frozenset({"a", "b"}), frozenset(junk))


def test_retrieval_is_the_area_by_trapezoids():
    # recall 1/2 at precision 1, then 1/2 at rank 2, then recall 1 at precision 2/3
    assert retrieval_precision(_query(), ["a", "x", "b"]) == pytest.approx(0.5 * 1 + 0.5 * (1 / 2 + 2 / 3) / 2)
    assert retrieval_precision(_query(), ["a", "b", "x"]) == 1


def test_junk_is_as_if_it_were_not_there():
    assert retrieval_precision(_query({"x"}), ["x", "a", "x", "b"]) == 1
    assert retrieval_precision(_query(), ["x", "a", "b"]) < 1


def test_retrieval_scores_are_averaged():
    assert retrieval_score([_query(), _query()], [["a", "b"], ["x"]]) == pytest.approx(0.5)
