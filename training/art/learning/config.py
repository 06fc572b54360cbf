"""Configuration of learning on a collection."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from training.art.features import SCALES

PROPOSAL_CELLS = 2
"""Cells along a side of a proposal (ArtMiner, section 3)."""
BORDER_CELLS = 5
"""Cells along the edges of a grid in which no proposal and no match is: padding tells more there than the picture."""


class LearningConfig(BaseModel):
    """How matches are proposed, verified and learned from; the defaults are the paper's, or of its authors' code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rounds: int = Field(default=100, gt=0)
    """Each is a search for pairs with the weights so far, and the updates on them."""
    sources: int = Field(default=100, gt=0)
    """Pictures of a round that proposals are from, drawn anew in each."""
    proposals: int = Field(default=20, gt=0)
    """Of each of these pictures, at one scale of it."""
    proposal_scales: tuple[int, ...] = (68, 60, 49, 36)
    """Of `training.art.features.SCALES`: the authors' five without 40 cells, which no grid has."""
    searched: int = Field(default=2000, gt=1)
    """Pictures of a round that matches are looked for in; of larger collections some are drawn anew in each."""
    matches: int = Field(default=10, gt=0)
    """Pictures that are kept of each proposal: the paper's K."""
    verified_cells: Literal[6, 8, 10, 12, 14] = 10
    """Side of the region whose ring of outermost cells votes."""
    vote_cells: int = Field(default=1, ge=0)
    """A cell votes when its nearest neighbour is within so many cells of where the match puts it."""
    least_votes: float = Field(default=0.25, gt=0, le=1)
    """Share of the ring that has to vote for a pair to be verified; docs/art.md has how many of those are right. The
    authors take the best pairs without a bound."""
    positive_cells: Literal[2, 4, 6, 8, 10, 12, 14] = 12
    """Side of the region whose four corners are the positive pairs: P2 to P14 of the paper."""
    slack_cells: int = Field(default=1, ge=0, le=2)
    """A positive is the best within so many cells of where the match puts it."""
    saturation: float = Field(default=0.8, gt=0, lt=1)
    """The paper's lambda: positives of this cosine and negatives of 1 less this are good enough."""
    negatives: int = Field(default=10, gt=0, le=100)
    """Hardest cells of the other picture of a pair that a positive is to be told from."""
    exclude_match: bool = True
    """Whether the true match, within `slack_cells`, is left out of the negatives; the authors' code leaves it in."""
    pairs: int = Field(default=200, gt=0)
    """Verified pairs of a round that are learned from: those with the most votes."""
    batch: int = Field(default=4, gt=0)
    """Pairs of an update."""
    learning_rate: float = Field(default=1e-5, gt=0)
    """Of Adam."""
    patience: int = Field(default=10, gt=0)
    """It stops early when the share of verified pairs has not risen in so many rounds."""
    bfloat16: bool = True
    """The network's products in bfloat16 where the device has them; weights and loss in single precision."""
    seed: int = 0
    checkpoint_s: float = Field(default=120.0, gt=0)
    """Seconds between checkpoints."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        unknown = sorted(set(self.proposal_scales) - set(SCALES))
        if unknown or not self.proposal_scales:
            raise ValueError(f"proposal_scales can be of {SCALES}: give one or more of these")
        return self

    @property
    def margin(self) -> int:
        """Cells between the edge of a grid and a proposal or a match: as many as the regions around it take."""
        return max(BORDER_CELLS, before(max(self.verified_cells, self.positive_cells)))


def before(cells: int) -> int:
    """How many cells the region of `cells` a side around a proposal begins before it."""
    return (cells - PROPOSAL_CELLS) // 2
