"""The localizer as a node under three cameras of 640 x 480 at 30 Hz: latency, age of frames, memory, start.

Cameras and node are processes of their own, over real DDS. The pictures are six poses of the photoreal set `lab`,
enlarged to 640 x 480, each for ten seconds, with fresh noise in four variants, so that no two frames that follow one
another are alike; with a pose, block, robot and cameras are all in another place at once. Latency is from the stamp of
an estimate's oldest image to its arrival here. The peer of the node's time is the library's on the same pictures, in a
process without ROS, alone on the machine.
"""

import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from _report import arguments, check, finish

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.photoreal.records import read_set
from perception.graph import NodeSpec, find_graph
from perception.localize import Localizer, View
from perception.ros_environment import free_domain_id, ros_environment
from perception.supervisor import ProcessSpec, Supervisor
from perception.tracking import Tracker

ROOT = Path(__file__).resolve().parents[1]
CAMERAS = ("camera_1", "camera_2", "camera_3")
SIZE = (640, 480)
SCENES, VARIANTS = 6, 4
NOISE = 2.0  # grey levels
RATE_HZ, JOINT_RATE_HZ = 30.0, 100.0
WARM_S, RUN_S, QUICK_S = 10.0, 60.0, 10.0
OLDEST_FRAME_S = 0.1
MEDIAN_MS, LATE_MS, START_S, GROWTH_MB = 60.0, 150.0, 5.0, 5.0
STAGES = ("coarse", "tool")
STARTS, QUICK_STARTS = 5, 1


def lay_out(folder: Path) -> list[list[View]]:
    """Write the pictures and joints that the camera process publishes; returns the views of each scene."""
    rng = np.random.default_rng(1)
    scenes: list[list[View]] = []
    for pose in islice(read_set("lab"), SCENES):
        views = []
        for name, picture in zip(CAMERAS, pose.of("overview"), strict=True):
            enlarged = cv2.resize(picture.rgb(), SIZE, interpolation=cv2.INTER_CUBIC)
            noise = rng.normal(0.0, NOISE, (VARIANTS, *enlarged.shape))
            views.append(View(name, np.clip(enlarged + noise, 0, 255).astype(np.uint8), picture.joints))
        scenes.append(views)
    for i, name in enumerate(CAMERAS):
        np.save(folder / f"{name}.npy", np.stack([views[i].image for views in scenes]))
    names = list(Localizer.open(stages=("tool",)).robot.joint_names)
    joints = {"names": names, "positions": [views[0].joints.tolist() for views in scenes]}
    (folder / "joints.json").write_text(json.dumps(joints), encoding="utf-8")
    return [[replace(view, image=view.image[0]) for view in views] for views in scenes]


def library_ms(stage: str, scenes: list[list[View]], rounds: int) -> float:
    """Median of the bare call, as continuous mode makes it, over scenes and so many rounds of each."""
    localizer = Localizer.open()
    seconds = []
    for views in scenes:
        tracker = Tracker(localizer)
        for _ in range(rounds):
            begin = time.perf_counter()
            if stage == "coarse":
                tracker.estimate(views)
            else:
                for view in views:
                    localizer.tool(view)
            seconds.append(time.perf_counter() - begin)
    return float(np.median(seconds) * 1e3)


def cameras(folder: Path) -> ProcessSpec:
    """The process of the cameras and the robot."""
    command = (sys.executable, str(ROOT / "benchmarks" / "_cameras.py"), str(folder), "--rate", str(RATE_HZ))
    return ProcessSpec("cameras", (*command, "--joint-rate", str(JOINT_RATE_HZ)), dict(os.environ))


def localizer(stage: str) -> ProcessSpec:
    """The node, which starts by itself."""
    parameters = {"continuous": stage, "autostart": True, "oldest_frame_s": OLDEST_FRAME_S}
    node = NodeSpec("localizer", "localizer", parameters=parameters)
    return ProcessSpec("localizer", node.command(), dict(os.environ))


class Watch:
    """What a client sees of the node: when estimates of which stamps came, and the diagnostics."""

    def __init__(self, client: Any, stage: str) -> None:
        from diagnostic_msgs.msg import DiagnosticArray
        from perception_interfaces.msg import BlockEstimate, ToolEstimate

        self.client = client
        self.ms: list[float] = []
        self._last = 0
        self.diagnosed: dict[str, str] = {}
        self.oldest_frames: list[float] = []
        kind, topic = (BlockEstimate, "estimate") if stage == "coarse" else (ToolEstimate, "tool")
        client.node.create_subscription(kind, f"localizer/{topic}", self._on_estimate, 10)
        client.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def _on_estimate(self, message: Any) -> None:
        from perception.nodes.messages import stamp_ns

        self.ms.append((self.client.node.get_clock().now().nanoseconds - stamp_ns(message.header.stamp)) / 1e6)

    def _on_diagnostics(self, message: Any) -> None:
        for status in message.status:
            if status.name == "localizer: localization":
                self.diagnosed = {pair.key: pair.value for pair in status.values}
                oldest = self.diagnosed.get("frame age (s), longest")
                self.oldest_frames += [float(oldest)] if oldest else []


