"""Random scenes: what may vary and how far (`RandomizationConfig`, `preset`), and scenes drawn from it."""

from sim.randomization.config import RandomizationConfig
from sim.randomization.postures import Task, random_posture
from sim.randomization.presets import PRESETS, changed, preset
from sim.randomization.scenes import sample_scene

__all__ = ["PRESETS", "RandomizationConfig", "Task", "changed", "preset", "random_posture", "sample_scene"]
