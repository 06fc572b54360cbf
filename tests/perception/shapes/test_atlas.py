"""Charts, pictures as networks see them, stitched meshes and their files."""

import io
import sys

import numpy as np
import pytest
import trimesh
from PIL import Image as Picture

from perception.errors import ImageError, ShapeError
from perception.images import read_with_alpha
from perception.shapes.atlas.charts import sphere_grid, sphere_points, square_grid, square_points
from perception.shapes.atlas.meshes import atlas_picture, atlas_uv, chart_colours, mesh_file
from perception.shapes.atlas.picture import framed
from perception.shapes.atlas.reconstruction import Atlas, Placement
from perception.shapes.atlas.stitching import border_points, stitched


def cube_atlas(side: int, gap: float = 0.0) -> Atlas:
    """The six faces of a cube as charts, each shrunk by a gap."""
    grid = square_grid(side**2)
    flat = (1 - gap) * (grid.points - 0.5)
    points = []
    for axis in range(3):
        for sign in (-1, 1):
            face = np.empty((len(flat), 3))
            face[:, (axis + 1) % 3], face[:, (axis + 2) % 3] = flat[:, 0], sign * flat[:, 1]
            face[:, axis] = sign * 0.5
            points.append(face)
    count = len(flat)
    faces = np.concatenate([grid.faces + k * count for k in range(6)])
    return Atlas(np.concatenate(points), faces, np.tile(grid.uv, (6, 1)), np.repeat(np.arange(6), count))


@pytest.mark.parametrize("count, made", [(1, 4), (4, 4), (20, 20), (25, 25), (500, 506), (900, 900)])
def test_a_square_is_covered_once(count, made):
    grid = square_grid(count)
    a, b, c = (grid.points[grid.faces[:, i]] for i in range(3))
    areas = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) / 2
    assert len(grid.points) == made and (areas > 0).all() and areas.sum() == pytest.approx(1)
    assert np.array_equal(grid.points.min(axis=0), (0, 0)) and np.array_equal(grid.points.max(axis=0), (1, 1))


@pytest.mark.parametrize("count", [12, 100, 2500])
def test_a_sphere_is_closed_and_faces_outwards(count):
    grid = sphere_grid(count)
    mesh = trimesh.Trimesh(grid.points, grid.faces, process=False)
    assert len(grid.points) >= count and mesh.is_watertight and mesh.volume > 2.5
    assert np.linalg.norm(grid.points, axis=1) == pytest.approx(1)
    assert grid.uv.min() >= 0 and grid.uv.max() <= 1


def test_random_points_of_charts_lie_everywhere_alike():
    square = square_points(np.random.default_rng(0), 3, 4000)
    assert square.shape == (3, 4000, 2) and np.histogram2d(*square[0].T, bins=4)[0].min() > 180
    sphere = sphere_points(np.random.default_rng(0), 4000)[0]
    assert np.linalg.norm(sphere, axis=1) == pytest.approx(1)
    assert np.histogram(sphere[:, 2], bins=5)[0].min() > 700  # Archimedes: even over the height


def test_a_placement_is_undone():
    points = np.random.default_rng(0).normal(size=(50, 3)) * (1, 5, 2) + 7
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    placement = Placement.of(points, turn)
    placed = placement.apply(points)
    assert np.linalg.norm(placed, axis=1).max() == pytest.approx(1)
    assert placed.min(axis=0) + placed.max(axis=0) == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(placement.undo(placed), points, atol=1e-12)


@pytest.mark.parametrize("gap", [0.0, 0.05])
def test_charts_that_touch_or_nearly_do_are_stitched_to_a_closed_mesh(gap):
    atlas = cube_atlas(8, gap)
    assert not trimesh.Trimesh(atlas.points, atlas.faces, process=False).is_watertight
    whole = stitched(atlas)
    mesh = trimesh.Trimesh(whole.points, whole.faces, process=False)
    assert mesh.is_watertight and len(mesh.split()) == 1
    assert mesh.volume == pytest.approx(1, rel=0.1)


def test_charts_far_from_each_other_stay_apart():
    atlas = cube_atlas(8, 0.6)
    whole = stitched(atlas)
    assert len(trimesh.Trimesh(whole.points, whole.faces, process=False).split(only_watertight=False)) == 6
    assert len(whole.points) == len(atlas.points)


def test_a_cloud_is_not_stitched():
    cloud = Atlas(np.random.default_rng(0).normal(size=(40, 3)), None, None, np.zeros(40, int))
    assert stitched(cloud).faces is None


def test_charts_become_one_closed_surface():
    pytest.importorskip("open3d")
    from perception.shapes.atlas.poisson import closed_atlas

    whole = closed_atlas(cube_atlas(30, 0.02))
    mesh = trimesh.Trimesh(whole.points, whole.faces)
    assert mesh.is_watertight and abs(mesh.volume) == pytest.approx(1, rel=0.1)


def test_closing_says_what_it_takes(monkeypatch):
    from perception.shapes.atlas.poisson import closed_atlas

    monkeypatch.setitem(sys.modules, "open3d", None)
    with pytest.raises(ShapeError, match=r"takes open3d, which is not installed: pip install 'blockworld\[shapes\]'"):
        closed_atlas(cube_atlas(10))


