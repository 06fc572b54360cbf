"""Train one network for atlases: new points of shapes and charts in each step, Chamfer distance, the last weights."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from perception.errors import BlockworldError
from training.core.checkpoint import load_checkpoint, resume, save_checkpoint, states
from training.core.launch import launched
from training.core.log import log_row
from training.core.precision import products_of_step
from training.core.schedule import rate
from training.shapes.atlas.config import AtlasConfig
from training.shapes.atlas.evaluate import held_out_chamfer
from training.shapes.atlas.model import AtlasModel
from training.shapes.atlas.picture_set import PictureSet
from training.shapes.atlas.sampling import batch_of
from training.shapes.atlas.surface_set import SurfaceSet, meshes_of
from training.shapes.losses import chamfer

EVALUATIONS = 10


def train(config: AtlasConfig, progress: bool = True) -> dict[str, float]:
    """Train to `config.shapes` shapes, going on from the last checkpoint in `config.out`; returns the metrics.

    Writes checkpoint.pt, log.jsonl and, at the end, weights.pt. One process, or many under torchrun, which together see
    batches of as many times the size. Raises BlockworldError for a checkpoint or a decoder of another architecture.
    """
    fabric = launched()
    fabric.seed_everything(config.seed, verbose=False)
    shown = progress and fabric.is_global_zero
    surfaces, pictures = training_sets(config, shown)
    held_out, held_out_pictures = held_out_sets(config, shown)
    model = AtlasModel(config)
    if config.decoder_of is not None:
        take_decoder(model, config.decoder_of)
    optimisers = [torch.optim.Adam(part.parameters(), config.learning_rate) for part in (model.encoder, model.decoder)]
    batch = config.batch * fabric.world_size
    steps = max(1, config.shapes // batch)
    frozen = round(config.frozen_share * steps) if config.decoder_of is not None else 0
    shares = partial(rate, steps=steps), partial(_rate_after, first=frozen, steps=steps)
    pairs = zip(optimisers, shares, strict=True)
    schedules = [torch.optim.lr_scheduler.LambdaLR(optimiser, share) for optimiser, share in pairs]
    state: dict[str, Any] = {"network": model}
    for number, (optimiser, schedule) in enumerate(zip(optimisers, schedules, strict=True)):
        state |= {f"optimiser_{number}": optimiser, f"schedule_{number}": schedule}
    done = resume(config.out / "checkpoint.pt", state)
    wrapped, *optimisers = fabric.setup(model, *optimisers)
    bar = tqdm(total=steps, initial=done, unit="step", disable=not shown, mininterval=2)
    saved, losses = time.monotonic(), []
    for step in range(done, steps):
        data = batch_of(config, surfaces, pictures, step, batch, fabric.global_rank * config.batch)
        charts = None if data.charts is None else fabric.to_device(data.charts)
        with products_of_step(fabric.device, step, steps, config.bfloat16, config.single_share):
            found = wrapped(fabric.to_device(data.seen), charts)
        loss = chamfer(found.float(), fabric.to_device(data.target))
        fabric.backward(loss)
        for optimiser, schedule in zip(optimisers, schedules, strict=True):
            optimiser.step()
            optimiser.zero_grad()
            schedule.step()
        losses.append(float(loss.detach()))
        bar.update()
        bar.set_postfix_str(f"loss {1000 * losses[-1]:.2f}e-3", refresh=False)
        last = step + 1 == steps
        if fabric.is_global_zero and ((step + 1) % max(1, steps // EVALUATIONS) == 0 or last):
            recent = sum(losses[-50:]) / len(losses[-50:])
            row = {"step": step + 1, "loss": recent} | held_out_chamfer(model, config, held_out, held_out_pictures)
            bar.write(
                f"step {step + 1}: loss {1000 * recent:.2f}e-3, held-out shapes {row['held_out_chamfer_x1000']:.2f}e-3"
            )
            log_row(config.out, row)
        if fabric.is_global_zero and (time.monotonic() - saved > config.checkpoint_s or last):
            save_checkpoint(config.out / "checkpoint.pt", {"done": step + 1, **states(state)})
            saved = time.monotonic()
    bar.close()
    if fabric.is_global_zero:
        save_checkpoint(config.out / "weights.pt", model.state_dict())
    return held_out_chamfer(model, config, held_out, held_out_pictures)


def training_sets(config: AtlasConfig, progress: bool) -> tuple[SurfaceSet, PictureSet | None]:
    """Shapes to train on and, for a network that takes pictures, pictures of them; made where they are missing."""
    surfaces = SurfaceSet.built(config.data, progress)
    if config.input == "cloud":
        return surfaces.without(config.left_out), None
    assert config.pictures is not None
    return surfaces, PictureSet.built(config.pictures, meshes_of(config.data), progress)


def held_out_sets(config: AtlasConfig, progress: bool) -> tuple[SurfaceSet, PictureSet | None]:
    """Held-out shapes and pictures, the same."""
    surfaces = SurfaceSet.built(config.validation, progress)
    if config.input == "cloud":
        return surfaces, None
    assert config.validation_pictures is not None
    return surfaces, PictureSet.built(config.validation_pictures, meshes_of(config.validation), progress)


def take_decoder(model: AtlasModel, weights: Path) -> None:
    """Give the model the decoder of a weights.pt; raises BlockworldError where there is none of its architecture."""
    saved = load_checkpoint(weights)
    if saved is None:
        raise BlockworldError(f"decoder_of {weights} does not exist: train that network first, or name its weights.pt.")
    part = {name.removeprefix("decoder."): value for name, value in saved.items() if name.startswith("decoder.")}
    own = model.decoder.state_dict()
    if part.keys() != own.keys() or any(part[name].shape != value.shape for name, value in own.items()):
        raise BlockworldError(
            f"{weights} has a decoder of another architecture: give this network its structure, charts, dimension, "
            "decoder, latent and points."
        )
    model.decoder.load_state_dict(part)


def _rate_after(step: int, first: int, steps: int) -> float:
    """As `rate`, and nothing before a step."""
    return 0.0 if step < first else rate(step, steps)
