"""Reading a robot's files: what is made of them, what is refused and how, and the cache."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from fixtures_robot import DESCRIPTION, URDF, write_toy

from perception.errors import BlockworldError, RobotError
from perception.robot import Robot
from sim.meshes import load_mesh
from sim.robots import load_robot
from sim.robots.importing import import_robot
from sim.robots.loading import check_robot
from sim.robots.schema import read_description
from sim.robots.sources import DATA_VARIABLE, data_folder
from sim.robots.tones import sort_into_tones
from sim.robots.visuals import FEW_TRIANGLES, MOST_TRIANGLES, _decimated, _shaded


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("BLOCKWORLD_CACHE", str(tmp_path / "cache"))


def refusal(folder, urdf=URDF, description=DESCRIPTION):
    with pytest.raises(RobotError) as refused:
        load_robot(write_toy(folder, urdf, description))
    sentence = str(refused.value)
    assert isinstance(refused.value, BlockworldError) and isinstance(refused.value, ValueError)
    assert "\n" not in sentence and sentence.endswith((".", ")."))
    return sentence


def test_a_robot_of_simple_shapes_loads_by_the_path_of_its_description(tmp_path):
    robot = load_robot(write_toy(tmp_path))
    assert robot.robot.name == "toy" and robot.name == str(tmp_path / "toy_arm" / "toy.yaml") and not robot.ships
    assert robot.robot.joint_names == ("turn", "lean", "bend", "twist", "nod", "wrist", "left_slide")
    assert (robot.arm, robot.fingers) == (tuple(range(6)), (6,))
    assert robot.arm_force.tolist() == [60, 60, 40, 20, 20, 10]  # the efforts of the URDF
    assert robot.lower[0] == pytest.approx(-2 * np.pi)  # a continuous joint
    np.testing.assert_allclose(robot.robot.clamp_pose(robot.home)[:3, 2], (0, 0, -1), atol=1e-3)
    for value in (0.002, 0.02, 0.042):  # the other finger follows, 2 mm behind, from 2 mm off
        assert robot.opening_at(value) == pytest.approx(2 * value)
    meshes = {part.link: load_mesh(part.mesh) for part in robot.parts}
    np.testing.assert_allclose(np.ptp(meshes["upper"].vertices, axis=0), (0.06, 0.06, 0.3), atol=1e-6)
    np.testing.assert_allclose(meshes["turret"].vertices.max(axis=0), (0.06, 0.07, 0.12), atol=1e-6)
    np.testing.assert_allclose(robot.tones, [(0.9, 0.9, 0.8), (0.2, 0.2, 0.2)])
    assert {part.link: part.tone for part in robot.parts}["hand"] == 1


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("meshes/wedge.stl", "meshes/gone.stl", "link turret needs the mesh package://toy_arm/meshes/gone.stl"),
        ("package://toy_arm/", "package://elsewhere/", "name its package's folder under `packages`"),
        ('<child link="lower"/>', '<child link="forearm"/>', "joint bend has the child 'forearm', but there is no"),
        ('<child link="lower"/>', '<child link="turret"/>', "link turret is the child of two joints"),
        ('type="continuous"', 'type="planar"', "joint turn is of type 'planar': use one of revolute"),
        ('<limit lower="-2" upper="2" effort="40"/>', "", "joint bend of its URDF has the limits nan to nan"),
        ('lower="-2" upper="2"', 'lower="2" upper="-2"', "joint bend of its URDF has the limits 2 to -2"),
        ('<axis xyz="2 0 0"/>', '<axis xyz="0 0 0"/>', "joint twist has the axis [0.0, 0.0, 0.0]"),
        ('<axis xyz="2 0 0"/>', '<axis xyz="x"/>', "joint twist: the xyz of its axis is 'x': give 3 finite"),
        ('size="0.06 0.06 0.3"', 'size="large"', "link upper: the size of its box is 'large': give 3 positive"),
        ("<sphere radius", "<donut radius", "link roll: there is no shape 'donut'"),
        ('effort="40"', "", "joint bend has no effort in its URDF: give `arm_force`"),
        ('joint="left_slide" multiplier', 'joint="no_slide" multiplier', "right_slide mimics no_slide"),
        ('<link name="pitch"/>', '<link name="clamp"/>', "joint nod has the child 'pitch'"),
        ('<joint name="bend" ', "<joint ", "joint number 4 has no name"),
        ('<joint name="bend" ', '<joint name="lean" ', "there are two joints named lean: rename one"),
        ('<link name="pitch"/>', '<link name="pitch"/><link name="pitch"/>', "there are two links named pitch"),
        ('multiplier="1" offset', 'multiplier="0" offset', "joint right_slide follows the gripper by 0"),
        ("</robot>", "", "is no XML"),
        ('<?xml version="1.0"?>', '<?xml version="1.0" encoding="klingon"?>', "is no XML (unknown encoding"),
        ("<robot", "<model", "is no XML"),
    ],
)
def test_what_is_wrong_in_a_urdf_is_named(tmp_path, old, new, words):
    assert old in URDF
    assert words in refusal(tmp_path, urdf=URDF.replace(old, new, 1))


NO_NUMBERS = [
    ('"left_slide" multiplier="1"', "1", "joint right_slide: the multiplier of its mimic", "a finite number"),
    ('offset="-0.002"', "-0.002", "joint right_slide: the offset of its mimic", "a finite number"),
    ('<limit lower="-2" upper="2"', "-2", "joint bend of its URDF: the lower of its limit", "a finite number"),
    ('upper="2" effort="40"', "40", "joint bend of its URDF: the effort of its limit", "a finite number"),
    ('<origin xyz="0.25 0 0"', "0.25 0 0", "joint twist: the xyz of its origin", "3 finite numbers"),
    ('rpy="0 1.5707963 0"', "0 1.5707963 0", "joint wrist: the rpy of its origin", "3 finite numbers"),
    ('<axis xyz="2 0 0"', "2 0 0", "joint twist: the xyz of its axis", "3 finite numbers"),
    ('<origin xyz="0 0 0.15"', "0 0 0.15", "link upper: the xyz of its origin", "3 finite numbers"),
    ('<collision><origin xyz="0 0 0.03"', "0 0 0.03", "link hand: the xyz of its origin", "3 finite numbers"),
    ('wedge.stl" scale="1 1 1"', "1 1 1", "link turret: the scale of its mesh", "3 finite numbers"),
    ('rgba="0.9 0.9 0.8 1"', "0.9 0.9 0.8 1", "material pale: the rgba of its color", "4 finite numbers"),
    ('<mass value="2"', "2", "link pitch: the value of its mass", "a finite number"),
    ('izz="0.1"', "0.1", "link pitch: the izz of its inertia", "a finite number"),
    ('size="0.06 0.06 0.3"', "0.06 0.06 0.3", "link upper: the size of its box", "3 positive numbers"),
    ('<cylinder radius="0.08"', "0.08", "link base: the radius of its cylinder", "a positive number"),
    ('length="0.1"', "0.1", "link base: the length of its cylinder", "a positive number"),
    ('<sphere radius="0.04"', "0.04", "link roll: the radius of its sphere", "a positive number"),
]
INERTIAL = '<link name="pitch"><inertial><mass value="2"/><inertia ixx="0.1" iyy="0.1" izz="0.1"/></inertial></link>'
NUMBERED = URDF.replace('wedge.stl"', 'wedge.stl" scale="1 1 1"').replace('<link name="pitch"/>', INERTIAL)


@pytest.mark.parametrize("given", ["red", "nan", "inf", ""])
@pytest.mark.parametrize(("where", "number", "what", "wanted"), NO_NUMBERS)
def test_what_is_no_number_in_a_urdf_is_named(tmp_path, where, number, what, wanted, given):
    wrong = NUMBERED.replace(where, where.replace(f'"{number}"', f'"{given}"'), 1)
    assert wrong != NUMBERED
    assert f"{what} is {given!r}: give {wanted}." in refusal(tmp_path, urdf=wrong)


@pytest.mark.parametrize("given", ["0 0", "1", "1 1 1 1 1"])
@pytest.mark.parametrize(("where", "number", "what", "wanted"), [one for one in NO_NUMBERS if " " in one[1]])
def test_too_few_or_too_many_numbers_in_a_urdf_are_named(tmp_path, where, number, what, wanted, given):
    wrong = NUMBERED.replace(where, where.replace(f'"{number}"', f'"{given}"'), 1)
    assert f"{what} is {given!r}: give {wanted}." in refusal(tmp_path, urdf=wrong)


@pytest.mark.parametrize("given", ["0", "-1"])
@pytest.mark.parametrize(("where", "number", "what", "wanted"), [one for one in NO_NUMBERS if "positive" in one[3]])
def test_sizes_are_positive(tmp_path, where, number, what, wanted, given):
    size = " ".join([given, *number.split()[1:]])
    wrong = NUMBERED.replace(where, where.replace(f'"{number}"', f'"{size}"'), 1)
    assert f"{what} is {size!r}: give {wanted}." in refusal(tmp_path, urdf=wrong)


def test_a_joint_that_turns_forever_may_have_infinite_limits(tmp_path):
    endless = URDF.replace('<limit effort="60"/>', '<limit lower="-inf" upper="inf" effort="60"/>')
    assert endless != URDF
    assert load_robot(write_toy(tmp_path, endless)).upper[0] == pytest.approx(2 * np.pi)


SDF = """<sdf version="1.6"><model name="hook">
  <link name="palm"><pose>0 0 0 0 0 0</pose></link>
  <link name="claw">
    <pose>0 0 0.1 0 0 0</pose>
    <visual><pose>0 0 0.02 0 0 0</pose><geometry><box><size>1 1 2</size></box></geometry></visual>
  </link>
  <joint name="snap" type="revolute"><parent>palm</parent><child>claw</child><axis><xyz>1 0 0</xyz></axis></joint>
