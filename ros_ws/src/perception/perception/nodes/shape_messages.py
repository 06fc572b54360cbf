"""Shapes in ROS messages: shape_msgs/Mesh and sensor_msgs/PointCloud2 as `perception.shapes.shape.Shape`, and back."""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import Point
from sensor_msgs.msg import PointCloud2, PointField
from shape_msgs.msg import Mesh, MeshTriangle
from std_msgs.msg import Header

from perception.errors import ShapeError
from perception.shapes.shape import Shape

AXES = ("x", "y", "z")
FORMATS = {PointField.FLOAT32: "f4", PointField.FLOAT64: "f8"}


def shape_of_mesh(mesh: Mesh) -> Shape:
    """The shape of a mesh; raises ShapeError for one that cannot be used."""
    vertices = [(vertex.x, vertex.y, vertex.z) for vertex in mesh.vertices]
    triangles = [triangle.vertex_indices for triangle in mesh.triangles]
    points = np.array(vertices, dtype=np.float64).reshape(-1, 3)
    return Shape(points, np.array(triangles, dtype=np.int64).reshape(-1, 3))


def shape_of_cloud(cloud: PointCloud2) -> Shape:
    """The shape of a cloud, organised or not, in either byte order, without the points that are not finite, as depth
    cameras give them where they see nothing.

    Raises ShapeError, of kind "fields" or "data length" where the layout does not fit the data.
    """
    points = _points_of(cloud)
    finite = points[np.isfinite(points).all(axis=1)]
    if len(points) and not len(finite):
        raise ShapeError(f"none of the {len(points)} points of the cloud is finite: nothing was seen.", "empty")
    return Shape(finite)


def _points_of(cloud: PointCloud2) -> np.ndarray:
    """(width * height, 3) float64, as they were sent."""
    layout = _layout(cloud)
    needed = cloud.width * cloud.point_step
    if cloud.row_step < needed:
        raise ShapeError(
            f"the cloud has a row_step of {cloud.row_step} bytes: {cloud.width} points of {cloud.point_step} bytes "
            f"need at least {needed}.",
            "data length",
        )
    if len(cloud.data) != cloud.row_step * cloud.height:
        raise ShapeError(
            f"the cloud holds {len(cloud.data)} bytes: row_step x height is {cloud.row_step * cloud.height}.",
            "data length",
        )
    steps = (cloud.row_step, cloud.point_step)
    values = np.ndarray((cloud.height, cloud.width), layout, cloud.data, strides=steps)
    return np.stack([values[axis].astype(np.float64).reshape(-1) for axis in AXES], axis=1)


def _layout(cloud: PointCloud2) -> np.dtype:
    """Where x, y and z are in a point; raises ShapeError where they are not."""
    fields = {field.name: field for field in cloud.fields}
    if missing := [axis for axis in AXES if axis not in fields]:
        has = ", ".join(fields) or "none"
        raise ShapeError(f"the cloud lacks the field {', '.join(missing)} (it has {has}): give x, y and z.", "fields")
    formats, offsets = [], []
    for axis in AXES:
        field = fields[axis]
        if field.datatype not in FORMATS or field.count != 1:
            raise ShapeError(
                f"the field {axis} of the cloud has datatype {field.datatype} and count {field.count}: give one "
                f"FLOAT32 ({PointField.FLOAT32}) or FLOAT64 ({PointField.FLOAT64}).",
                "fields",
            )
        formats.append((">" if cloud.is_bigendian else "<") + FORMATS[field.datatype])
        offsets.append(field.offset)
        end = field.offset + np.dtype(formats[-1]).itemsize
        if end > cloud.point_step:
            raise ShapeError(
                f"the field {axis} of the cloud ends at byte {end} of a point, which has {cloud.point_step}: "
                "offset or point_step is wrong.",
                "fields",
            )
    return np.dtype({"names": list(AXES), "formats": formats, "offsets": offsets, "itemsize": cloud.point_step})


def mesh_message(shape: Shape) -> Mesh:
    """The message of a shape that has triangles."""
    return Mesh(
        vertices=[Point(x=x, y=y, z=z) for x, y, z in shape.points.tolist()],
        triangles=[MeshTriangle(vertex_indices=corners) for corners in np.asarray(shape.faces, dtype=np.uint32)],
    )


def cloud_message(points: np.ndarray, header: Header) -> PointCloud2:
    """The message of points (N, 3) or, for an organised cloud, (H, W, 3), in float32."""
    height, width = (1, *points.shape)[-3:-1]
    data = np.ascontiguousarray(points, dtype="<f4")
    message = PointCloud2(
        header=header,
        height=height,
        width=width,
        fields=[
            PointField(name=axis, offset=4 * i, datatype=PointField.FLOAT32, count=1) for i, axis in enumerate(AXES)
        ],
        point_step=12,
        row_step=12 * width,
        is_dense=bool(np.isfinite(data).all()),
    )
    message.data.frombytes(data.tobytes())
    return message
