"""Memory that is freed is there for what is asked for next."""

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from training.core.memory import keep_freed_memory

if sys.argv[1] == "kept" and not keep_freed_memory():
    sys.exit("no GNU C library")
for _ in range(20):
    np.ones(8_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    np.ones(8_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    """Page faults of twenty blocks of 64 MB."""
    found = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True)
    if "no GNU C library" in found.stderr:
        pytest.skip("another C library than GNU's")
    assert found.returncode == 0, found.stderr
    return int(found.stdout)


def test_a_block_as_large_as_the_one_before_takes_its_pages() -> None:
    assert faults("kept") < faults("given back") / 20
