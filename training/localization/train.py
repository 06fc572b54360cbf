"""Train one localization network: read images, minimise the divergence of its heat maps, keep the last weights."""

import time
from functools import partial
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor
from tqdm import tqdm

from training.core.checkpoint import resume, save_checkpoint, states
from training.core.launch import launched
from training.core.log import log_row
from training.core.order import batch_indices
from training.core.schedule import rate
from training.localization.augmentation import augment_batch
from training.localization.config import LocalizationConfig
from training.localization.data import held_out_samples, load_samples
from training.localization.model import normalise
from training.localization.objectives import Objective, objective_of
from training.localization.subject import channels_of
from training.localization.weights import begin_with, save_weights

EVALUATIONS = 8


def train(config: LocalizationConfig, progress: bool = True) -> dict[str, float]:
    """Train to `config.samples` images, going on from the last checkpoint in `config.out`; returns the metrics.

    Writes checkpoint.pt, log.jsonl and, at the end, weights.pt. One process, or many under torchrun, which
    together see batches of as many times the size.
    """
    fabric = launched()
    fabric.seed_everything(config.seed, verbose=False)
    samples = load_samples(config.task, config.data)
    held_out = held_out_samples(config.task, config.validation)
    objective = objective_of(config)
    network = objective.network
    names = [channel.name for channel in channels_of(config)]
    if config.warm_start is not None:
        begin_with(config.warm_start, network, names)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.AdamW(
        network.parameters(), config.learning_rate, weight_decay=config.weight_decay
    )
    batch = config.batch * fabric.world_size
    steps = max(1, config.samples // batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, partial(rate, steps=steps))
    state: dict[str, Any] = {"network": network, "optimiser": optimiser, "schedule": schedule}
    done = resume(config.out / "checkpoint.pt", state)
    wrapped, optimiser = fabric.setup(network, optimiser)
    bar = tqdm(total=steps, initial=done, unit="step", disable=not (progress and fabric.is_global_zero))
    saved, losses = time.monotonic(), []
    first = fabric.global_rank * config.batch
    for step in range(done, steps):
        own = samples.part(batch_indices(config.seed, step, batch, len(samples))[first : first + config.batch])
        images, points = augment_batch(normalise(own.images), own.points, config.seed, step, first, config.task)
        images = fabric.to_device(images.contiguous(memory_format=torch.channels_last))
        points, poses = fabric.to_device(points), fabric.to_device(own.poses)
        loss = objective.loss(wrapped, images, points, poses, step / steps)
        fabric.backward(loss)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        losses.append(_mean_over_processes(fabric, loss))
        bar.update()
        bar.set_postfix_str(f"loss {losses[-1]:.3f}", refresh=False)
        last = step + 1 == steps
        if (step + 1) % max(1, steps // EVALUATIONS) == 0 or last:
            metrics = objective.evaluate(held_out)
            recent = sum(losses[-50:]) / len(losses[-50:])
            row = {"step": step + 1, "loss": round(recent, 4), **metrics}
            if fabric.is_global_zero:
                bar.write(_line(row, objective))
                log_row(config.out, row)
        if fabric.is_global_zero and (time.monotonic() - saved > config.checkpoint_s or last):
            save_checkpoint(config.out / "checkpoint.pt", {"done": step + 1, **states(state)})
            saved = time.monotonic()
    bar.close()
    metrics = objective.evaluate(held_out)
    if fabric.is_global_zero:
        save_weights(config.out / "weights.pt", network, names)
    return metrics


def _mean_over_processes(fabric: Fabric, loss: Tensor) -> float:
    mean = fabric.all_reduce(loss.detach(), reduce_op="mean")
    assert isinstance(mean, Tensor)  # as what was given
    return float(mean)


def _line(row: dict[str, float], objective: Objective) -> str:
    losses = f"loss {row['loss']:.3f}, validation {row['validation_loss']:.3f}"
    return f"step {row['step']}: {losses}; {objective.report(row)}"
