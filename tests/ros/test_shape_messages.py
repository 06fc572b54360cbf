"""Meshes and clouds of messages become the shapes that were sent, and what cannot be one is told in a sentence."""

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="no ROS 2: neither the wheels of the extra `ros` nor a sourced one")

from geometry_msgs.msg import Point
from sensor_msgs.msg import PointCloud2, PointField
from shape_msgs.msg import Mesh, MeshTriangle
from std_msgs.msg import Header

from perception.errors import ShapeError
from perception.nodes.shape_messages import cloud_message, mesh_message, shape_of_cloud, shape_of_mesh
from perception.shapes.shape import MOST_POINTS, Shape
from sim.shapes import make

NAN = float("nan")


def cloud_in(points: np.ndarray, kind: str, big: bool, gap: int, shuffled: bool) -> PointCloud2:
    """The message of points (H, W, 3) with other fields between, in a byte order, and `gap` bytes after each row."""
    order = ">" if big else "<"
    names = ["z", "rgb", "x", "y"] if shuffled else ["x", "y", "z", "rgb"]
    layout = np.dtype([(name, order + ("f4" if name == "rgb" else kind)) for name in names])
    values = np.zeros(points.shape[:2], layout)
    for axis, name in enumerate("xyz"):
        values[name] = points[..., axis]
    rows = np.zeros((len(points), points.shape[1] * layout.itemsize + gap), np.uint8)
    rows[:, : rows.shape[1] - gap] = np.frombuffer(values.tobytes(), np.uint8).reshape(len(points), -1)
    datatypes = {"f4": PointField.FLOAT32, "f8": PointField.FLOAT64}
    message = PointCloud2(
        height=points.shape[0],
        width=points.shape[1],
        fields=[
            PointField(
                name=name, offset=layout.fields[name][1], datatype=datatypes["f4" if name == "rgb" else kind], count=1
            )
            for name in names
        ],
        is_bigendian=big,
        point_step=layout.itemsize,
        row_step=rows.shape[1],
    )
    message.data.frombytes(rows.tobytes())
    return message


