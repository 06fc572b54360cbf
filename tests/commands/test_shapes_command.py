"""blockworld shapes, as a user types it, with a network whose deformations are known."""

import json

import cv2
import numpy as np
import pytest
import trimesh
from fixtures_shapes import LATENT, bent, template, write_bending_bundle
from scipy.spatial.transform import Rotation

from blockworld.up_axis import UP, upright
from perception.shapes.reading import read_colours, read_shape
from sim.shapes import make


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A models folder, and two meshes of 1026 points with the same order, turned, of other units."""
    folder = tmp_path_factory.mktemp("shapes")
    write_bending_bundle(folder / "models", "mug")
    mesh = template()
    for name, seed, scale in (("a.ply", 0, 1000.0), ("b.obj", 1, 0.1)):
        latent = 0.3 * np.random.default_rng(seed).normal(size=LATENT)
        turn = Rotation.random(random_state=seed).as_matrix()
        made = trimesh.Trimesh(scale * bent(mesh.points, latent) @ turn.T, mesh.faces, process=False)
        if name == "a.ply":
            made.visual.vertex_colors = np.where(mesh.points[:, 2:] > 0, (255, 0, 0, 255), (0, 0, 255, 255))
        made.export(folder / name)
    return folder


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A few steps on few points are enough for so simple a network."""
    from perception.shapes import matching

    fast = matching.FitSettings(samples=600, template=500, starts=2, tries=10, steps=100, dense=4000)
    monkeypatch.setattr(matching.Matcher.__init__, "__defaults__", (fast,))


def test_match_writes_matches_and_a_picture(blockworld, files, tmp_path):
    out, picture = tmp_path / "matches.npz", tmp_path / "pair.png"
    words = ("shapes", "match", files / "a.ply", files / "b.obj", "--category", "mug", "--models", files / "models")
    status, told, warned = blockworld(*words, "--out", out, "--picture", picture)
    assert status == 0 and "matched 1026 points" in told and "warning" not in warned
    with np.load(out, allow_pickle=False) as found:
        indices, points, residual = found["indices"], found["points"], found["residual"]
    target = read_shape(files / "b.obj").points
    assert (indices.dtype, residual.shape) == (np.int64, (1026,))
    assert np.array_equal(points, target[indices])
    size = np.ptp(target, axis=0).max()
    assert np.linalg.norm(points - target, axis=1).mean() < 0.05 * size and residual.mean() < 0.05 * size
    image = cv2.imread(str(picture))
    assert image.shape[0] == 720 and (image < 200).any(axis=2).mean() > 0.1


def test_match_warns_of_a_shape_of_another_category(blockworld, files, tmp_path):
    rods = [trimesh.creation.box((4.0, 0.02, 0.02)), trimesh.creation.box((0.02, 0.02, 4.0))]
    trimesh.util.concatenate([one.subdivide_to_size(0.1) for one in rods]).export(tmp_path / "cross.ply")
    pair = files / "a.ply", tmp_path / "cross.ply"
    status, _, warned = blockworld("shapes", "match", *pair, "--category", "mug", "--models", files / "models")
    assert status == 0 and warned.count("warning: ") == 1
    assert "cross.ply hardly looks like a mug" in warned and "check --category" in warned


def test_colours_go_to_the_corresponding_points(blockworld, files, tmp_path):
    out = tmp_path / "coloured.ply"
    words = (files / "a.ply", files / "b.obj", "--category", "mug", "--models", files / "models", "--out", out)
    status, told, _ = blockworld("shapes", "transfer-texture", *words)
    assert status == 0 and str(out) in told
    read = read_shape(out)
    assert np.allclose(read.points, read_shape(files / "b.obj").points)
    above = template().points[:, 2]
    colours = read_colours(out, read)
    assert (colours[above > 0.4] == (255, 0, 0)).all(axis=1).mean() > 0.95
    assert (colours[above < -0.4] == (0, 0, 255)).all(axis=1).mean() > 0.95


