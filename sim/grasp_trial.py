"""A grasp tried in physics: reach, approach, close by force, lift, hold, shake, push, each with its outcome.

The rules are the usual ones of grasp tests: the thing is lifted by 10 cm at 0.1 m/s and is then still between both
fingers; it stays there for 2 s; and while it is shaken. Another one is that forces push what was lifted from all sides.
Where both are asked for, both begin where the lift ended, so that one trial tells what each of the rules says. The arm
starts before the grasp, away from it along the clamp's z axis, and comes straight in, without touching anything.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sim.grasp_motion import find_lines, shaken, timed
from sim.grasp_rules import BEFORE, TESTS, Range, TrialRules
from sim.grasps import Grasp
from sim.physics import GRAVITY_M_S2, STEP_S, Friction, Physics
from sim.random_streams import stream
from sim.robots import RobotDescription, load_robot
from sim.scene import SUPPORT, Block, Body
from sim.solids import Solid

REST_S = 0.25  # what lies there comes to rest before the arm moves
TOUCH_N = 0.05
LOST_S = 0.05  # a finger that is off the thing for less may only rattle
STILL_S, STILL_SHARE = 0.1, 2e-3  # the fingers have closed: less than this share of their way in that time
LONGEST_CLOSING_S = 3.0
STUCK_RAD = 0.1
ARRIVED_M = 0.005
LARGEST_SLIP_M = 0.02
SLIP_STEPS = 6  # a slip is measured every so many steps


@dataclass(frozen=True)
class Phase:
    """One phase of a trial. forces_n: what each finger pressed on the thing with at its end."""

    name: str
    ok: bool
    start_s: float
    end_s: float
    forces_n: Range = (0.0, 0.0)


@dataclass(frozen=True)
class Moment:
    """What a film shows: time since the start in s, joints (J,), and the thing's pose (4, 4), that of its mesh."""

    time_s: float
    phase: str
    joints: np.ndarray
    pose: np.ndarray


@dataclass(frozen=True)
class TrialResult:
    """How a trial went. success: whether it passed all that was tried; reason: why it failed first, empty where it did
    not. opening_m: of the closed fingers."""

    success: bool
    reason: str
    phases: tuple[Phase, ...]
    mass_kg: float
    grip_friction: float
    support_friction: float
    opening_m: float = 0.0
    slip_m: float = 0.0

    @property
    def lifted(self) -> bool:
        """Whether it was lifted and then held by both fingers."""
        return self._passed("lift")

    @property
    def shaken(self) -> bool:
        """Whether it also was held for a while and stayed while it was shaken."""
        return self._passed("shake")

    @property
    def pushed(self) -> bool:
        """Whether it was lifted and stayed while forces pushed it."""
        return self._passed("push")

    def _passed(self, name: str) -> bool:
        return any(phase.name == name and phase.ok for phase in self.phases)

    @property
    def failed_phase(self) -> str | None:
        """The phase that failed, if one did."""
        return next((phase.name for phase in self.phases if not phase.ok), None)

    @property
    def duration_s(self) -> float:
        """Simulated time."""
        return self.phases[-1].end_s


class GraspTrial:
    """Tries grasps with one robot by one set of rules; equal arguments give equal results on one machine.

    film, if given, is called with a `Moment` every film_every_s of simulated time.
    """

    def __init__(
        self,
        robot: str | RobotDescription = "panda",
        rules: TrialRules | None = None,
        film: Callable[[Moment], None] | None = None,
        film_every_s: float = 0.1,
    ) -> None:
        self.description = load_robot(robot) if isinstance(robot, str) else robot
        self.rules = rules or TrialRules()
        self.film, self.film_every_s = film, film_every_s

    def run(
        self, thing: Block | Body | Solid, grasp: Grasp, around: Sequence[Body | Solid] = (), seed: int = 0
    ) -> TrialResult:
        """Try to grasp a thing among others, which stand still.

        around: supports (bodies of that label; the plane z = 0 where there is none), distractors, room. Raises
        ValueError for an opening that the gripper has not, a grip that it has not the force for, and a thing without
        volume.
        """
        self._check(grasp)
        solid = Solid.of(thing)
        rng = stream(seed, 0, "grasp trial")
        rules = self.rules
        mass = None if rules.mass_kg is None else float(rng.uniform(*rules.mass_kg))
        grip, support = (float(rng.uniform(*limits)) for limits in (rules.grip_friction, rules.support_friction))
        supports = [body for body in around if _holds(body)]
        physics = Physics(self.description, supports, Friction(grip, support))
        try:
            self._check_grip(physics)
            body = physics.add(solid, mass)
            for other in around:
                if not _holds(other):
                    physics.add_still(other)
            return _Run(self, physics, body, grasp).result(physics.mass(body), grip, support)
        finally:
            physics.close()

    def _check(self, grasp: Grasp) -> None:
        widest = self.description.opening_m
        if grasp.opening_m > widest + 1e-4:
            raise ValueError(
                f"the grasp's opening is {grasp.opening_m:.3f} m, but the gripper of {self.description.name} opens "
                f"{widest:.3f} m: give at most that."
            )

    def _check_grip(self, physics: Physics) -> None:
        asked, strongest = self.rules.grip_n, physics.strongest_grip_n
        if asked is not None and asked > strongest:
            raise ValueError(
                f"grip_n is {asked:g} N, but the fingers of {self.description.name} press with {strongest:.0f} N: "
                "give at most that."
            )


