"""How fast pictures of randomized training scenes are made, by whom, and how fast they get into shards.

A scene has a robot of at most 10,000 triangles, a block, six distractors, shadows and textures (preset `train`), and
three views. "drawn": placing the scene in the renderer and drawing its views. "made": sampling the scene and the
camera's lens and sensor too. Each row is one process on one core, and the renderers take turns, scene by scene.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from _render_peers import Straight, bare_probe
from _report import arguments, check, finish

from sim.dataset import DatasetConfig, build
from sim.optics import photograph
from sim.randomization import changed, preset, sample_scene
from sim.renderers import Shot, open_renderer
from sim.robots import load_robot
from sim.scene import Scene

SEED = 41_003
TRAINING_SIZE = (224, 224)
SIZES = (TRAINING_SIZE, (128, 128), (640, 480))
SCENES, QUICK_SCENES = 24, 2
BUILT_IMAGES, QUICK_BUILT_IMAGES = 20_000, 1200
WARM_IMAGES, QUICK_WARM_IMAGES = 2_000, 600  # after which the rate and the growth of memory are measured
VIEWS = 3
RENDERERS = {
    "gl": lambda shadows: open_renderer("gl"),
    "tiny": lambda shadows: open_renderer("tiny"),
    "PyBullet TinyRenderer": lambda shadows: Straight(plugin=False, shadows=shadows),
    "PyBullet EGL plugin": lambda shadows: Straight(plugin=True, shadows=shadows),
    "PyBullet TinyRenderer, smooth edges": lambda shadows: Straight(plugin=False, shadows=shadows, finer=2),
    "PyBullet EGL plugin, smooth edges": lambda shadows: Straight(plugin=True, shadows=shadows, finer=2),
}
PLAIN = tuple(name for name in RENDERERS if "smooth" not in name)
ALIKE = tuple(name for name in RENDERERS if name not in PLAIN)  # what gl does too: four samples a pixel
START = """
from sim.renderers import open_renderer, Shot
from sim.randomization import preset, sample_scene
renderer = open_renderer("gl")
scene = sample_scene("coarse", 1, 0, config=preset("train"))
renderer.render(scene, [Shot.whole(scene.cameras[0], 224, 224)])
"""


def training_scene(index: int, shadows: bool) -> Scene:
    """Scene `index`, always with six distractors."""
    config = changed(preset("train"), {"distractors": {"count": [6, 6]}}, where="benchmark")
    scene = sample_scene("coarse", SEED, index, VIEWS, config)
    if shadows and any(light.shadow for light in scene.lights):
        return scene
    return replace(
        scene, lights=tuple(replace(light, shadow=shadows and not i) for i, light in enumerate(scene.lights))
    )


def serve(name: str, shadows: bool, core: int, pipe: Connection) -> None:
    """A process that draws with one renderer on one core, and sends the `clocks` per image of each job."""
    os.sched_setaffinity(0, {core})
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # PyBullet's plugin talks
    try:
        renderer = RENDERERS[name](shadows)
    except Exception as error:  # whatever a peer's driver raises is what its row says
        pipe.send(str(error))
        return
    pipe.send(getattr(renderer, "device", ""))
    for index, size, whole in iter(pipe.recv, None):
        begin = clocks()
        scene = training_scene(index, shadows)
        shots = [Shot.whole(camera, *size) for camera in scene.cameras]
        if whole:
            photograph(renderer, scene, shots, scene.views)
        else:
            begin = clocks()
            renderer.render(scene, shots)
        pipe.send((clocks() - begin) / VIEWS)
    renderer.close()


def clocks() -> np.ndarray:
    """Seconds of the wall and of this process's processor time, which others on the machine disturb less."""
    return np.array([time.perf_counter(), time.process_time()])


class Peer:
    """The other end of `serve`."""

    def __init__(self, name: str, shadows: bool) -> None:
        self.name, self.shadows = name, shadows
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        core = max(os.sched_getaffinity(0))
        self._process = context.Process(target=serve, args=(name, shadows, core, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.device = self._receive()

    def seconds(self, index: int, size: tuple[int, int], whole: bool) -> np.ndarray | None:
        """Per image; None where the process has ended."""
        try:
            self._pipe.send((index, size, whole))
        except OSError:
            return None
        answer = self._receive()
        return answer if isinstance(answer, np.ndarray) else None

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):
            self._pipe.send(None)
        self._process.join()

    def _receive(self) -> Any:
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            self._process.join()
            return f"ended with exit code {self._process.exitcode}"


def compare(
    names: Sequence[str], scenes: int, sizes: Sequence[tuple[int, int]], shadows: bool
) -> Iterator[dict[str, Any]]:
    """A row per renderer and size: medians over the scenes, the renderers taking turns."""
    peers = [Peer(name, shadows) for name in names]
    for index in range(scenes):  # so that meshes, textures and shaders are there
        for peer in peers:
            peer.seconds(index, TRAINING_SIZE, True)
    for size, whole in [(size, whole) for size in sizes for whole in (False, True)]:
        if whole and not (shadows and size == TRAINING_SIZE):
            continue
        found: dict[str, list[np.ndarray]] = {peer.name: [] for peer in peers}
        for index in range(scenes):
            for peer in peers:
                seconds = peer.seconds(index, size, whole)
                if seconds is not None:
                    found[peer.name].append(seconds)
        for peer in peers:
            yield row(peer, size, whole, found[peer.name])
    for peer in peers:
        peer.close()


def row(peer: Peer, size: tuple[int, int], whole: bool, seconds: list[np.ndarray]) -> dict[str, Any]:
    """One line of the table."""
    line = {
        "what": "made" if whole else "drawn",
        "renderer": peer.name,
        "size": "{}x{}".format(*size),
        "shadows": "on" if peer.shadows else "off",
    }
    if not seconds:
        return line | {"note": f"does not run here: {peer.device}"}
    milliseconds, processor = 1e3 * np.median(seconds, axis=0)
    times = {"ms": float(milliseconds), "cpu_ms": float(processor), "images_per_s_and_core": float(1e3 / milliseconds)}
    return line | times | {"device": peer.device}


def floor(repeats: int) -> Iterator[dict[str, Any]]:
    """The bare probe, at the sizes that the issue names and at that of a training scene."""
    core = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(core)})
    for triangles, size in ((35_000, 224), (12_000, 224), (8_000, 128)):
        milliseconds = 1e3 * median(bare_probe(triangles, size, repeats))
        yield {
            "what": f"floor: {triangles} triangles",
            "renderer": "bare moderngl",
            "size": f"{size}x{size}",
            "shadows": "on",
            "ms": milliseconds,
            "images_per_s_and_core": 1e3 / milliseconds,
        }
    os.sched_setaffinity(0, core)


