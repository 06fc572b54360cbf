"""How far a learning is, as checkpoints keep it: what it began with, the round in hand, and the best weights so far."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from perception.errors import BlockworldError, reason
from perception.picture_folder import Found
from training.art.backbone import Backbone, digest
from training.art.learning.config import LearningConfig
from training.art.learning.search import Search
from training.core.checkpoint import load_checkpoint, save_checkpoint

CHECKPOINT, LOG = "checkpoint.pt", "log.jsonl"
_MAY_CHANGE = {"rounds", "patience", "checkpoint_s"}


@dataclass(eq=False)
class State:
    """Of a learning that goes on."""

    round: int = 0
    search: Search | None = None
    """Of the round, while it lasts."""
    pairs: Tensor | None = None
    """(M, 8) of the round in the order that they are learned from, after its search."""
    step: int = 0
    """Updates done on these pairs."""
    losses: list[float] = field(default_factory=list)
    """Of these updates."""
    best_round: int = 0
    best: dict[str, Tensor] = field(default_factory=dict)
    """The weights that verified the largest share of pairs: those that round `best_round` searched with."""
    history: list[dict[str, float]] = field(default_factory=list)
    """Of each search a row: what it verified, and the loss of the updates before it."""

    @property
    def best_share(self) -> float:
        """Share of pairs that the best weights verified, -1 before any search."""
        return self.history[self.best_round]["verified_share"] if self.history else -1.0


@dataclass(frozen=True)
class Job:
    """What a checkpoint belongs to."""

    weights: str
    pictures: str
    settings: str

    @classmethod
    def of(cls, backbone: Backbone, pictures: Sequence[Found], config: LearningConfig) -> "Job":
        """The weights to begin with, the pictures by their content, the settings without those that may change."""
        settings = config.model_dump_json(exclude=_MAY_CHANGE)
        content = hashlib.sha256("".join(one.digest for one in pictures).encode()).hexdigest()
        return cls(digest(backbone), content, settings)


def save(folder: Path, job: Job, state: State, backbone: nn.Module, optimiser: torch.optim.Optimizer) -> None:
    """Keep where it is. Raises BlockworldError where that cannot be written."""
    held: dict[str, Any] = vars(job) | vars(state)
    held["search"] = state.search.state() if state.search else None
    held |= {"network": backbone.state_dict(), "optimiser": optimiser.state_dict()}
    try:
        save_checkpoint(folder / CHECKPOINT, held)
        scratch = folder / f"{LOG}.part"
        scratch.write_text("".join(json.dumps(row) + "\n" for row in state.history), encoding="utf-8")
        scratch.replace(folder / LOG)
    except (OSError, RuntimeError) as error:  # torch tells some of what the disk says as a RuntimeError
        raise BlockworldError(
            f"{folder} cannot be written to ({reason(error)}): name another with --checkpoints."
        ) from error


def restored(
    folder: Path, job: Job, backbone: nn.Module, optimiser: torch.optim.Optimizer, device: torch.device
) -> State:
    """Where it stopped, the backbone and the optimiser as they were there; a new state where there is no checkpoint.

    Raises BlockworldError for a checkpoint of other weights, pictures or settings, or of something else.
    """
    path = folder / CHECKPOINT
    held = load_checkpoint(path)
    if held is None:
        return State()
    for name, own in vars(job).items():
        if held.get(name) != own:
            raise BlockworldError(
                f"{path} was begun with other {name}: begin anew by deleting it, or name another folder with "
                "--checkpoints."
            )
    try:
        backbone.load_state_dict(held["network"])
        optimiser.load_state_dict(held["optimiser"])
        values = {name: held[name] for name in State.__dataclass_fields__}
        if values["search"] is not None:
            values["search"] = Search.restored(values["search"], device)
        return State(**values)
    except (KeyError, RuntimeError, TypeError, ValueError):  # whose texts list every tensor
        raise BlockworldError(f"{path} is damaged: delete it to begin anew.") from None
