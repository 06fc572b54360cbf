"""The three stages end to end, with networks that know the truth up to a given noise."""

import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures_bundle import error_of, upright

from perception.angles import difference
from perception.errors import ImageError, JointStateError, LocalizationError
from perception.robot import Robot

sys.path.insert(0, str(Path(__file__).parent))
from ideal_networks import Truth, hover
from random_scenes import block, camera, overview_joints

NOISE_PX = 0.2  # of the networks' inputs: 0.7 px of an overview, 0.4 px of a close-up
ROBOT = Robot.load()


def coarse_case(seed, views=3, **truth):
    rng = np.random.default_rng(seed)
    case = Truth(block(rng), NOISE_PX, seed, **truth)
    joints = overview_joints(rng)
    return case, [case.view(f"camera_{i}", camera(rng), joints) for i in range(1, views + 1)]


def fine_case(seed, cameras=3, orientations=1, **truth):
    rng = np.random.default_rng(seed)
    case = Truth(block(rng), NOISE_PX, seed, **truth)
    x, y = case.block.position[:2] + rng.normal(size=2) * 0.01
    eyes = [camera(rng) for _ in range(cameras)]
    poses = [hover(x, y, 0.2 + i * np.pi / 2) for i in range(orientations)]
    views = [case.view(f"camera_{i}", eye, pose) for pose in poses for i, eye in enumerate(eyes, start=1)]
    return case, views


def errors(cases, stage):
    found = [error_of(getattr(case.localizer(), stage)(views), case.block) for case, views in cases]
    return np.array(found).T


def test_coarse_with_three_views():
    position, yaw = errors([coarse_case(seed) for seed in range(8)], "coarse")
    assert np.median(position) < 0.004
    assert position.max() < 0.015
    assert np.rad2deg(np.median(yaw)) < 1.0


def test_coarse_with_one_view():
    position, yaw = errors([coarse_case(seed, views=1) for seed in range(6)], "coarse")
    assert np.median(position) < 0.012
    assert np.rad2deg(np.median(yaw)) < 2.0


def test_fine_with_three_views():
    position, yaw = errors([fine_case(seed) for seed in range(6)], "fine")
    assert np.median(position) < 0.0015
    assert position.max() < 0.004
    assert np.rad2deg(np.median(yaw)) < 1.0


def test_fine_with_one_view():
    position, yaw = errors([fine_case(seed, cameras=1) for seed in range(4)], "fine")
    assert np.median(position) < 0.004
    assert np.rad2deg(np.median(yaw)) < 1.5


def test_the_size_is_found():
    for seed in range(3):
        case, views = fine_case(seed)
        np.testing.assert_allclose(case.localizer().fine(views).size_m, case.block.size, atol=0.003)


def test_fine_with_two_clamp_orientations_is_in_the_frame_of_the_first():
    case, views = fine_case(3, cameras=2, orientations=2)
    found = case.localizer().fine(views)
    position, yaw = error_of(found, case.block)
    assert position < 0.003 and np.rad2deg(yaw) < 2.0
    np.testing.assert_allclose(found.T_base_frame, ROBOT.clamp_pose(views[0].joints))
    clamp_yaw = np.arctan2(found.T_base_frame[1, 0], found.T_base_frame[0, 0])
    assert abs(difference(found.yaw_rad, clamp_yaw - case.block.yaw_rad, np.pi)) < 0.05  # z down mirrors the sense
    assert found.views == ("camera_1", "camera_2", "camera_1", "camera_2")
    assert sorted(found.cameras) == ["camera_1", "camera_2"]


def test_errors_are_within_the_claimed_covariance():
    normalised = []
    for seed in range(8):
        case, views = coarse_case(seed)
        found = case.localizer().coarse(views)
        offset = np.array(found.in_base()[:2]) - case.block.position[:2]
        normalised.append(offset @ np.linalg.solve(found.covariance[:2, :2], offset))
    assert np.mean(np.array(normalised) < 5.99) >= 0.75  # 95 % of a chi-squared of two


