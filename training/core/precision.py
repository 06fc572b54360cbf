"""Which precision a device multiplies matrices in fastest."""

import torch


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
