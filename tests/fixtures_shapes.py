"""A deformation network without training: its template is bent by polynomials, so that what a fit must find is known.

deformed = p + sum_l latent_l A_l f(p), with f(p) the six products of two coordinates of p and A_l fixed random matrices
(3, 6). The encoder knows nothing: every shape is the template to it.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from perception.shapes.bundle import ShapeBundle, ShapeManifest
from perception.shapes.normalise import frame_of
from perception.shapes.sampling import regular_samples, subdivided
from perception.shapes.shape import Shape

LATENT = 5
PAIRS = np.array([(0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2)])
BENDS = 0.12 * np.random.default_rng(4).normal(size=(LATENT, len(PAIRS), 3))


def ball(subdivisions: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Points and triangles of an octahedron that is rounded."""
    points = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=float)
    faces = np.array([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]])
    for _ in range(subdivisions):
        points, faces = subdivided(points, faces)
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    return points, faces


def template() -> Shape:
    """A pear with a snout and unlike sides, so that it looks the same from no two directions; normalised."""
    points, faces = ball()
    x, y, z = points.T
    shaped = np.stack([x * (1 - 0.35 * z), 0.7 * y * (1 - 0.35 * z), 1.6 * z], axis=1)
    shaped += 0.9 * np.exp(8 * (points @ [0.8, 0.0, 0.6] - 1))[:, None] * [1.0, 0.2, 0.1]
    shaped += 0.5 * np.exp(9 * (points @ [0.0, 1.0, 0.0] - 1))[:, None] * [0.0, 1.0, -0.3]
    shape = Shape(shaped, faces)
    return Shape(frame_of(regular_samples(shape, 2000)).normalised(shaped), faces)


def bent(points: np.ndarray, latent: np.ndarray) -> np.ndarray:
    """(M, 3) points of the template, deformed as the network does for latent (L,)."""
    features = points[:, PAIRS[:, 0]] * points[:, PAIRS[:, 1]]
    return points + features @ np.einsum("l,lkc->kc", latent, BENDS)


def write_bending_bundle(models: Path, category: str = "human") -> ShapeBundle:
    """The bundle models/shapes_CATEGORY of this network."""
    manifest = ShapeManifest(
        name=f"shapes_{category}", version="0.0.1", category=category, latent=LATENT, points=500, training={"seed": 0}
    )
    return ShapeBundle.write(models / f"shapes_{category}", manifest, encoder(), decoder(), template(), "# Bends\n")


def encoder() -> bytes:
    """points (B, N, 3) -> latent (B, L) of zeros."""
    nodes = [
        helper.make_node("ReduceMean", ["points", "axis"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["mean", "nothing"], ["latent"]),
    ]
    constants = {"axis": np.array([1]), "nothing": np.zeros((3, LATENT), np.float32)}
    return _model(nodes, constants, {"points": ["B", "N", 3]}, {"latent": ["B", LATENT]})


def decoder() -> bytes:
    """The contract of `perception.shapes.bundle`, with a gradient that is exact."""
    size = len(PAIRS) * 3
    nodes = [
        helper.make_node("Gather", ["template", "first"], ["a"], axis=1),
        helper.make_node("Gather", ["template", "second"], ["b"], axis=1),
        helper.make_node("Mul", ["a", "b"], ["features"]),
        helper.make_node("MatMul", ["latent", "bends"], ["flat"]),
        helper.make_node("Reshape", ["flat", "matrices"], ["coefficients"]),
        helper.make_node("MatMul", ["features", "coefficients"], ["moved"]),
        helper.make_node("Add", ["template", "moved"], ["deformed"]),
        helper.make_node("Mul", ["weight", "deformed"], ["weighted"]),
        helper.make_node("Sub", ["weighted", "target"], ["pulled"]),
        helper.make_node("Transpose", ["features"], ["turned"], perm=[1, 0]),
        helper.make_node("MatMul", ["turned", "pulled"], ["of_coefficients"]),
        helper.make_node("Reshape", ["of_coefficients", "vectors"], ["of_flat"]),
        helper.make_node("MatMul", ["of_flat", "bends_turned"], ["gradient"]),
    ]
    bends = BENDS.reshape(LATENT, size).astype(np.float32)
    constants = {
        "first": PAIRS[:, 0].copy(),
        "second": PAIRS[:, 1].copy(),
        "bends": bends,
        "bends_turned": bends.T.copy(),
        "matrices": np.array([-1, len(PAIRS), 3]),
        "vectors": np.array([-1, size]),
    }
    takes = {"latent": ["B", LATENT], "template": ["M", 3], "weight": ["B", "M", 1], "target": ["B", "M", 3]}
    return _model(nodes, constants, takes, {"deformed": ["B", "M", 3], "gradient": ["B", LATENT]})


def _model(nodes: list, constants: dict, takes: dict, gives: dict) -> bytes:
    graph = helper.make_graph(
        nodes,
        "bends",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in takes.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in gives.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()
