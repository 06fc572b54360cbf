"""A deformation network at run time: encoder and decoder of a bundle in ONNX Runtime."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from perception.bundle_folder import default_models_dir
from perception.engines.onnx_session import open_session
from perception.errors import EngineError, reason
from perception.shapes.bundle import DECODER_FILE, ENCODER_FILE, ShapeBundle
from perception.shapes.categories import Category
from perception.shapes.shape import Shape

Floats = NDArray[np.float32]

_POINTS_AT_ONCE = 1 << 14
"""That pass through a network together: their 1024 channels in single precision take 64 MiB a layer."""
_TAKES = {ENCODER_FILE: {"points"}, DECODER_FILE: {"latent", "template", "weight", "target"}}
_GIVES = {ENCODER_FILE: {"latent"}, DECODER_FILE: {"deformed", "gradient"}}


class DeformationNetwork:
    """From points to a latent vector, and from that to the deformed template; all normalised, float32.

    B shapes, N points of each, M points of the template, L numbers of a latent vector. Raises EngineError where the
    bundle's networks do not run, or are not those that its manifest describes.
    """

    engine_name = "onnxruntime-cpu"  # as `perception.engine_names` has it

    def __init__(self, bundle: ShapeBundle) -> None:
        self.bundle = bundle
        self.template: Shape = bundle.template()
        self._encoder = self._open(ENCODER_FILE)
        self._decoder = self._open(DECODER_FILE)
        points = self.template.points[:4].astype(np.float32)
        latent = self.encode(points[None])
        if latent.shape != (1, self.latent) or self.decode(latent, points).shape != (1, *points.shape):
            raise self._failed(ENCODER_FILE, f"it gives {latent.shape[1:]}, not {self.latent} numbers")

    @classmethod
    def open(cls, category: Category, models: Path | None = None) -> Self:
        """The network of a category in a models folder, by default that of the checkout; raises BundleError."""
        return cls(ShapeBundle.load((models or default_models_dir()) / f"shapes_{category}"))

    @property
    def latent(self) -> int:
        """Numbers in a latent vector."""
        return self.bundle.manifest.latent

    @property
    def points(self) -> int:
        """Samples of a shape that the encoder is used to."""
        return self.bundle.manifest.points

    def encode(self, points: NDArray[np.floating]) -> Floats:
        """(B, N, 3) -> (B, L)."""
        parts = [
            self._run(self._encoder, ENCODER_FILE, {"points": part}, "latent")[0]
            for part in _batches(points.astype(np.float32), points.shape[1])
        ]
        return np.concatenate(parts)

    def decode(self, latent: NDArray[np.floating], template: NDArray[np.floating]) -> Floats:
        """Latent vectors (B, L) and points of the template (M, 3) -> where these go (B, M, 3)."""
        chunks = np.array_split(template.astype(np.float32), max(1, -(-len(template) // _POINTS_AT_ONCE)))
        found = []
        for part in _batches(latent.astype(np.float32), min(len(template), _POINTS_AT_ONCE)):
            pieces = []
            for chunk in chunks:
                still = np.zeros((len(part), len(chunk), 3), np.float32)
                given = {"latent": part, "template": chunk, "weight": still[:, :, :1], "target": still}
                pieces += self._run(self._decoder, DECODER_FILE, given, "deformed")
            found.append(np.concatenate(pieces, axis=1))
        return np.concatenate(found)

    def decode_with_gradient(
        self,
        latent: NDArray[np.floating],
        template: NDArray[np.floating],
        weight: NDArray[np.floating],
        target: NDArray[np.floating],
    ) -> tuple[Floats, Floats]:
        """Latent (B, L), template (M, 3), weight (B, M, 1) and target (B, M, 3) -> deformed (B, M, 3) and the gradient
        (B, L): sum_i <weight_i deformed_i - target_i, d deformed_i / d latent>."""
        given = {"latent": latent, "template": template, "weight": weight, "target": target}
        deformed, gradient = self._run(
            self._decoder,
            DECODER_FILE,
            {name: array.astype(np.float32) for name, array in given.items()},
            "deformed",
            "gradient",
        )
        return deformed, gradient

    def _open(self, name: str) -> onnxruntime.InferenceSession:
        content = self.bundle.read(name)
        try:
            session = open_session(content, "CPUExecutionProvider", len(os.sched_getaffinity(0)))
            takes = {node.name for node in session.get_inputs()}
            gives = {node.name for node in session.get_outputs()}
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise self._failed(name, reason(error)) from None
        if (takes, gives) != (_TAKES[name], _GIVES[name]):
            raise self._failed(name, f"it takes {sorted(takes)} and gives {sorted(gives)}")
        return session

    def _run(
        self, session: onnxruntime.InferenceSession, name: str, given: Mapping[str, Floats], *wanted: str
    ) -> list[Any]:
        options = onnxruntime.RunOptions()
        options.only_execute_path_to_fetches = True  # so that a gradient that nobody wants is not computed
        try:
            found = session.run(list(wanted), dict(given), options)
        except Exception as error:  # as above
            raise self._failed(name, reason(error)) from None
        if not all(isinstance(one, np.ndarray) and np.isfinite(one).all() for one in found):
            raise self._failed(name, "what it gives is not finite")
        return list(found)

    def _failed(self, name: str, why: str) -> EngineError:
        return EngineError(f"{self.bundle.path / name} cannot be run ({why}): export the bundle again.")


def _batches(array: Floats, points: int) -> list[Floats]:
    """Rows of an array in parts whose rows have at most so many points together."""
    count = max(1, _POINTS_AT_ONCE // max(points, 1))
    return [array[i : i + count] for i in range(0, len(array), count)]