@pytest.mark.parametrize(("stage", "case"), [("coarse", coarse_case), ("fine", fine_case)])
class TestScenesThatLackSomething:
    """Views without the robot, without the block, and misled ones."""

    def test_where_all_is_seen_there_is_no_doubt(self, stage, case):
        truth, views = case(1)
        found = getattr(truth.localizer(), stage)(views)
        assert found.confidence > 0.95
        assert [(one.camera, one.used, one.doubt) for one in found.evidence] == [
            (f"camera_{i}", True, "") for i in (1, 2, 3)
        ]
        assert all(one.block > 0.95 and one.robot > 0.6 for one in found.evidence)
        assert found.doubts == () and len(found.modes) == 1

    def test_a_view_without_the_block_lowers_the_confidence(self, stage, case):
        truth, views = case(1, without_block={1})
        found = getattr(truth.localizer(), stage)(views)
        assert error_of(found, truth.block)[0] < 0.01
        assert 0.5 < found.confidence < 0.8
        assert [one.doubt for one in found.evidence] == ["", "camera_2 hardly shows the block", ""]
        assert found.evidence[1].used and found.evidence[1].block < 0.05

    def test_a_view_without_the_robot_is_not_used(self, stage, case):
        truth, views = case(1, without_robot={1})
        found = getattr(truth.localizer(), stage)(views)
        assert error_of(found, truth.block)[0] < 0.01
        assert sorted(found.cameras) == ["camera_1", "camera_3"]
        assert [one.used for one in found.evidence] == [True, False, True]
        doubt = "camera_2 does not show enough of the robot to know where it stands"
        assert [one.doubt for one in found.evidence] == ["", doubt, ""]

    def test_a_view_that_sees_nothing_is_left_out(self, stage, case):
        truth, views = case(1, blind={2})
        found = getattr(truth.localizer(), stage)(views)
        assert sorted(found.cameras) == ["camera_1", "camera_2"]
        assert error_of(found, truth.block)[0] < 0.01

    def test_a_view_that_sees_ghosts_does_little_harm(self, stage, case):
        truth, views = case(2, misled={2})
        found = getattr(truth.localizer(), stage)(views)
        assert error_of(found, truth.block)[0] < 0.02
        assert found.evidence[2].doubt != ""

    def test_where_no_view_shows_the_block_the_views_are_named(self, stage, case):
        truth, views = case(1, without_block={0, 1, 2})
        with pytest.raises(LocalizationError) as caught:
            getattr(truth.localizer(), stage)(views)
        hardly = "; ".join(f"camera_{i} hardly shows the block" for i in (1, 2, 3))
        assert str(caught.value) == f"no view shows the block: {hardly}."

    def test_where_no_view_shows_the_robot_each_reason_is_given(self, stage, case):
        truth, views = case(1, without_robot={0, 1, 2})
        reasons = r"camera_1: only 0 points .* camera_2: only 0 points .* camera_3: only 0 points"
        with pytest.raises(LocalizationError, match=reasons):
            getattr(truth.localizer(), stage)(views)

    def test_two_blocks_are_two_modes_and_half_the_confidence(self, stage, case):
        truth, views = case(1)
        x, y, _ = truth.block.position
        truth.others = [(upright(x - 0.03, y - 0.1, truth.block.yaw_rad + 1.0), 0.48)]
        found = getattr(truth.localizer(), stage)(views)
        assert len(found.modes) == 2
        assert sum(mode.weight for mode in found.modes) == pytest.approx(1.0)
        assert 0.4 < found.confidence < 0.7
        apart = np.linalg.norm(found.modes[0].mean[:2] - found.modes[1].mean[:2])
        assert apart == pytest.approx(np.hypot(0.03, 0.1), abs=0.02)


def test_of_each_camera_one_image_shows_the_arm_and_all_show_the_clamp():
    case, views = fine_case(2, cameras=2, orientations=2)
    localizer, looked = case.localizer(), []
    plain = localizer._look
    localizer._look = lambda stage, own, windows=None: (
        looked.append((stage, [view.camera for view in own], windows is not None)) or plain(stage, own, windows)
    )
    localizer.fine(views)
    once, both = ["camera_1", "camera_2"], ["camera_1", "camera_2"] * 2
    assert looked == [("tool", once, False), ("tool", once, True), ("fine", both, True)]


