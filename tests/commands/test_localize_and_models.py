"""`blockworld localize` and `blockworld models`, as a user types them."""

import json
import re

import cv2
import numpy as np
import pytest
import yaml
from fixtures_bundle import draw_markers, upright, write_marker_bundles
from recorded_bag import Recorder

from perception.camera import Camera
from perception.localize import Localizer, View

BLOCK = upright(0.5, 0.06, 0.9, (0.1, 0.042, 0.045))
ARM = [0.11, 0.342, 0.01, -2.2, -0.004, 2.542, 0.9]  # the clamp hovers over the block, pointing down
JOINTS = np.array([*ARM, 0.04, 0.04])
CAMERAS = {
    "camera_1": Camera.looking_at((1.4, 0.5, 0.9), (0.36, 0.0, 0.2), 600.0, 640, 480),
    "camera_2": Camera.looking_at((1.2, -0.9, 1.0), (0.36, 0.0, 0.2), 620.0, 640, 480),
}
ANGLES = ",".join(str(angle) for angle in ARM)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return write_marker_bundles(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for name, camera in CAMERAS.items():
        cv2.imwrite(str(folder / f"{name}.png"), draw_markers(camera, JOINTS, BLOCK)[..., ::-1])
    return [folder / f"{name}.png" for name in CAMERAS]


@pytest.fixture(autouse=True)
def default_models(monkeypatch, models):
    monkeypatch.setenv("BLOCKWORLD_MODELS", str(models))


def test_coarse_prints_the_pose_with_its_uncertainty(blockworld, pictures):
    status, out, _ = blockworld("localize", *pictures, "--stage", "coarse", "--joints", ANGLES)
    assert status == 0
    assert out.startswith("coarse: block in base: x ") and "2 sigma: x " in out
    lines = out.splitlines()
    assert re.fullmatch(r"  size \d+ x \d+ x \d+ mm, confidence \d+ %, onnxruntime-cpu", lines[2])
    for line, name in zip(lines[3:], ("camera_1", "camera_2"), strict=True):
        assert re.fullmatch(rf"  {name}: robot \d+ %  block \d+ %", line)


def test_what_a_view_lacks_is_told(blockworld, pictures, tmp_path):
    empty = tmp_path / "empty.png"
    cv2.imwrite(str(empty), draw_markers(CAMERAS["camera_2"], JOINTS, None)[..., ::-1])
    grey = tmp_path / "grey.png"
    cv2.imwrite(str(grey), np.full((480, 640), 128, np.uint8))
    _, out, _ = blockworld("localize", pictures[0], empty, grey, "--joints", ANGLES)
    lines = out.splitlines()
    assert lines[4].endswith("block 0 % (camera_2 hardly shows the block)")
    unused = "robot 0 %  block 0 %, not used (camera_3 does not show enough of the robot to know where it stands)"
    assert lines[5] == f"  camera_3: {unused}"
    _, out, _ = blockworld("localize", pictures[0], empty, grey, "--joints", ANGLES, "--json")
    found = json.loads(out)
    assert [one["used"] for one in found["evidence"]] == [True, True, False]
    assert found["evidence"][1]["doubt"] == "camera_2 hardly shows the block"
    assert 0.3 < found["confidence"] < 0.6 and found["doubts"] == []


def test_a_block_of_unknown_size_is_told(blockworld, tmp_path):
    large = upright(0.5, 0.06, 0.9, (0.22, 0.09, 0.08))
    files = []
    for name, camera in CAMERAS.items():
        files.append(tmp_path / f"{name}.png")
        cv2.imwrite(str(files[-1]), draw_markers(camera, JOINTS, large)[..., ::-1])
    _, out, _ = blockworld("localize", *files, "--joints", ANGLES)
    assert "  doubt: the block measures " in out
    _, out, _ = blockworld("localize", *files, "--joints", ANGLES, "--json")
    found = json.loads(out)
    assert found["confidence"] < 0.3 and len(found["doubts"]) == 1


def test_fine_as_json_gives_the_block_in_the_base_too(blockworld, pictures):
    status, out, _ = blockworld("localize", *pictures, "--stage", "fine", "--joints", ANGLES, "--json")
    assert status == 0
    found = json.loads(out)
    assert found["frame"] == "clamp" and found["views"] == ["camera_1", "camera_2"]
    offset = np.hypot(found["in_base"]["x_m"] - BLOCK.position[0], found["in_base"]["y_m"] - BLOCK.position[1])
    assert offset < 0.006
    np.testing.assert_allclose(found["size_m"], BLOCK.size, atol=0.004)
    (mode,) = found["modes"]
    assert (mode["x_m"], mode["y_m"], mode["weight"]) == (found["x_m"], found["y_m"], 1.0)


def test_tool_is_told_per_image_and_overlays_are_written(blockworld, pictures, tmp_path):
    words = ["--stage", "tool", "--joints", ANGLES, "--overlay", tmp_path / "out", "--camera", "left"]
    status, out, _ = blockworld("localize", *pictures, *words, "--camera", "right")
    assert status == 0
    assert [line.split(":")[0] for line in out.splitlines()] == ["tool in left", "tool in right"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["1_left_tool.png", "2_right_tool.png"]
    blockworld("localize", *pictures, "--joints", ANGLES, "--overlay", tmp_path / "out")
    drawn = cv2.imread(str(tmp_path / "out" / "1_camera_1_coarse.png"))
    assert drawn.shape == (480, 640, 3)
    assert np.any(drawn != cv2.imread(str(pictures[0])))


def test_joints_come_from_nine_numbers_or_a_file_or_per_image(blockworld, pictures, tmp_path):
    (tmp_path / "list.yaml").write_text(yaml.safe_dump(JOINTS.tolist()))
    names = [f"panda_joint{i}" for i in range(1, 8)] + ["panda_finger_joint1", "panda_finger_joint2"]
    (tmp_path / "names.yaml").write_text(yaml.safe_dump(dict(zip(names, JOINTS.tolist(), strict=True))))
    nine = ",".join(str(value) for value in JOINTS)
    outputs = {
        blockworld("localize", *pictures, *words)[1]
        for words in (
            ("--joints", ANGLES),
            ("--joints", nine),
            ("--joints", tmp_path / "list.yaml"),
            ("--joints", tmp_path / "names.yaml"),
            ("--joints", nine, "--joints", ANGLES),
        )
    }
    assert len(outputs) == 1 and "coarse" in outputs.pop()


def test_a_bag_gives_the_estimates_that_were_recorded(blockworld, models, tmp_path):
    views = [
        View(name, draw_markers(camera, JOINTS, BLOCK), JOINTS, 10.0 + 0.1 * i)
        for i, (name, camera) in enumerate(CAMERAS.items())
    ]
    localizer = Localizer.open(models)
    with Recorder(tmp_path / "bag") as bag:
        for view in views:
            bag.joints(view)
            bag.image(view)
        bag.estimate(localizer.coarse(views), views)
        bag.estimate(localizer.fine(views), views)
    status, out, _ = blockworld("localize", "--bag", tmp_path / "bag", "--json")
    results = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [result["stage"] for result in results] == ["coarse", "fine"]
    for result in results:
        assert result["difference"]["position_m"] < 1e-9
        assert result["difference"]["yaw_deg"] < 1e-6
    status, out, _ = blockworld("localize", "--bag", tmp_path / "bag", "--stage", "fine")
    assert out.count("recorded: x") == 1 and "difference 0.000 mm  0.0000 deg" in out


@pytest.mark.parametrize(
    ("joints", "sentence"),
    [
        ([], "no joint positions were given"),
        (["--joints", "1,2,3"], "3 joint positions were given, but panda has 9"),
        (["--joints", ANGLES.replace("0.11", "nan")], "joint panda_joint1 is nan: give a finite number"),
        (["--joints", ANGLES.replace("0.11", "9")], "joint panda_joint1 is 9 rad, outside its limits"),
        (["--joints", "a,b"], "--joints holds 'a' where a number belongs"),
        (["--joints", "nowhere.yaml"], "the joint file nowhere.yaml cannot be read"),
        (["--joints", ANGLES] * 3, "--joints was given 3 times for 2 images"),
    ],
)
def test_bad_joints_are_refused(refused, pictures, joints, sentence):
    assert sentence in refused("localize", *pictures, *joints)


def test_a_joint_file_without_all_joints_is_refused(refused, pictures, tmp_path):
    (tmp_path / "joints.yaml").write_text(yaml.safe_dump({"panda_joint1": 0.0, "panda_joint2": 0.0}))
    assert "no position for panda_joint3" in refused("localize", *pictures, "--joints", tmp_path / "joints.yaml")
    (tmp_path / "joints.yaml").write_text("just text")
    assert "holds no list" in refused("localize", *pictures, "--joints", tmp_path / "joints.yaml")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"no image", "is not an image file"),
        (np.zeros((8, 8, 3), np.uint8), "is 8 x 8 px: give at least 64 x 64 px"),
    ],
)
def test_bad_images_are_refused(refused, tmp_path, content, sentence):
    path = tmp_path / "bad.png"
    path.write_bytes(content) if isinstance(content, bytes) else cv2.imwrite(str(path), content)
    assert sentence in refused("localize", path, "--joints", ANGLES)


