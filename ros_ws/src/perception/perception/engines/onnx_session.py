"""Sessions of ONNX Runtime: opened from bytes that were looked through, within bounds of memory and of waiting."""

from functools import cache

import onnxruntime

from perception.engines.onnx_file import check_onnx

MOST_MEMORY_BYTES = 1 << 31
"""Of all networks of a process on the processor: those that come with this package take a sixteenth for 12 images."""
# Threads that wait for each other within a run spin this long and then sleep, and none spins between runs: longer, and
# they would take the cores from the other processes on a robot's computer.
_SETTINGS = {
    "session.intra_op.spin_duration_us": "50",
    "session.force_spinning_stop": "1",
    "session.use_env_allocators": "1",  # those of `_bound_memory`
    "session.load_model_format": "ONNX",  # and not what its first bytes say
    # Processors with AVX2 that lack VNNI add products of bytes in 16 bits, which overflow: there the runtime then takes
    # other instructions, a third slower but right.
    "session.x64quantprecision": "1",
}


def open_session(network: bytes, provider: str, threads: int) -> onnxruntime.InferenceSession:
    """A session that computes on so many threads. Raises ValueError for bytes that `check_onnx` refuses, and errors of
    ONNX Runtime, which share no base class."""
    check_onnx(network)
    _bound_memory()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    for name, value in _SETTINGS.items():
        options.add_session_config_entry(name, value)
    return onnxruntime.InferenceSession(network, options, providers=[provider], enable_fallback=0)


@cache
def _bound_memory() -> None:
    """Makes the sessions of this process share what memory they may have, so that no network takes all there is."""
    kind, use = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    memory = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, use)
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg({"max_mem": MOST_MEMORY_BYTES}))
