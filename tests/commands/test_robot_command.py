"""blockworld robot."""

import cv2
import pytest
from fixtures_robot import DESCRIPTION, write_toy

from perception.robot import Robot


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BLOCKWORLD_CACHE", str(tmp_path / "cache"))


def test_import_then_show(blockworld, tmp_path):
    description = write_toy(tmp_path)
    urdf = tmp_path / "toy_arm" / "urdf" / "toy.urdf"
    status, said, _ = blockworld("robot", "import", urdf, description, "--out", tmp_path / "toy")
    assert status == 0 and "joints turn, lean, bend, twist, nod, wrist, left_slide; the gripper opens 84 mm" in said
    assert Robot.load(tmp_path / "toy").name == "toy"
    picture = tmp_path / "toy.png"
    status, said, _ = blockworld("robot", "show", tmp_path / "toy", "--out", picture, "--renderer", "tiny")
    assert status == 0 and "keypoints base, shoulder, elbow" in said
    image = cv2.imread(str(picture))
    assert image.shape == (600, 800, 3) and image.std() > 20


def test_what_cannot_be_imported_or_shown_is_one_sentence(blockworld, tmp_path):
    description = write_toy(tmp_path, description=DESCRIPTION.replace("link: hand", "link: paw"))
    urdf = tmp_path / "toy_arm" / "urdf" / "toy.urdf"
    for words, expected in (
        (("import", urdf, description, "--out", tmp_path / "toy"), "clamp: there is no link paw"),
        (("import", "gone.urdf", description, "--out", tmp_path / "toy"), "gone.urdf, which is not there"),
        (("show", "ur5", "--out", tmp_path / "ur5.png"), "no robot named 'ur5' (known: iiwa_wsg50"),
        (("show", "panda", "--out", tmp_path / "x.jpg"), "'x.jpg' is to end in .png"),
        (("show", "panda", "--out", tmp_path / "x.png", "--azimuth", "nan"), "nan is not a finite number"),
        (("show", "panda", "--out", tmp_path / "x.png", "--azimuth", "-inf"), "-inf is not a finite number"),
    ):
        status, said, problem = blockworld("robot", *words)
        assert (status, said) == (2, "")
        assert expected in problem and problem.startswith("blockworld: ") and problem.count("\n") == 1


def test_an_import_says_where_its_relative_urdf_was_looked_for(blockworld, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, _, problem = blockworld("robot", "import", "none.urdf", write_toy(tmp_path), "--out", tmp_path / "toy")
    assert status == 2
    assert f"{tmp_path}/none.urdf, which is not there: " in problem
    assert problem.endswith(f"relative ones start at {tmp_path}.\n")


def test_list_tells_what_is_missing_without_the_files_of_pybullet(blockworld, tmp_path, monkeypatch):
    from sim.robots import loading

    monkeypatch.setenv("BLOCKWORLD_ROBOT_DATA", str(tmp_path))
    loading._load.cache_clear()
    status, said, _ = blockworld("robot", "list")
    assert status == 0 and all(name in said for name in ("iiwa_wsg50", "panda", "xarm6"))
    assert said.count("BLOCKWORLD_ROBOT_DATA") == 3