@pytest.mark.parametrize("kind", ["f4", "f8"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(("gap", "shuffled"), [(0, False), (7, True)])
def test_a_cloud_of_any_layout_gives_its_points_without_those_that_are_not_finite(kind, big, gap, shuffled):
    points = np.random.default_rng(1).normal(size=(6, 9, 3))
    points[1, 2:5] = NAN
    points[3, 3, 2] = np.inf
    shape = shape_of_cloud(cloud_in(points, kind, big, gap, shuffled))
    wanted = points.reshape(-1, 3)[np.isfinite(points).all(axis=2).reshape(-1)]
    assert shape.faces is None
    np.testing.assert_allclose(shape.points, wanted, rtol=1e-6 if kind == "f4" else 0)


def test_a_cloud_and_a_mesh_come_back_as_they_were_sent():
    mug = Shape(make("mug", 5, 0).vertices, make("mug", 5, 0).faces)
    sent = mesh_message(mug)
    back = shape_of_mesh(sent)
    np.testing.assert_array_equal(back.points, mug.points)
    np.testing.assert_array_equal(back.faces, mug.faces)
    cloud = cloud_message(mug.points, Header(frame_id="table"))
    assert (cloud.height, cloud.width, cloud.is_dense) == (1, len(mug.points), True)
    np.testing.assert_allclose(shape_of_cloud(cloud).points, mug.points, rtol=1e-6)
    organised = cloud_message(np.full((4, 5, 3), NAN), Header())
    assert (organised.height, organised.width, organised.is_dense) == (4, 5, False)


def good_cloud() -> PointCloud2:
    return cloud_in(np.random.default_rng(2).normal(size=(3, 20, 3)), "f4", False, 0, False)


def without_y(cloud):
    cloud.fields = [field for field in cloud.fields if field.name != "y"]


def without_fields(cloud):
    cloud.fields = []


def whole_numbers(cloud):
    cloud.fields[2].datatype = PointField.INT32


def vectors(cloud):
    cloud.fields[0].count = 3


def outside(cloud):
    cloud.fields[1].offset = 14


def no_step(cloud):
    cloud.point_step = 0


def short_rows(cloud):
    cloud.row_step -= 1


def cut_off(cloud):
    cloud.data = cloud.data[:-1]


def unseen(cloud):
    cloud.data = cloud_in(np.full((3, 20, 3), NAN), "f4", False, 0, False).data


def nothing(cloud):
    cloud.width, cloud.row_step, cloud.data = 0, 0, []


def one_place(cloud):
    cloud.data = cloud_in(np.ones((3, 20, 3)), "f4", False, 0, False).data


def few(cloud):
    cloud.width, cloud.height, cloud.row_step, cloud.data = 4, 1, 64, cloud.data[:64]


def claims_everything(cloud):
    cloud.width = cloud.height = 2**32 - 1


@pytest.mark.parametrize(
    ("spoil", "kind", "sentence"),
    [
        (without_y, "fields", "the cloud lacks the field y (it has x, z, rgb): give x, y and z."),
        (without_fields, "fields", "the cloud lacks the field x, y, z (it has none)"),
        (whole_numbers, "fields", "the field z of the cloud has datatype 5 and count 1: give one FLOAT32 (7)"),
        (vectors, "fields", "the field x of the cloud has datatype 7 and count 3"),
        (outside, "fields", "the field y of the cloud ends at byte 18 of a point, which has 16"),
        (no_step, "fields", "ends at byte 4 of a point, which has 0"),
        (short_rows, "data length", "row_step of 319 bytes: 20 points of 16 bytes need at least 320."),
        (cut_off, "data length", "the cloud holds 959 bytes: row_step x height is 960."),
        (claims_everything, "data length", "need at least 68719476720."),
        (unseen, "empty", "none of the 60 points of the cloud is finite"),
        (nothing, "empty", "the shape is empty"),
        (one_place, "degenerate", "all in one place or on one line"),
        (few, "small", "a cloud of 4 points, at least"),
    ],
)
def test_a_cloud_that_cannot_be_used_is_told_in_one_sentence(spoil, kind, sentence):
    cloud = good_cloud()
    shape_of_cloud(cloud)
    spoil(cloud)
    with pytest.raises(ShapeError) as caught:
        shape_of_cloud(cloud)
    assert sentence in str(caught.value)
    assert caught.value.kind == kind
    assert "\n" not in str(caught.value)


def mesh(points, triangles) -> Mesh:
    return Mesh(
        vertices=[Point(x=float(x), y=float(y), z=float(z)) for x, y, z in points],
        triangles=[MeshTriangle(vertex_indices=np.array(corners, dtype=np.uint32)) for corners in triangles],
    )


CORNERS = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]
SIDES = [(0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)]


@pytest.mark.parametrize(
    ("given", "kind", "sentence"),
    [
        ((CORNERS, []), "small", "the mesh has no triangles"),
        (([], SIDES), "empty", "the shape is empty: it has no points."),
        ((CORNERS, SIDES[:1]), "small", "the mesh has one triangle"),
        (([*CORNERS[:3], (0, 0, NAN)], SIDES), "nan", "1 of 4 points of the shape have coordinates that are no"),
        (([(x, x, x) for x in range(4)], SIDES), "degenerate", "all in one place or on one line"),
        (([(1e12 * x, y, z) for x, y, z in CORNERS], SIDES), "huge", "coordinates beyond"),
        ((CORNERS, [*SIDES, (0, 1, 2**32 - 1)]), "other", "a triangle has the corner 4294967295, but there are 4"),
    ],
)
def test_a_mesh_that_cannot_be_used_is_told_in_one_sentence(given, kind, sentence):
    shape_of_mesh(mesh(CORNERS, SIDES))
    with pytest.raises(ShapeError) as caught:
        shape_of_mesh(mesh(*given))
    assert sentence in str(caught.value)
    assert caught.value.kind == kind
    assert "\n" not in str(caught.value)


def test_a_cloud_may_have_more_points_than_a_shape_where_most_are_not_finite():
    points = np.full((MOST_POINTS + 1, 3), NAN, np.float32)
    points[:: len(points) // 500] = np.random.default_rng(3).normal(size=(len(points[:: len(points) // 500]), 3))
    assert 400 < len(shape_of_cloud(cloud_message(points, Header())).points) < 600
    with pytest.raises(ShapeError, match="more than"):
        shape_of_cloud(cloud_message(np.zeros((MOST_POINTS + 1, 3)), Header()))
