"""Shapes come out of files as they went in, and what is no shape is refused in one sentence that names the file."""

import os
import sys

import numpy as np
import pytest
import trimesh
from fixtures_shapes import ball
from PIL import Image

from perception.errors import ShapeError
from perception.shapes.reading import ENDINGS, MOST_FILE_BYTES, read_colours, read_shape
from perception.shapes.shape import Shape
from perception.shapes.writing import ply


def saved(path, points, faces):
    """A file of the ending's type, of a mesh or, where faces is None, of a cloud."""
    ending = path.suffix
    if ending == ".npy":
        np.save(path, points)
    elif ending == ".npz":
        np.savez(path, **({"points": points} if faces is None else {"vertices": points, "faces": faces}))
    elif ending == ".obj":
        lines = [f"v {x!r} {y!r} {z!r}" for x, y, z in points.tolist()]
        lines += [] if faces is None else [f"f {a} {b} {c}" for a, b, c in (faces + 1).tolist()]
        path.write_text("# shape\n" + "\n".join(lines) + "\n")
    elif faces is None:
        trimesh.PointCloud(points).export(path)
    else:
        trimesh.Trimesh(points, faces, process=False).export(path)
    return path


@pytest.fixture
def mesh():
    """A ball whose last point is of no triangle, and whose points stand in no order."""
    points, faces = ball(1)
    order = np.random.default_rng(0).permutation(len(points))
    return np.vstack([points[order], [[2, 2, 2]]]), np.argsort(order)[faces]


@pytest.mark.parametrize("ending", [".obj", ".ply", ".off", ".glb", ".npz"])
def test_the_points_of_a_mesh_keep_their_order(tmp_path, mesh, ending):
    read = read_shape(saved(tmp_path / f"ball{ending}", *mesh))
    assert np.allclose(read.points, mesh[0], atol=1e-6)
    assert np.array_equal(np.sort(read.faces, axis=1), np.sort(mesh[1], axis=1))


@pytest.mark.parametrize("ending", [".obj", ".ply", ".xyz", ".npy", ".npz"])
def test_a_file_of_points_alone_is_a_cloud(tmp_path, mesh, ending):
    read = read_shape(saved(tmp_path / f"ball{ending}", mesh[0], None))
    assert read.faces is None
    assert np.allclose(read.points, mesh[0], atol=1e-6)


def test_an_stl_file_has_three_points_a_triangle(tmp_path, mesh):
    read = read_shape(saved(tmp_path / "ball.stl", *mesh))
    assert np.allclose(read.points, mesh[0][mesh[1]].reshape(-1, 3), atol=1e-6)


def test_an_obj_file_may_have_polygons_seams_and_numbers_from_the_end(tmp_path):
    path = tmp_path / "box.obj"
    corners = [(x, y, z) for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))]
    path.write_text(
        "mtllib none.mtl\nusemtl red\n"
        + "".join(f"v {x} {y} {z} 0.5 0.5 0.5\n" for x, y, z in corners)
        + "vt 0 0\nvt 1 0\nvt 1 1\nvn 0 0 1\nf 1/1 4/2 3/3 2/1\nf -4//1 -3//1 -2//1 -1//1\nf 1 2 \\\n 6 5\n"
    )
    read = read_shape(path)
    assert np.array_equal(read.points, corners)
    assert read.faces.tolist() == [[0, 3, 2], [0, 2, 1], [4, 5, 6], [4, 6, 7], [0, 1, 5], [0, 5, 4]]


def test_an_obj_file_may_have_tabs_and_the_line_ends_of_windows(tmp_path, mesh):
    path = saved(tmp_path / "ball.obj", *mesh)
    plain = read_shape(path)
    text = path.read_text().replace(" ", "\t").replace("\n", "\r\n")
    path.write_bytes(text.replace("\r\nf\t", "\r\nf\t\\\r\n").encode())
    read = read_shape(path)
    assert np.array_equal(read.points, plain.points) and np.array_equal(read.faces, plain.faces)


