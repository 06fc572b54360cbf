"""Annotated objects come back from their files as they were, and no other file is taken for one."""

import io
from dataclasses import replace

import numpy as np
import pytest

from perception.errors import InputError
from perception.exemplars import AnnotatedObject, Grasps

VERTICES = np.array([(0.0, 0, 0), (0.1, 0, 0), (0, 0.1, 0), (0, 0, 0.1)])
FACES = np.array([(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)])
GRASPS = Grasps(np.tile(np.eye(4), (3, 1, 1)), np.array([0.02, 0.03, 0.08]), np.array([5, 2, 0]), np.array([4, 0, 0]))
OBJECT = AnnotatedObject("mug", VERTICES, FACES, GRASPS)


def arrays(**changed) -> dict:
    with np.load(io.BytesIO(OBJECT.to_bytes())) as archive:
        return {**archive, **changed}


def test_an_object_comes_back_from_its_file(tmp_path):
    path = tmp_path / "mug.npz"
    path.write_bytes(OBJECT.to_bytes())
    back = AnnotatedObject.load(path)
    assert back.category == "mug"
    assert np.array_equal(back.vertices, VERTICES.astype(np.float32)) and back.vertices.dtype == np.float64
    assert np.array_equal(back.faces, FACES)
    for name in ("T_object_clamp", "opening_m", "tries", "successes"):
        assert np.array_equal(getattr(back.grasps, name), getattr(GRASPS, name))


def test_the_success_rate_is_that_of_the_tries():
    assert GRASPS.success_rate.tolist() == [0.8, 0.0, 0.0]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"version": np.int32(2)}, "of version 2, not 1"),
        ({"category": np.array([1, 2])}, "its category is no word"),
        ({"vertices": np.full((4, 3), np.nan)}, "vertices that are not finite"),
        ({"vertices": np.zeros((4, 2))}, "its vertices have the shape"),
        ({"faces": np.array([(0, 1, 7)])}, "faces of vertices that it has not"),
        ({"faces": np.array([("a", "b", "c")])}, "arrays that hold no numbers"),
        ({"opening_m": np.array([0.02, -0.03, 0.08])}, "opening is not positive"),
        ({"opening_m": np.array([0.02])}, "its grasps have the shapes"),
        ({"successes": np.array([6, 0, 0])}, "more successes than tries"),
        ({"T_object_clamp": np.tile(2 * np.eye(4), (3, 1, 1))}, "no rigid motion"),
        ({"vertices": np.array([object()] * 4)}, "allow_pickle=False"),
    ],
)
def test_a_file_of_something_else_is_refused_in_one_sentence(tmp_path, changed, words):
    path = tmp_path / "odd.npz"
    np.savez(path, **arrays(**changed))
    with pytest.raises(InputError) as error:
        AnnotatedObject.load(path)
    assert words in str(error.value) and "\n" not in str(error.value)
    assert str(error.value).startswith("odd.npz") and "is no annotated object" in str(error.value)


@pytest.mark.parametrize("content", [b"", b"no archive", OBJECT.to_bytes()[:200]])
def test_a_damaged_file_is_refused(tmp_path, content):
    path = tmp_path / "torn.npz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"torn\.npz is no annotated object"):
        AnnotatedObject.load(path)


def test_a_file_with_a_few_wrong_bytes_is_refused(tmp_path):
    """But for those of the archive that nobody reads, such as times of its files."""
    path = tmp_path / "torn.npz"
    whole, refused = OBJECT.to_bytes(), 0
    places = range(40, 1400, 61)
    for at in places:
        path.write_bytes(whole[:at] + bytes(255 - byte for byte in whole[at : at + 6]) + whole[at + 6 :])
        try:
            AnnotatedObject.load(path)
        except InputError as error:
            assert str(error).startswith("torn.npz")
            refused += 1
    assert refused > 0.8 * len(places)


def test_a_file_that_unpacks_to_more_than_it_may_is_refused(tmp_path):
    path = tmp_path / "bomb.npz"
    np.savez_compressed(path, **arrays(vertices=np.zeros((3_000_000, 3))))
    assert path.stat().st_size < 1_000_000
    with pytest.raises(InputError, match="unpacks to"):
        AnnotatedObject.load(path)


def test_a_missing_array_and_a_missing_file_are_told(tmp_path):
    path = tmp_path / "part.npz"
    np.savez(path, **{name: array for name, array in arrays().items() if name != "tries"})
    with pytest.raises(InputError, match="it has no tries"):
        AnnotatedObject.load(path)
    with pytest.raises(InputError, match=r"cannot read the annotated object none\.npz"):
        AnnotatedObject.load(tmp_path / "none.npz")


def test_an_object_without_a_surface_cannot_be_made():
    with pytest.raises(InputError, match="its faces have the shape"):
        replace(OBJECT, faces=np.zeros((0, 3), int))
