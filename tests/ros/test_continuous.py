"""Continuous mode: estimates at camera rate from the newest images, and what it says when they do not come."""

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="no ROS 2: neither the wheels of the extra `ros` nor a sourced one")

from feed import CAMERAS, Diagnosed, Feed, localizer_parameters
from perception_interfaces.msg import BlockEstimate
from real_graph import START_S, running

from perception.graph import NodeSpec
from perception.nodes.messages import stamp_ns

RATE_HZ = 15.0


class Stream:
    """The estimates that come in."""

    def __init__(self, client) -> None:
        self.client = client
        self.estimates: list[BlockEstimate] = []
        client.node.create_subscription(BlockEstimate, "/localizer/estimate", self.estimates.append, 10)

    def more(self, count: int, timeout_s: float = START_S) -> list[BlockEstimate]:
        """So many of from now on; fewer when the time is up."""
        self.estimates.clear()
        self.client.spin_until(lambda: len(self.estimates) >= count, timeout_s)
        return list(self.estimates)


@pytest.fixture(scope="module")
def graph(ros, models):
    more = {"continuous": "coarse", "autostart": True, "oldest_frame_s": 1.0, "stale_after_s": 1.0}
    parameters = localizer_parameters(models, **more)
    with running([NodeSpec("localizer", "localizer", parameters=parameters)], ros) as graph:
        graph.client.wait_for_state("active", timeout_s=START_S)
        yield graph


@pytest.fixture(scope="module")
def feed(graph):
    return Feed(graph.client, rate_hz=RATE_HZ)


@pytest.fixture(scope="module")
def stream(graph):
    return Stream(graph.client)


@pytest.fixture(scope="module")
def diagnosed(graph):
    return Diagnosed(graph.client)


def test_estimates_come_one_after_the_other_without_being_asked_for(feed, stream):
    found = stream.more(20)
    assert len(found) == 20
    stamps = [stamp_ns(one.header.stamp) for one in found]
    assert stamps == sorted(set(stamps)), "no image is used twice"
    truth = feed.world.block_truth()
    for one in found:
        assert one.pose.pose.position.x == pytest.approx(truth.x_m, abs=0.02)
        assert list(one.views) == CAMERAS


def test_latency_frame_age_and_processing_time_are_diagnosed_with_what_is_expected(feed, stream, diagnosed):
    stream.more(5)
    assert diagnosed.counts("localizer: localization", "estimates")
    values = diagnosed.values("localizer: localization")
    assert 0.0 < float(values["processing time (s), median"]) <= float(values["latency (s), median"])
    assert 0.0 <= float(values["frame age (s), median"]) <= 1.0
    assert values["latency (s), expected"] == "0 to 0.15"
    assert values["engine"].startswith("onnxruntime-cpu")
    cameras = diagnosed.values("localizer: camera_1")
    assert 0 < int(cameras["used"]) <= int(cameras["received"])
    assert cameras["age (s), expected"] == "0 to 1"


def test_a_goal_goes_first_and_the_stream_goes_on_after_it(graph, feed, stream):
    answer = graph.client.localize("coarse")
    assert answer.success, answer.message
    assert len(stream.more(3)) == 3


@pytest.mark.fault("a camera stops", "no estimate; WARN with its name, topic and age; goes on when it returns")
def test_a_camera_that_stops_is_named_and_estimates_go_on_when_it_returns(graph, feed, stream, diagnosed):
    assert len(stream.more(3)) == 3
    try:
        feed.cameras = ["camera_1"]
        assert diagnosed.says("localizer: camera_2", "no image came on /camera_2/image_raw for")
        assert stream.more(1, timeout_s=1.0) == []
        assert diagnosed.says("localizer: localization", "camera_2 published no new image on /camera_2/image_raw")
        assert graph.output("localizer").count("camera_2 published no new image") == 1, "and in the log, once"
    finally:
        feed.cameras = list(CAMERAS)
    assert len(stream.more(3)) == 3
    assert diagnosed.says("localizer: camera_2", "ok")


@pytest.mark.fault("a camera changes its resolution", "estimates go on, as good as before")
def test_a_camera_that_changes_its_resolution_goes_on(feed, stream):
    before = feed.pictures["camera_1"]
    try:
        feed.pictures["camera_1"] = np.ascontiguousarray(before.repeat(2, axis=0).repeat(2, axis=1))
        stream.more(2)  # may still be of images of before
        found = stream.more(5)
        assert len(found) == 5
        truth = feed.world.block_truth()
        assert found[-1].pose.pose.position.x == pytest.approx(truth.x_m, abs=0.02)
    finally:
        feed.pictures["camera_1"] = before


