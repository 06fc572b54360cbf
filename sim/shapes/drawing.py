"""Line drawings of what a renderer saw: outlines, edges and creases, in strokes as hands and pens differ.

Lines are where depth or its slope breaks (Saito and Takahashi, "Comprehensible rendering of 3-D shapes", SIGGRAPH
1990); strokes are bent, of uneven weight and interrupted, as in the data of sketch modelling (Delanoy et al., "3D
sketching using multi-view deep volumetric prediction", 2018).
"""

import cv2
import numpy as np

from perception.camera import Camera

_STEP = 0.035  # of the depth's range, across an edge between a part and what is behind it
_LEAST_SPREAD = 0.05  # of depths, over the largest: of what is flat and seen squarely there is none
_CREASE_COS = np.cos(np.radians(32))
BENT = (0.0, 0.012)  # how far strokes are from where they belong, of the side
WIDTH = (0.003, 0.008)  # of the side
WEIGHT = (0.45, 1.0)
MISSING = (0.0, 0.25)  # share of the strokes' length
CREASES = (0.5, 1.0)  # how strong creases are beside outlines


def lines(depth: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Outlines and creases, (H, W) bool each, of a depth image (H, W) m that is inf where nothing is."""
    there = np.isfinite(depth)
    if not there.any():
        return there, there.copy()
    spread = max(float(np.ptp(depth[there])), _LEAST_SPREAD * float(depth[there].max()))
    far = np.where(there, depth, float(depth[there].max()) + spread)
    normals = _normals(far, camera)
    outline, crease = np.zeros_like(there), np.zeros_like(there)
    for axis in (0, 1):
        one, other = (tuple(slice(a, b) if i == axis else slice(None) for i in (0, 1)) for a, b in ((0, -1), (1, None)))
        jump = np.abs(far[one] - far[other]) > _STEP * spread
        outline[one] |= jump & (far[one] < far[other])  # lines belong to the nearer side
        outline[other] |= jump & (far[other] < far[one])
        # Slopes are those of both neighbours, so that an edge is between pixels two apart.
        before, middle, after = (
            tuple(slice(a, b) if i == axis else slice(None) for i in (0, 1)) for a, b in ((0, -2), (1, -1), (2, None))
        )
        bent = (normals[before] * normals[after]).sum(axis=2) < _CREASE_COS
        crease[middle] |= bent & there[before] & there[after]
    near = cv2.dilate(outline.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0  # slopes there are of two surfaces
    return outline, crease & ~near


def drawn(depth: np.ndarray, camera: Camera, size_px: int, rng: np.random.Generator) -> np.ndarray:
    """(size_px, size_px) uint8 drawing, dark on light, of a depth image (H, H) that is at least as large."""
    outline, crease = lines(depth, camera)
    side = len(depth)
    ink = np.maximum(outline, rng.uniform(*CREASES) * crease).astype(np.float32)
    width = max(1, round(rng.uniform(*WIDTH) * side))
    ink = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)))
    shift = rng.uniform(*BENT) * side * _waves(rng, side, 6, 2)
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    ink = np.asarray(cv2.remap(ink, columns + shift[..., 0], rows + shift[..., 1], cv2.INTER_LINEAR))
    broken = _waves(rng, side, 14, 1)[..., 0]
    ink = ink * np.clip((broken - np.quantile(broken, rng.uniform(*MISSING))) * 8 + 0.5, 0, 1)
    ink = ink * (1 - rng.uniform(0, 0.5) * np.clip(_waves(rng, side, 10, 1)[..., 0], 0, 1))
    small = cv2.resize(ink, (size_px, size_px), interpolation=cv2.INTER_AREA)
    paper, pen = rng.uniform(0.85, 1.0), rng.uniform(*WEIGHT)
    grain = rng.normal(0, rng.uniform(0, 0.03), (size_px, size_px))
    return np.rint(255 * np.clip(paper * (1 - pen * np.clip(1.6 * small, 0, 1)) + grain, 0, 1)).astype(np.uint8)


def _normals(depth: np.ndarray, camera: Camera) -> np.ndarray:
    """(H, W, 3) unit normals of a depth image of a camera's whole picture, of any size."""
    height, width = depth.shape
    focal = camera.focal_px * width / camera.width
    x = (np.arange(width) + 0.5 - width / 2) / focal * depth
    y = (np.arange(height)[:, None] + 0.5 - height / 2) / focal * depth
    points = np.stack([x, y, depth], axis=2)
    down, right = np.gradient(points, axis=0), np.gradient(points, axis=1)
    found = np.cross(right, down)
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=2, keepdims=True), 1e-12))


def _waves(rng: np.random.Generator, side: int, cells: int, channels: int) -> np.ndarray:
    """(side, side, channels) float32 smooth noise of unit deviation, with so many waves across."""
    coarse = rng.normal(size=(cells, cells, channels)).astype(np.float32)
    fine = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC).reshape(side, side, channels)
    return np.asarray(fine / max(float(fine.std()), 1e-6))