</model></sdf>"""
ATTACH = "attach: [{file: ../hook.sdf, root: palm, link: hand}]\n"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("0 0 0.1 0 0 0", "0 0 0.1", "link claw: its pose is '0 0 0.1': give 6 finite numbers"),
        ("0 0 0.02 0 0 0", "0 0 nan 0 0 0", "link claw: the pose of its visual is '0 0 nan 0 0 0': give 6 finite"),
        ("<xyz>1 0 0", "<xyz>up", "joint snap: its axis is 'up': give 3 finite numbers"),
        ("1 1 2", "1 1 0", "link claw: the size of its box is '1 1 0': give 3 positive numbers"),
    ],
)
def test_what_is_no_number_in_an_sdf_is_named(tmp_path, old, new, words):
    assert old in SDF
    (tmp_path / "hook.sdf").write_text(SDF.replace(old, new, 1))
    assert f"hook.sdf: {words}" in refusal(tmp_path, description=DESCRIPTION + ATTACH)


def test_a_loop_of_joints_is_refused(tmp_path):
    loop = '<joint name="loop" type="fixed"><parent link="right"/><child link="floor"/></joint>'
    assert "hangs on itself" in refusal(tmp_path, urdf=URDF.replace("</robot>", f"{loop}</robot>"))


def test_a_damaged_mesh_is_named(tmp_path):
    path = write_toy(tmp_path)
    (tmp_path / "toy_arm" / "meshes" / "wedge.stl").write_bytes(b"not a mesh")
    with pytest.raises(RobotError, match=r"link turret: .*wedge\.stl .*mend or replace it"):
        load_robot(path)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("clamp: {link: hand", "clamp: {link: paw", "clamp: there is no link paw; the links are floor, base"),
        ("base: base\n", "base: root\n", "has no link root; the links are floor, base"),
        ("urdf: urdf/toy.urdf", "urdf: urdf/other.urdf", "other.urdf, which is not there"),
        ("urdf: urdf/toy.urdf", "urdf: pybullet_data://x.urdf", "x.urdf, which is not there"),
        ("urdf: urdf/toy.urdf\n", "", "names no `urdf`"),
        ("span_m: 0.8", "span_m: -1", "span_m: Input should be greater than 0"),
        ("span_m: 0.8", "spam_m: 0.8", "span_m: Field required"),
        ("span_m: 0.8", "span_m: 0.8\ncolour: red", "colour: Extra inputs are not permitted"),
        ("reach_m: [0.28, 0.44]", "reach_m: [0.44, 0.28]", "reach_m goes from 0.44 to 0.28"),
        ("home: [0, -0.4,", "home: [0, -2.4,", "home has -2.4 for joint lean, outside its limits -1.5 to 1.5"),
        ("home: [0, -0.4,", "home: [-0.4,", "home has 5 values, but the arm has 6 joints (turn, lean,"),
        ("open: 0.042", "open: 0.2", "gripper.open is 0.2, outside the limits 0 to 0.05 of joint left_slide"),
        ("open: 0.042", "open: 0.002", "closed and open are the same"),
        ("joints: [left_slide]", "joints: [slide]", "the gripper's joint slide is not among the joints"),
        ("clear_links: [roll,", "clear_links: [rool,", "clear_links: there is no link rool"),
        ("[[upper, [0, 0, 0]]]", "[[uppr, [0, 0, 0]]]", "keypoints.overview: there is no link uppr"),
        ("- {name: shoulder", "- {name: base", "the keypoint base is there twice"),
        ("name: toy", "name: toy\nfixed: {spin: 0}", "fixed: there is no joint spin; the joints are stand, turn"),
        ("name: toy", "name: toy\ndrop: [tail]", "drop: there is no link tail"),
        ("name: toy", "name: toy\nmimic: {right_slide: null}", "joint right_slide moves, but the clamp does not"),
        ("clamp: {link: hand", "clamp: {link: left", "the clamp hangs on the gripper's joint left_slide"),
        ("hand, xyz: [0,", "hand, xyz: [.nan,", "clamp.xyz.0: Input should be a finite number"),
        ("[[upper, [0, 0, 0]]]", "[[upper, [0, .inf, 0]]]", "places.0.1.1: Input should be a finite number"),
        ("arm_spread_rad: [1,", "arm_spread_rad: [.inf,", "arm_spread_rad.0: Input should be a finite number"),
        ("span_m: 0.8", "span_m: .inf", "span_m: Input should be a finite number"),
        ("name: toy", "fixed: {twist: .nan}\nname: toy", "fixed.twist: Input should be a finite number"),
        (
            "name: toy",
            "mimic: {right_slide: {joint: left_slide, offset: .nan}}\nname: toy",
            "mimic.right_slide.offset: Input should be a finite number",
        ),
        ("tips: [[left,", "tips: [[hand,", "none of the joints left_slide, right_slide moves the link hand: give"),
        ("tips: [[left,", "tips: [[right,", "gripper.tips are 0 mm apart closed and 0 mm open along the clamp's x"),
        ("open: 0.042", "open: 0.001", "gripper.tips are 4 mm apart closed and 2 mm open along the clamp's x"),
        ("workspace_x_m: [0.2, 0.44]", "workspace_x_m: [0.5, 0.8]", "the workspace is 0.5 to 0.854 m from the base's"),
        ("workspace_x_m: [0.2, 0.44]", "workspace_x_m: [-0.5, -0.45]", "all of it outside reach_m, 0.28 to 0.44"),
        ("reach_m: [0.28, 0.44]", "reach_m: [0.8, 0.9]", "the workspace is 0.2 to 0.533 m from the base's axis"),
        ("name: toy", "name: [toy", "is no YAML"),
        ("name: toy", "name: 2026-02-30", "is no YAML (day is out of range for month)"),
        ("name: toy", "name: my toy", "name: String should match pattern"),
    ],
)
def test_what_is_wrong_in_a_description_is_named(tmp_path, old, new, words):
    assert old in DESCRIPTION
    sentence = refusal(tmp_path, description=DESCRIPTION.replace(old, new, 1))
    assert words in sentence and "toy.yaml" in sentence


def test_unknown_names_and_paths_are_refused():
    with pytest.raises(RobotError, match=r"no robot named 'ur5' \(known: iiwa_wsg50, panda, xarm6\)"):
        load_robot("ur5")
    with pytest.raises(RobotError, match="there is no robot at some/where"):
        load_robot("some/where")


def test_joints_can_be_fixed_dropped_and_coupled(tmp_path):
    changed = DESCRIPTION.replace("home: [0, -0.4, 0.6, 0,", "home: [0, -0.4, 0.6,").replace(
        "0.4, 0.5, 0.5", "0.4, 0.5"
    )
    fields = "fixed: {twist: 0.3}\nmimic: {right_slide: {joint: left_slide, multiplier: 0.5}}\n"
    free = load_robot(write_toy(tmp_path / "a"))
    fixed = load_robot(write_toy(tmp_path / "b", description=changed + fields))
    assert len(fixed.arm) == 5
    joints = free.home.copy()
    joints[3] = 0.3
    np.testing.assert_allclose(fixed.robot.clamp_pose(fixed.home), free.robot.clamp_pose(joints), atol=1e-9)
    assert fixed.opening_at(0.02) == pytest.approx(0.02 + 0.002 + 0.01)
    dropped = URDF.replace("</robot>", '<link name="tail"/><joint name="wag" type="continuous"><parent link="hand"/>'
                           '<child link="tail"/></joint></robot>')  # fmt: skip
    assert "joint wag moves, but the clamp does not" in refusal(tmp_path / "c", urdf=dropped)
    plain = load_robot(write_toy(tmp_path / "d", urdf=dropped, description=DESCRIPTION + "drop: [tail]\n"))
    assert plain.robot.links == free.robot.links


def test_without_pybullet_data_the_shipped_robots_say_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    from sim.robots import loading

    loading._load.cache_clear()
    with pytest.raises(RobotError, match=f"panda.urdf, which is not there: .*{DATA_VARIABLE}"):
        load_robot("panda")
    monkeypatch.delenv(DATA_VARIABLE)
    monkeypatch.setattr("sim.robots.sources.find_spec", lambda name: None)
    with pytest.raises(RobotError, match="pybullet_data, which is not here: `pip install pybullet`, or set"):
        load_robot("panda")


def test_an_import_can_be_loaded_by_both_packages_and_leaves_other_folders_alone(tmp_path):
    description = write_toy(tmp_path)
    urdf = str(tmp_path / "toy_arm" / "urdf" / "toy.urdf")
    robot = import_robot(urdf, description, tmp_path / "toy")
    assert sorted(path.name for path in (tmp_path / "toy").iterdir()) == ["chain.yaml", "robot.yaml"]
    assert Robot.load(tmp_path / "toy").chain == robot.robot.chain == load_robot(description).robot.chain
    np.testing.assert_array_equal(load_robot(tmp_path / "toy").home, load_robot(description).home)
    import_robot(urdf, description, tmp_path / "toy")  # again
    with pytest.raises(RobotError, match="holds more than an imported robot"):
        import_robot(urdf, description, tmp_path / "toy_arm")
    with pytest.raises(RobotError, match="holds the description itself"):
        import_robot(urdf, tmp_path / "toy" / "robot.yaml", tmp_path / "toy")
    broken = write_toy(tmp_path / "broken", description=DESCRIPTION.replace("link: hand", "link: paw"))
    with pytest.raises(RobotError, match="no link paw"):
        import_robot(urdf, broken, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_an_import_names_the_description_that_it_was_given(tmp_path):
    description = write_toy(tmp_path, URDF.replace('effort="40"', 'effort="strong"'))
    with pytest.raises(RobotError, match=f"^{description}: joint bend of its URDF: the effort of its limit"):
        import_robot(str(tmp_path / "toy_arm" / "urdf" / "toy.urdf"), description, tmp_path / "toy")


@pytest.mark.parametrize("name", ["robot.yaml", "chain.yaml"])
def test_an_import_leaves_files_alone_that_it_has_not_written(tmp_path, name):
    description, mine = write_toy(tmp_path), tmp_path / "mine"
    mine.mkdir()
    (mine / name).write_text("# of my own hand\nname: mine\n")
    with pytest.raises(RobotError, match=f"{name} was not written by `blockworld robot import`"):
        import_robot(str(tmp_path / "toy_arm" / "urdf" / "toy.urdf"), description, mine)
    assert [path.read_text() for path in mine.iterdir()] == ["# of my own hand\nname: mine\n"]


def test_a_missing_file_is_told_where_its_relative_path_starts(tmp_path, monkeypatch):
    description = write_toy(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RobotError, match=f"relative ones start at {tmp_path}\\."):
        import_robot("none.urdf", description, tmp_path / "toy")
    with pytest.raises(RobotError, match=r"none\.urdf, which is not there: correct the path\."):
        import_robot(str(tmp_path / "none.urdf"), description, tmp_path / "toy")
    said = refusal(tmp_path, description=DESCRIPTION.replace("urdf/toy.urdf", "none.urdf"))
    assert f"relative ones start at {tmp_path / 'toy_arm'}." in said


def test_many_processes_may_make_the_cache_at_once(tmp_path):
    path = write_toy(tmp_path)
    script = (
        "import hashlib, sys; from sim.robots import load_robot; from sim.meshes import load_mesh\n"
        f"robot = load_robot({str(path)!r})\n"
        "parts = b''.join(load_mesh(part.mesh).vertices.tobytes() for part in robot.parts)\n"
        "print(robot.urdf, hashlib.sha256(parts).hexdigest())"
    )
    (tmp_path / "cache" / "robots" / ".toy-0-killed").mkdir(parents=True)  # what a killed one leaves
    running = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outputs = {process.communicate(timeout=120)[0] for process in running}
    assert {process.returncode for process in running} == {0} and len(outputs) == 1
    folders = sorted(folder.name for folder in (tmp_path / "cache" / "robots").iterdir())
    assert len(folders) == 2 and folders[0] == ".toy-0-killed" and folders[1].startswith("toy-")


def test_the_cache_is_keyed_by_content(tmp_path):
    first, same = load_robot(write_toy(tmp_path / "a")), load_robot(write_toy(tmp_path / "b"))
    assert first.urdf == same.urdf and first.digest == same.digest
    path = write_toy(tmp_path / "c")
    mesh = path.parent / "meshes" / "wedge.stl"
    mesh.write_bytes(mesh.read_bytes()[:-50] + b"\0" * 50)
    assert load_robot(path).urdf != first.urdf
    other = load_robot(write_toy(tmp_path / "d", description=DESCRIPTION.replace("span_m: 0.8", "span_m: 0.9")))
    assert other.urdf == first.urdf and other.digest != first.digest


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("BLOCKWORLD_CACHE", str(tmp_path / "file"))
    assert "cannot be written" in refusal(tmp_path)


def test_tones_are_the_few_colours_of_most_area_the_lightest_first():
    white, pale, dark, red, blue = (1, 1, 1), (0.9, 0.92, 0.93), (0.25, 0.25, 0.25), (1, 0, 0), (0.1, 0.2, 0.9)
    tones, colours = sort_into_tones([(dark, 3.0), (white, 5.0), (pale, 2.0), (red, 0.01), (blue, 1.0)])
    assert colours == [white, blue, dark]
    assert tones[:3] == [2, 0, 0] and tones[4] == 1


def test_triangles_go_where_shape_is_and_small_parts_keep_theirs():
    ball = trimesh.creation.icosphere(subdivisions=6, radius=0.2)
    flat = trimesh.creation.box((0.4, 0.4, 0.02)).subdivide().subdivide().subdivide().subdivide().subdivide()
    small = trimesh.creation.cylinder(radius=0.01, height=0.02, sections=64)
    kept_ball, kept_flat, kept_small = _decimated([ball, flat, small])
    assert len(ball.faces) + len(flat.faces) > 3 * MOST_TRIANGLES and kept_small is small
    assert len(kept_flat.faces) <= FEW_TRIANGLES < len(kept_ball.faces) < MOST_TRIANGLES
    assert np.linalg.norm(kept_ball.vertices, axis=1) == pytest.approx(0.2, abs=1e-3)
    assert kept_ball.volume == pytest.approx(ball.volume, rel=0.01)
    assert kept_flat.volume == pytest.approx(flat.volume, rel=0.01)


def test_edges_stay_sharp_and_the_rest_is_smooth():
    box, ball = _shaded(trimesh.creation.box((1, 2, 3))), _shaded(trimesh.creation.icosphere(subdivisions=3))
    assert len(box.vertices) == 24 and np.abs(box.normals).max(axis=1) == pytest.approx(1)
    assert len(ball.vertices) == 642 and ball.normals == pytest.approx(ball.vertices, abs=0.02)


def test_the_description_in_the_docs_fits_its_urdf(tmp_path):
    if data_folder() is None:
        pytest.skip("pybullet_data is not here")
    page = (Path(__file__).resolve().parents[2] / "docs" / "your-robot.md").read_text(encoding="utf-8")
    (tmp_path / "my_arm.yaml").write_text(re.search(r"```yaml\n(.*?)```", page, re.DOTALL).group(1))
    fields = read_description(tmp_path / "my_arm.yaml")
    urdf = "pybullet_data://xarm/xarm6_with_gripper.urdf"
    _, chain = check_robot(tmp_path / "my_arm.yaml", fields.model_copy(update={"urdf": urdf}))
    assert urdf in page and len(Robot(chain).joint_names) == 7
    for field in set(type(fields).model_fields) - {"name", "title", "keypoints", "gripper"}:
        assert f"`{field}`" in page
