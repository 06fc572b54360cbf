"""Scenes are drawn without what only physics needs."""

import subprocess
import sys


def test_sampling_needs_no_physics():
    """With PyBullet out of reach, as on a machine without it."""
    code = (
        "import sys; sys.modules['pybullet'] = None\n"
        "from sim.randomization import preset, sample_scene\n"
        "print(len(sample_scene('fine', 1, 2, config=preset('train')).views))\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "3\n"
