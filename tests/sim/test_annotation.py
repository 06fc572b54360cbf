"""Annotated grasps differ, and their counts are those of trials in physics."""

import numpy as np
import pytest

from perception.exemplars import AnnotatedObject
from sim.annotation import annotate, diverse, missing
from sim.antipodal import Candidates, sample_grasps
from sim.shapes import ObjectShape, template
from sim.shapes.hammer import Hammer


@pytest.fixture(scope="module")
def candidates() -> Candidates:
    shape = template("bottle")
    return sample_grasps(shape.vertices, shape.faces, np.random.default_rng(0), pairs=80)


def test_a_diverse_choice_covers_what_there_is(candidates):
    def gaps(chosen: Candidates) -> np.ndarray:
        places = candidates.T_object_clamp[:, None, :3, 3] - chosen.T_object_clamp[None, :, :3, 3]
        return np.linalg.norm(places, axis=-1).min(axis=1)

    count = 12
    first = Candidates(candidates.T_object_clamp[:count], candidates.opening_m[:count])
    assert gaps(diverse(candidates, count)).max() < gaps(first).max()


def test_a_choice_of_more_than_there_are_is_all_of_them_once(candidates):
    every = diverse(candidates, 10_000)
    assert len(np.unique(every.T_object_clamp, axis=0)) == len(candidates.opening_m)


def test_a_hand_misses_by_millimetres_and_degrees():
    errors = np.array([missing(np.random.default_rng(seed)) for seed in range(500)])
    assert np.linalg.norm(errors[:, :3, 3], axis=1).mean() == pytest.approx(0.003 * np.sqrt(8 / np.pi), rel=0.1)
    turns = np.arccos(np.clip((np.trace(errors[:, :3, :3], axis1=1, axis2=2) - 1) / 2, -1, 1))
    assert turns.mean() == pytest.approx(0.05 * np.sqrt(8 / np.pi), rel=0.1)


def test_an_annotated_bottle_has_grasps_that_hold(tmp_path):
    shape, seen = template("bottle"), list[tuple[int, int]]()
    made = annotate(shape, 1, count=3, tries=2, progress=lambda *at: seen.append(at))
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert (made.grasps.tries == 2).all()
    assert (made.grasps.success_rate == 1).any()
    path = tmp_path / "bottle.npz"
    path.write_bytes(made.to_bytes())
    assert np.array_equal(AnnotatedObject.load(path).grasps.successes, made.grasps.successes)


def test_equal_seeds_give_equal_annotations():
    shape = template("hammer")
    first, again = (annotate(shape, 2, count=1, tries=1).to_bytes() for _ in range(2))
    assert first == again


def test_a_thing_that_the_hand_cannot_span_is_refused():
    hammer = ObjectShape.of(Hammer())
    giant = ObjectShape("hammer", hammer.parameters, 9 * hammer.vertices, hammer.faces, ())
    with pytest.raises(ValueError, match="the hand finds no hold on this hammer"):
        annotate(giant, 0)