def test_a_view_with_the_clamp_behind_it_is_not_used_and_says_so():
    case, views = fine_case(1)
    localizer = case.localizer()
    localizer._shows_clamp = lambda found, view: view.camera != "camera_2"
    found = localizer.fine(views)
    assert error_of(found, case.block)[0] < 0.01
    assert [one.doubt for one in found.evidence] == ["", "camera_2 does not have the clamp in front of it", ""]


def test_views_that_all_see_nothing_are_refused_with_each_reason():
    case, views = coarse_case(1, views=2, blind={0, 1})
    with pytest.raises(LocalizationError, match=r"camera_1: only 0 points .* camera_2: only 0 points"):
        case.localizer().coarse(views)


def test_a_block_beyond_what_the_networks_know_is_doubted():
    case, views = coarse_case(1)
    sure = case.localizer().coarse(views).confidence
    case.block = upright(0.5, 0.1, 0.7, (0.2, 0.08, 0.08))
    large = case.localizer().coarse(views)
    assert len(large.doubts) == 1 and "the block measures" in large.doubts[0]
    assert large.confidence < 0.3 * sure
    case.block = upright(1.0, 0.1, 0.7)
    far = case.localizer().coarse(views)
    assert far.x_m == pytest.approx(1.0, abs=0.04)
    assert far.confidence < 0.3 * sure
    assert far.doubts == (
        f"the block is at x {1e3 * far.x_m:.0f} mm, y {1e3 * far.y_m:.0f} mm of the base, outside of what the networks "
        "know: x -55 to 955 mm, y -505 to 505 mm",
    )


def test_a_close_up_of_a_block_far_from_the_clamp_is_doubted():
    case, views = fine_case(1)
    x, y, _ = case.block.position
    case.block = upright(x + 0.075, y, case.block.yaw_rad)
    found = case.localizer().fine(views)
    assert error_of(found, case.block)[0] < 0.01
    assert found.confidence < 0.3 and "x -60 to 60 mm, y -60 to 60 mm" in found.doubts[0]


def test_cameras_may_have_images_of_different_sizes():
    case, views = coarse_case(1, views=1)
    rng = np.random.default_rng(7)
    for size in ((1280, 960), (320, 240), (1024, 512)):
        eye = camera(rng)
        scaled = replace(eye, focal_px=eye.focal_px * size[0] / 640, width=size[0], height=size[1])
        views.append(case.view(f"camera_{len(views) + 1}", scaled, views[0].joints))
    found = case.localizer().coarse(views)
    assert error_of(found, case.block)[0] < 0.006
    assert [(one.width, one.height) for one in found.cameras.values()] == [
        (640, 480), (1280, 960), (320, 240), (1024, 512)
    ]  # fmt: skip


def test_one_camera_may_give_two_images():
    case, views = coarse_case(1, views=1)
    eye, joints = case.scenes[0]
    once = case.localizer().coarse(views)
    twice = case.localizer().coarse([*views, case.view("camera_1", eye, joints)])
    assert error_of(twice, case.block)[0] < 0.02
    assert twice.views == ("camera_1", "camera_1") and list(twice.cameras) == ["camera_1"]
    assert np.trace(twice.covariance) < np.trace(once.covariance)


def test_images_of_different_sizes_under_one_name_are_refused():
    case, views = coarse_case(1, views=1)
    other = replace(views[0], image=np.zeros((240, 320, 3), np.uint8))
    for stage in ("coarse", "fine"):
        with pytest.raises(ImageError, match="camera_1 has images of 640 x 480 and of 320 x 240 px: name the cameras"):
            getattr(case.localizer(), stage)([views[0], other])


@pytest.mark.parametrize(
    "made",
    [
        lambda image: image[..., 0],
        lambda image: image[..., :1],
        lambda image: np.dstack([image, image[..., 0] * 0]),
        lambda image: image.astype(np.uint16) * 257,
        lambda image: image[..., 0].astype(np.uint16) * 257,
    ],
    ids=["grey", "one channel", "alpha", "16 bits", "grey of 16 bits"],
)
def test_grey_alpha_and_16_bits_give_the_same_estimate(made):
    case, views = coarse_case(1)
    expected = case.localizer().coarse(views)
    found = case.localizer().coarse([replace(view, image=made(view.image)) for view in views])
    assert (found.x_m, found.y_m, found.yaw_rad) == (expected.x_m, expected.y_m, expected.yaw_rad)


