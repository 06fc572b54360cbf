"""A coarse index on disk, so that it is made once: in the cache of features, one file for a folder of scans.

Pictures are in it by the digests of their files, under whatever name they have. The file is replaced whole. One that is
damaged, of another version, of other settings or of features of another making counts as none.
"""

import hashlib
import json
import mmap
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from perception.digest_store import write_whole
from training.art.coarse import CoarseConfig, CoarseIndex, Sides, Stack
from training.art.feature_store import FeatureStore

FOLDER = "coarse"
VERSION = 1
_ALIGNED = 64


@dataclass(frozen=True)
class CoarseFile:
    """Where the index of a folder is kept."""

    path: Path
    making: str
    """What makes the features, as `FeatureStore.key` has it."""

    @classmethod
    def of(cls, store: FeatureStore, folder: Path) -> "CoarseFile":
        """That of a folder of scans."""
        name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
        return cls(store.folder / FOLDER / f"{name}.coarse", store.key)

    def write(self, index: CoarseIndex, keys: Sequence[str]) -> None:
        """Keep an index; keys: of its pictures. Raises OSError where that cannot be."""
        stacks = [(sides, one) for sides, each in index.stacks.items() for one in each]
        described = {
            "version": VERSION, "making": self.making, "config": asdict(index.config), "keys": list(keys),
            "axes": index.axes.shape, "stacks": [[*sides, one.rows, one.pictures] for sides, one in stacks],
        }
        head = json.dumps(described).encode("ascii")
        head += b" " * (-(len(head) + hashlib.sha256().digest_size * 2 + 2) % _ALIGNED) + b"\n"
        cells = (np.ascontiguousarray(one.cells).data for _, one in stacks)
        parts: list[bytes | memoryview] = [head, index.axes.astype("<f4").tobytes(), *cells]
        checksum = hashlib.sha256()
        for part in parts:
            checksum.update(part)
        self.path.parent.mkdir(exist_ok=True)
        write_whole(self.path, [checksum.hexdigest().encode(), b"\n", *parts])

    def read(self, config: CoarseConfig | None = None) -> tuple[CoarseIndex, list[str]] | None:
        """The index, mapped into memory, and the keys of its pictures; None where there is none that can be used."""
        with suppress(OSError, ValueError, TypeError, KeyError):
            with self.path.open("rb") as file:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
            first = content.find(b"\n") + 1
            with memoryview(content) as view:
                if hashlib.sha256(view[first:]).hexdigest().encode() != content[: first - 1]:
                    return None
            start = content.find(b"\n", first) + 1
            described = json.loads(content[first:start])
            wanted = json.loads(json.dumps(asdict(config or CoarseConfig())))
            told = (described["version"], described["making"], described["config"])
            if told == (VERSION, self.making, wanted):
                return _opened(content, start, described, config or CoarseConfig())
        return None


def _opened(
    content: mmap.mmap, start: int, described: dict, config: CoarseConfig
) -> tuple[CoarseIndex, list[str]]:
    shape = tuple(described["axes"])
    count = int(np.prod(shape))
    axes = np.frombuffer(content, "<f4", count, start).reshape(shape)
    at = start + axes.nbytes
    stacks: dict[Sides, list[Stack]] = {}
    for longest, upright, rows, pictures in described["stacks"]:
        size = sum(rows) * longest * shape[1]
        cells = np.frombuffer(content, np.int8, size, at).reshape(sum(rows), longest, shape[1])
        stacks.setdefault((longest, upright), []).append(Stack(cells, tuple(rows), tuple(pictures)))
        at += size
    return CoarseIndex(axes, config, stacks), list(described["keys"])
