"""Rigid bodies in PyBullet: the Panda with motors, the support and one block. Time runs only inside `step`.

The fingers are coupled by a gear, as the real hand couples them: the clamp closes about its centre. Contacts
have Coulomb friction; motors are velocity constraints with a limited force.
"""

import numpy as np
from scipy.spatial.transform import Rotation

from perception.robot import Robot
from sim.bullet import pybullet
from sim.panda import panda_urdf
from sim.scene import Block

STEP_S = 1 / 240
GRAVITY_M_S2 = 9.81
ARM_JOINTS = 7
ARM_FORCE_N = (87.0, 87.0, 87.0, 87.0, 12.0, 12.0, 12.0)  # the Panda's own torque limits, N m
FINGER_FORCE_N = 30.0
FINGER_SPEED_M_S = 0.1
FINGER_GEAR_FORCE_N = 60.0
FINGER_FRICTION, BLOCK_FRICTION, SUPPORT_FRICTION = 1.2, 0.9, 0.8
SPINNING_FRICTION_M = 0.002  # stands for the patch that touches, which the solver takes for points
BLOCK_DENSITY_KG_M3, BLOCK_MASS_KG = 700.0, (0.1, 0.3)
POSITION_GAIN = 0.2


class Physics:
    """One physics client. Not safe across threads."""

    def __init__(self, robot: Robot) -> None:
        self._client = pybullet.connect(pybullet.DIRECT)
        pybullet.setGravity(0, 0, -GRAVITY_M_S2, physicsClientId=self._client)
        pybullet.setTimeStep(STEP_S, physicsClientId=self._client)
        # A solver that may stop early lets a resting block creep by 0.03 mm a second.
        pybullet.setPhysicsEngineParameter(
            deterministicOverlappingPairs=1, solverResidualThreshold=0, physicsClientId=self._client
        )
        self._support = self._static_plane()
        self._arm = pybullet.loadURDF(str(panda_urdf()), useFixedBase=True, physicsClientId=self._client)
        indices = {}
        for i in range(pybullet.getNumJoints(self._arm, physicsClientId=self._client)):
            info = pybullet.getJointInfo(self._arm, i, physicsClientId=self._client)
            indices[info[1].decode()] = i
        self._joints = [indices[name] for name in robot.joint_names]
        self._fingers = self._joints[ARM_JOINTS:]
        for finger in self._fingers:
            pybullet.changeDynamics(
                self._arm, finger, lateralFriction=FINGER_FRICTION, physicsClientId=self._client
            )
        self._couple_fingers()
        self._block: int | None = None
        self._half_height = 0.0

    def close(self) -> None:
        """Disconnect from the physics client. May be called twice."""
        if self._client >= 0:
            pybullet.disconnect(self._client)
            self._client = -1

    def place(self, joints: np.ndarray, block: Block) -> None:
        """Put the robot at joint positions (9,), at rest, and a new block on the support."""
        for index, value in zip(self._joints, joints, strict=True):
            pybullet.resetJointState(self._arm, index, value, 0.0, physicsClientId=self._client)
        if self._block is not None:
            pybullet.removeBody(self._block, physicsClientId=self._client)
        half = np.array(block.size_m) / 2
        self._half_height = float(half[2])
        shape = pybullet.createCollisionShape(
            pybullet.GEOM_BOX, halfExtents=half.tolist(), physicsClientId=self._client
        )
        mass = float(np.clip(BLOCK_DENSITY_KG_M3 * np.prod(block.size_m), *BLOCK_MASS_KG))
        self._block = pybullet.createMultiBody(
            mass,
            shape,
            basePosition=(block.x_m, block.y_m, self._half_height),
            baseOrientation=pybullet.getQuaternionFromEuler((0, 0, block.yaw_rad)),
            physicsClientId=self._client,
        )
        pybullet.changeDynamics(
            self._block,
            -1,
            lateralFriction=BLOCK_FRICTION,
            spinningFriction=SPINNING_FRICTION_M,
            physicsClientId=self._client,
        )

    def step(self, arm: np.ndarray, arm_speed: np.ndarray, finger_m: float) -> None:
        """One time step towards arm positions (7,) at arm_speed (7,) rad/s, and each finger at finger_m."""
        pybullet.setJointMotorControlArray(
            self._arm,
            self._joints[:ARM_JOINTS],
            pybullet.POSITION_CONTROL,
            targetPositions=arm.tolist(),
            targetVelocities=arm_speed.tolist(),
            forces=ARM_FORCE_N,
            positionGains=[POSITION_GAIN] * ARM_JOINTS,
            velocityGains=[1.0] * ARM_JOINTS,
            physicsClientId=self._client,
        )
        for finger in self._fingers:
            pybullet.setJointMotorControl2(
                self._arm,
                finger,
                pybullet.POSITION_CONTROL,
                targetPosition=finger_m,
                force=FINGER_FORCE_N,
                maxVelocity=FINGER_SPEED_M_S,
                physicsClientId=self._client,
            )
        pybullet.stepSimulation(physicsClientId=self._client)

    def joint_positions(self) -> np.ndarray:
        """Positions (9,) in rad and m."""
        return self._joint_column(0)

    def joint_speeds(self) -> np.ndarray:
        """Speeds (9,) in rad/s and m/s."""
        return self._joint_column(1)

    def block_pose(self) -> np.ndarray:
        """T_base_block (4, 4), its origin the centre of the bottom face."""
        position, turn = pybullet.getBasePositionAndOrientation(self._block, physicsClientId=self._client)
        pose = np.eye(4)
        pose[:3, :3] = Rotation.from_quat(turn).as_matrix()
        pose[:3, 3] = position - self._half_height * pose[:3, 2]
        return pose

    def fingers_touch_block(self) -> bool:
        """Whether both fingers touch the block."""
        return all(
            pybullet.getContactPoints(self._arm, self._block, finger, -1, physicsClientId=self._client)
            for finger in self._fingers
        )

    def _joint_column(self, column: int) -> np.ndarray:
        states = pybullet.getJointStates(self._arm, self._joints, physicsClientId=self._client)
        return np.array([state[column] for state in states])

    def _static_plane(self) -> int:
        shape = pybullet.createCollisionShape(pybullet.GEOM_PLANE, physicsClientId=self._client)
        body = pybullet.createMultiBody(0, shape, physicsClientId=self._client)
        pybullet.changeDynamics(body, -1, lateralFriction=SUPPORT_FRICTION, physicsClientId=self._client)
        return body

    def _couple_fingers(self) -> None:
        left, right = self._fingers
        gear = pybullet.createConstraint(
            self._arm, left, self._arm, right, pybullet.JOINT_GEAR, [1, 0, 0], [0, 0, 0], [0, 0, 0],
            physicsClientId=self._client,
        )  # fmt: skip
        pybullet.changeConstraint(
            gear, gearRatio=-1, erp=0.1, maxForce=FINGER_GEAR_FORCE_N, physicsClientId=self._client
        )