def resident_mb(process: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def workers() -> set[int]:
    """The processes that this one has started and that draw."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {int(child) for child in children if resident_mb(int(child)) > 50}


def into_shards(images: int, warm: int) -> dict[str, Any]:
    """Two workers fill a data set: images/s, and by how much their memory grew, after the first `warm` images, when
    the workers have started and made the textures that all scenes share."""
    config = DatasetConfig(
        task="coarse",
        seed=SEED,
        scenes=-(-images // VIEWS),
        views=VIEWS,
        width=TRAINING_SIZE[0],
        height=TRAINING_SIZE[1],
        randomization={"distractors": {"count": [6, 6]}},
    )
    first: dict[int, float] = {}
    growth, done, begin, counted = 0.0, 0, time.perf_counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        for count in build(config, Path(folder) / "data", workers=2):
            done += count
            if done <= warm:
                begin, counted = time.perf_counter(), done
            elif done % 60 < count:
                for worker in workers():
                    now = resident_mb(worker)
                    growth = max(growth, now - first.setdefault(worker, now))
        seconds = time.perf_counter() - begin
    return {
        "what": f"{done} images into shards, 2 workers",
        "renderer": "gl",
        "size": "{}x{}".format(*TRAINING_SIZE),
        "shadows": "on",
        "ms": 1e3 * seconds / (done - counted),
        "images_per_s": (done - counted) / seconds,
        "growth_mb": growth,
    }


def start(cold: bool, repeats: int) -> float:
    """Seconds from starting a process to its first image; cold: without the caches of meshes and shaders."""
    found = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as empty:
            caches = {"BLOCKWORLD_CACHE": empty, "MESA_SHADER_CACHE_DIR": empty} if cold else {}
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", START], env=os.environ | caches, check=True)
            found.append(time.perf_counter() - begin)
    return median(found)


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__ or "")
    load_robot("panda")
    scenes = QUICK_SCENES if options.quick else SCENES
    start(cold=False, repeats=1)
    starts = {"warm": start(False, 1 if options.quick else 5), "cold": start(True, 1)}
    rows = [*floor(10 if options.quick else 40)]
    rows += compare([*PLAIN, *ALIKE], scenes, SIZES[:1], shadows=True)
    if not options.quick:
        rows += compare(PLAIN, scenes, SIZES[1:], shadows=True)
    rows += compare(PLAIN, scenes, SIZES[:1] if options.quick else SIZES[:2], shadows=False)
    rows += [
        {"what": f"first image of a process, {caches} caches", "renderer": "gl", "size": "224x224", "ms": 1e3 * seconds}
        for caches, seconds in starts.items()
    ]
    built = (QUICK_BUILT_IMAGES, QUICK_WARM_IMAGES) if options.quick else (BUILT_IMAGES, WARM_IMAGES)
    rows.append(shards := into_shards(*built))

    made = {line["renderer"]: line["ms"] for line in rows if line["what"] == "made" and "ms" in line}
    drawn = {
        line["renderer"]: line["ms"]
        for line in rows
        if line["what"] == "drawn" and line["size"] == "224x224" and line["shadows"] == "on" and "ms" in line
    }
    checks = []
    for name in RENDERERS:
        if name in made and "PyBullet" in name:
            checks.append(check(f"made with gl against {name} (ratio of medians)", made[name] / made["gl"], ">=", 5.0))
            checks.append(check(f"drawn by gl against {name} (ratio of medians)", drawn[name] / drawn["gl"], ">=", 5.0))
    checks.append(check("images/s into shards with 2 workers", shards["images_per_s"], ">=", 100.0))
    checks.append(check("first image of a process, warm caches (s)", starts["warm"], "<", 2.0))
    if not options.quick:
        checks.append(check("growth of a worker's memory over 20,000 images (MB)", shards["growth_mb"], "<", 50.0))
    finish(rows, checks, options.quick)


if __name__ == "__main__":
    main()
