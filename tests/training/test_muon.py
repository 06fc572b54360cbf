"""The optimiser of weight matrices, and the precision that it computes in."""

import pytest
import torch

from training.core import muon
from training.core.muon import Muon, orthogonal
from training.core.precision import product_dtype


def matrices(rows, columns, seed=0):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("rows, columns", [(32, 32), (48, 24), (24, 48)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_matrices_are_made_orthogonal(rows, columns, dtype):
    found = orthogonal(matrices(rows, columns), dtype).float()
    values = torch.linalg.svdvals(found)
    assert values.min() > 0.5 and values.max() < 1.3
    u, _, v = torch.linalg.svd(matrices(rows, columns), full_matrices=False)
    assert torch.nn.functional.cosine_similarity(found.flatten(), (u @ v).flatten(), dim=0) > 0.97


def test_nothing_has_no_direction():
    assert torch.equal(orthogonal(torch.zeros(8, 4), torch.float32), torch.zeros(8, 4))


@pytest.mark.parametrize("rows, columns", [(16, 16), (40, 10), (10, 40)])
@pytest.mark.parametrize("dtype, apart", [(torch.bfloat16, 1e-6), (torch.float32, 0.1)])
def test_steps_are_those_of_torch(rows, columns, dtype, apart, monkeypatch):
    """In the same precision to the digit; in float32 but for theirs, which the quintic, steep at 0, makes more of."""
    monkeypatch.setattr(muon, "product_dtype", lambda device: dtype)
    own, other = (torch.nn.Parameter(matrices(rows, columns)) for _ in range(2))
    ours = Muon([own], 0.02)
    theirs = torch.optim.Muon([other], 0.02, weight_decay=0.0, adjust_lr_fn="match_rms_adamw")
    for step in range(4):
        own.grad, other.grad = matrices(rows, columns, step + 1), matrices(rows, columns, step + 1)
        ours.step()
        theirs.step()
    moved = other.detach() - matrices(rows, columns)
    assert (own - other).norm() < apart * moved.norm()


def test_vectors_are_refused():
    with pytest.raises(ValueError, match="Muon moves matrices alone"):
        Muon([torch.nn.Parameter(torch.zeros(3))], 0.1)


def test_products_are_never_in_a_precision_that_the_processor_emulates(monkeypatch):
    cpu = torch.device("cpu")
    for known, dtype in (
        ({"avx2": True}, torch.float32),
        ({"avx512_f": True, "avx512_bf16": False}, torch.float32),
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({"bf16": True}, torch.bfloat16),
    ):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda known=known: known)
        assert product_dtype(cpu) == dtype
