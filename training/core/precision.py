"""Which precision a device multiplies matrices in fastest."""

import torch
from torch import autocast


def product_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 where the device has instructions for its products, else float32.

    Without them products are computed number by number: on a processor with AVX2 alone 1 GFLOP/s, of 63 in float32.
    """
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        known = torch.cpu.get_capabilities()
        native = any(known.get(name, False) for name in ("amx_bf16", "avx512_bf16", "bf16"))
    return torch.bfloat16 if native else torch.float32


def products_of_step(device: torch.device, step: int, steps: int, bfloat16: bool, single_share: float) -> autocast:
    """The context in which a step's products are computed: in what is fastest, where bfloat16 is wanted at all, but
    in single precision in the last share of all steps."""
    fast = product_dtype(device) if bfloat16 and step < (1 - single_share) * steps else torch.float32
    return autocast(device.type, fast, enabled=fast == torch.bfloat16)