def memory_mb(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def processor_s(pid: int) -> float:
    """Processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def under_cameras(stage: str, folder: Path, run_s: float, bare_ms: float) -> dict[str, Any]:
    """A row: the node under the cameras for run_s, after it has warmed up."""
    from perception.nodes.client import Client

    with Supervisor([cameras(folder), localizer(stage)], lambda name, line: None) as running, Client() as client:
        watch = Watch(client, stage)
        client.spin_until(lambda: bool(watch.ms), 60.0)
        client.spin_until(lambda: False, WARM_S)
        pids = running.process_ids()
        watch.ms.clear()
        watch.oldest_frames.clear()
        begin, memory = time.monotonic(), [memory_mb(pids["localizer"])]
        used = {name: processor_s(pid) for name, pid in pids.items()}
        while time.monotonic() < begin + run_s:
            client.spin_until(lambda: False, run_s / 10)
            memory.append(memory_mb(pids["localizer"]))
        took = time.monotonic() - begin
        cores = {name: (processor_s(pid) - used[name]) / took for name, pid in pids.items()}
    ms = np.array(watch.ms)
    per_set = len(CAMERAS) if stage == "tool" else 1
    processing_ms = float(watch.diagnosed["processing time (s), median"]) * 1e3
    half = len(memory) // 2
    return {
        "stage": stage,
        "estimates_per_s": len(ms) / took / per_set,
        "latency_ms_median": float(np.median(ms)),
        "latency_ms_99th": float(np.percentile(ms, 99)),
        "latency_ms_longest": float(ms.max()),
        "oldest_frame_ms": max(watch.oldest_frames) * 1e3,
        "node_processing_ms": processing_ms,
        "library_ms": bare_ms,
        "overhead": processing_ms / bare_ms,
        "memory_mb": memory[-1],
        "growth_mb": float(np.median(memory[half:]) - np.median(memory[: half + 1])),
        "cores_of_node": cores["localizer"],
        "cores_of_cameras": cores["cameras"],
        "failed": int(watch.diagnosed["estimates that failed"]),
    }


def start_s(specs: list[ProcessSpec], before: list[ProcessSpec]) -> float:
    """Seconds from the start of processes to the first estimate; `before`: those that run already."""
    from perception.nodes.client import Client

    with ExitStack() as stack:
        stack.enter_context(Supervisor(before, lambda name, line: None))
        client = stack.enter_context(Client())
        watch = Watch(client, "coarse")
        client.spin_until(lambda: False, 3.0 if before else 0.5)
        begin = time.monotonic()
        stack.enter_context(Supervisor(specs, lambda name, line: None))
        client.spin_until(lambda: bool(watch.ms), 60.0)
        return time.monotonic() - begin


def starts(folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Rows: the node under cameras that run already, and the whole graph with the simulated world."""
    graph = find_graph("localize").process_specs({"use_sim": "true", "continuous": "coarse"})
    found = []
    for what, specs, before in (
        ("start of the node, cameras running", [localizer("coarse")], [cameras(folder)]),
        ("start of the graph with the simulated world", graph, []),
    ):
        seconds = [start_s(specs, before) for _ in range(rounds)]
        found.append({"stage": what, "start_s": float(np.median(seconds)), "longest_start_s": max(seconds)})
    return found


def main() -> None:
    """Measure the bare library, then the node, then starts."""
    quick = arguments(__doc__ or "").quick
    os.environ.update(ros_environment(free_domain_id()))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scenes = lay_out(folder)
        bare = {stage: library_ms(stage, scenes, 5 if quick else 30) for stage in STAGES}
        rows = []
        for stage in STAGES:
            rows.append(under_cameras(stage, folder, QUICK_S if quick else RUN_S, bare[stage]))
            print(f"{stage}: measured", flush=True)
        cold = starts(folder, QUICK_STARTS if quick else STARTS)
    checks = []
    for row in rows:
        stage = row["stage"]
        checks += [
            check(f"{stage}: oldest frame used (ms)", row["oldest_frame_ms"], "<=", OLDEST_FRAME_S * 1e3),
            check(f"{stage}: latency, median (ms)", row["latency_ms_median"], "<=", MEDIAN_MS),
            check(f"{stage}: latency, 99th percentile (ms)", row["latency_ms_99th"], "<=", LATE_MS),
            check(f"{stage}: growth of memory (MB)", row["growth_mb"], "<=", GROWTH_MB),
        ]
    checks += [check(f"{row['stage']} (s)", row["start_s"], "<=", START_S) for row in cold]
    finish([*rows, *cold], checks, quick)


if __name__ == "__main__":
    main()
