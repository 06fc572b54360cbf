"""What the processor can do."""

from functools import cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_DOT_PRODUCTS = {"avx512_vnni", "avx_vnni", "asimddp"}  # Intel and AMD; Arm


@cache
def multiplies_bytes(cpuinfo: Path = _CPUINFO) -> bool:
    """Whether the processor sums products of bytes in one instruction, which makes 8-bit networks fast, and exact:
    older ones saturate."""
    try:
        text = cpuinfo.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    lines = (line.partition(":") for line in text.splitlines())
    return any(key.strip() in ("flags", "Features") and _DOT_PRODUCTS & set(value.split()) for key, _, value in lines)
