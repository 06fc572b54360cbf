"""Train one localization network: read images, minimise the divergence of its heat maps, keep the last weights."""

import json
import math
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.utils.data import DataLoader
from tqdm import tqdm

from perception.errors import BlockworldError
from training.core.checkpoint import load_checkpoint, save_checkpoint
from training.localization.config import LocalizationConfig
from training.localization.data import Samples, augment, load_samples
from training.localization.evaluate import evaluate, report
from training.localization.heatmaps import heatmap_loss
from training.localization.model import STRIDE, HeatmapNetwork, normalise
from training.localization.subject import channels_of

EVALUATIONS = 8


def train(config: LocalizationConfig, progress: bool = True) -> dict[str, float]:
    """Train to `config.samples` images, going on from the last checkpoint in `config.out`; returns the metrics.

    Writes checkpoint.pt, log.jsonl and, at the end, weights.pt. One process, or many under
    torchrun.
    """
    fabric = Fabric()
    fabric.launch()
    fabric.seed_everything(config.seed + fabric.global_rank, verbose=False)
    samples = load_samples(config.task, config.data)
    held_out = load_samples(config.task, config.validation)
    network = _first_weights(build_network(config), config.warm_start)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(
        network.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    steps = max(1, config.samples // (config.batch * fabric.world_size))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, partial(rate, steps=steps))
    state: dict[str, Any] = {"network": network, "optimiser": optimiser, "schedule": schedule}
    done = _resume(config.out / "checkpoint.pt", state)
    wrapped, optimiser = fabric.setup(network, optimiser)
    loader = fabric.setup_dataloaders(_loader(samples, config, fabric.world_size))
    generator = torch.Generator().manual_seed(config.seed * 1000 + done + fabric.global_rank)
    bar = tqdm(total=steps, initial=done, unit="step", disable=not (progress and fabric.is_global_zero))
    saved = time.monotonic()
    recent = 0.0
    while done < steps:
        for images, points in loader:
            loss = _step(wrapped, images, points, config, generator, fabric.backward)
            optimiser.step()
            optimiser.zero_grad()
            schedule.step()
            done += 1
            recent = loss if done == 1 else 0.98 * recent + 0.02 * loss
            bar.update()
            bar.set_postfix_str(f"loss {recent:.3f}", refresh=False)
            if done % max(1, steps // EVALUATIONS) == 0 or done == steps:
                metrics = evaluate(network, held_out, config)
                _log(config.out, fabric, {"step": done, "loss": round(recent, 4), **metrics}, bar.write)
            if fabric.is_global_zero and (time.monotonic() - saved > config.checkpoint_s or done == steps):
                save_checkpoint(config.out / "checkpoint.pt", {"done": done, **_states(state)})
                saved = time.monotonic()
            if done == steps:
                break
    bar.close()
    metrics = evaluate(network, held_out, config)
    if fabric.is_global_zero:
        save_checkpoint(config.out / "weights.pt", network.state_dict())
    return metrics


def rate(step: int, steps: int) -> float:
    """Share of the full learning rate at a step: a linear warm-up over a twentieth, then half a cosine to zero."""
    warm_up = max(1, steps // 20)
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))


def build_network(config: LocalizationConfig) -> HeatmapNetwork:
    """The untrained network of a configuration."""
    return HeatmapNetwork(len(channels_of(config)), config.widths, config.depths, config.stem, config.head)


def _first_weights(network: HeatmapNetwork, warm_start: Path | None) -> HeatmapNetwork:
    """The network with those weights of the file that fit it; raises BlockworldError where there is no such file."""
    if warm_start is None:
        return network
    weights = load_checkpoint(warm_start)
    if weights is None:
        raise BlockworldError(
            f"{warm_start} does not exist: train that recipe first or give warm_start=null."
        )
    own = network.state_dict()
    fitting = {
        name: value for name, value in weights.items() if name in own and own[name].shape == value.shape
    }
    network.load_state_dict({**own, **fitting})
    return network


def _step(
    network: nn.Module,
    images: Tensor,
    points: Tensor,
    config: LocalizationConfig,
    generator: torch.Generator,
    backward: Callable[[Tensor], None],
) -> float:
    with torch.no_grad():
        batch, places = augment(normalise(images), points, generator)
    logits = network(batch.contiguous(memory_format=torch.channels_last))
    loss = heatmap_loss(logits, places, STRIDE, config.target_sigma)
    backward(loss)
    return float(loss.detach())


def _loader(samples: Samples, config: LocalizationConfig, processes: int) -> DataLoader[Any]:
    """Shuffled whole batches; small data sets are repeated so that an epoch has at least one batch."""
    batch = min(config.batch, max(1, len(samples) // processes))
    return DataLoader(samples, batch, shuffle=True, drop_last=True, collate_fn=_as_is)


def _as_is(batch: Any) -> Any:
    return batch


def _states(state: dict[str, Any]) -> dict[str, Any]:
    return {name: part.state_dict() for name, part in state.items()}


def _resume(path: Path, state: dict[str, Any]) -> int:
    """Restore what an earlier run left; the number of steps it had done."""
    saved = load_checkpoint(path)
    if saved is None:
        return 0
    for name, part in state.items():
        part.load_state_dict(saved[name])
    return int(saved["done"])


def _log(out: Path, fabric: Fabric, row: dict[str, float], write: Callable[[str], None]) -> None:
    if fabric.is_global_zero:
        write(report(row))
        out.mkdir(parents=True, exist_ok=True)
        with (out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
