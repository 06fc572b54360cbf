"""blockworld shapes reconstruct and interpolate, as a user types them, with networks that learned little."""

import cv2
import numpy as np
import pytest
import trimesh
from fixtures_atlas import for_pictures, small_config

from sim.shapes import make
from training.shapes.atlas.export import export
from training.shapes.atlas.train import train


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A models folder, meshes, clouds and pictures of tables."""
    folder = tmp_path_factory.mktemp("atlas")
    for name, changes in (
        ("atlas_ae", {"shapes": 800}),
        ("atlas_svr", for_pictures(folder)),
        ("atlas_points", {"structure": "points", "charts": 1}),
    ):
        config = small_config(folder, folder / name, **changes)
        train(config, progress=False)
        export(config, folder / "models", name, "blockworld train atlas-ae")
    for number in range(2):
        shape = make("table", 9, number)
        mesh = trimesh.Trimesh(1000 * shape.vertices[:, [1, 2, 0]] + 50, shape.faces, process=False)  # mm, +y is up
        mesh.export(folder / f"table{number}.ply")
        picture = np.full((90, 120, 4), 255, np.uint8)
        picture[20:70, 30:90, :3] = 40 * number
        picture[:10, :, 3] = 0
        cv2.imwrite(str(folder / f"table{number}.png"), picture)
    return folder


@pytest.fixture
def reconstruct(blockworld, files):
    def run(name, *words):
        return blockworld("shapes", "reconstruct", files / name, "--models", files / "models", *words)

    return run


def test_a_mesh_is_reconstructed_where_it_lies(reconstruct, files, tmp_path):
    out, picture = tmp_path / "out.ply", tmp_path / "out.png"
    status, told, _ = reconstruct("table0.ply", "--up", "y", "--out", out, "--picture", picture, "--points", "1600")
    assert status == 0 and "1600 points and 2888 triangles on 4 charts" in told and f"{out} written" in told
    given, found = trimesh.load(files / "table0.ply"), trimesh.load(out, process=False)
    size = given.extents.max()
    assert np.linalg.norm(given.bounds.mean(axis=0) - found.bounds.mean(axis=0)) < 0.2 * size
    assert found.extents == pytest.approx(given.extents, abs=0.35 * size)
    image = cv2.imread(str(picture))
    assert image.shape[0] == 720 and (image < 240).any(axis=2).mean() > 0.05


def test_a_picture_is_reconstructed_in_the_unit_ball(reconstruct, tmp_path):
    status, told, _ = reconstruct("table1.png", "--out", tmp_path / "out.glb", "--points", "400")
    assert status == 0 and "on 4 charts" in told
    mesh = trimesh.load(tmp_path / "out.glb", force="mesh")
    assert np.abs(mesh.vertices).max() <= 1 and mesh.visual.kind == "texture"


def test_an_obj_names_the_files_beside_it(reconstruct, tmp_path):
    assert reconstruct("table1.png", "--out", tmp_path / "my table.obj")[0] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"my table.obj", "my table.mtl", "my table.png"}
    mesh = trimesh.load(tmp_path / "my table.obj", force="mesh")
    assert mesh.visual.kind == "texture" and max(mesh.visual.material.image.size) > 100


def test_a_stitched_mesh_has_fewer_points(reconstruct, tmp_path):
    words = ("table0.ply", "--up", "y", "--points", "100")
    for name, more in (("loose", ()), ("joined", ("--surface", "stitched"))):
        assert reconstruct(*words, "--out", tmp_path / f"{name}.ply", *more)[0] == 0
    loose, joined = (trimesh.load(tmp_path / f"{name}.ply", process=False) for name in ("loose", "joined"))
    assert len(joined.vertices) < len(loose.vertices) == 100
    assert joined.visual.vertex_colors.shape == (len(joined.vertices), 4)


def test_a_network_of_points_gives_a_cloud(reconstruct, tmp_path):
    words = ("table0.ply", "--up", "y", "--model", "atlas_points", "--out", tmp_path / "out.ply")
    status, told, _ = reconstruct(*words)
    assert status == 0 and "256 points and 0 triangles" in told
    assert trimesh.load(tmp_path / "out.ply").vertices.shape == (256, 3)


def test_shapes_between_two_are_written_and_drawn(blockworld, files, tmp_path):
    words = ("shapes", "interpolate", files / "table0.ply", files / "table1.ply", "--models", files / "models")
    files_ = ("--out", tmp_path / "b.glb", "--picture", tmp_path / "b.png")
    status, told, _ = blockworld(*words, "--up", "y", "--steps", "3", "--points", "400", *files_)
    assert status == 0 and "3 shapes of 400 points" in told
    meshes = [trimesh.load(tmp_path / f"b-{number}.glb", force="mesh") for number in range(3)]
    assert len({len(mesh.faces) for mesh in meshes}) == 1
    assert cv2.imread(str(tmp_path / "b.png")).shape[1] > 1000


@pytest.mark.parametrize(
    "words, told",
    [
        (("none.ply",), "cannot be read"),
        (("none.png",), "No such file"),
        (("table0.ply", "--model", "atlas_svr"), "is a mesh or a cloud, which the network atlas_svr does not take"),
        (("table0.png", "--model", "atlas_ae"), "is a picture, which the network atlas_ae does not take"),
        (("table0.png", "--model", "atlas_none"), "there is no model atlas_none"),
        (("table0.ply", "--model", "atlas_points", "--out", "out.glb"), "write a .ply"),
        (("table0.ply", "--surface", "stitched", "--out", "out.glb"), "a stitched surface has no charts"),
        (("table0.ply", "--surface", "closed", "--model", "atlas_points", "--out", "o.ply"), "without a surface"),
        (("table0.ply", "--out", "out.stl"), "is to end in .glb or .obj or .ply"),
    ],
)
def test_bad_input_gets_one_sentence(refused, files, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    assert told in refused("shapes", "reconstruct", files / words[0], "--models", files / "models", *words[1:])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["grey", "clear", "huge", "text"])
def test_pictures_that_show_nothing_are_refused(refused, files, tmp_path, kind):
    path = tmp_path / "picture.png"
    if kind == "text":
        path.write_text("a picture")
    else:
        pixels = np.full((80, 80, 4) if kind != "huge" else (2, 40_000, 4), 128, np.uint8)
        pixels[..., 3] = 0 if kind == "clear" else 255
        cv2.imwrite(str(path), pixels)
    told = {"grey": "all of one colour", "clear": "all transparent", "huge": "px", "text": "image"}[kind]
    assert told in refused("shapes", "reconstruct", path, "--models", files / "models")


def test_a_picture_and_a_cloud_have_nothing_between_them(refused, files):
    told = refused("shapes", "interpolate", files / "table0.ply", files / "table1.png", "--models", files / "models")
    assert "are a picture and a cloud" in told