def test_a_picture_without_the_robot_is_refused(refused, tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((480, 640, 3), 128, np.uint8))
    assert "points of the robot" in refused("localize", tmp_path / "grey.png", "--joints", ANGLES)


def test_pictures_of_16_bits_and_with_alpha_are_taken(blockworld, pictures, tmp_path):
    expected = blockworld("localize", *pictures, "--joints", ANGLES)[1]
    wide, clear = tmp_path / "wide.png", tmp_path / "clear.png"
    cv2.imwrite(str(wide), cv2.imread(str(pictures[0])).astype(np.uint16) * 257)
    cv2.imwrite(str(clear), cv2.cvtColor(cv2.imread(str(pictures[1])), cv2.COLOR_BGR2BGRA))
    assert blockworld("localize", wide, clear, "--joints", ANGLES)[1] == expected


def test_one_name_for_cameras_of_different_images_is_refused(refused, pictures, tmp_path):
    small = tmp_path / "small.png"
    cv2.imwrite(str(small), np.zeros((240, 320, 3), np.uint8))
    words = ["localize", pictures[0], small, "--joints", ANGLES, "--camera", "left", "--camera", "left"]
    assert "left has images of 640 x 480 and of 320 x 240 px" in refused(*words)


def test_missing_files_bags_and_both_are_refused(refused, pictures, tmp_path):
    assert "nowhere.png cannot be read" in refused("localize", "nowhere.png", "--joints", ANGLES)
    assert "nowhere does not exist" in refused("localize", "--bag", tmp_path / "nowhere")
    assert "give image files, or a recording with --bag" in refused("localize")
    assert "and not both" in refused("localize", *pictures, "--bag", tmp_path)


