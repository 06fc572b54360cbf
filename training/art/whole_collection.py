"""Everything that the pictures of a collection have in common: pairs, the details that they share, and clusters.

The journal of what was compared is kept under a name that says of which pictures and how, so that whoever asks again
goes on from there, or finds it done.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from perception.errors import BlockworldError, reason
from training.art.clusters import LEAST_PICTURES, Cluster, clusters
from training.art.gallery import Gallery
from training.art.mining import Comparing, Detail, MiningConfig, mine
from training.art.shortlist import FeaturesByKey, Pairs

JOURNALS = "discovery"
"""Folder in the cache of features for what was compared."""


@dataclass(frozen=True)
class CollectionConfig:
    """How a collection is compared with itself."""

    neighbours: int = 100
    """Each picture with so many of its nearest; a collection of no more is compared in full."""
    least_score: float = 0.06
    """Details of a lower score join no pictures: with features of ImageNet chance reached 0.051 in 91 pairs of
    paintings, and a detail that was copied into others in grey and sepia 0.077 at least."""
    least_pictures: int = LEAST_PICTURES
    """Of a cluster."""
    mining: MiningConfig = field(default_factory=MiningConfig)


@dataclass(frozen=True)
class Work:
    """What there is to compare, and where what was compared is kept."""

    keys: tuple[str, ...]
    pairs: Pairs
    journal: Path
    config: CollectionConfig

    @classmethod
    def of(
        cls, gallery: Gallery, folder: Path, config: CollectionConfig | None = None, progress: bool = False
    ) -> "Work":
        """Of all pictures so far. Raises BlockworldError where the folder for journals cannot be made."""
        config = config or CollectionConfig()
        keys, pairs = gallery.keys, gallery.pairs(config.neighbours, progress)
        told = json.dumps([keys, pairs, asdict(config.mining)], sort_keys=True)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            why = reason(error.strerror)
            raise BlockworldError(f"cannot write to {folder} ({why}): name another cache.") from error
        return cls(keys, pairs, folder / f"{hashlib.sha256(told.encode()).hexdigest()[:16]}.jsonl", config)

    def details(self, features: FeaturesByKey, workers: int | Comparing = 1, progress: bool = False) -> list[Detail]:
        """All that the pairs have in common, as `mine` has it."""
        return mine(self.keys, features, self.pairs, self.journal, self.config.mining, workers, progress)

    def clusters(self, details: Sequence[Detail]) -> list[Cluster]:
        """What details join."""
        return clusters(details, self.config.least_score, self.config.least_pictures)

    def compared(self) -> tuple[int, int]:
        """(pictures compared with their neighbours so far, all): a line of the journal each, after the first."""
        jobs = len({first for first, _ in self.pairs})
        try:
            with self.journal.open("rb") as file:
                return max(0, sum(1 for _ in file) - 1), jobs
        except OSError:
            return 0, jobs