def test_a_huge_image_works_in_bounded_memory():
    case, views = fine_case(1, cameras=1)
    eye, joints = case.scenes[0]
    large = replace(eye, focal_px=eye.focal_px * 16, width=640 * 16, height=480 * 16)
    tracemalloc.start()
    found = case.localizer().fine([case.view("large", large, joints)])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert error_of(found, case.block)[0] < 0.006
    assert peak < 1e9  # the image itself has 236 MB
    with pytest.raises(ImageError, match="is 12000 x 9000 px: give at most 100 megapixels"):
        case.localizer().fine([replace(views[0], image=np.broadcast_to(np.uint8(0), (9000, 12000, 3)))])


def test_a_camera_whose_first_image_shows_no_robot_is_found_by_its_other_one():
    case, views = fine_case(3, cameras=2, orientations=2, blind={0})
    found = case.localizer().fine(views)
    assert set(found.cameras) == {"camera_1", "camera_2"} and error_of(found, case.block)[0] < 0.005


def test_the_tool_is_found_in_the_image():
    case, views = fine_case(0, cameras=1)
    eye, joints = case.scenes[0]
    found = case.localizer().tool(views[0])
    truth = eye.project(ROBOT.clamp_pose(joints)[:3, 3])[0]
    np.testing.assert_allclose((found.u_px, found.v_px), truth, atol=4.0)
    assert len(found.u.centres) == len(found.v.centres) == 50 and found.confidence > 0.95
    assert found.u.probabilities.sum() == pytest.approx(1.0)
    assert found.u.centres[np.argmax(found.u.probabilities)] == pytest.approx(found.u_px, abs=640 / 50)


def test_the_same_views_give_the_same_estimate():
    case, views = fine_case(1, cameras=1)
    localizer = case.localizer()
    first, second = localizer.fine(views), localizer.fine(views)
    assert (first.x_m, first.y_m, first.yaw_rad) == (second.x_m, second.y_m, second.yaw_rad)


def test_the_stamp_is_that_of_the_oldest_image():
    case, views = coarse_case(0)
    stamped = [replace(view, stamp_s=stamp) for view, stamp in zip(views, (7.0, 5.0, 6.0), strict=True)]
    assert case.localizer().coarse(stamped).stamp_s == 5.0


def test_a_clamp_that_does_not_point_down_is_refused():
    case, views = coarse_case(0, views=1)
    lying = replace(views[0], joints=np.array([0.0, 0.4, 0.0, -0.5, 0.0, 1.6, 0.0, 0.04, 0.04]))
    with pytest.raises(LocalizationError, match=r"the clamp is tilted by .* move it over the block first"):
        case.localizer().fine([lying])


def test_bad_views_are_refused():
    case, views = coarse_case(0, views=1)
    localizer = case.localizer()
    for stage in (localizer.coarse, localizer.fine, lambda views: localizer.tool(*views)):
        if stage in (localizer.coarse, localizer.fine):
            with pytest.raises(LocalizationError, match="no image was given: give at least one"):
                stage([])
        for image, sentence in (
            (np.zeros((480, 640, 3), np.float32), "the image of camera_1 has values of type float32"),
            (np.zeros((480, 640, 2), np.uint8), "the image of camera_1 has 2 channels"),
            (np.zeros((48, 64, 3), np.uint8), "the image of camera_1 is 64 x 48 px: give at least 64 x 64 px"),
            ("a.png", "the image of camera_1 is a str"),
        ):
            with pytest.raises(ImageError, match=sentence):
                stage([replace(views[0], image=image)])
        joints = views[0].joints
        for bad, sentence in (
            (joints[:5], "5 joint positions were given, but panda has 9"),
            (np.append(joints, 0.0), "10 joint positions were given, but panda has 9"),
            (np.where(np.arange(9) == 2, np.nan, joints), "panda_joint3 is nan"),
            (np.where(np.arange(9) == 2, np.inf, joints), "panda_joint3 is inf"),
            (np.where(np.arange(9) == 0, 9.0, joints), "panda_joint1 is 9 rad, outside its limits"),
        ):
            with pytest.raises(JointStateError, match=sentence):
                stage([replace(views[0], joints=bad)])
