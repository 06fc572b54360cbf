"""A network for layers at run time: a picture's next layer, its mask at any points, what pulls its parameters."""

import os
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from perception.bundle_folder import default_models_dir
from perception.engines.onnx_session import open_session
from perception.errors import EngineError, LayersError, reason
from perception.layers.bundle import ENCODER_FILE, GRADIENT_FILE, MASK_FILE, LayersBundle
from perception.layers.grid import Floats

_POINTS_AT_ONCE = 1 << 14
"""Of all masks together: 128 channels of them in single precision are 8 MiB, which caches hold."""
_ACTIVATIONS = ("first", "second", "third")


class Activations:
    """What a mask's perceptron gave at some points, for `LayersNetwork.gradient`; it stays within the engine."""

    def __init__(self, points: Floats, parts: list[tuple[slice, Any]]) -> None:
        self.points, self.parts = points, parts


class LayersNetwork:
    """B pictures or masks, N points, P parameters, C channels, of which the fourth is how opaque.

    Raises EngineError where the bundle's networks do not run, or are not those that its manifest describes.
    """

    engine_name = "onnxruntime-cpu"

    def __init__(self, bundle: LayersBundle) -> None:
        self.bundle, self.manifest = bundle, bundle.manifest
        self._encoder, self._mask = self._open(ENCODER_FILE), self._open(MASK_FILE)
        self._gradient = self._open(GRADIENT_FILE) if GRADIENT_FILE in bundle.sums else None
        blank = np.zeros((1, self.manifest.channels, self.manifest.seen, self.manifest.seen), np.float32)
        parameters, colours = self.propose(blank, blank)
        count = 1 if self.manifest.structure == "recursive" else self.manifest.layers
        if parameters.shape != (count, self.manifest.parameters) or colours.shape != (count, 3):
            raise self._failed(ENCODER_FILE, f"it gives {parameters.shape} parameters and {colours.shape} colours")
        if self.logits(np.zeros((2, 2), np.float32), parameters).shape != (count, 2):
            raise self._failed(MASK_FILE, "it gives something else than a logit for each point")

    @classmethod
    def open(cls, name: str, models: Path | None = None) -> Self:
        """The network of a bundle in a models folder, by default that of the checkout; raises BundleError."""
        return cls(LayersBundle.load((models or default_models_dir()) / name))

    @property
    def has_gradient(self) -> bool:
        """Whether its layers can be refined."""
        return self._gradient is not None

    def propose(self, target: Floats, canvas: Floats) -> tuple[Floats, Floats]:
        """A picture and what is painted (1, C, S, S) -> parameters (K, P) and colours (K, 3) of the next layers."""
        given = {"target": target, "canvas": canvas}
        parameters, colours = self._run(self._encoder, ENCODER_FILE, given, ["parameters", "colours"])
        return parameters[0], colours[0]

    def logits(self, points: Floats, parameters: NDArray[np.floating]) -> Floats:
        """Points (N, 2) and parameters (B, P) -> (B, N). The masks are their logistic functions."""
        given = np.ascontiguousarray(parameters, np.float32)
        found = np.empty((len(given), len(points)), np.float32)
        for part in _parts(len(points), _POINTS_AT_ONCE // max(1, len(given))):
            feed = {"points": np.ascontiguousarray(points[part]), "parameters": given}
            found[:, part] = self._run(self._mask, MASK_FILE, feed, ["logits"])[0]
        return found

    def logits_and_activations(self, points: Floats, parameters: NDArray[np.floating]) -> tuple[Floats, Activations]:
        """The same, and what `gradient` takes."""
        given = onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(parameters, np.float32))
        found, kept = np.empty((len(parameters), len(points)), np.float32), []
        for part in _parts(len(points), _POINTS_AT_ONCE // max(1, len(parameters))):
            place = onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(points[part]))
            feed = {"points": place, "parameters": given}
            try:
                logits, *layers = self._mask.run_with_ort_values(["logits", *_ACTIVATIONS], feed)
            except Exception as error:  # onnxruntime's own exceptions share no base class
                raise self._failed(MASK_FILE, reason(error)) from None
            found[:, part] = logits.numpy()
            kept.append((part, {"points": place} | dict(zip(_ACTIVATIONS, layers, strict=True))))
        return found, Activations(points, kept)

    def gradient(self, activations: Activations, pull: NDArray[np.floating]) -> Floats:
        """Pull (B, N) on the logits -> pull on the parameters (B, P). Raises LayersError without a gradient."""
        if self._gradient is None:
            raise LayersError(f"{self.bundle.path} has no {GRADIENT_FILE}: layers of this network cannot be refined.")
        total: Any = 0.0
        for part, given in activations.parts:
            own = onnxruntime.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(pull[:, part], np.float32))
            try:
                total = total + self._gradient.run_with_ort_values(["gradient"], given | {"pull": own})[0].numpy()
            except Exception as error:  # as above
                raise self._failed(GRADIENT_FILE, reason(error)) from None
        return np.asarray(total, np.float32)

    def _open(self, name: str) -> onnxruntime.InferenceSession:
        try:
            return open_session(self.bundle.read(name), "CPUExecutionProvider", len(os.sched_getaffinity(0)))
        except Exception as error:  # as above
            raise self._failed(name, reason(error)) from None

    def _run(
        self, session: onnxruntime.InferenceSession, name: str, given: dict[str, Any], wanted: list[str]
    ) -> list[Floats]:
        options = onnxruntime.RunOptions()
        options.only_execute_path_to_fetches = True
        try:
            found = [np.asarray(one, np.float32) for one in session.run(wanted, given, options)]
        except Exception as error:  # as above
            raise self._failed(name, reason(error)) from None
        if not all(np.isfinite(one).all() for one in found):
            raise self._failed(name, "what it gives is not finite")
        return found

    def _failed(self, name: str, why: str) -> EngineError:
        return EngineError(f"{self.bundle.path / name} does not run as its manifest says ({why}): export it again.")


def _parts(count: int, most: int) -> list[slice]:
    return [slice(first, min(first + most, count)) for first in range(0, count, max(1, most))]
