"""A network for atlases at run time: from a cloud or a picture to a latent vector, from that to points of charts."""

import os
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from perception.bundle_folder import default_models_dir
from perception.engines.onnx_session import open_session
from perception.errors import EngineError, reason
from perception.shapes.atlas.bundle import DECODER_FILE, ENCODER_FILE, AtlasBundle
from perception.shapes.atlas.charts import Grid, sphere_grid, square_grid

Floats = NDArray[np.float32]
_POINTS_AT_ONCE = 1 << 15


class AtlasNetwork:
    """B shapes, K charts, N points of each, L numbers of a latent vector; shapes lie in the unit ball, z up, facing +x.

    Raises EngineError where the bundle's networks do not run, or are not those that its manifest describes.
    """

    engine_name = "onnxruntime-cpu"

    def __init__(self, bundle: AtlasBundle) -> None:
        self.bundle, self.manifest = bundle, bundle.manifest
        self._encoder, self._decoder = self._open(ENCODER_FILE), self._open(DECODER_FILE)
        latent = self._encode(self._blank())
        if latent.shape != (1, self.manifest.latent):
            raise self._failed(ENCODER_FILE, f"it gives {latent.shape[1:]}, not {self.manifest.latent} numbers")
        points = self.decode(latent, self.grid(4 * self.manifest.charts))
        if points.ndim != 4 or points.shape[:2] != (1, self.manifest.charts) or points.shape[3] != 3:
            told = f"it gives points {points.shape[1:]}, not of {self.manifest.charts} charts"
            raise self._failed(DECODER_FILE, told)

    @classmethod
    def open(cls, name: str, models: Path | None = None) -> Self:
        """The network of a bundle in a models folder, by default that of the checkout; raises BundleError."""
        return cls(AtlasBundle.load((models or default_models_dir()) / name))

    def encode_clouds(self, clouds: NDArray[np.floating]) -> Floats:
        """(B, N, 3) in the unit ball -> (B, L)."""
        return self._encode({"points": np.ascontiguousarray(clouds, np.float32)})

    def encode_pictures(self, images: NDArray[np.uint8]) -> Floats:
        """(B, S, S, 3) RGB -> (B, L), S as the manifest's size."""
        return self._encode({"image": np.ascontiguousarray(images)})

    def grid(self, points: int) -> Grid | None:
        """A regular grid over each chart, of about so many points of all charts together; None where the decoder has
        points of its own."""
        if self.manifest.structure == "sphere":
            return sphere_grid(points)
        if self.manifest.structure in ("squares", "deformation"):
            return square_grid(round(points / self.manifest.charts))
        return None

    def own_grid(self) -> Grid | None:
        """The grid that translated points began as, whose triangles they keep; None for points without triangles."""
        if self.manifest.structure != "translation":
            return None
        return square_grid(self.manifest.points // self.manifest.charts)

    def decode(self, latent: NDArray[np.floating], grid: Grid | None) -> Floats:
        """Latent vectors (B, L) -> points (B, K, N, 3), of a grid of each chart or of the decoder's own."""
        if grid is None:
            return self._decoded(latent)["points"]
        pieces = np.array_split(grid.points, max(1, -(-len(grid.points) * self.manifest.charts // _POINTS_AT_ONCE)))
        charts = self.manifest.charts
        found = [self._decoded(latent, np.broadcast_to(one, (charts, *one.shape)))["points"] for one in pieces]
        return np.concatenate(found, axis=2)

    def normals(self, latent: NDArray[np.floating]) -> Floats:
        """(B, K, N, 3) normals of the decoder's own points, not of unit length; with structure points_normals."""
        return self._decoded(latent)["normals"]

    def _decoded(self, latent: NDArray[np.floating], charts: NDArray[np.floating] | None = None) -> dict[str, Floats]:
        given: dict[str, Any] = {"latent": np.ascontiguousarray(latent, np.float32)}
        if charts is not None:
            given["charts"] = np.ascontiguousarray(charts, np.float32)
        names = ["points", "normals"] if self.manifest.structure == "points_normals" else ["points"]
        return dict(zip(names, self._run(self._decoder, DECODER_FILE, given, names), strict=True))

    def _encode(self, given: dict[str, NDArray[Any]]) -> Floats:
        return self._run(self._encoder, ENCODER_FILE, given, ["latent"])[0]

    def _blank(self) -> dict[str, NDArray[Any]]:
        if self.manifest.input == "cloud":
            return {"points": np.zeros((1, 4, 3), np.float32)}
        return {"image": np.zeros((1, self.manifest.size, self.manifest.size, 3), np.uint8)}

    def _open(self, name: str) -> onnxruntime.InferenceSession:
        try:
            return open_session(self.bundle.read(name), "CPUExecutionProvider", len(os.sched_getaffinity(0)))
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise self._failed(name, reason(error)) from None

    def _run(
        self, session: onnxruntime.InferenceSession, name: str, given: dict[str, Any], wanted: list[str]
    ) -> list[Floats]:
        try:
            return [np.asarray(one, np.float32) for one in session.run(wanted, given)]
        except Exception as error:  # as above
            raise self._failed(name, reason(error)) from None

    def _failed(self, name: str, why: str) -> EngineError:
        return EngineError(f"{self.bundle.path / name} does not run as its manifest says ({why}): export it again.")
