"""Sets of surfaces and pictures, from families and from folders of meshes: even, in the unit ball, reproducible."""

import numpy as np
import pytest
import trimesh
from fixtures_atlas import CATEGORIES

from perception.errors import BlockworldError
from sim.meshes import load_mesh
from training.shapes.atlas.mesh_folder import MeshFolder
from training.shapes.atlas.picture_set import PictureSet, PictureSetConfig
from training.shapes.atlas.surface_set import SurfaceSet, SurfaceSetConfig, meshes_of


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    return SurfaceSetConfig(folder=folder, categories=CATEGORIES, shapes=10, points=400, part=4)


@pytest.fixture(scope="module")
def surfaces(config):
    return SurfaceSet.built(config, progress=False)


@pytest.fixture(scope="module")
def shapenet(tmp_path_factory):
    """Boxes and balls in the layout of ShapeNet, with a part inside that nobody sees."""
    root = tmp_path_factory.mktemp("shapenet")
    for synset, made in (("02828884", trimesh.creation.box((1, 2, 3))), ("03001627", trimesh.creation.icosphere(3))):
        for number in range(12):
            inside = trimesh.creation.box((0.1, 0.1, 0.1))
            whole = trimesh.util.concatenate([made.copy().apply_scale(1 + number), inside])
            path = root / synset / f"model{number:02d}" / "models" / "model_normalized.obj"
            path.parent.mkdir(parents=True)
            whole.export(path)
    return root


def test_shapes_fill_the_unit_ball_and_take_turns(surfaces):
    assert len(surfaces) == 10 and [name.partition("/")[0] for name in surfaces.names[:4]] == [*CATEGORIES, *CATEGORIES]
    for index in range(10):
        points, normals = surfaces.sample(index, 400, np.random.default_rng(0))
        assert np.linalg.norm(points, axis=1).max() == pytest.approx(1, abs=1e-3)
        assert np.abs(points.min(axis=0) + points.max(axis=0)).max() < 2e-3
        assert np.linalg.norm(normals, axis=1) == pytest.approx(1, abs=0.02)


def test_categories_that_are_left_out_are_not_drawn(surfaces):
    mugs = surfaces.without(["table"])
    assert mugs.names == [name for name in surfaces.names if name.startswith("mug")] and len(mugs) == 5
    assert all(np.array_equal(mugs.first(i, 400), surfaces.first(2 * i + 1, 400)) for i in range(5))


def test_each_time_other_points_of_a_shape_are_drawn(surfaces):
    first, second = (surfaces.sample(3, 50, np.random.default_rng(seed))[0] for seed in (0, 1))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, surfaces.sample(3, 50, np.random.default_rng(0))[0])
    assert not {*map(bytes, surfaces.first(3, 200))} & {*map(bytes, surfaces.last(3, 200))}


def test_a_set_is_the_same_after_an_interruption(config, surfaces, tmp_path):
    (config.folder / "surfaces-00001.npy").unlink()
    again = SurfaceSet.built(config, progress=False)
    assert all(np.array_equal(again.first(i, 400), surfaces.first(i, 400)) for i in range(10))


def test_a_set_of_another_configuration_is_refused(config, surfaces):
    with pytest.raises(BlockworldError, match="holds surfaces of another configuration: delete it"):
        SurfaceSet.built(config.model_copy(update={"points": 300}), progress=False)


@pytest.mark.parametrize("count", [3, 9, 13])
def test_a_set_can_become_larger_or_smaller(config, surfaces, count):
    other = SurfaceSet.built(config.model_copy(update={"shapes": count}), progress=False)
    assert len(other) == len(other.names) == count
    assert all(np.array_equal(other.first(i, 400), surfaces.first(i, 400)) for i in range(min(count, 10)))


def test_a_category_that_there_is_not_is_refused(tmp_path):
    with pytest.raises(ValueError, match="there are no shapes of category 'spoon'"):
        SurfaceSetConfig(folder=tmp_path, categories=("spoon",))


def test_a_folder_in_the_layout_of_shapenet_is_loaded_and_its_inside_left_out(shapenet, tmp_path):
    config = SurfaceSetConfig(folder=tmp_path / "set", meshes=shapenet, points=300, part=40)
    surfaces = SurfaceSet.built(config, progress=False)
    held_out = MeshFolder(shapenet, None).names(held_out=True)
    assert len(surfaces) + len(held_out) == 24 and not set(surfaces.names) & set(held_out)
    for index, name in enumerate(surfaces.names):
        points = surfaces.first(index, 300)
        if name.startswith("03001627"):
            assert np.linalg.norm(points, axis=1).min() > 0.9
    assert load_mesh(meshes_of(config)[0]).vertices.shape[1] == 3


def test_of_a_folder_the_categories_that_are_named_are_taken(shapenet, tmp_path):
    config = SurfaceSetConfig(folder=tmp_path, meshes=shapenet, categories=("03001627",), points=100)
    assert {name.partition("/")[0] for name in SurfaceSet.built(config, progress=False).names} == {"03001627"}


@pytest.mark.parametrize("broken", ["none", "empty", "damaged", "cloud"])
def test_folders_without_meshes_are_refused(tmp_path, broken):
    root = tmp_path / "meshes"
    if broken != "none":
        root.mkdir()
    if broken in ("damaged", "cloud"):
        text = "not a mesh" if broken == "damaged" else "\n".join(f"v {i} {i % 3} {i % 5}" for i in range(40))
        for number in range(30):
            (root / f"{number}.obj").write_text(text)
    with pytest.raises(BlockworldError, match=r"\.$") as error:
        SurfaceSet.built(SurfaceSetConfig(folder=tmp_path / "set", meshes=root, points=50), progress=False)
    told = {"none": "does not exist", "empty": "has no meshes", "damaged": "it has no points", "cloud": "is a cloud"}
    assert told[broken] in str(error.value)


def test_pictures_and_drawings_show_the_thing_in_the_middle(tmp_path):
    config = PictureSetConfig(folder=tmp_path, size_px=64, part=3)
    meshes = [f"shape/{category}/1/0" for category in (*CATEGORIES, "chair")]
    pictures = PictureSet.built(config, meshes, progress=False)
    assert len(pictures) == 3
    for index in range(3):
        picture, drawing = pictures.picture(index), pictures.drawing(index)
        assert picture.shape == drawing.shape == (64, 64, 3)
        assert picture.std() > 5
        dark = drawing[..., 0] < np.median(drawing) - 40
        assert 0.005 < dark.mean() < 0.3
        rows, columns = np.nonzero(dark)
        assert 8 < rows.mean() < 56 and 8 < columns.mean() < 56
    again = PictureSet.built(config.model_copy(update={"folder": tmp_path / "b"}), meshes, progress=False)
    assert all(np.array_equal(again.picture(i), pictures.picture(i)) for i in range(3))