def _holds(thing: Body | Solid) -> bool:
    return thing.name == "support" if isinstance(thing, Solid) else thing.label == SUPPORT


class _Failed(Exception):
    """The trial is over; the message is the reason."""


class _Run:
    """One trial under way."""

    def __init__(self, trial: GraspTrial, physics: Physics, body: int, grasp: Grasp) -> None:
        self.trial, self.physics, self.body, self.grasp = trial, physics, body, grasp
        self.description, self.rules = trial.description, trial.rules
        self.arm = list(self.description.arm)
        self.finger = self.description.finger_at(grasp.opening_m)
        self.target = self.way_in = self.way_up = np.empty(0)
        self.phase, self.phases = BEFORE[0], list[Phase]()
        self.steps, self.start_s, self.next_moment_s = 0, 0.0, 0.0
        self.mark = np.array([0.0, 0.0, 0.0, 1.0])  # the point of the thing whose slip counts, in its own frame
        self.held, self.height_m = self.mark, 0.0  # where that point was in the clamp, and how high
        self.lost_s, self.slip_m, self.opening_m = 0.0, 0.0, 0.0
        self.weight_n = physics.mass(body) * GRAVITY_M_S2

    def result(self, mass_kg: float, grip_friction: float, support_friction: float) -> TrialResult:
        reasons, slip = [self._try(BEFORE)], self.slip_m
        if not reasons[0]:
            kept = self.physics.save(), self.target, self.slip_m
            for number, test in enumerate(self.rules.tests):
                if number:
                    self._go_back(*kept)
                reasons.append(self._try(TESTS[test]))
                slip = max(slip, self.slip_m)
        reason = next(filter(None, reasons), "")
        return TrialResult(
            not reason, reason, tuple(self.phases), mass_kg, grip_friction, support_friction, self.opening_m, slip
        )

    def _try(self, phases: Sequence[str]) -> str:
        """Why one of the phases failed; empty where all are passed."""
        parts = {
            "reach": self._reach, "approach": self._approach, "close": self._close, "lift": self._lift,
            "hold": self._hold, "shake": self._shake, "push": self._push,
        }  # fmt: skip
        for name in phases:
            self.phase, start, reason = name, self.time_s, ""
            try:
                parts[name]()
            except _Failed as failed:
                reason = str(failed)
            self.phases.append(Phase(name, not reason, start, self.time_s, self._forces()))
            if name == "close" and not reason:
                self.opening_m = self.description.opening_at(float(self._joints()[self.description.fingers[0]]))
            if reason:
                return reason
        return ""

    def _go_back(self, state: int, target: np.ndarray, slip_m: float) -> None:
        """To the end of the lift, where every test begins."""
        self.physics.restore(state)
        self.target, self.slip_m, self.lost_s = target, slip_m, 0.0

    @property
    def time_s(self) -> float:
        return self.steps * STEP_S

    def _reach(self) -> None:
        lines = find_lines(self.description, self.grasp, self.rules.approach_m, self.rules.lift_m)
        if lines is None:
            x, y, z = self.grasp.position_m
            raise _Failed(
                f"did not reach: {self.description.name} has no straight way in to a clamp at ({x:.3f}, {y:.3f}, "
                f"{z:.3f}) m, {np.hypot(x, y):.2f} m from the axis of its base, and up again"
            )
        self.way_in, self.way_up = lines
        self.physics.place(self.way_in[0])
        self.target = self.way_in[0][self.arm]
        self._drive([self.target] * int(REST_S / STEP_S), self._nothing_touched)

    def _approach(self) -> None:
        way = self._timed(self.way_in, self.rules.approach_m, self.rules.approach_speed_m_s)
        self._drive(way, self._nothing_touched)
        off = np.linalg.norm(self._clamp()[:3, 3] - self.grasp.position_m)
        if off > ARRIVED_M:
            raise _Failed(f"did not reach: the clamp stopped {1000 * off:.0f} mm from the grasp")

    def _close(self) -> None:
        closed, opened = self.description.opening
        self.finger = closed
        window, still = round(STILL_S / STEP_S), STILL_SHARE * abs(opened - closed)
        past: list[float] = []
        for _ in range(int(LONGEST_CLOSING_S / STEP_S)):
            self._step(self.target, np.zeros(len(self.arm)))
            past.append(float(self._joints()[self.description.fingers[0]]))
            if len(past) > window and np.ptp(past[-window:]) < still:
                break
        first, second = (force > TOUCH_N for force in self._forces())
        if not first and not second:
            raise _Failed("fingers closed on nothing")
        if not (first and second):
            raise _Failed("only one finger touches")
        if self.rules.may_turn:
            self.mark = np.linalg.inv(self.physics.pose(self.body)) @ self._clamp()[:, 3]
        marked = self._marked()
        self.held = np.linalg.inv(self._clamp()) @ marked
        self.height_m = marked[2]

    def _lift(self) -> None:
        self._drive(
            self._timed(self.way_up, self.rules.lift_m, self.rules.lift_speed_m_s),
            lambda: self._still_held("slipped while lifting"),
        )
        least = max(self.rules.lift_m - LARGEST_SLIP_M, self.rules.lift_m / 2)
        risen = self._clamp()[2, 3] - self.grasp.position_m[2]
        if risen < least:
            raise _Failed(f"did not lift, the clamp rose {1000 * risen:.0f} mm of {1000 * self.rules.lift_m:.0f} mm")
        if self._marked()[2] - self.height_m < least:
            raise _Failed("slipped while lifting, it did not rise with the clamp")

    def _hold(self) -> None:
        steps = int(self.rules.hold_s / STEP_S)
        self._drive([self.target] * steps, lambda: self._still_held("dropped while held"))

    def _shake(self) -> None:
        joints, rules = self.way_up[-1], self.rules
        clamp = self.description.robot.clamp_pose(joints)
        for name, axis in zip("xyz", clamp[:3, :3].T, strict=True):
            path = shaken(
                self.description, joints, axis, rules.shake_m, rules.shake_hz, rules.shake_periods, STEP_S
            )
            reason = f"dropped while shaken along the clamp's {name} axis"
            self._drive(path[:, self.arm], lambda reason=reason: self._still_held(reason))  # type: ignore[misc]

    def _push(self) -> None:
        force = self.rules.push_weights * self.weight_n + self.rules.push_n
        for direction in (*np.eye(3), *-np.eye(3)):
            axis = f"{'-' if direction.min() < 0 else ''}{'xyz'[int(np.abs(direction).argmax())]}"
            reason = f"dropped while pushed by {force:.1f} N along its {axis} axis"
            self.start_s = self.time_s
            for _ in range(int(self.rules.push_s / STEP_S)):
                self.physics.push(self.body, force * direction)
                self._step(self.target, np.zeros(len(self.arm)))
                self._still_held(reason)

    def _timed(self, path: np.ndarray, length_m: float, speed_m_s: float) -> np.ndarray:
        return timed(path, length_m, speed_m_s, STEP_S)[:, self.arm]

    def _drive(self, targets: Sequence[np.ndarray] | np.ndarray, check: Callable[[], None]) -> None:
        """Drive the arm through targets (T, A), one a step, and check after each."""
        before = self.target
        self.start_s = self.time_s
        for target in targets:
            self._step(target, (target - before) / STEP_S)
            before = self.target = target
            check()

    def _step(self, target: np.ndarray, speed: np.ndarray) -> None:
        if self.trial.film is not None and self.time_s >= self.next_moment_s:
            self.trial.film(Moment(self.time_s, self.phase, self._joints(), self.physics.pose(self.body)))
            self.next_moment_s += self.trial.film_every_s
        self.physics.step(target, speed, self.finger, self.rules.grip_n)
        self.steps += 1

    def _nothing_touched(self) -> None:
        for contact in self.physics.robot_contacts():
            if contact.force_n > self.rules.collision_n:
                raise _Failed(f"collided on approach: link {contact.link} with {contact.other}")
        if np.abs(self._joints()[self.arm] - self.target).max() > STUCK_RAD:
            raise _Failed("did not reach: the arm does not follow its path")

    def _still_held(self, reason: str) -> None:
        held = min(self._forces()) > TOUCH_N
        self.lost_s = 0.0 if held else self.lost_s + STEP_S
        if self.steps % SLIP_STEPS == 0:
            place = np.linalg.inv(self._clamp()) @ self._marked()
            self.slip_m = max(self.slip_m, float(np.linalg.norm(place - self.held)))
        if self.lost_s > LOST_S or self.slip_m > LARGEST_SLIP_M:
            raise _Failed(f"{reason}, {self.time_s - self.start_s:.2f} s")

    def _marked(self) -> np.ndarray:
        """(4,) where the marked point is in base, and 1."""
        return self.physics.pose(self.body) @ self.mark

    def _forces(self) -> Range:
        return self.physics.grip_forces(self.body)

    def _joints(self) -> np.ndarray:
        return self.physics.joint_positions()

    def _clamp(self) -> np.ndarray:
        return self.description.robot.clamp_pose(self._joints())
