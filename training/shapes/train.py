"""Train one deformation network: sample shapes, minimise the loss of its supervision, keep the last weights."""

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import torch
from lightning_fabric import Fabric
from tqdm import tqdm

from training.core.checkpoint import resume, save_checkpoint, states
from training.core.launch import launched
from training.core.log import log_row
from training.core.muon import Muon
from training.core.precision import products_of_step
from training.core.schedule import rate
from training.shapes.config import ShapesConfig
from training.shapes.evaluate import held_out_error
from training.shapes.model import DeformationNetwork
from training.shapes.objectives import objective_of
from training.shapes.sampling import Sample, sample
from training.shapes.shape_set import ShapeSet
from training.shapes.sources import open_source
from training.shapes.warm_start import warm_start

EVALUATIONS = 10


def train(config: ShapesConfig, progress: bool = True) -> dict[str, float]:
    """Train to `config.shapes` shapes, going on from the last checkpoint in `config.out`; returns the metrics.

    Writes checkpoint.pt, log.jsonl and, at the end, weights.pt. One process, or many under torchrun, which
    together see batches of as many times the size.
    """
    fabric = launched()
    fabric.seed_everything(config.seed, verbose=False)
    shapes, held_out = shape_sets(config, progress and fabric.is_global_zero)
    network = network_of(config)
    if config.warm_start is not None:
        warm_start(network, config.warm_start)
    objective = objective_of(config, shapes)
    optimisers = optimisers_of(network, config)
    batch = config.batch * fabric.world_size
    steps = max(1, config.shapes // batch)
    schedules = [torch.optim.lr_scheduler.LambdaLR(one, partial(rate, steps=steps)) for one in optimisers]
    state: dict[str, Any] = {"network": network}
    for number, (optimiser, schedule) in enumerate(zip(optimisers, schedules, strict=True)):
        state |= {f"optimiser_{number}": optimiser, f"schedule_{number}": schedule}
    done = resume(config.out / "checkpoint.pt", state)
    wrapped, *optimisers = fabric.setup(network, *optimisers)
    bar = tqdm(total=steps, initial=done, unit="step", disable=not (progress and fabric.is_global_zero))
    saved, losses = time.monotonic(), []
    for step in range(done, steps):
        whole = sample(shapes, config, step, batch, fabric.global_rank * config.batch)
        parts = list(_parts(fabric, whole, config.micro_batch))
        total = 0.0
        for number, part in enumerate(parts):
            last_part = number + 1 == len(parts)
            with fabric.no_backward_sync(wrapped, enabled=not last_part):
                with products_of_step(fabric.device, step, steps, config.bfloat16, config.single_share):
                    loss = objective(wrapped, part, step) / len(parts)
                fabric.backward(loss)
            total += float(loss.detach())
        for optimiser, schedule in zip(optimisers, schedules, strict=True):
            optimiser.step()
            optimiser.zero_grad()
            schedule.step()
        losses.append(total)
        bar.update()
        bar.set_postfix_str(f"loss {losses[-1]:.4f}", refresh=False)
        last = step + 1 == steps
        if fabric.is_global_zero and ((step + 1) % max(1, steps // EVALUATIONS) == 0 or last):
            recent = sum(losses[-50:]) / len(losses[-50:])
            row = {"step": step + 1, "loss": recent, "held_out_mean_m": held_out_error(network, config, held_out)}
            bar.write(f"step {step + 1}: loss {recent:.5f}, held-out shapes {100 * row['held_out_mean_m']:.2f} cm")
            log_row(config.out, row)
        if fabric.is_global_zero and (time.monotonic() - saved > config.checkpoint_s or last):
            save_checkpoint(config.out / "checkpoint.pt", {"done": step + 1, **states(state)})
            saved = time.monotonic()
    bar.close()
    if fabric.is_global_zero:
        save_checkpoint(config.out / "weights.pt", network.state_dict())
    return {"held_out_mean_m": held_out_error(network, config, held_out)}


def optimisers_of(network: DeformationNetwork, config: ShapesConfig) -> list[torch.optim.Optimizer]:
    """One or two, which together have all parameters."""
    own = list(network.parameters())
    matrices = [one for one in own if one.ndim == 2 and min(one.shape) > 3] if config.optimiser == "muon" else []
    chosen = {id(one) for one in matrices}
    rest = [one for one in own if id(one) not in chosen]
    found: list[torch.optim.Optimizer] = [torch.optim.AdamW(rest, config.learning_rate, weight_decay=0.0)]
    if matrices:
        found.append(Muon(matrices, config.learning_rate))
    return found


def network_of(config: ShapesConfig) -> DeformationNetwork:
    """The network of a configuration, with random weights."""
    return DeformationNetwork(config.encoder, config.decoder, config.latent)


def shape_sets(config: ShapesConfig, progress: bool) -> tuple[ShapeSet, ShapeSet]:
    """Shapes to train on and held-out ones, made where they are missing."""
    source = partial(open_source, config.category)
    return ShapeSet.built(config.data, source, progress), ShapeSet.built(config.validation, source, progress)


def _parts(fabric: Fabric, whole: Sample, size: int) -> Iterator[Sample]:
    template = fabric.to_device(whole.template)
    for points, places in zip(whole.points.split(size), whole.places.split(size), strict=True):
        yield Sample(fabric.to_device(points), template, fabric.to_device(places), whole.scale)
