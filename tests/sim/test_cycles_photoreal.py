"""The photoreal sets without Blender: what is sampled, how it is photographed, written, read, checked and installed."""

import ast
import io
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from benchmarks.photoreal import camera as lens
from benchmarks.photoreal import clutter, install, make, records
from benchmarks.photoreal.draws import SETS, draws
from benchmarks.photoreal.layout import IMAGE_SIZE, POSTURES, sample_layout
from benchmarks.photoreal.panda import surface_points
from benchmarks.photoreal.props import Props
from benchmarks.photoreal.shapes import rounded_box, stone
from benchmarks.photoreal.stages import build, settled
from perception.robot import Robot
from sim.scene import DISTRACTOR


class NoStudio:
    """Takes what a stage sends to Blender, and keeps the meshes."""

    def __init__(self):
        self.meshes = {}

    def need_mesh(self, name, mesh, tint=None):
        self.meshes[name] = mesh

    def need_picture(self, name, pixels):
        assert pixels.dtype in (np.uint8, np.float32)


@pytest.fixture(scope="module")
def robot():
    return Robot.load("panda")


@pytest.mark.parametrize("name", SETS)
def test_a_layout_is_that_of_its_set_and_pose_alone(robot, name):
    one, again, next_one = (sample_layout(name, pose, robot) for pose in (4, 4, 5))
    assert one.size_m == again.size_m
    assert np.array_equal(one.views[2].camera.T_camera_base, again.views[2].camera.T_camera_base)
    assert all(np.array_equal(one.joints[posture], again.joints[posture]) for posture in POSTURES)
    assert one.size_m != next_one.size_m


def test_layouts_keep_to_their_ranges(robot):
    for pose in range(12):
        layout = sample_layout("lab", pose, robot)
        length, width, height = layout.size_m
        assert 0.060 <= length <= 0.120
        assert 0.025 <= width <= 0.055
        assert 0.030 <= height <= 0.060
        assert length >= 1.3 * width
        assert 0.34 <= np.hypot(layout.x_m, layout.y_m) <= 0.64
        for joints in layout.joints.values():
            robot.check(joints)


def test_the_two_close_postures_are_a_quarter_turn_apart_and_clear_of_the_block(robot):
    for pose in range(6):
        layout = sample_layout("adv", pose, robot)
        first, second = (robot.clamp_pose(layout.joints[posture]) for posture in ("fine0", "fine90"))
        assert first[:3, 3] == pytest.approx(second[:3, 3], abs=5e-4)
        assert first[:3, 0] @ second[:3, 0] == pytest.approx(0, abs=3e-3)
        assert first[2, 2] == pytest.approx(-1, abs=1e-4)
        for posture in ("fine0", "fine90"):
            points = surface_points(robot, layout.joints[posture], first_link=2)
            above = points[layout.inside(points, 0.005)]
            assert not len(above) or above[:, 2].min() > layout.size_m[2] + 0.02


@pytest.mark.parametrize("pose", [0, 3])
def test_clutter_keeps_off_the_block_and_is_not_one(robot, pose):
    layout = sample_layout("adv", pose, robot)
    studio = NoStudio()
    props = Props(studio, "adv/x")
    clutter.strew(props, "adv", pose, layout, robot)
    assert len(props.items) >= 8
    for item in props.items:
        assert item.label >= DISTRACTOR
        vertices = studio.meshes[item.mesh].vertices
        placed = vertices @ item.pose[:3, :3].T + item.pose[:3, 3]
        assert placed[:, 2].min() > -1e-3
        assert not layout.inside(placed).any()
        length, width, height = np.ptp(vertices, axis=0)
        block_like = 0.06 <= length <= 0.12 and 0.025 <= width <= 0.055 and 0.03 <= height <= 0.06
        assert not (block_like and length >= 1.3 * width)


def test_a_block_rests_on_three_points_and_none_is_inside_it(robot):
    layout = sample_layout("field", 1, robot)
    rng = np.random.default_rng(1)
    corners = layout.footprint()
    ground = rng.uniform(corners.min(axis=0), corners.max(axis=0), (4000, 2))
    ground = np.column_stack([ground, rng.uniform(-0.004, 0.002, 4000)])
    pose = settled(ground[layout.inside(ground)], layout)
    under = ground[layout.inside(ground)] @ pose[:3, :3] - pose[:3, 3] @ pose[:3, :3]
    assert under[:, 2].max() < 1e-6
    assert (under[:, 2] > -1e-6).sum() == 3
    assert pose[:3, :3] @ pose[:3, :3].T == pytest.approx(np.eye(3), abs=1e-9)
    assert pose[:2, 3] == pytest.approx((layout.x_m, layout.y_m))


