"""The rules of grasp trials: how things are grasped, and what a grasp must stand."""

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

BEFORE = ("reach", "approach", "close", "lift")  # the phases before any test
TESTS: dict[str, tuple[str, ...]] = {"shake": ("hold", "shake"), "push": ("push",)}
MAY_BE_NOTHING = ("hold_s", "shake_m", "shake_periods", "push_weights", "push_n")

Range = tuple[float, float]
Test = Literal["shake", "push"]


@dataclass(frozen=True)
class TrialRules:
    """What is tried and what things are like; masses and frictions are drawn from their ranges for each trial.

    grip_n: what each finger presses with at most; None: 40 N, or less where the gripper cannot. mass_kg: None: that of
    dry wood of its volume, from 0.1 to 0.3 kg. grip_friction, support_friction: Coulomb's coefficients of fingers and
    thing, thing and support. The shake is a sine of shake_m amplitude and shake_hz along the clamp's x, y and z axes
    in turn, shake_periods each, of which the first swells and the last fades: with the usual figures up to 0.38 m/s
    and 7.1 m/s2. The push is a force of push_weights times the thing's weight and push_n more, on its centre of mass,
    for push_s each to and fro along its x, y and z axes. tests: which of both are tried, each from the end of the lift.
    may_turn: whether the thing may turn between the fingers, so that slips are measured there and not at its origin.
    collision_n: a lighter touch on the way in is none.
    """

    approach_m: float = 0.10
    approach_speed_m_s: float = 0.20
    collision_n: float = 2.0
    grip_n: float | None = None
    lift_m: float = 0.10
    lift_speed_m_s: float = 0.10
    hold_s: float = 2.0
    shake_m: float = 0.02
    shake_hz: float = 3.0
    shake_periods: int = 4
    push_weights: float = 1.0
    push_n: float = 1.0
    push_s: float = 0.5
    tests: tuple[Test, ...] = ("shake",)
    may_turn: bool = False
    mass_kg: Range | None = None
    grip_friction: Range = (1.0, 1.0)
    support_friction: Range = (0.7, 0.7)

    @property
    def phases(self) -> tuple[str, ...]:
        """The phases of a trial that passes them all."""
        return (*BEFORE, *(phase for test in self.tests for phase in TESTS[test]))

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.tests) - set(TESTS)):
            raise ValueError(f"there is no test {unknown[0]!r}: choose of {', '.join(TESTS)}.")
        for one in fields(self):
            value = getattr(self, one.name)
            if one.name in ("tests", "may_turn") or value is None:
                continue
            low, high = value if isinstance(value, tuple) else (value, value)
            least = 0.0 if one.name in MAY_BE_NOTHING else np.nextafter(0, 1)
            if not (np.isfinite([low, high]).all() and least <= low <= high):
                raise ValueError(
                    f"{one.name} is {value}: give a positive number, of a range the smaller one first."
                )
