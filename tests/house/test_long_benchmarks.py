"""Long benchmarks go on where they were broken off."""

import importlib.util
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "_workers.py"


@pytest.fixture(scope="module")
def resumed():
    spec = importlib.util.spec_from_file_location("_workers", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.resumed


def test_what_was_done_is_not_done_again(resumed, tmp_path):
    log, jobs, done = tmp_path / "log.jsonl", {"a": 1, "b": 2, "c": 3}, []

    def work(job):
        if job == 3 and len(done) == 2:
            raise KeyboardInterrupt
        done.append(job)
        return {"twice": 2 * job}

    with ThreadPoolExecutor(1) as pool:
        with pytest.raises(KeyboardInterrupt):
            resumed(pool, work, jobs, str(log), "jobs")
        assert done == [1, 2] and len(log.read_text().splitlines()) == 2
        done.append(0)
        assert resumed(pool, work, jobs, str(log), "jobs") == [{"twice": 2}, {"twice": 4}, {"twice": 6}]
    assert done == [1, 2, 0, 3]


def test_without_a_log_everything_is_done(resumed):
    with ThreadPoolExecutor(1) as pool:
        assert resumed(pool, lambda job: -job, {"a": 1, "b": 2}, None, "jobs") == [-1, -2]
        assert resumed(pool, lambda job: -job, {}, None, "jobs") == []


def test_workers_end_with_the_process_that_began_them(tmp_path):
    script = tmp_path / "long.py"
    script.write_text(
        f"import os, sys, time\nsys.path.insert(0, {str(FILE.parent)!r})\nfrom _workers import workers\n"
        "def work(job):\n    print(os.getpid(), flush=True)\n    time.sleep(60)\n"
        "if __name__ == '__main__':\n    with workers() as pool:\n        list(pool.map(work, [1]))\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        worker = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + 20
    while Path(f"/proc/{worker}/cmdline").exists() and Path(f"/proc/{worker}/cmdline").read_bytes():
        assert time.monotonic() < deadline, os.kill(worker, 9)
        time.sleep(0.1)
