"""The method of the paper: scores add up, orientations are brought together by re-indexing."""

import numpy as np
import pytest
from fixtures_bundle import POSE_BINS

from perception import node_parameters
from perception.angles import difference
from perception.bins import BinLocalizer, quarter_turns, turned
from perception.bundle import BinScores, Crop, Input, Manifest
from perception.errors import BlockworldError, BundleError, LocalizationError
from perception.localize import Network, View
from perception.methods import METHODS, open_localizer
from perception.robot import Robot

ROBOT = Robot.load()
FRAMES = {"coarse": "base", "tool": "image", "fine": "clamp"}
HOVER = np.array([0.1, 0.2, 0.0, -2.1, 0.0, 2.3, 0.9, 0.04, 0.04])


def manifest(stage):
    return Manifest(
        name=f"{stage}_bins",
        version="0.0.1",
        task=f"localization.{stage}",
        robot="panda",
        frame=FRAMES[stage],
        input=Input(width=64, height=64),
        output=BinScores(),
        crop=Crop(side_m=0.4) if stage == "fine" else None,
        bins=POSE_BINS[stage],
    )


def bells(stage, place, sharpness=1.0):
    """Raw scores of all bins for a pose, as Gaussian log-likelihoods two bins wide."""
    bins, rows = POSE_BINS[stage], []
    for axis, value in zip((bins.x, bins.y, bins.yaw), place, strict=True):
        apart = axis.centres() - value
        if axis is bins.yaw:
            apart = difference(axis.centres(), value, np.pi)
        rows.append(-0.5 * sharpness * (apart / (2 * axis.width)) ** 2)
    return np.concatenate(rows)


class Scripted:
    """An engine that answers with the given rows, one per image, again and again."""

    name = "scripted"

    def __init__(self, rows):
        self.rows, self.next = np.atleast_2d(rows).astype(np.float32), 0

    def run(self, images):
        chosen = [self.rows[(self.next + i) % len(self.rows)] for i in range(len(images))]
        self.next += len(images)
        return np.array(chosen)


def localizer(**rows):
    return BinLocalizer({stage: Network(manifest(stage), Scripted(row)) for stage, row in rows.items()}, ROBOT)


def view(joints=HOVER, name="camera_1"):
    return View(name, np.zeros((480, 640, 3), np.uint8), joints)


def test_an_estimate_lies_between_the_bins():
    found = localizer(coarse=bells("coarse", (0.4512, -0.1034, 1.01))).coarse([view()])
    np.testing.assert_allclose((found.x_m, found.y_m, found.yaw_rad), (0.4512, -0.1034, 1.01), atol=2e-3)
    assert found.confidence > 0.85 and found.frame == "base" and found.cameras == {}
    assert found.x.probabilities.sum() == pytest.approx(1.0)


def test_raw_scores_of_views_add_up():
    rows = np.stack([bells("coarse", (0.45, 0.0, 1.0), 1.0), bells("coarse", (0.46, 0.0, 1.0), 3.0)])
    found = localizer(coarse=rows).coarse([view(), view(name="camera_2")])
    assert found.x_m == pytest.approx(0.45 + 0.75 * 0.01, abs=1e-3)


def test_a_view_that_disagrees_has_a_doubt():
    rows = np.stack([bells("coarse", (0.45, 0.0, 1.0), 9.0), bells("coarse", (0.70, 0.2, 1.0), 0.3)])
    found = localizer(coarse=rows).coarse([view(), view(name="camera_2")])
    assert found.evidence[0].doubt == "" and "camera_2 would have the block elsewhere" in found.evidence[1].doubt


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_re_indexing_is_the_turn_of_the_clamp(turns):
    place, cos, sin = (0.021, -0.034, 0.7), np.cos(turns * np.pi / 2), np.sin(turns * np.pi / 2)
    x, y, yaw = place  # in the first clamp's frame; in that of one turned about z it is seen turned back
    own = (cos * x + sin * y, -sin * x + cos * y, (yaw - turns * np.pi / 2) % np.pi)
    counts = np.cumsum([60, 60])
    split = [np.split(bells("fine", pose), counts) for pose in (own, place)]
    for given, wanted in zip(turned(tuple(split[0]), turns), split[1], strict=True):
        np.testing.assert_allclose(given, wanted, atol=1e-9)


def test_quarter_turns_are_told_and_others_refused():
    clamp = ROBOT.clamp_pose(HOVER)
    for turns in range(4):
        turn = np.eye(4)
        angle = turns * np.pi / 2 + 0.01
        turn[:2, :2] = ((np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle)))
        assert quarter_turns(clamp, clamp @ turn) == turns
    turn[:2, :2] = ((np.cos(0.5), -np.sin(0.5)), (np.sin(0.5), np.cos(0.5)))
    with pytest.raises(LocalizationError, match=r"turned by 28.6 deg .* the method bins needs quarter turns"):
        quarter_turns(clamp, clamp @ turn)


def test_two_orientations_are_brought_to_the_first_one_s_frame():
    turned_joints = HOVER + np.array([0, 0, 0, 0, 0, 0, np.pi / 2, 0, 0])
    turns = quarter_turns(ROBOT.clamp_pose(HOVER), ROBOT.clamp_pose(turned_joints))
    x, y, yaw = 0.02, -0.01, 0.6
    cos, sin = np.cos(turns * np.pi / 2), np.sin(turns * np.pi / 2)
    own = (cos * x + sin * y, -sin * x + cos * y, (yaw - turns * np.pi / 2) % np.pi)
    tool = np.zeros(100)
    tool[[25, 75]] = 9.0
    case = localizer(tool=tool, fine=np.stack([bells("fine", (x, y, yaw)), bells("fine", own)]))
    found = case.fine([view(), view(turned_joints)])
    np.testing.assert_allclose((found.x_m, found.y_m, found.yaw_rad), (x, y, yaw), atol=1e-3)
    clamp = ROBOT.clamp_pose(HOVER)
    np.testing.assert_allclose(found.T_base_frame, clamp)
    assert (clamp @ (found.x_m, found.y_m, found.z_m, 1.0))[2] == pytest.approx(0.0, abs=1e-9)


def test_the_tool_is_read_between_the_bins():
    centres = (np.arange(50) + 0.5) / 50
    scores = np.concatenate([-0.5 * ((centres - 0.413) / 0.03) ** 2, -0.5 * ((centres - 0.552) / 0.03) ** 2])
    found = localizer(tool=scores).tool(view())
    np.testing.assert_allclose((found.u_px, found.v_px), (0.413 * 640, 0.552 * 480), atol=1.0)
    assert found.confidence > 0.9
    unsure = localizer(tool=np.zeros(100)).tool(view())
    assert unsure.confidence < 0.1


def test_methods_are_opened_by_name(tmp_path):
    assert tuple(METHODS) == node_parameters.METHODS == ("heatmaps", "bins")
    with pytest.raises(BlockworldError, match="there is no method 'magic': choose one of heatmaps, bins"):
        open_localizer(tmp_path, method="magic")
    with pytest.raises(BundleError, match="no model coarse_bins"):
        open_localizer(tmp_path, method="bins", stages=["coarse"])
