"""Objects with annotated grasps, and their files: what a grasp is transferred from.

A file is an .npz archive without pickled objects: version, category, vertices (V, 3) float32 m, faces (F, 3) int32,
T_object_clamp (G, 4, 4) float64, opening_m (G,) float64, tries and successes (G,) int32.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from perception.bounded_files import read_bounded
from perception.errors import InputError, reason

VERSION = 1
MOST_BYTES = 64_000_000  # of a file, and of the arrays in it
MOST_GRASPS, MOST_VERTICES, MOST_FACES = 10_000, 1_000_000, 2_000_000
RIGID = 1e-6
KEYS = ("version", "category", "vertices", "faces", "T_object_clamp", "opening_m", "tries", "successes")


@dataclass(frozen=True, eq=False)
class Grasps:
    """Grasps of an object in its own frame, and how many of how many tries of each went well.

    T_object_clamp (G, 4, 4); opening_m (G,): how wide the hand is open on the way in; tries, successes (G,) int.
    Raises InputError for what does not fit together.
    """

    T_object_clamp: np.ndarray
    opening_m: np.ndarray
    tries: np.ndarray
    successes: np.ndarray

    def __post_init__(self) -> None:
        count = len(self.opening_m)
        shapes = (self.T_object_clamp.shape, self.opening_m.shape, self.tries.shape, self.successes.shape)
        if shapes != ((count, 4, 4), (count,), (count,), (count,)) or count > MOST_GRASPS:
            raise _bad(f"its grasps have the shapes {shapes}")
        turns = self.T_object_clamp[:, :3, :3]
        off = np.abs(turns @ turns.transpose(0, 2, 1) - np.eye(3)).max(initial=0.0)
        last_row = np.abs(self.T_object_clamp[:, 3] - (0, 0, 0, 1)).max(initial=0.0)
        if not (np.isfinite(self.T_object_clamp).all() and off < RIGID and last_row == 0):
            raise _bad("a grasp's pose is no rigid motion")
        if not (np.isfinite(self.opening_m).all() and (self.opening_m > 0).all()):
            raise _bad("a grasp's opening is not positive")
        if not ((self.successes >= 0) & (self.successes <= self.tries)).all():
            raise _bad("a grasp has more successes than tries")

    @property
    def success_rate(self) -> np.ndarray:
        """(G,) share of the tries that went well; 0 where there were none."""
        return self.successes / np.maximum(self.tries, 1)


@dataclass(frozen=True, eq=False)
class AnnotatedObject:
    """A mesh of a category in its object frame, vertices (V, 3) float64 m and faces (F, 3) int64, and its grasps.

    Raises InputError for a mesh whose faces or vertices cannot be used.
    """

    category: str
    vertices: np.ndarray
    faces: np.ndarray
    grasps: Grasps

    def __post_init__(self) -> None:
        if self.vertices.ndim != 2 or self.vertices.shape[1] != 3 or not 3 < len(self.vertices) <= MOST_VERTICES:
            raise _bad(f"its vertices have the shape {self.vertices.shape}")
        if self.faces.ndim != 2 or self.faces.shape[1] != 3 or not 0 < len(self.faces) <= MOST_FACES:
            raise _bad(f"its faces have the shape {self.faces.shape}")
        if not np.isfinite(self.vertices).all():
            raise _bad("it has vertices that are not finite")
        if self.faces.min() < 0 or self.faces.max() >= len(self.vertices):
            raise _bad("it has faces of vertices that it has not")

    def to_bytes(self) -> bytes:
        """The file."""
        file = io.BytesIO()
        np.savez_compressed(
            file,
            version=np.int32(VERSION),
            category=np.array(self.category),
            vertices=self.vertices.astype(np.float32),
            faces=self.faces.astype(np.int32),
            T_object_clamp=self.grasps.T_object_clamp.astype(np.float64),
            opening_m=self.grasps.opening_m.astype(np.float64),
            tries=self.grasps.tries.astype(np.int32),
            successes=self.grasps.successes.astype(np.int32),
        )
        return file.getvalue()

    @classmethod
    def load(cls, path: Path) -> AnnotatedObject:
        """The object of a file; raises InputError for one that cannot be read, is too large or damaged."""
        try:
            arrays = _arrays(read_bounded(path, MOST_BYTES))
            grasps = Grasps(*(arrays[key] for key in KEYS[4:]))
            category = str(arrays["category"])
            return cls(category, arrays["vertices"].astype(float), arrays["faces"].astype(np.int64), grasps)
        except OSError as error:
            raise InputError(f"cannot read the annotated object {path.name}: {reason(error.strerror)}.") from error
        except InputError as error:
            raise InputError(f"{path.name}: {error}", error.kind) from error
        except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError, NotImplementedError) as error:
            raise InputError(
                f"{path.name} is no annotated object ({reason(error)}): make one by `blockworld shapes annotate`.",
                "exemplar",
            ) from error


def _arrays(content: bytes) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > MOST_BYTES:
        raise ValueError(f"it unpacks to {unpacked} bytes, more than {MOST_BYTES}")
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        if missing := [key for key in KEYS if key not in archive]:
            raise ValueError(f"it has no {missing[0]}")
        arrays = {key: archive[key] for key in KEYS}
    if arrays["version"].shape != () or arrays["version"] != VERSION:
        raise ValueError(f"it is of version {arrays['version']}, not {VERSION}")
    if arrays["category"].dtype.kind != "U" or arrays["category"].shape != ():
        raise ValueError("its category is no word")
    if any(arrays[key].dtype.kind not in "fiu" for key in KEYS[2:]):
        raise ValueError("it has arrays that hold no numbers")
    return arrays


def _bad(what: str) -> InputError:
    return InputError(f"this is no annotated object: {what}.", "exemplar")