@pytest.mark.fault("a picture without block or robot", "no estimate; WARN with the reason")
def test_a_blank_camera_gives_no_estimate_and_says_why(graph, feed, stream, diagnosed):
    before = dict(feed.pictures)
    try:
        for camera in CAMERAS:
            feed.pictures[camera] = np.full_like(before[camera], 128)
        assert diagnosed.says("localizer: localization", "camera_1: only 0 points of the robot are visible")
        assert stream.more(1, timeout_s=1.0) == []
    finally:
        feed.pictures.update(before)
    assert len(stream.more(2)) == 2
    part = "localizer: localization"
    assert graph.client.spin_until(lambda: "points of the robot" not in diagnosed.message(part), START_S)


def test_images_too_far_apart_are_not_put_together(graph, ros, models, feed, stream, diagnosed):
    """Comes last: it takes the feed's own timer away."""
    feed.stop()
    apart_ns = 400_000_000

    def publish() -> None:
        now = feed.now_ns()
        for camera, shift in zip(CAMERAS, (0, -apart_ns), strict=True):
            feed.cameras, feed.shift_ns = [camera], shift
            feed.publish()
        feed.shift_ns = 0
        assert feed.now_ns() >= now

    timer = graph.client.node.create_timer(1.0, publish)
    try:
        graph.client.spin_until(lambda: False, 1.0)
        assert stream.more(1, timeout_s=3.0) == []
        answer = graph.client.localize("coarse", view_timeout_s=3.0)
        assert not answer.success
        assert "the images of camera_1, camera_2 are " in answer.message
        assert " s apart at best, and sync_slop_s is 0.1 s" in answer.message
    finally:
        timer.cancel()


def test_what_was_followed_replays_to_the_last_digit(ros, tmp_path):
    """With the shipped networks, which follow the block, on pictures of the photoreal set."""
    from itertools import islice

    from benchmarks.photoreal.records import read_set
    from perception.bag import read_requests
    from perception.bundle import default_models_dir
    from perception.localize import Localizer
    from perception.tracking import follow

    pose = list(islice(read_set("lab"), 2))[1]
    overviews = pose.of("overview")
    pictures = {f"camera_{i}": one.rgb() for i, one in enumerate(overviews, start=1)}
    models = default_models_dir()
    parameters = {"models": str(models), "continuous": "coarse", "reliable_inputs": True, "oldest_frame_s": 2.0}
    recorder = {"folder": str(tmp_path / "bag"), "autostart": True}
    nodes = [
        NodeSpec("localizer", "localizer", parameters=parameters),
        NodeSpec("bag_recorder", "bag_recorder", parameters=recorder),
    ]
    with running(nodes, ros) as graph:
        graph.client.wait_for_state("unconfigured", timeout_s=START_S)
        graph.client.wait_for_state("active", "bag_recorder", timeout_s=START_S)
        assert graph.client.change_state("configure")
        graph.client.spin_until(lambda: False, 2.0)  # the recorder joins the topics
        stream = Stream(graph.client)
        Feed(graph.client, pictures, overviews[0].joints, rate_hz=5.0)
        assert graph.client.change_state("activate")
        followed = stream.more(6)
        assert graph.client.change_state("deactivate")
        graph.client.spin_until(lambda: False, 1.0)
        assert graph.client.change_state("deactivate", "bag_recorder")
        assert graph.client.change_state("cleanup", "bag_recorder")
    assert sum(len(one.start) > 0 for one in followed) >= 4, "most estimates follow the first"
    localizer = Localizer.open(models, followed[0].engine)
    requests = [one for one in read_requests(tmp_path / "bag", localizer.robot) if one.recorded]
    assert len(requests) >= 6
    assert sum(one.origin is not None for one in requests) >= 4
    for request in requests:
        again = follow(localizer, request.views, request.origin)
        recorded = request.recorded
        assert (again.x_m, again.y_m) == (recorded.x_m, recorded.y_m), "to the last digit"
        assert again.yaw_rad == pytest.approx(recorded.yaw_rad, abs=1e-12)  # by way of a quaternion
