"""The process that has Blender: found, started, fed with requests, and ended."""

import contextlib
import os
import subprocess
import sys
import tempfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from perception.errors import BlockworldError
from sim.renderers.cycles_messages import Message, receive, send

WORKER = Path(__file__).with_name("cycles_worker.py")
VARIABLE = "BLOCKWORLD_PHOTOREAL_PYTHON"
HELP = f"Make an environment for it with `./run setup photoreal`, or name a Python that imports it in {VARIABLE}"
OWN = Path(__file__).resolve().parents[2] / ".venv-photoreal/bin/python"


class BlenderError(BlockworldError):
    """Blender is missing, would not start, or ended."""


@cache
def blender_python() -> Path:
    """The Python that imports bpy: this one, else that named by BLOCKWORLD_PHOTOREAL_PYTHON, else the one that
    `./run setup photoreal` makes. Raises BlenderError where there is none."""
    if named := os.environ.get(VARIABLE):
        if not Path(named).is_file():
            raise BlenderError(
                f"{VARIABLE} is {named!r}, which is no file: name the Python that imports bpy."
            )
        return Path(named)
    if find_spec("bpy") is not None:
        return Path(sys.executable)
    if OWN.is_file():
        return OWN
    raise BlenderError(f"the cycles renderer needs Blender's Python package bpy 4.5. {HELP}.")


class BlenderProcess:
    """One child that answers requests in order. threads: of its own, 0 for as many as there are cores."""

    def __init__(self, threads: int = 0, command: list[str] | None = None) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close()
        self._child = subprocess.Popen(
            command or [str(blender_python()), "-X", "faulthandler", str(WORKER), str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        hello, _ = self._answer()
        self.version, self.device = str(hello["ready"]), str(hello["device"])

    def ask(self, header: dict[str, Any], arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The arrays of the answer; raises BlenderError where the child refused or died."""
        assert self._child.stdin is not None
        try:
            send(self._child.stdin, header, arrays)
        except OSError as error:
            raise self._died() from error
        answer, found = self._answer()
        if "error" in answer:
            raise BlenderError(f"Blender could not draw the scene: {answer['error']}.")
        return found

    def close(self) -> None:
        """End the child. May be called twice."""
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None and not pipe.closed:
                with contextlib.suppress(OSError):  # what was still to be written has no reader any more
                    pipe.close()
        try:
            self._child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._log.close()

    def _answer(self) -> Message:
        assert self._child.stdout is not None
        try:
            return receive(self._child.stdout)
        except (EOFError, OSError) as error:
            raise self._died() from error

    def _died(self) -> BlenderError:
        try:
            code: int | str = self._child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._child.kill()
            code = "unknown"
        self._log.seek(0)
        lines = [
            line.strip() for line in self._log.read().decode(errors="replace").splitlines() if line.strip()
        ]
        last = f"; its last words: {lines[-1]}" if lines else ""
        lacking = bool(lines) and lines[-1].startswith("ModuleNotFoundError")
        advice = f"{HELP}." if lacking else "Open the renderer anew."
        return BlenderError(f"the Blender process has ended (exit status {code}){last}. {advice}")
