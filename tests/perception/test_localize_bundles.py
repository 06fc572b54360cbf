"""The stages over bundles on disk: markers that a small network finds in drawn pictures."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures_bundle import draw_markers, error_of, write_marker_bundles

from perception import overlay
from perception.errors import BundleError, LocalizationError
from perception.localize import Localizer, View

sys.path.insert(0, str(Path(__file__).parent))
from ideal_networks import ROBOT, hover
from random_scenes import block, camera, overview_joints


def test_real_bundles_on_drawn_pictures(tmp_path):
    models = write_marker_bundles(tmp_path)
    rng = np.random.default_rng(5)
    truth = block(rng)
    eyes = [camera(rng) for _ in range(3)]
    joints = hover(truth.position[0] + 0.01, truth.position[1], 0.3)
    views = [View(f"camera_{i}", draw_markers(eye, joints, truth), joints) for i, eye in enumerate(eyes, start=1)]
    localizer = Localizer.open(models)
    assert localizer.engine_name == "onnxruntime-cpu"
    found = localizer.fine(views)
    position, yaw = error_of(found, truth)
    assert position < 0.003 and np.rad2deg(yaw) < 2.0
    np.testing.assert_allclose(found.size_m, truth.size, atol=0.003)
    assert found.confidence > 0.7
    picture = overlay.draw(views[0].image, found.cameras["camera_1"], found, ROBOT.clamp_pose(joints))
    assert np.any(picture != views[0].image)


def test_real_bundles_on_pictures_that_lack_something(tmp_path):
    localizer = Localizer.open(write_marker_bundles(tmp_path), stages=["coarse"])
    rng = np.random.default_rng(5)
    truth, joints = block(rng), overview_joints(rng)
    eyes = [camera(rng) for _ in range(3)]
    pictures = [draw_markers(eye, joints, None if i == 1 else truth) for i, eye in enumerate(eyes)]
    views = [View(f"camera_{i}", picture, joints) for i, picture in enumerate(pictures)]
    found = localizer.coarse(views)
    assert error_of(found, truth)[0] < 0.01
    assert found.confidence < 0.75 and found.evidence[1].doubt == "camera_1 hardly shows the block"
    with pytest.raises(LocalizationError, match="no view shows the block: camera_1 hardly shows the block"):
        localizer.coarse(views[1:2])
    with pytest.raises(LocalizationError, match="camera_0: only 0 points of the robot are visible"):
        localizer.coarse([replace(views[0], image=np.full((480, 640, 3), 128, np.uint8))])


def test_only_the_stages_asked_for_are_loaded(tmp_path):
    write_marker_bundles(tmp_path)
    (tmp_path / "fine" / "model.onnx").unlink()
    assert Localizer.open(tmp_path, stages=["coarse"]).engine_name == "onnxruntime-cpu"
    with pytest.raises(BundleError, match="fine"):
        Localizer.open(tmp_path)
