"""Whether OpenGL works here, found out in a process of its own: a broken driver may end the process that tries it."""

import os
import subprocess
import sys
from functools import cache

TIMEOUT_S = 60.0
TRIAL = "from sim.renderers.gl.context import Context; Context().gl.simple_framebuffer((4, 4)).read()"


@cache
def failure() -> str | None:
    """Why there is no context of OpenGL 4.3 over EGL, in a few words; None where there is one. Asked once a process."""
    path = os.pathsep.join(entry for entry in sys.path if entry)
    try:
        done = subprocess.run(
            [sys.executable, "-c", TRIAL],
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return f"the driver did not answer within {TIMEOUT_S:.0f} s"
    if done.returncode == 0:
        return None
    said = done.stderr.strip().splitlines()
    if done.returncode < 0:
        return f"the driver ended the process with signal {-done.returncode}"
    return said[-1] if said else f"the driver ended the process with exit code {done.returncode}"
