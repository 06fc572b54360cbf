"""Memory that a training frees and asks for again, step after step."""

import ctypes
import os

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # of mallopt(3)
_PAD_BYTES = 2**28


def keep_freed_memory() -> bool:
    """Have the GNU C library keep what is freed for what is asked for next; False where there is another library.

    By default it gives large blocks back to the system at once, which clears every page of the next one: on processors
    half of the time of a step whose tensors are of 10 MB and more.
    """
    if "CS_GNU_LIBC_VERSION" not in os.confstr_names:
        return False
    library = ctypes.CDLL(None)
    settings = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, _PAD_BYTES))
    return all(library.mallopt(name, value) for name, value in settings)