def test_a_stage_is_built_without_blender(robot):
    layout = sample_layout("lab", 2, robot)
    stage = build("lab", 2, layout, robot, NoStudio())
    scene = stage.with_robot(layout.joints["fine0"])
    assert {item.label for item in scene.items} == {1, 2, 3, 4}
    assert scene.lamps


def test_solids_are_closed_and_face_outward():
    mesh = rounded_box((0.1, 0.05, 0.03), 0.004)
    assert np.ptp(mesh.vertices, axis=0) == pytest.approx((0.1, 0.05, 0.03), abs=1e-6)
    points, faces = stone(np.random.default_rng(0))
    for vertices, triangles in ((mesh.vertices.astype(float), mesh.faces), (points, faces)):
        a, b, c = (vertices[triangles[:, corner]] for corner in range(3))
        volume = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6
        assert 0.3 < volume / np.prod(np.ptp(vertices, axis=0)) <= 1.0
        assert np.cross(b - a, c - a).sum(axis=0) == pytest.approx((0, 0, 0), abs=1e-9)


def test_the_lens_undoes_itself(robot):
    view = sample_layout("lab", 0, robot).views[0]
    pixels = np.random.default_rng(0).uniform(0, IMAGE_SIZE, (50, 2))
    assert lens.image_points(view, lens.pinhole_points(view, pixels)) == pytest.approx(pixels, abs=1e-6)
    shot = lens.window(view)
    corners = lens.pinhole_points(view, np.array([(0.5, 0.5), (IMAGE_SIZE[0] - 0.5, IMAGE_SIZE[1] - 0.5)]))
    assert (shot.from_image(corners) > 0).all()
    assert (shot.from_image(corners) < (shot.width, shot.height)).all()


def test_a_point_stays_where_the_lens_puts_it(robot):
    view = sample_layout("lab", 0, robot).views[0]
    shot = lens.window(view)
    place = np.array([140.0, 260.0])
    v, u = np.mgrid[: shot.height, : shot.width] + 0.5
    spot = np.exp(-((np.stack([u, v], -1) - shot.from_image(place)) ** 2).sum(-1) / 18).astype(np.float32)
    bent = lens.bend(view, shot, spot)
    v, u = np.mgrid[: bent.shape[0], : bent.shape[1]] + 0.5
    centre = ((u * bent).sum() / bent.sum(), (v * bent).sum() / bent.sum())
    assert centre == pytest.approx(tuple(lens.image_points(view, place)), abs=0.1)


def test_an_image_is_exposed_and_fits_its_bytes():
    rng = np.random.default_rng(0)
    radiance = rng.uniform(0, 40, (360, 480, 3)).astype(np.float32)
    image = lens.develop(radiance, lens.sample_exposure(rng), rng)
    assert 60 < image.mean() < 190
    data = lens.compressed(image)
    assert len(data) <= lens.BYTES
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.size == (480, 360)


@pytest.fixture
def made(robot, tmp_path):
    """A folder with two poses of every set, as `make` leaves it, their images plain."""
    width, height = IMAGE_SIZE
    for name in SETS:
        for pose in range(2):
            layout = sample_layout(name, pose, robot)
            stage = SimpleNamespace(T_base_block=np.eye(4), robot=robot)
            for posture in POSTURES:
                for number, view in enumerate(layout.views):
                    shot = lens.window(view)
                    points = make._points(layout, stage, layout.joints[posture])
                    far = np.full((shot.height, shot.width), np.inf, np.float32)
                    labels = np.zeros(far.shape, np.uint8)
                    note = {
                        "file": f"{pose:03d}_{posture}_{number}.webp",
                        "posture": posture,
                        "camera": number,
                        "T_base_block": np.eye(4).tolist(),
                        **make._seen(view, shot, far, labels, points, layout, stage),
                    }
                    buffer = io.BytesIO()
                    Image.new("RGB", (width, height), (pose * 9, 80, number)).save(buffer, "WEBP")
                    stem = f"{pose:03d}_{posture}_{number}"
                    records.write_whole(tmp_path / name / "notes" / f"{stem}.json", json.dumps(note).encode())
                    records.write_whole(tmp_path / name / "images" / f"{stem}.webp", buffer.getvalue())
        make.finish(name, range(2), tmp_path, robot)
    return tmp_path


