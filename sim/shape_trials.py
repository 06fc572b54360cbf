"""Grasps of objects tried by an arm: the object stands on a table, turned so that the arm has a way in."""

import numpy as np

from sim.grasp_motion import find_lines
from sim.grasp_rules import TrialRules
from sim.grasp_trial import GraspTrial, TrialResult
from sim.grasps import Grasp
from sim.settle import settle
from sim.shapes import ObjectShape
from sim.shapes.solids import solid_of
from sim.solids import Solid

# What household things weigh, and how they hold on rubber and on a table; all that the three rules of the published
# comparisons say of one lift.
RULES = TrialRules(
    mass_kg=(0.1, 0.4), grip_friction=(0.5, 1.0), support_friction=(0.4, 0.8), tests=("shake", "push"), may_turn=True
)
DISTANCES_M = (0.50, 0.40, 0.60)
YAWS = 12


class ShapeTrials:
    """Tries grasps of one thing, a shape or a solid, with one robot; equal arguments give equal results on one machine.

    The thing first comes to rest as it stands in its object frame. Raises ValueError where it does not.
    """

    def __init__(self, thing: ObjectShape | Solid, rules: TrialRules = RULES, robot: str = "panda") -> None:
        solid = solid_of(thing, np.eye(4)) if isinstance(thing, ObjectShape) else thing
        self.solid = solid.at(settle([solid]).poses[0])
        self.trial = GraspTrial(robot, rules)

    def run(self, T_object_clamp: np.ndarray, opening_m: float, seed: int = 0) -> TrialResult:
        """Try one grasp (4, 4), from an opening in m; a thing that the arm cannot grasp so gives a result that says so.

        Raises ValueError for what is no pose or no opening of this gripper.
        """
        grasp = Grasp(T_object_clamp, opening_m)
        place = self.place(grasp)
        pose = place @ self.solid.pose
        placed = Grasp(pose @ grasp.T_base_clamp, opening_m)
        return self.trial.run(self.solid.at(pose), placed, seed=seed)

    def place(self, grasp: Grasp) -> np.ndarray:
        """(4, 4) where to move and turn the thing so that the arm has a way in to a grasp of it, and up again.

        The first of all places if there is none: the trial then tells why.
        """
        rules, description = self.trial.rules, self.trial.description
        resting = self.solid.pose @ grasp.T_base_clamp
        places = _places(resting)
        for place in places:
            placed = Grasp(place @ resting, grasp.opening_m)
            if find_lines(description, placed, rules.approach_m, rules.lift_m) is not None:
                return place
        return places[0]


def _places(T_table_clamp: np.ndarray) -> list[np.ndarray]:
    """Places (4, 4) for a thing with a grasp, the likeliest first: those where the hand comes from the robot's side,
    and closes across."""
    found: list[tuple[float, int, np.ndarray]] = []
    for distance in DISTANCES_M:
        for yaw in np.arange(YAWS) * 2 * np.pi / YAWS:
            place = np.eye(4)
            cos, sin = np.cos(yaw), np.sin(yaw)
            place[:2, :2] = ((cos, -sin), (sin, cos))
            clamp = place @ T_table_clamp
            place[:2, 3] = np.array([distance, 0.0]) - clamp[:2, 3]  # the clamp's own place counts for the arm
            ease = clamp[0, 2] + 0.5 * abs(clamp[1, 0]) - abs(distance - DISTANCES_M[0])
            found.append((-ease, len(found), place))
    return [place for _, _, place in sorted(found, key=lambda one: one[:2])]
