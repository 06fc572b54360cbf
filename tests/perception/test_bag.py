"""Requests out of recordings."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures_bundle import POSE_BINS
from recorded_bag import Recorder

from perception.bag import read_requests
from perception.errors import BlockworldError, ImageError, JointStateError
from perception.estimate import BlockEstimate, Mode, Posterior
from perception.localize import View
from perception.robot import Robot

ROBOT = Robot.load()
READY = np.array([0.0, -0.5, 0.0, -2.0, 0.0, 1.6, 0.8, 0.04, 0.04])


def view(camera, stamp_s, seed, joints=READY):
    image = np.random.default_rng(seed).integers(0, 256, (72, 96, 3), dtype=np.uint8)
    return View(camera, image, joints, stamp_s)


def estimate(stage="coarse"):
    bins = POSE_BINS["fine"]
    marginals = [Posterior(one.centres(), np.full(one.count, 1 / one.count)) for one in (bins.x, bins.y, bins.yaw)]
    numbers = {"x_m": 0.41, "y_m": -0.07, "z_m": 0.0, "yaw_rad": 2.5, "size_m": (0.09, 0.04, 0.045)}
    return BlockEstimate(
        stage=stage,
        frame="base",
        covariance=np.eye(3),
        x=marginals[0],
        y=marginals[1],
        yaw=marginals[2],
        modes=(Mode(np.array([0.41, -0.07, 2.5]), np.eye(3), 1.0),),
        confidence=0.9,
        evidence=(),
        cameras={},
        stamp_s=1.0,
        engine="onnxruntime-cpu",
        **numbers,
    )


def test_a_recorded_estimate_brings_back_exactly_its_views(tmp_path):
    moved = READY + 0.01 * np.arange(9) / 9
    moved[7:] = 0.03
    used = [view("camera_2", 1.0, 0), view("camera_1", 1.5, 1, moved), view("camera_2", 2.25, 2)]
    others = [view("camera_1", 1.0, 3), view("camera_2", 1.5, 4), view("camera_1", 9.0, 5)]
    with Recorder(tmp_path / "bag") as bag:
        for one in sorted([*used, *others], key=lambda one: one.stamp_s):
            bag.image(one)
        bag.estimate(estimate("fine"), used)
    (request,) = read_requests(tmp_path / "bag", ROBOT)
    assert request.stage == "fine"
    assert [one.camera for one in request.views] == ["camera_2", "camera_1", "camera_2"]
    for read, given in zip(request.views, used, strict=True):
        np.testing.assert_array_equal(read.image, given.image)
        np.testing.assert_array_equal(read.joints, given.joints)
        assert read.stamp_s == given.stamp_s
    assert (request.recorded.x_m, request.recorded.y_m) == (0.41, -0.07)
    assert request.recorded.yaw_rad == pytest.approx(2.5)


def test_a_bag_of_nodes_in_a_namespace_reads_as_well(tmp_path):
    used = view("camera_1", 1.0, 0)
    with Recorder(tmp_path / "bag") as bag:
        bag.image(replace(used, camera="hall/robot_1/camera_1"))
        bag.estimate(estimate(), [used])
    (request,) = read_requests(tmp_path / "bag", ROBOT)
    np.testing.assert_array_equal(request.views[0].image, used.image)


def test_the_file_inside_of_a_bag_reads_as_well(tmp_path):
    with Recorder(tmp_path / "bag") as bag:
        bag.joints(view("camera_1", 1.0, 0))
        bag.image(view("camera_1", 1.0, 0))
    (file,) = (tmp_path / "bag").glob("*.mcap")
    assert len(read_requests(file, ROBOT)) == 1


def test_without_estimates_the_latest_image_of_every_camera_counts(tmp_path):
    with Recorder(tmp_path / "bag") as bag:
        for stamp in (1.0, 1.2):
            for number in (1, 2):
                bag.joints(view("", stamp, 0, READY + 0.001 * stamp))
                bag.image(view(f"camera_{number}", stamp, int(10 * stamp) + number), encoding="bgr8")
    (request,) = read_requests(tmp_path / "bag", ROBOT)
    assert request.stage is None and request.recorded is None
    assert [(one.camera, one.stamp_s) for one in request.views] == [("camera_1", 1.2), ("camera_2", 1.2)]
    np.testing.assert_array_equal(request.views[1].image, view("", 1.2, 14).image)
    np.testing.assert_allclose(request.views[0].joints, READY + 0.0012)


def refusal(path, error=BlockworldError):
    with pytest.raises(error) as caught:
        read_requests(path, ROBOT)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_is_no_bag_is_refused(tmp_path):
    assert "does not exist: give a rosbag2 folder" in refusal(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "is not a readable rosbag2 recording" in refusal(tmp_path / "empty")
    (tmp_path / "text.mcap").write_text("no recording")
    assert "is not a readable rosbag2 recording" in refusal(tmp_path / "text.mcap")


def test_a_bag_that_lacks_what_is_needed_is_refused(tmp_path):
    with Recorder(tmp_path / "a") as bag:
        bag.joints(view("", 1.0, 0))
    assert "has no images on /CAMERA/image_raw" in refusal(tmp_path / "a")
    with Recorder(tmp_path / "b") as bag:
        bag.image(view("camera_1", 1.0, 0))
    assert "no joint state within 0.5 s of the last image of camera_1" in refusal(tmp_path / "b")
    with Recorder(tmp_path / "c") as bag:
        bag.image(view("camera_1", 1.0, 0))
        bag.estimate(estimate(), [view("camera_1", 2.0, 0)])
    assert "an image of camera_1 at 2.000 s, but not the image" in refusal(tmp_path / "c")


def test_bad_images_and_joints_in_a_bag_are_refused(tmp_path):
    with Recorder(tmp_path / "a") as bag:
        bag.joints(view("", 1.0, 0))
        bag.image(view("camera_1", 1.0, 0), encoding="32FC1")
    assert "encoding '32FC1'" in refusal(tmp_path / "a", ImageError)
    with Recorder(tmp_path / "b") as bag:
        bag.joints(view("", 1.0, 0, np.full(9, np.nan)))
        bag.image(view("camera_1", 1.0, 0))
    assert "panda_joint1 is nan" in refusal(tmp_path / "b", JointStateError)