def test_bad_models_are_refused_by_localize(refused, pictures, tmp_path):
    words = ["localize", *pictures, "--joints", ANGLES]
    assert "there is no model coarse in" in refused(*words, "--models", tmp_path)
    assert "engine 'tensorrt' is not available" in refused(*words, "--engine", "tensorrt-fp16")
    write_marker_bundles(tmp_path)
    manifest = tmp_path / "coarse" / "manifest.yaml"
    manifest.write_text(manifest.read_text().replace("manifest_version: 2", "manifest_version: 7"))
    assert "manifest version 7, but this software reads version 2" in refused(*words, "--models", tmp_path)
    (tmp_path / "tool" / "model.onnx").write_bytes(b"other")
    assert "is damaged or from another export" in refused(*words, "--stage", "tool", "--models", tmp_path)


def test_models_are_listed_shown_and_verified(blockworld, models, tmp_path):
    status, out, _ = blockworld("models", "list")
    lines = [line.split() for line in out.splitlines()]
    assert status == 0
    assert [(line[0], line[-1]) for line in lines] == [
        ("NAME", "STATE"), ("coarse", "sound"), ("fine", "sound"), ("tool", "sound")
    ]  # fmt: skip
    status, out, _ = blockworld("models", "show", "fine")
    assert status == 0 and yaml.safe_load(out)["crop"]["side_m"] == 0.4
    status, out, _ = blockworld("models", "verify")
    assert out.splitlines() == [f"{name}: sound, runs on onnxruntime-cpu" for name in ("coarse", "fine", "tool")]


def test_models_that_are_not_sound_are_told_and_refused(blockworld, refused, tmp_path):
    write_marker_bundles(tmp_path)
    (tmp_path / "fine" / "model.onnx").write_bytes(b"other")
    status, out, _ = blockworld("models", "list", "--models", tmp_path)
    assert status == 0 and "is damaged" in out
    assert [line.endswith("sound") for line in out.splitlines()] == [False, True, False, True]
    assert "is damaged" in refused("models", "show", "fine", "--models", tmp_path)
    assert "no model absent in" in refused("models", "verify", "absent", "--models", tmp_path)
    assert "does not exist" in refused("models", "list", "--models", tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "there is no model in" in refused("models", "list", "--models", tmp_path / "empty")


@pytest.mark.parametrize(
    "words", [("localize",), ("models",), ("models", "list"), ("models", "show"), ("models", "verify")]
)
def test_every_help_has_an_example(blockworld, words):
    status, out, _ = blockworld(*words, "--help")
    assert status == 0 and f"Example: blockworld {words[0]}" in " ".join(out.split())