def test_an_xyz_file_may_have_comments_commas_and_more_columns(tmp_path, mesh):
    path = tmp_path / "ball.xyz"
    lines = [f"{x!r}, {y!r}, {z!r}, 255, 0, 0" for x, y, z in mesh[0].tolist()]
    path.write_text("# x y z r g b\n// scanned\n" + "\n".join(lines) + "\n")
    assert np.array_equal(read_shape(path).points, mesh[0])


def test_the_parts_of_a_scene_stand_where_they_stand(tmp_path, mesh):
    scene = trimesh.Scene()
    part = trimesh.Trimesh(*mesh, process=False)
    scene.add_geometry(part)
    scene.add_geometry(part, transform=trimesh.transformations.translation_matrix([10, 0, 0]))
    scene.export(tmp_path / "two.glb")
    read = read_shape(tmp_path / "two.glb")
    assert len(read.points) == 2 * len(mesh[0]) and len(read.faces) == 2 * len(mesh[1])
    assert np.isclose(read.points[:, 0].max(), 12)


def test_what_is_written_is_read_again(tmp_path, mesh):
    colours = np.random.default_rng(0).integers(0, 256, (len(mesh[0]), 3), dtype=np.uint8)
    for shape in (Shape(*mesh), Shape(mesh[0])):
        (tmp_path / "out.ply").write_bytes(ply(shape, colours))
        read = read_shape(tmp_path / "out.ply")
        assert np.array_equal(read.points, shape.points)
        assert read.faces is shape.faces is None or np.array_equal(read.faces, shape.faces)
        assert np.array_equal(read_colours(tmp_path / "out.ply", read), colours)


def test_colours_come_from_a_texture_beside_the_file(tmp_path):
    points, faces = ball(1)
    image = Image.new("RGB", (64, 64), (255, 0, 0))
    image.paste((0, 0, 255), (0, 0, 64, 32))  # blue above, red below
    image.save(tmp_path / "skin.png")
    (tmp_path / "skin.mtl").write_text("newmtl skin\nKd 1 1 1\nmap_Kd skin.png\n")
    lines = ["mtllib skin.mtl", "usemtl skin", *(f"v {x} {y} {z}" for x, y, z in points)]
    lines += [f"vt 0.5 {0.05 + 0.9 * (z + 1) / 2}" for z in points[:, 2]]
    lines += [f"f {a}/{a} {b}/{b} {c}/{c}" for a, b, c in faces + 1]
    (tmp_path / "ball.obj").write_text("\n".join(lines))
    colours = read_colours(tmp_path / "ball.obj", read_shape(tmp_path / "ball.obj"))
    assert (colours[points[:, 2] > 0.3] == (0, 0, 255)).all()
    assert (colours[points[:, 2] < -0.3] == (255, 0, 0)).all()


def test_a_texture_without_its_picture_is_not_taken_for_grey(tmp_path):
    points, faces = ball(1)
    lines = ["mtllib none.mtl", *(f"v {x} {y} {z}" for x, y, z in points), *(f"vt 0.5 {z}" for z in points[:, 2])]
    (tmp_path / "ball.obj").write_text("\n".join(lines + [f"f {a}/{a} {b}/{b} {c}/{c}" for a, b, c in faces + 1]))
    with pytest.raises(ShapeError, match=r"has no colours that can be read \(the picture of its texture is missing\)"):
        read_colours(tmp_path / "ball.obj", read_shape(tmp_path / "ball.obj"))


def refusal(path):
    with pytest.raises(ShapeError) as error:
        read_shape(path)
    assert str(path) in str(error.value) and "\n" not in str(error.value)
    return str(error.value)


