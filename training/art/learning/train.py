"""Learn features on a collection, round after round: search for pairs, verify them, learn from those verified."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from tqdm import tqdm

from perception.errors import BlockworldError
from perception.picture_folder import Found
from sim.random_streams import stream
from training.art.backbone import Backbone
from training.art.learning.config import LearningConfig
from training.art.learning.grids import BackboneGrids
from training.art.learning.loss import pair_loss
from training.art.learning.reading import in_order
from training.art.learning.search import begun, searched, searched_pictures
from training.art.learning.state import Job, restored, save
from training.art.learning.weights_file import write_weights
from training.art.pictures import Picture
from training.core.memory import keep_freed_memory
from training.core.precision import product_dtype

BETAS = (0.5, 0.999)
"""Of Adam, as in the authors' code."""


@dataclass(frozen=True)
class Learned:
    """What came of it."""

    rounds: int
    """That pairs were learned from."""
    first_share: float
    """Of pairs that were verified with the weights it began with."""
    best_share: float
    """The same of the weights that were written."""
    best_round: int
    """After how many rounds these were reached; 0 where no round brought the share up."""


def learn(
    pictures: Sequence[Found], backbone: nn.Module, config: LearningConfig, out: Path, folder: Path,
    progress: bool = False,
) -> Learned:
    """Fine-tune a `Backbone` on pictures and write its weights to `out`, going on from the checkpoint in `folder`.

    The weights written are those that verified the largest share of pairs. Batch norms keep the statistics that they
    come with, since features are made with those; the authors' code takes each picture's own while it learns. Raises
    BlockworldError where no pair is verified, for a checkpoint of something else, and where nothing can be written.
    """
    learning = _Learning(pictures, backbone, config, out, folder, progress)
    while learning.search():
        learning.update()
    return learning.finished()


class _Learning:
    def __init__(
        self, pictures: Sequence[Found], backbone: nn.Module, config: LearningConfig, out: Path, folder: Path,
        progress: bool,
    ) -> None:
        keep_freed_memory()
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._config, self._out, self._folder, self._progress = config, out, folder, progress
        self._paths = [one.path for one in pictures]
        self._network = backbone.eval()
        self._backbone = cast(Backbone, backbone)
        self._job = Job.of(self._backbone, pictures, config)
        self._network.to(self._device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        dtype = product_dtype(self._device) if config.bfloat16 else torch.float32
        self._grids = BackboneGrids(self._backbone, self._device, dtype)
        self._optimiser = torch.optim.Adam(backbone.parameters(), config.learning_rate, BETAS)
        self._state = restored(folder, self._job, self._network, self._optimiser, self._device)
        self._saved = time.monotonic()

    def search(self) -> bool:
        """Find the pairs of the round, unless that is done; whether there are any to learn from."""
        state, config = self._state, self._config
        if state.pairs is not None:
            return True
        if state.search is None:
            state.search = begun(self._paths, self._grids, config, state.round, self._device)
            if state.search is None:
                raise BlockworldError(
                    "no picture is large enough for a proposal: leave out those much longer than wide, or choose "
                    "proposal_scales with more cells."
                )
        total = len(searched_pictures(len(self._paths), config, state.round))
        with self._bar("search", total, state.search.done, "picture") as bar:
            for _ in searched(state.search, self._paths, self._grids, config, state.round):
                bar.update()
                self._save_now_and_then()
        pairs, share = state.search.pairs(config)
        count = state.search.candidates.count
        if len(state.history) == state.round:
            self._told(share, count, len(pairs))
        if not len(pairs) and state.round == 0:
            raise BlockworldError(
                f"none of {count} pairs was verified: give more pictures that share details, more proposals, other "
                f"weights to begin with, or less than {config.least_votes:g} for least_votes."
            )
        over = state.round >= config.rounds or state.round - state.best_round >= config.patience
        if not over and len(pairs):
            order = stream(config.seed, state.round, "art pairs").permutation(len(pairs))
            state.pairs, state.search = pairs[torch.from_numpy(order)], None
        self._save()
        return state.pairs is not None

    def update(self) -> None:
        """Learn from the pairs of the round, and go on to the next."""
        state, config = self._state, self._config
        assert state.pairs is not None
        batches = state.pairs.split(config.batch)
        left = state.pairs[state.step * config.batch :]
        reading = in_order(self._paths, left[:, [0, 4]].flatten().tolist())
        with self._bar("learn", len(batches), state.step, "update") as bar:
            for batch in batches[state.step :]:
                state.losses.append(self._step(batch, reading))
                state.step += 1
                bar.update()
                bar.set_postfix_str(f"loss {state.losses[-1]:.4f}", refresh=False)
                self._save_now_and_then()
        state.pairs, state.step = None, 0
        state.round += 1
        self._save()

    def finished(self) -> Learned:
        """Write the best weights."""
        state = self._state
        self._network.load_state_dict(state.best)
        write_weights(self._backbone, self._out)
        return Learned(state.round, state.history[0]["verified_share"], state.best_share, state.best_round)

    def _step(self, batch: Tensor, reading: Iterator[Picture]) -> float:
        total = 0.0
        self._optimiser.zero_grad()
        for pair in batch:
            # One pair at a time, since no two pictures are of one size.
            one, other = (self._grids.one(next(reading), int(scale)) for scale in pair[[1, 5]])
            loss = pair_loss(one, other, pair[2:4], pair[6:8], self._config) / len(batch)
            if loss > 0:
                loss.backward()
            total += float(loss.detach())
        if not math.isfinite(total):
            raise BlockworldError("the loss is no number any more: give a lower learning_rate and begin anew.")
        if total > 0:
            self._optimiser.step()
        return total

    def _told(self, share: float, count: int, pairs: int) -> None:
        """A row of the log, and whether the weights are the best so far."""
        state = self._state
        row: dict[str, float] = {"round": state.round, "pairs": count, "verified_share": share, "learned_from": pairs}
        if state.losses:
            row["loss"] = sum(state.losses) / len(state.losses)
        if share > state.best_share:
            state.best_round = state.round
            state.best = {name: one.detach().cpu().clone() for name, one in self._network.state_dict().items()}
            if state.round:
                write_weights(self._backbone, self._out)
        state.history.append(row)
        state.losses = []
        if self._progress:
            loss = f", loss before {row['loss']:.4f}" if "loss" in row else ""
            tqdm.write(f"round {state.round}: {100 * share:.2f} % of {count:,} pairs verified{loss}")

    def _save_now_and_then(self) -> None:
        if time.monotonic() - self._saved > self._config.checkpoint_s:
            self._save()

    def _save(self) -> None:
        save(self._folder, self._job, self._state, self._network, self._optimiser)
        self._saved = time.monotonic()

    def _bar(self, what: str, total: int, done: int, unit: str) -> tqdm:
        disable = None if self._progress else True
        text = f"round {self._state.round} {what}"
        return tqdm(desc=text, total=total, initial=done, unit=f" {unit}s", leave=False, disable=disable)
