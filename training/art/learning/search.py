"""The search of a round: proposals of some pictures, their matches in all, and which of these are verified.

Pictures pass by one after the other: what is kept is the proposals and their best matches, whatever the collection's
size. A search can be left after any picture and be gone on with.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sim.random_streams import stream
from training.art.learning.candidates import Candidates
from training.art.learning.config import LearningConfig
from training.art.learning.grids import BackboneGrids
from training.art.learning.proposals import Proposals, drawn_places, joined, proposals_at
from training.art.learning.reading import in_order


@dataclass(eq=False)
class Search:
    """As far as it is done."""

    proposals: Proposals
    candidates: Candidates
    done: int = 0
    """How many pictures the proposals were matched in."""

    def state(self) -> dict[str, Any]:
        """What `restored` makes the search of."""
        tensors = vars(self.proposals) | vars(self.candidates)
        own = {"proposed": self.proposals.places, "found": self.candidates.places}
        named = {name: one for name, one in tensors.items() if name != "places"} | own
        return {name: one.cpu() for name, one in named.items()} | {"done": self.done}

    @classmethod
    def restored(cls, state: dict[str, Any], device: torch.device) -> "Search":
        """Of a checkpoint."""
        on = {name: one.to(device) for name, one in state.items() if isinstance(one, Tensor)}
        proposals = Proposals(on["proposed"], on["regions"], on["rings"])
        return cls(proposals, Candidates(on["scores"], on["found"], on["votes"]), int(state["done"]))

    def pairs(self, config: LearningConfig) -> tuple[Tensor, float]:
        """(M, 8) int64 verified pairs to learn from, those with the most votes first: picture, grid, row and column of
        the proposal and of its match; and the share of all pairs that are verified."""
        found = self.candidates.scores.isfinite()
        verified = found & (self.candidates.votes >= config.least_votes)
        share = float(verified.sum()) / max(1, int(found.sum()))
        proposal, slot = torch.nonzero(verified, as_tuple=True)
        order = self.candidates.votes[proposal, slot].argsort(descending=True, stable=True)[: config.pairs]
        proposal, slot = proposal[order], slot[order]
        pairs = torch.cat([self.proposals.places[proposal], self.candidates.places[proposal, slot]], dim=1)
        return pairs.cpu(), share


@torch.no_grad()
def begun(
    paths: Sequence[Path], grids: BackboneGrids, config: LearningConfig, number: int, device: torch.device
) -> Search | None:
    """The search of round `number`, with its proposals; None where no picture is large enough for any."""
    random = stream(config.seed, number, "art proposals")
    sources = _drawn(len(paths), config.sources, random)
    parts = []
    for source, picture in zip(sources, in_order(paths, sources), strict=True):
        places = drawn_places(picture, source, config, random)
        if places is not None:
            parts.append(proposals_at(places, grids.one(picture, int(places[0, 1])), config))
    if not parts:
        return None
    proposals = joined(parts).to(device)
    return Search(proposals, Candidates.none(len(proposals), config, device))


@torch.no_grad()
def searched(
    search: Search, paths: Sequence[Path], grids: BackboneGrids, config: LearningConfig, number: int
) -> Iterator[int]:
    """Go on with the search; gives how many pictures are done after each of them."""
    chosen = searched_pictures(len(paths), config, number)
    left = chosen[search.done :]
    for other, picture in zip(left, in_order(paths, left), strict=True):
        search.candidates.offer(search.proposals, other, grids.all(picture), config)
        search.done += 1
        yield search.done


def searched_pictures(count: int, config: LearningConfig, number: int) -> list[int]:
    """Which of so many pictures round `number` looks for matches in."""
    return _drawn(count, config.searched, stream(config.seed, number, "art searched"))


def _drawn(count: int, most: int, random: np.random.Generator) -> list[int]:
    """Some of the numbers, or all, in their order."""
    return sorted(int(one) for one in random.permutation(count)[:most])
