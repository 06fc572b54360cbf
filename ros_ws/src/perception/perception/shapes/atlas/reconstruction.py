"""From a shape's points or a picture of it to a mesh: charts over regular grids, put back where the cloud was."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.images import Image
from perception.shapes.atlas.network import AtlasNetwork
from perception.shapes.atlas.picture import framed
from perception.shapes.chamfer import chamfer_distance
from perception.shapes.sampling import regular_samples
from perception.shapes.shape import Faces, Points, Shape

HEADINGS = 24
_SAMPLES = 2500


@dataclass(frozen=True, eq=False)
class Atlas:
    """A reconstruction: points (K N, 3) chart by chart; faces (F, 3) or None; uv (K N, 2) of each point in its chart's
    unit square, or None; chart (K N,) numbers."""

    points: Points
    faces: Faces | None
    uv: Points | None
    chart: NDArray[np.int64]

    @property
    def shape(self) -> Shape:
        """As a mesh, or a cloud where there are no triangles."""
        return Shape(self.points, self.faces)


@dataclass(frozen=True, eq=False)
class Placement:
    """Where a cloud is in the frame of networks: turned by `turn` (3, 3), moved by -middle (3,), divided by radius."""

    turn: Points
    middle: Points
    radius: float

    @classmethod
    def of(cls, points: Points, turn: Points) -> "Placement":
        """The middle of the turned points' bounding box at the origin, the farthest of them at a distance of 1."""
        turned = points @ turn.T
        middle = (turned.min(axis=0) + turned.max(axis=0)) / 2
        return cls(turn, middle, float(np.linalg.norm(turned - middle, axis=1).max()))

    def apply(self, points: Points) -> Points:
        """Points (N, 3) of the cloud's frame in that of networks."""
        return np.asarray((points @ self.turn.T - self.middle) / self.radius)

    def undo(self, points: Points) -> Points:
        """Points (N, 3) of the networks' frame in that of the cloud."""
        return np.asarray((points * self.radius + self.middle) @ self.turn)


@dataclass(frozen=True, eq=False)
class Encoded:
    """A shape as a network knows it: latent vector (L,), where its frame is, and the Chamfer distance of what the
    network makes of it, in the unit ball."""

    latent: NDArray[np.float32]
    placement: Placement
    distance: float


def encode_cloud(network: AtlasNetwork, shape: Shape, headings: int = HEADINGS) -> Encoded:
    """A mesh or cloud with z up: turned about z by each of so many headings, the one that the network reconstructs best
    stays, since it only knows things that face +x. One heading leaves it as it stands."""
    samples = regular_samples(shape, network.manifest.size)
    found: list[Encoded] = []
    grid = network.grid(_SAMPLES)
    for angle in np.arange(headings) * 2 * np.pi / headings:
        placement = Placement.of(samples, _about_z(angle))
        placed = placement.apply(samples)
        latent = network.encode_clouds(placed[None])
        points = network.decode(latent, grid).reshape(-1, 3)
        found.append(Encoded(latent[0], placement, chamfer_distance(points, placed)))
    return min(found, key=lambda one: one.distance)


def encode_picture(network: AtlasNetwork, image: Image, alpha: NDArray[np.uint8] | None) -> NDArray[np.float32]:
    """(L,) latent vector of what a picture shows; see `framed`."""
    return network.encode_pictures(framed(image, alpha, network.manifest.size)[None])[0]


def reconstruct(
    network: AtlasNetwork, latent: NDArray[np.floating], points: int, placement: Placement | None = None
) -> Atlas:
    """The atlas of a latent vector (L,), of about so many points; in the unit ball, z up, facing +x, unless the
    placement of a cloud is given."""
    grid = network.grid(points)
    found = network.decode(latent[None], grid)[0].astype(np.float64)
    flat, count, own = found.reshape(-1, 3), found.shape[1], grid or network.own_grid()
    if placement is not None:
        flat = placement.undo(flat)
    chart = np.repeat(np.arange(len(found)), count)
    if own is None:
        return Atlas(flat, None, None, chart)
    faces = np.concatenate([own.faces + count * number for number in range(len(found))])
    return Atlas(flat, faces, np.tile(own.uv, (len(found), 1)), chart)


def _about_z(angle_rad: float) -> Points:
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
