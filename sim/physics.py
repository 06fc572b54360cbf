"""Rigid bodies in PyBullet: a robot with motors, a support, and things on it. Time runs only inside `step`.

Contacts have Coulomb friction; motors are velocity constraints with a limited force. Friction is given per pair of
what touches: what is handled has the coefficient 1, fingers and support that of the pair.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sim.bullet import pybullet
from sim.gripper import PAD_M, Gripper
from sim.robots import RobotDescription
from sim.scene import Block, Body
from sim.solids import Solid, add_moving, add_still

STEP_S = 1 / 240
GRAVITY_M_S2 = 9.81
FINGER_SPEED_M_S = 0.1
DENSITY_KG_M3, MASS_KG = 700.0, (0.1, 0.3)  # of dry wood; what grippers of this size hold well
POSITION_GAIN = 0.2
USUAL_GRIP_N = 40.0
LINKAGE_ITERATIONS = 200  # with the usual 50, light links under a grip's force wander, and what is held with them
DAMPING = 0.04  # share of a thing's speed that it loses in a second
HIGHEST_M = 3.0  # heights are looked for this far above and below the base
ROLLING_M = 5e-4  # what is round comes to rest; boxes creep with it, by 0.02 mm a second


@dataclass(frozen=True)
class Friction:
    """Coulomb coefficients: of fingers on what they hold, and of what lies there on its support or on others."""

    grip: float = 1.0
    support: float = 0.7


@dataclass(frozen=True)
class Contact:
    """A link of the robot that touches a thing: `other` is its name; force in N."""

    link: str
    other: str
    force_n: float


Depth = tuple[str, str, float]
"""Names of two things that are inside each other, and how deep, m."""


def usual_mass(volume_m3: float) -> float:
    """Mass in kg of a thing of that volume, unless another is given."""
    return float(np.clip(DENSITY_KG_M3 * volume_m3, *MASS_KG))


class Physics:
    """One physics client. Not safe across threads.

    A robot, where its description is given, at the joint positions that `place` sets; things that support others,
    which is the plane z = 0 unless any are given.
    """

    def __init__(
        self,
        description: RobotDescription | None = None,
        supports: Sequence[Body | Solid] = (),
        friction: Friction | None = None,
        step_s: float = STEP_S,
        damping: float = DAMPING,
    ) -> None:
        self._client = pybullet.connect(pybullet.DIRECT)
        self._friction, self._step_s, self._damping = friction or Friction(), step_s, damping
        pybullet.setGravity(0, 0, -GRAVITY_M_S2, physicsClientId=self._client)
        pybullet.setTimeStep(step_s, physicsClientId=self._client)
        # A solver that may stop early lets a resting block creep by 0.03 mm a second.
        pybullet.setPhysicsEngineParameter(
            deterministicOverlappingPairs=1, solverResidualThreshold=0, physicsClientId=self._client
        )
        self._names: dict[int, str] = {}
        self._centres: dict[int, np.ndarray] = {}
        plane = Solid("plane", np.eye(4), name="support")
        self.supports = tuple(self.add_still(support) for support in supports or (plane,))
        self.robot = -1
        if description is not None:
            self._load_robot(description)

    def close(self) -> None:
        """Disconnect from the physics client. May be called twice."""
        if self._client >= 0:
            pybullet.disconnect(self._client)
            self._client = -1

    def place(self, joints: np.ndarray) -> None:
        """Put the robot at joint positions (J,), at rest."""
        for index, value in zip(self._joints, joints, strict=True):
            pybullet.resetJointState(self.robot, index, value, 0.0, physicsClientId=self._client)
        self._gripper.place(float(joints[self._description.fingers[0]]))

    def add(self, thing: Block | Body | Solid, mass_kg: float | None = None) -> int:
        """Put a thing that moves in its place, as its convex pieces or its convex hull; returns its number.

        Raises ValueError for a mesh without volume and for a mass that is not positive.
        """
        solid = Solid.of(thing)
        mass = usual_mass(solid.volume_m3) if mass_kg is None else mass_kg
        if not (np.isfinite(mass) and mass > 0):
            raise ValueError(f"the mass of the {solid.name} is {mass} kg: give a positive one.")
        body = add_moving(solid, mass, self._client)
        self._set_friction(body, 1.0, rolling_m=0.0 if solid.mesh == "box" else ROLLING_M)
        self._names[body], self._centres[body] = solid.name, solid.centre
        return body

    def add_still(self, thing: Block | Body | Solid) -> int:
        """Put a thing that does not move in its place; returns its number."""
        solid = Solid.of(thing)
        body = add_still(solid, self._client)
        self._set_friction(body, self._friction.support)
        self._names[body] = solid.name
        return body

    def pose(self, thing: int) -> np.ndarray:
        """(4, 4) pose of the scaled mesh of a thing that was added as moving, base frame."""
        position, turn = pybullet.getBasePositionAndOrientation(thing, physicsClientId=self._client)
        pose = np.eye(4)
        pose[:3, :3] = np.reshape(pybullet.getMatrixFromQuaternion(turn), (3, 3))
        pose[:3, 3] = position - pose[:3, :3] @ self._centres[thing]
        return pose

    def mass(self, thing: int) -> float:
        """Mass of a thing in kg."""
        return float(pybullet.getDynamicsInfo(thing, -1, physicsClientId=self._client)[0])

    def speed(self, thing: int) -> tuple[float, float]:
        """How fast a thing moves and turns: m/s, rad/s."""
        moving, turning = pybullet.getBaseVelocity(thing, physicsClientId=self._client)
        return float(np.linalg.norm(moving)), float(np.linalg.norm(turning))

    def step(
        self, arm: np.ndarray, arm_speed: np.ndarray, finger: float, grip_n: float | None = None
    ) -> None:
        """One time step towards arm positions (A,) at arm_speed (A,) rad/s and finger joints at `finger`.

        grip_n: what each finger presses with at most, N, if the gripper can; else 40 N.
        """
        pybullet.setJointMotorControlArray(
            self.robot,
            self._arm_joints,
            pybullet.POSITION_CONTROL,
            targetPositions=arm.tolist(),
            targetVelocities=arm_speed.tolist(),
            forces=self._description.arm_force.tolist(),
            positionGains=[POSITION_GAIN] * len(self._arm_joints),
            velocityGains=[1.0] * len(self._arm_joints),
            physicsClientId=self._client,
        )
        force = min(USUAL_GRIP_N if grip_n is None else grip_n, self.strongest_grip_n)
        self._gripper.drive(finger, force, FINGER_SPEED_M_S, self._step_s)
        self.fall()

    def push(self, thing: int, force_n: np.ndarray) -> None:
        """A force (3,) along the axes of the thing's frame, N, on its centre of mass during the next time step."""
        pybullet.applyExternalForce(
            thing, -1, force_n.tolist(), (0, 0, 0), pybullet.LINK_FRAME, physicsClientId=self._client
        )

    def save(self) -> int:
        """Keep how everything is and moves; returns a number for `restore`."""
        return int(pybullet.saveState(physicsClientId=self._client))

    def restore(self, kept: int) -> None:
        """Everything as it was when it was kept."""
        pybullet.restoreState(kept, physicsClientId=self._client)

    def fall(self) -> None:
        """One time step in which no motor of the robot gets a new command."""
        pybullet.stepSimulation(physicsClientId=self._client)

    @property
    def strongest_grip_n(self) -> float:
        """What each finger can press with, N."""
        return self._gripper.strongest_n

    def joint_positions(self) -> np.ndarray:
        """Positions (J,) in rad and m."""
        return self._joint_column(0)

    def joint_speeds(self) -> np.ndarray:
        """Speeds (J,) in rad/s and m/s."""
        return self._joint_column(1)

    def grip_forces(self, thing: int) -> tuple[float, float]:
        """What each of the two fingers presses on a thing with, N."""
        return self._gripper.forces_on(thing)

    def robot_contacts(self) -> list[Contact]:
        """Links of the robot that touch something; its foot on the support does not count."""
        found: dict[tuple[int, int], float] = {}
        for point in pybullet.getContactPoints(bodyA=self.robot, physicsClientId=self._client):
            if point[2] != self.robot and point[3] not in self._foot:
                key = (point[3], point[2])
                found[key] = found.get(key, 0.0) + point[9]
        return [Contact(self._links[link], self._names[other], force) for (link, other), force in found.items()]

    def heights(self, places_m: np.ndarray) -> np.ndarray:
        """Height (N,) of the topmost surface over each of places_m (N, 2), m; -inf where there is none."""
        found = np.full(len(places_m), -np.inf)
        for first in range(0, len(places_m), pybullet.MAX_RAY_INTERSECTION_BATCH_SIZE):
            chunk = places_m[first : first + pybullet.MAX_RAY_INTERSECTION_BATCH_SIZE]
            start = np.column_stack([chunk, np.full(len(chunk), HIGHEST_M)]).tolist()
            end = np.column_stack([chunk, np.full(len(chunk), -HIGHEST_M)]).tolist()
            hits = pybullet.rayTestBatch(start, end, physicsClientId=self._client)
            found[first : first + len(chunk)] = [hit[3][2] if hit[0] >= 0 else -np.inf for hit in hits]
        return found

    def inside(self, first: int, second: int) -> list[Depth]:
        """The parts of two bodies that are inside each other: names of both, and how deep, m.

        Of the robot without its foot on what it stands on.
        """
        return self._depths(
            point
            for point in pybullet.getClosestPoints(first, second, 0.0, physicsClientId=self._client)
            if not (first == self.robot and point[3] in self._foot)
        )

    def inside_itself(self) -> list[Depth]:
        """Links that are inside each other, but for parts of the gripper and links that a joint connects."""
        gripper = self._gripper.links
        return self._depths(
            point
            for point in pybullet.getClosestPoints(self.robot, self.robot, 0.0, physicsClientId=self._client)
            if point[3] < point[4]
            and self._parents[point[4]] != point[3]
            and not (point[3] in gripper and point[4] in gripper)
        )

    def _depths(self, points: Iterable[tuple]) -> list[Depth]:
        return [
            (self._part(point[1], point[3]), self._part(point[2], point[4]), -point[8])
            for point in points
            if point[8] < 0
        ]

    def _part(self, body: int, link: int) -> str:
        return f"link {self._links[link]}" if body == self.robot else self._names[body]

    def _load_robot(self, description: RobotDescription) -> None:
        client = self._client
        self._description = description
        self.robot = pybullet.loadURDF(str(description.urdf), useFixedBase=True, physicsClientId=client)
        infos = [
            pybullet.getJointInfo(self.robot, i, physicsClientId=client)
            for i in range(pybullet.getNumJoints(self.robot, physicsClientId=client))
        ]
        joints = {info[1].decode(): info[0] for info in infos}
        links = {info[12].decode(): info[0] for info in infos}
        self._links = {-1: description.robot.base} | {index: name for name, index in links.items()}
        self._parents = {info[0]: info[16] for info in infos}
        self._foot = {-1} | {info[0] for info in infos if info[2] == pybullet.JOINT_FIXED and info[16] == -1}
        self._joints = [joints[name] for name in description.robot.joint_names]
        self._arm_joints = [self._joints[i] for i in description.arm]
        self._gripper = Gripper(description, self.robot, joints, links, client)
        self._gripper.set_friction(self._friction.grip)
        if description.robot.mimics:
            pybullet.setPhysicsEngineParameter(numSolverIterations=LINKAGE_ITERATIONS, physicsClientId=client)

    def _set_friction(self, body: int, lateral: float, rolling_m: float = 0.0) -> None:
        pybullet.changeDynamics(
            body,
            -1,
            lateralFriction=lateral,
            spinningFriction=PAD_M / 2,
            rollingFriction=rolling_m,
            linearDamping=self._damping,
            angularDamping=self._damping,
            physicsClientId=self._client,
        )

    def _joint_column(self, column: int) -> np.ndarray:
        states = pybullet.getJointStates(self.robot, self._joints, physicsClientId=self._client)
        return np.array([state[column] for state in states])
