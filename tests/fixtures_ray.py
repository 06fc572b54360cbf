"""A Ray cluster of two nodes on this machine, of which the second can be lost."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

WAIT_S = 120.0


@contextmanager
def two_nodes(monkeypatch: Any) -> Iterator[tuple[Any, Any]]:
    """Two nodes with a processor each: the cluster, and the second of them."""
    import ray
    from ray import cluster_utils

    monkeypatch.setenv("RAY_DISABLE_IMPORT_WARNING", "1")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "120")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # else workers starve beside other work
    nodes = cluster_utils.Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "object_store_memory": 80_000_000, "include_dashboard": False},
    )
    second = nodes.add_node(num_cpus=1, object_store_memory=80_000_000)
    nodes.wait_for_nodes()
    try:
        yield nodes, second
    finally:
        ray.shutdown()
        nodes.shutdown()


def lose(nodes: Any, node: Any, task: str) -> None:
    """Remove a node on which a task of that name runs, or will do, and wait until it is gone."""
    lost = wait_for(lambda: process_of(node, task))
    nodes.remove_node(node, allow_graceful=False)
    # It outlives its raylet for a moment, in which it could end its job.
    wait_for(lambda: not title(lost))


def process_of(node: Any, task: str) -> str | None:
    """The process of a task on the node: Ray names it after its task, and it is a child of the node's raylet."""
    (raylet,) = node.all_processes["raylet"]
    pid = raylet.process.pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        if title(child).startswith(f"ray::{task}"):
            return child
    return None


def title(pid: str) -> str:
    """Empty where the process has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


def wait_for(found: Callable[[], Any]) -> Any:
    """What is found in the end."""
    until = time.monotonic() + WAIT_S
    while not (value := found()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return value
