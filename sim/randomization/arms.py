"""A robot's arm as balls: a cheap and conservative stand-in for its meshes."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sim.meshes import load_mesh
from sim.robots import RobotDescription

MOST_BALLS = 6  # along one part
SAMPLES = 48  # random postures that tell which pairs of balls say nothing
SELF_SHRINK = 0.85  # balls stick out of the links, so those of two links may overlap a little


@dataclass(frozen=True, eq=False)
class Balls:
    """K balls that hold every triangle of a robot: links (K,) numbers into `names`, centres (K, 3) m in the link's
    frame, radii (K,). grounded (K,): part of what stands on the support. pairs (P, 2): balls that must not meet."""

    names: tuple[str, ...]
    links: np.ndarray
    centres: np.ndarray
    radii: np.ndarray
    grounded: np.ndarray
    pairs: np.ndarray

    def placed(self, poses: dict[str, np.ndarray]) -> np.ndarray:
        """(K, 3) centres in the base frame, for poses of the links."""
        return _placed(poses, self.names, self.links, self.centres)

    def meets_itself(self, centres: np.ndarray) -> bool:
        """Whether balls at these centres (K, 3) meet that must not."""
        first, second = self.pairs.T
        apart = ((centres[first] - centres[second]) ** 2).sum(axis=1)
        return bool((apart < (SELF_SHRINK * (self.radii[first] + self.radii[second])) ** 2).any())


@lru_cache(maxsize=8)
def balls_of(description: RobotDescription) -> Balls:
    """The balls of a robot. Pairs that meet at home, or in most postures, or of neighbouring links, are left out."""
    names = tuple(dict.fromkeys(part.link for part in description.parts))
    found = [(names.index(part.link), *ball) for part in description.parts for ball in _cover(part.mesh)]
    links = np.array([link for link, _, _ in found])
    centres = np.array([centre for _, centre, _ in found])
    radii = np.array([radius for _, _, radius in found])
    home = _placed(description.robot.link_poses(description.home), names, links, centres)
    lowest = np.array([(home[links == link, 2] - radii[links == link]).min() for link in range(len(names))])
    grounded = (lowest < 0.05)[links]
    pairs = _telling_pairs(description, names, links, centres, radii)
    return Balls(names, links, centres, radii, grounded, pairs)


def _placed(
    poses: dict[str, np.ndarray], names: tuple[str, ...], links: np.ndarray, centres: np.ndarray
) -> np.ndarray:
    stacked = np.array([poses[name] for name in names])[links]
    return np.asarray((stacked[:, :3, :3] @ centres[:, :, None])[:, :, 0] + stacked[:, :3, 3])


def _cover(mesh_name: str) -> list[tuple[np.ndarray, float]]:
    """Balls (centre, radius) along the longest axis of a mesh that hold all of its triangles."""
    mesh = load_mesh(mesh_name)
    corners = mesh.vertices[mesh.faces].astype(float)
    middles = corners.mean(axis=1)
    _, _, axes = np.linalg.svd(middles - middles.mean(axis=0), full_matrices=False)
    along = middles @ axes[0]
    extents = np.ptp(mesh.vertices @ axes.T, axis=0)
    count = int(np.clip(np.ceil(1.2 * extents[0] / max(extents[1], 1e-3)), 1, MOST_BALLS))
    bins = np.clip(((along - along.min()) / max(np.ptp(along), 1e-9) * count).astype(int), 0, count - 1)
    balls = []
    for number in np.unique(bins):
        points = corners[bins == number].reshape(-1, 3) @ axes.T
        centre = (points.min(axis=0) + points.max(axis=0)) / 2
        balls.append((centre @ axes, float(np.linalg.norm(points - centre, axis=1).max())))
    return balls


def _telling_pairs(
    description: RobotDescription,
    names: tuple[str, ...],
    links: np.ndarray,
    centres: np.ndarray,
    radii: np.ndarray,
) -> np.ndarray:
    near = _neighbours(description, names)
    first, second = np.triu_indices(len(links), 1)
    kept = ~near[links[first], links[second]]
    first, second = first[kept], second[kept]
    rng = np.random.default_rng(0)
    postures = [description.home]
    for _ in range(SAMPLES):
        posture = description.home.copy()
        arm = list(description.arm)
        posture[arm] += description.arm_spread_rad * rng.uniform(-1, 1, len(arm))
        postures.append(np.clip(posture, description.lower, description.upper))
    meets = np.zeros((len(postures), len(first)), bool)
    for row, posture in zip(meets, postures, strict=True):
        placed = _placed(description.robot.link_poses(posture), names, links, centres)
        apart = np.linalg.norm(placed[first] - placed[second], axis=1)
        row[:] = apart < SELF_SHRINK * (radii[first] + radii[second])
    telling = ~meets[0] & (meets.mean(axis=0) < 0.5)
    return np.stack([first[telling], second[telling]], axis=1)


def _neighbours(description: RobotDescription, names: tuple[str, ...]) -> np.ndarray:
    """(L, L) whether two links are at most two joints of the arm apart; those of the gripper all are."""
    arm = {description.robot.joint_names[i] for i in description.arm}
    # Of each link: its ancestors and itself, each with the number of the arm's joints above it.
    roots: dict[str, tuple[tuple[str, int], ...]] = {description.robot.base: ((description.robot.base, 0),)}
    for joint in description.robot.chain.joints:
        above = roots[joint.parent]
        roots[joint.child] = (*above, (joint.child, above[-1][1] + (joint.name in arm)))
    near = np.zeros((len(names), len(names)), bool)
    for i, one in enumerate(names):
        for j, other in enumerate(names):
            shared = max(depth for link, depth in set(roots[one]) & set(roots[other]))
            near[i, j] = roots[one][-1][1] + roots[other][-1][1] - 2 * shared <= 2
    return near
