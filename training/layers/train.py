"""Train one network for layers: other pictures and pixels in each step, l1 and perceptual losses, the last weights."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from perception.errors import BlockworldError
from training.core.checkpoint import load_checkpoint, resume, save_checkpoint, states
from training.core.launch import launched
from training.core.log import log_row
from training.core.precision import products_of_step
from training.core.schedule import rate
from training.layers.config import LayersConfig
from training.layers.evaluate import held_out_error
from training.layers.model import LayersModel
from training.layers.perceptual import PerceptualLoss
from training.layers.sampling import Batch, batch_of
from training.layers.sources import PictureSet

EVALUATIONS = 10
LARGEST_GRADIENT = 1.0


def train(config: LayersConfig, progress: bool = True) -> dict[str, float]:
    """Train to `config.pictures` pictures, going on from the last checkpoint in `config.out`; returns the metrics.

    Writes checkpoint.pt, log.jsonl and, at the end, weights.pt. One process, or many under torchrun, which together see
    batches of as many times the size. Raises BlockworldError for a checkpoint of another network, or without pictures.
    """
    fabric = launched()
    fabric.seed_everything(config.seed, verbose=False)
    shown = progress and fabric.is_global_zero
    pictures, held_out = PictureSet.opened(config.data, False), PictureSet.opened(config.data, True)
    model = LayersModel(config)
    if config.begin_with is not None:
        begin_with(model, config.begin_with)
    perceptual = PerceptualLoss(config.perceptual).to(fabric.device) if config.perceptual else None
    optimiser = torch.optim.Adam(model.parameters(), config.learning_rate, betas=(0.9, 0.98))
    batch = config.batch * fabric.world_size
    steps = max(1, config.pictures // batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, partial(rate, steps=steps))
    state: dict[str, Any] = {"network": model, "optimiser": optimiser, "schedule": schedule}
    done = resume(config.out / "checkpoint.pt", state)
    wrapped, optimiser = fabric.setup(model, optimiser)
    bar = tqdm(total=steps, initial=done, unit="step", disable=not shown, mininterval=2)
    saved, losses, each = time.monotonic(), [], config.supersampling**2
    for step in range(done, steps):
        data = batch_of(config, pictures, step, batch, fabric.global_rank * config.batch)
        seen, points, target = (fabric.to_device(one) for one in (data.seen, data.points, data.target))
        data = Batch(seen, points, target, data.side)
        with products_of_step(fabric.device, step, steps, config.bfloat16, config.single_share):
            found = wrapped(data.seen, data.points, each)
            loss = loss_of(config, found, data)
            if perceptual is not None:
                loss = loss + perceptual(found[-1], data.target, data.side)
        fabric.backward(loss)
        fabric.clip_gradients(wrapped, optimiser, max_norm=LARGEST_GRADIENT)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        losses.append(float(loss.detach()))
        bar.update()
        bar.set_postfix_str(f"loss {losses[-1]:.4f}", refresh=False)
        last = step + 1 == steps
        if fabric.is_global_zero and ((step + 1) % max(1, steps // EVALUATIONS) == 0 or last):
            recent = sum(losses[-50:]) / len(losses[-50:])
            row = {"step": step + 1, "loss": recent} | held_out_error(model, config, held_out)
            bar.write(f"step {step + 1}: loss {recent:.4f}, held-out pictures {row['held_out_psnr_db']:.2f} dB")
            log_row(config.out, row)
        if fabric.is_global_zero and (time.monotonic() - saved > config.checkpoint_s or last):
            save_checkpoint(config.out / "checkpoint.pt", {"done": step + 1, **states(state)})
            saved = time.monotonic()
    bar.close()
    if fabric.is_global_zero:
        save_checkpoint(config.out / "weights.pt", model.state_dict())
    return held_out_error(model, config, held_out)


def loss_of(config: LayersConfig, found: list[Tensor], data: Batch) -> Tensor:
    """l1 of the last canvas, and of those before it, which teach that every layer pays."""
    last = (found[-1] - data.target).abs().mean()
    if len(found) == 1 or config.intermediate == 0:
        return last
    before = torch.stack([(one - data.target).abs().mean() for one in found[:-1]]).mean()
    return (1 - config.intermediate) * last + config.intermediate * before


def begin_with(model: LayersModel, path: Path) -> None:
    """Give the model the weights of a weights.pt; raises BlockworldError where they are of another architecture."""
    saved = load_checkpoint(path)
    if saved is None:
        raise BlockworldError(f"begin_with {path} does not exist: train that network first, or name its weights.pt.")
    try:
        model.load_state_dict(saved)
    except RuntimeError:  # whose text lists every tensor
        raise BlockworldError(f"{path} is of another architecture: give this network its configuration.") from None