def test_bad_input_is_refused_before_anything_is_fitted(refused, files, tmp_path, monkeypatch):
    monkeypatch.setattr("perception.shapes.matching.Matcher.fit", lambda *_: pytest.fail("a fit has begun"))
    a, rest = files / "a.ply", ("--category", "mug", "--models", files / "models")
    np.save(tmp_path / "nan.npy", np.full((20, 3), np.nan))
    (tmp_path / "one.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    (tmp_path / "junk.glb").write_text("junk")
    assert "NaN" in refused("shapes", "match", a, tmp_path / "nan.npy", *rest)
    assert "one triangle" in refused("shapes", "match", tmp_path / "one.obj", a, *rest)
    assert "unknown ending '.step'" in refused("shapes", "match", a, "b.step", *rest)
    assert "is no" in refused("shapes", "match", a, tmp_path / "junk.glb", *rest)
    assert "there is no model shapes_pan in" in refused("shapes", "match", a, a, *rest[2:], "--category", "pan")
    assert "'sofa' is not one of" in refused("shapes", "match", a, a, "--category", "sofa")
    assert "is to end in .npz" in refused("shapes", "match", a, a, *rest, "--out", "matches.csv")
    assert "choose a folder that exists" in refused("shapes", "match", a, a, *rest, "--out", tmp_path / "x/m.npz")
    assert "is a directory" in refused("shapes", "match", a, tmp_path / "d", *rest, "--out", folder_called(tmp_path))
    assert "cannot be read (Is a directory)" in refused("shapes", "match", a, folder_called(tmp_path), *rest)
    out = ("--out", tmp_path / "c.ply")
    assert "has no colours" in refused("shapes", "transfer-texture", files / "b.obj", a, *rest, *out)


def folder_called(tmp_path):
    """A folder with the name of a file."""
    (tmp_path / "folder.npz").mkdir(exist_ok=True)
    return tmp_path / "folder.npz"


def test_a_folder_that_cannot_be_written_to_is_told_at_once(refused, files, tmp_path, monkeypatch):
    monkeypatch.setattr("blockworld.files.os.access", lambda path, mode: False)
    words = ("shapes", "transfer-grasp", files / "a.ply", "--category", "mug", "--out", tmp_path / "grasps.json")
    assert "Permission denied; choose a folder" in refused(*words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("up", UP)
def test_every_axis_can_point_up_and_nothing_is_mirrored(up):
    turn = upright(up)[:3, :3]
    axis = np.eye(3)["xyz".index(up[-1])] * (-1 if up.startswith("-") else 1)
    assert np.array_equal(turn @ axis, [0, 0, 1])
    assert np.isclose(np.linalg.det(turn), 1) and np.array_equal(turn @ turn.T, np.eye(3))


def test_grasps_are_given_in_the_axes_of_the_file(blockworld, refused, tmp_path, monkeypatch):
    """A mug in mm whose -y is up gets the grasps of the same mug in m, turned."""
    monkeypatch.undo()  # the network that is shipped, with all its steps
    made = make("mug", 77, 0)
    places = {}
    for name, up, unit, scale in (("a.ply", "z", "m", 1), ("b.ply", "-y", "mm", 1000)):
        turn = upright(up)[:3, :3]
        trimesh.Trimesh(scale * made.vertices @ turn, made.faces, process=False).export(tmp_path / name)
        out = tmp_path / "grasps.json"
        words = (tmp_path / name, "--category", "mug", "--up", up, "--unit", unit, "--most", "1", "--out", out)
        status, told, _ = blockworld("shapes", "transfer-grasp", *words)
        assert status == 0 and "1 grasps of a mug" in told
        places[name] = turn @ np.array(json.loads(out.read_text())[0]["T_object_clamp"])[:3]
    assert np.allclose(places["a.ply"], places["b.ply"], atol=0.02)
    assert "give its points in metres" in refused("shapes", "transfer-grasp", tmp_path / "b.ply", "--category", "mug")


def test_bundles_of_shapes_are_listed_shown_and_verified(blockworld, refused, files):
    models = ("--models", files / "models")
    status, out, _ = blockworld("models", "list", *models)
    assert status == 0 and "shapes.deformation" in out and "sound" in out
    status, out, _ = blockworld("models", "show", "shapes_mug", *models)
    assert status == 0 and "category: mug" in out
    status, out, _ = blockworld("models", "verify", *models)
    assert (status, out) == (0, "shapes_mug: sound, runs on onnxruntime\n")
    assert "there is no model for images in" in refused("engine", "list", *models)