def test_unknown_types_missing_files_and_empty_ones_are_refused(tmp_path):
    assert "unknown ending '.blend': give one of .obj" in refusal(tmp_path / "a.blend")
    assert "cannot be read" in refusal(tmp_path / "absent.ply")
    (tmp_path / "none.ply").touch()
    assert "is empty" in refusal(tmp_path / "none.ply")
    os.mkfifo(tmp_path / "pipe.obj")
    assert "it is no regular file" in refusal(tmp_path / "pipe.obj")
    with (tmp_path / "huge.stl").open("wb") as file:
        file.truncate(MOST_FILE_BYTES + 1)
    assert "more than the" in refusal(tmp_path / "huge.stl")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    "content",
    [b"junk\n", b"\0" * 500, b"ply\nformat ascii 1.0\nelement vertex 9999999999\nproperty float x\nend_header\n1\n"],
)
def test_damaged_files_of_every_type_are_refused(tmp_path, ending, content):
    (tmp_path / f"bad{ending}").write_bytes(content)
    assert f"bad{ending}" in refusal(tmp_path / f"bad{ending}")


@pytest.mark.parametrize("ending", [".obj", ".ply", ".off", ".glb", ".npz"])
def test_what_was_cut_off_is_refused_or_a_smaller_shape(tmp_path, mesh, ending):
    path = saved(tmp_path / f"ball{ending}", *mesh)
    whole = path.read_bytes()
    for part in range(1, 10):
        path.write_bytes(whole[: len(whole) * part // 10])
        try:
            assert len(read_shape(path).points) <= len(mesh[0])
        except ShapeError as error:
            assert str(path) in str(error)


def test_points_that_were_cut_off_are_missed(tmp_path, mesh):
    path = saved(tmp_path / "ball.ply", *mesh)
    path.write_bytes(trimesh.Trimesh(*mesh, process=False).export(file_type="ply", encoding="ascii"))
    lines = path.read_bytes().splitlines(keepends=True)
    end = lines.index(b"end_header\n") + 1
    path.write_bytes(b"".join(lines[: end + 12]))
    assert f"it has 12 of the {len(mesh[0])} points" in refusal(path)
    for kind in ("stl", "stl_ascii"):
        whole = trimesh.Trimesh(*mesh, process=False).export(file_type=kind)
        path = tmp_path / "ball.stl"
        path.write_bytes(whole[:-50] if isinstance(whole, bytes) else whole[: len(whole) // 2].encode())
        assert "it has no triangles, or its end is missing" in refusal(path)


def test_shapes_that_are_none_are_refused_with_their_file(tmp_path, mesh):
    points, faces = mesh
    assert "the mesh has one triangle" in refusal(saved(tmp_path / "one.obj", points, faces[:1]))
    assert "NaN" in refusal(saved(tmp_path / "nan.npy", np.vstack([points, [[np.nan, 0, 0]]]), None))
    assert "an array (N, 3)" in refusal(saved(tmp_path / "flat.npy", points[:, :2], None))
    assert "the corner 99, but" in refusal(saved(tmp_path / "far.npz", points, np.vstack([faces, [[0, 1, 99]]])))
    assert "numbers, not <U1" in refusal(saved(tmp_path / "words.npy", np.full((20, 3), "a"), None))
    assert "numbers, not complex128" in refusal(saved(tmp_path / "complex.npy", points * 1j, None))
    saved(tmp_path / "zero.obj", points, faces - 1)
    assert "a face has the point 0, but they are counted from 1" in refusal(tmp_path / "zero.obj")
    np.savez_compressed(tmp_path / "bomb.npz", points=np.zeros((MOST_FILE_BYTES // 8, 3), np.int32))
    assert "it unpacks to" in refusal(tmp_path / "bomb.npz")
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert "is no .npy file that can be read" in refusal(tmp_path / "objects.npy")


def test_a_file_without_colours_has_none_to_give(tmp_path, mesh):
    path = saved(tmp_path / "ball.ply", *mesh)
    with pytest.raises(ShapeError, match="has no colours that can be read"):
        read_colours(path, read_shape(path))


def test_without_trimesh_it_is_said_what_to_install(tmp_path, mesh, monkeypatch):
    path = saved(tmp_path / "ball.ply", *mesh)
    monkeypatch.setitem(sys.modules, "trimesh", None)
    with pytest.raises(ShapeError, match=r"takes trimesh, which is not installed: pip install 'blockworld\[render\]'"):
        read_shape(path)
    assert len(read_shape(saved(tmp_path / "ball.obj", *mesh)).points) == len(mesh[0])