def test_what_is_written_is_read(made, robot):
    poses = list(records.read_set("field", made))
    assert [pose.index for pose in poses] == [0, 1]
    layout = sample_layout("field", 1, robot)
    assert poses[1].size_m == pytest.approx(layout.size_m, abs=1e-6)
    assert len(poses[1].pictures) == 9
    for posture in POSTURES:
        for number, picture in enumerate(poses[1].of(posture)):
            view = layout.views[number]
            assert picture.camera == number
            assert picture.rgb().shape == (360, 480, 3)
            assert picture.view.camera.focal_px == view.camera.focal_px
            assert picture.view.lens == view.lens
            assert picture.joints == pytest.approx(layout.joints[posture], abs=1e-6)
            assert picture.opening_m == pytest.approx(2 * layout.joints[posture][7], abs=1e-6)
            clamp = view.camera.project(picture.T_base_clamp[:3, 3])[0]
            assert picture.points_px["clamp"] == pytest.approx(lens.image_points(view, clamp), abs=0.02)
            inside = (picture.points_px["clamp"] > 0).all() and (picture.points_px["clamp"] < IMAGE_SIZE).all()
            assert picture.visible["clamp"] == (2 if inside else 0)


def test_a_set_that_was_changed_is_refused(made):
    assert records.check_set("lab", made)["images"] == 18
    image = made / "lab/images/001_fine0_1.webp"
    image.write_bytes(image.read_bytes()[:-1] + b"?")
    with pytest.raises(records.PhotorealError, match=r"001_fine0_1\.webp is not the file"):
        records.check_set("lab", made)
    image.unlink()
    with pytest.raises(records.PhotorealError, match=r"001_fine0_1\.webp is missing"):
        records.check_set("lab", made)


def test_a_set_that_is_not_there_is_told(tmp_path):
    with pytest.raises(records.PhotorealError, match="there is no photoreal set"):
        list(records.read_set("lab", tmp_path))
    with pytest.raises(records.PhotorealError, match="not finished"):
        records.check_set("lab", tmp_path)


def test_no_set_is_finished_while_an_image_is_missing(made, robot):
    (made / "adv/images/001_overview_2.webp").unlink()
    with pytest.raises(SystemExit, match=r"001_overview_2\.webp is not there yet"):
        make.finish("adv", range(2), made, robot)


def test_sets_are_installed_whole_or_not_at_all(made, tmp_path_factory, monkeypatch):
    target = tmp_path_factory.mktemp("installed")
    with pytest.raises(records.PhotorealError, match="has 2 poses, fewer than 60"):
        install.install(made, target)
    assert not list(target.iterdir())
    monkeypatch.setattr(install, "LEAST_POSES", 2)
    assert install.install(made, target) > 0
    for name in SETS:
        assert records.check_set(name, target)["poses"] == 2
        assert not (target / name / "notes").exists()
    monkeypatch.setattr(install, "MOST_BYTES", 100)
    with pytest.raises(records.PhotorealError, match="more than 0: lower BYTES"):
        install.install(made, target)


def test_images_that_are_there_are_not_made_again(made, robot, monkeypatch):
    def never(*arguments):
        raise AssertionError("Blender was started though nothing was missing")

    monkeypatch.setattr(make, "Studio", never)
    images = sorted(made.glob("*/images/*"))
    before = [(path.stat().st_mtime_ns, path.read_bytes()) for path in images]
    make.make(list(SETS), range(2), made, 1, robot)
    assert images == sorted(made.glob("*/images/*"))
    assert before == [(path.stat().st_mtime_ns, path.read_bytes()) for path in images]
    assert len(images) == 9 * 2 * len(SETS)


def test_streams_differ_by_set_pose_and_purpose():
    values = {draws(*key).random() for key in [("lab", 0, "a"), ("lab", 1, "a"), ("adv", 0, "a"), ("lab", 0, "b")]}
    assert len(values) == 4


def test_nothing_that_training_images_are_made_of_is_used():
    of_training = tuple(
        f"sim.{name}." for name in ("randomization", "textures", "texture_families", "distractors", "terrain", "sensor")
    )
    modules = sorted(records.HERE.glob("*.py"))
    assert len(modules) > 10
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            assert not [name for name in names if f"{name}.".startswith(of_training)], path


@pytest.mark.parametrize("name", SETS)
def test_the_sets_of_the_repository_are_whole_and_true(robot, name):
    manifest = records.check_set(name)
    poses = list(records.read_set(name))
    assert len(poses) == manifest["poses"] >= 60
    assert sum(len(pose.pictures) for pose in poses) == manifest["images"] == 9 * len(poses)
    for pose in poses[:: len(poses) // 6]:
        for picture in pose.pictures:
            assert picture.T_base_clamp == pytest.approx(robot.clamp_pose(picture.joints), abs=1e-4)
            centre = picture.view.camera.project(pose.T_base_block[:3, 3])[0]
            expected = lens.image_points(picture.view, centre)
            assert picture.points_px["block_centre"] == pytest.approx(expected, abs=0.02)
    seen = [picture.block_seen for pose in poses for picture in pose.of("overview")]
    assert np.mean(np.array(seen) > 0.3) > 0.7
