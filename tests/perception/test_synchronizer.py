"""Images of several cameras that belong together, by their stamps."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.synchronizer import Synchronizer


def always(stamp_ns: int) -> bool:
    return True


def filled(stamps: dict[str, list[int]], slop_ns: int, rule: str = "newest") -> Synchronizer[str]:
    found: Synchronizer[str] = Synchronizer(list(stamps), slop_ns, rule)
    for camera, own in stamps.items():
        for stamp in own:
            found.add(camera, stamp, f"{camera} {stamp}")
    return found


def stamps_of(found) -> dict[str, int] | None:
    return None if found is None else {camera: shot.stamp_ns for camera, shot in found.items()}


@pytest.mark.parametrize(("rule", "wanted"), [("newest", {"a": 30, "b": 34}), ("oldest", {"a": 10, "b": 12})])
def test_the_rule_chooses_among_sets_within_the_slop(rule, wanted):
    cameras = filled({"a": [10, 20, 30], "b": [12, 34]}, 5, rule)
    assert stamps_of(cameras.together(["a", "b"], always)) == wanted


def test_a_camera_out_of_step_gives_no_set_but_says_how_far_it_is_off():
    cameras = filled({"a": [10, 20], "b": [35]}, 5)
    assert cameras.together(["a", "b"], always) is None
    assert cameras.spread_ns(["a", "b"], always) == 15


def test_a_camera_without_a_usable_shot_gives_no_set():
    cameras = filled({"a": [10, 20], "b": [10]}, 5)
    assert cameras.together(["a", "b"], lambda stamp: stamp > 15) is None
    assert cameras.spread_ns(["a", "b"], lambda stamp: stamp > 15) is None
    assert stamps_of(cameras.together(["a"], lambda stamp: stamp > 15)) == {"a": 20}


def test_old_shots_go_out_and_are_counted():
    cameras = Synchronizer(["a"], 0, kept=2)
    assert [cameras.add("a", stamp, "") for stamp in (1, 2, 3)] == [0, 0, 1]
    assert cameras.together(["a"], lambda stamp: stamp < 2) is None
    cameras.forget()
    assert cameras.latest("a") is None


def test_what_is_kept_is_what_was_taken():
    shots = filled({"a": [10], "b": [11]}, 5).together(["a", "b"], always)
    assert {camera: shot.item for camera, shot in shots.items()} == {"a": "a 10", "b": "b 11"}


STAMPS = st.lists(st.integers(0, 60), max_size=5)


@given(st.lists(STAMPS, min_size=1, max_size=3), st.integers(0, 20), st.sampled_from(["newest", "oldest"]))
def test_no_set_within_the_slop_is_missed_and_none_is_better(stamps, slop_ns, rule):
    names = [f"camera_{i}" for i in range(len(stamps))]
    found = stamps_of(filled(dict(zip(names, stamps, strict=True)), slop_ns, rule).together(names, always))
    every = [one for one in product(*stamps) if max(one) - min(one) <= slop_ns]
    assert (found is None) == (not every)
    if found:
        assert max(found.values()) - min(found.values()) <= slop_ns
        oldest = [min(one) for one in every]
        assert min(found.values()) == (max(oldest) if rule == "newest" else min(oldest))
