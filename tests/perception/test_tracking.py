"""Following the block through a stream of views, with the shipped networks on pictures of the photoreal set."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
from fixtures_bundle import write_marker_bundles

from benchmarks.photoreal.records import read_set
from perception.bundle import default_models_dir, list_bundles
from perception.localize import Localizer, View
from perception.tracking import KEYFRAME_S, Start, Tracker, follow

SCENES = (1, 2)  # which show the block clearly


def missing() -> list[str]:
    return sorted({"coarse", "tool", "block"} - set(list_bundles(default_models_dir())))


pytestmark = pytest.mark.skipif(bool(missing()), reason=f"models/ lacks {', '.join(missing())}")


@pytest.fixture(scope="module")
def localizer():
    return Localizer.open(engine="onnxruntime-cpu", stages=("coarse",))


@pytest.fixture(scope="module")
def scenes():
    poses = list(islice(read_set("lab"), max(SCENES) + 1))
    return [
        ([View(f"camera_{i}", one.rgb(), one.joints) for i, one in enumerate(poses[n].of("overview"))], poses[n])
        for n in SCENES
    ]


def at(views: list[View], stamp_s: float, seed: int = 0) -> list[View]:
    """The same scene a while later, with noise of its own."""
    rng = np.random.default_rng([seed, int(10 * stamp_s)])
    noisy = [np.clip(view.image + rng.normal(0, 2, view.image.shape), 0, 255).astype(np.uint8) for view in views]
    return [replace(view, image=image, stamp_s=stamp_s) for view, image in zip(views, noisy, strict=True)]


def test_a_block_that_stays_is_followed_and_as_exact_as_looked_for_anew(localizer, scenes):
    for views, pose in scenes:
        tracker = Tracker(localizer)
        first, origin = tracker.estimate(at(views, 1.0))
        assert origin is None
        for stamp_s in (1.1, 1.2, 1.3):
            found, origin = tracker.estimate(at(views, stamp_s))
            assert origin is not None
            assert found.stamp_s == stamp_s
            anew = localizer.coarse(at(views, stamp_s))
            assert np.hypot(found.x_m - anew.x_m, found.y_m - anew.y_m) < 0.004
            off = np.abs(found.errors(pose.T_base_block))
            assert np.hypot(*off[:2]) < 0.03
            assert found.confidence == pytest.approx(anew.confidence, abs=0.1)
            assert found.views == first.views


def test_what_was_followed_is_the_same_again_from_what_it_goes_back_to(localizer, scenes):
    views, _ = scenes[0]
    tracker = Tracker(localizer)
    tracker.estimate(at(views, 1.0))
    for stamp_s in (1.1, 1.2):
        found, origin = tracker.estimate(at(views, stamp_s))
        again = follow(localizer, at(views, stamp_s), origin)
        assert (again.x_m, again.y_m, again.yaw_rad) == (found.x_m, found.y_m, found.yaw_rad)
        np.testing.assert_array_equal(again.covariance, found.covariance)
        assert Start.from_numbers(origin.start.numbers) == origin.start


def test_a_block_that_was_moved_is_looked_for_anew(localizer, scenes):
    (before, _), (after, pose) = scenes
    tracker = Tracker(localizer)
    tracker.estimate(at(before, 1.0))
    found, origin = tracker.estimate(at(after, 1.1))
    assert origin is None
    assert np.hypot(*found.errors(pose.T_base_block)[:2]) < 0.03
    assert tracker.estimate(at(after, 1.2))[1] is not None


@pytest.mark.parametrize("stamp_s", [1.0 + KEYFRAME_S, 0.5])
def test_a_keyframe_that_is_old_or_of_another_time_is_made_anew(localizer, scenes, stamp_s):
    tracker = Tracker(localizer)
    tracker.estimate(at(scenes[0][0], 1.0))
    assert tracker.estimate(at(scenes[0][0], stamp_s))[1] is None


def test_other_cameras_or_sizes_are_looked_at_anew(localizer, scenes):
    views = scenes[0][0]
    tracker = Tracker(localizer)
    tracker.estimate(at(views, 1.0))
    assert tracker.estimate(at(views[:2], 1.1))[1] is None
    larger = [replace(view, image=view.image.repeat(2, axis=0).repeat(2, axis=1)) for view in views[:2]]
    assert tracker.estimate(at(larger, 1.2))[1] is None
    assert tracker.estimate(at(larger, 1.3))[1] is not None
    with pytest.raises(ValueError, match="not of the keyframe's cameras"):
        localizer.track(localizer.keyframe(views), larger, [])


def test_without_a_network_for_a_second_look_every_estimate_is_made_anew(tmp_path):
    localizer = Localizer.open(write_marker_bundles(tmp_path), stages=("coarse",))
    assert not localizer.can_track