def test_the_border_of_a_square_are_its_sides():
    assert len(border_points(square_grid(36).faces)) == 20
    assert len(border_points(sphere_grid(40).faces)) == 0


@pytest.mark.parametrize("charts", [1, 6, 25, 125])
def test_each_chart_has_its_own_tile_and_colour(charts):
    assert len({tuple(one) for one in chart_colours(charts).tolist()}) == charts
    points = np.zeros((4 * charts, 3))
    uv = np.tile([(0.0, 0.0), (1, 0), (1, 1), (0, 1)], (charts, 1))
    atlas = Atlas(points, np.array([[0, 1, 2]]), uv, np.repeat(np.arange(charts), 4))
    picture, places = atlas_picture(charts), atlas_uv(atlas)
    rows = ((1 - places[:, 1]) * len(picture)).astype(int)
    columns = (places[:, 0] * len(picture)).astype(int)
    seen = picture[rows, columns].astype(int)
    assert (np.abs(seen - chart_colours(charts)[atlas.chart]) <= 52).all()  # lines of the grid are darker


@pytest.mark.parametrize("ending", [".glb", ".obj", ".ply"])
def test_files_have_the_mesh_and_its_atlas(tmp_path, ending):
    atlas = cube_atlas(5)
    for name, content in mesh_file(atlas, ending).items():
        (tmp_path / f"cube{name}").write_bytes(content.replace(b"NAME.", b"cube."))
    mesh = trimesh.load(tmp_path / f"cube{ending}", process=False, force="mesh")
    assert len(mesh.faces) == len(atlas.faces) and mesh.area == pytest.approx(6)
    if ending == ".ply":
        assert np.array_equal(np.unique(mesh.visual.vertex_colors[:, :3], axis=0), np.unique(chart_colours(6), axis=0))
    else:
        assert mesh.visual.kind == "texture" and len(mesh.visual.uv) == len(mesh.vertices)
        colours = mesh.visual.to_color().vertex_colors[:, :3]
        assert len(np.unique(colours // 40, axis=0)) >= 6


def test_a_cloud_is_no_glb():
    cloud = Atlas(np.random.default_rng(0).normal(size=(40, 3)), None, None, np.zeros(40, int))
    with pytest.raises(ShapeError, match=r"which a \.glb file has no place for: write a \.ply"):
        mesh_file(cloud, ".glb")
    assert trimesh.load(io.BytesIO(mesh_file(cloud, ".ply")[".ply"]), file_type="ply").vertices.shape == (40, 3)


def test_a_picture_with_alpha_is_cut_out_and_stands_on_white():
    image, alpha = np.zeros((300, 500, 3), np.uint8), np.zeros((300, 500), np.uint8)
    image[100:160, 400:500], alpha[100:160, 400:500] = (200, 30, 30), 255
    seen = framed(image, alpha, 64)
    assert seen.shape == (64, 64, 3) and (seen[0] == 255).all() and (seen[32, 32] == (200, 30, 30)).all()
    red = (seen[..., 1] < 100).nonzero()
    assert red[0].mean() == pytest.approx(31.5, abs=1) and red[1].mean() == pytest.approx(31.5, abs=1)
    assert np.ptp(red[1]) == pytest.approx(64 / 1.24, abs=2)


def test_a_picture_without_alpha_gives_its_middle_square():
    image = np.zeros((100, 300, 3), np.uint8)
    image[:, 100:200] = np.linspace(0, 255, 100).astype(np.uint8)[:, None]
    seen = framed(image, None, 50)
    assert seen.shape == (50, 50, 3) and seen[25].mean() == pytest.approx(127, abs=3)
    assert np.array_equal(framed(image, np.full((100, 300), 255, np.uint8), 50), seen)


@pytest.mark.parametrize("shown", ["one colour", "nothing"])
def test_a_picture_without_an_object_is_refused(shown):
    image, alpha = np.full((90, 90, 3), 120, np.uint8), None
    if shown == "nothing":
        image[:] = np.arange(90)[:, None]
        alpha = np.zeros((90, 90), np.uint8)
    with pytest.raises(ImageError, match="give one that shows an object"):
        framed(image, alpha, 64)


def test_the_alpha_of_a_file_is_read_and_turned_with_it(tmp_path):
    pixels = np.full((80, 120, 4), 255, np.uint8)
    pixels[:40, :, 3] = 0
    Picture.fromarray(pixels).save(tmp_path / "a.png")
    image, alpha = read_with_alpha(tmp_path / "a.png")
    assert image.shape == (80, 120, 3) and alpha is not None and (alpha[:40] == 0).all() and (alpha[40:] == 255).all()
    turned = Picture.Exif()
    turned[274] = 6
    Picture.fromarray(pixels).save(tmp_path / "b.png", exif=turned)
    image, alpha = read_with_alpha(tmp_path / "b.png")
    assert alpha is not None and image.shape[:2] == alpha.shape == (120, 80) and (alpha[:, 40:] == 0).all()
    Picture.fromarray(pixels[..., :3]).save(tmp_path / "c.png")
    assert read_with_alpha(tmp_path / "c.png")[1] is None
