"""A made-up robot of simple shapes: six joints, two coupled fingers, one of its meshes in a file."""

import struct
from pathlib import Path

URDF = """<?xml version="1.0"?>
<robot name="toy">
  <material name="pale"><color rgba="0.9 0.9 0.8 1"/></material>
  <material name="dark"><color rgba="0.2 0.2 0.2 1"/></material>
  <link name="floor"/>
  <link name="base">
    <visual>
      <origin xyz="0 0 0.05"/><geometry><cylinder radius="0.08" length="0.1"/></geometry><material name="dark"/>
    </visual>
  </link>
  <link name="turret">
    <visual><geometry><mesh filename="package://toy_arm/meshes/wedge.stl"/></geometry><material name="pale"/></visual>
  </link>
  <link name="upper">
    <visual>
      <origin xyz="0 0 0.15"/><geometry><box size="0.06 0.06 0.3"/></geometry><material name="pale"/>
    </visual>
  </link>
  <link name="lower">
    <visual>
      <origin xyz="0.125 0 0"/><geometry><box size="0.25 0.05 0.05"/></geometry><material name="pale"/>
    </visual>
  </link>
  <link name="roll"><visual><geometry><sphere radius="0.04"/></geometry><material name="dark"/></visual></link>
  <link name="pitch"/>
  <link name="hand">
    <visual>
      <origin xyz="0 0 0.03"/><geometry><box size="0.12 0.04 0.06"/></geometry><material name="dark"/>
    </visual>
    <collision><origin xyz="0 0 0.03"/><geometry><box size="0.12 0.04 0.06"/></geometry></collision>
  </link>
  <link name="left">
    <visual>
      <origin xyz="-0.005 0 0.03"/><geometry><box size="0.01 0.02 0.06"/></geometry><material name="pale"/>
    </visual>
  </link>
  <link name="right">
    <visual>
      <origin xyz="0.005 0 0.03"/><geometry><box size="0.01 0.02 0.06"/></geometry><material name="pale"/>
    </visual>
  </link>
  <joint name="stand" type="fixed"><parent link="floor"/><child link="base"/></joint>
  <joint name="turn" type="continuous">
    <parent link="base"/><child link="turret"/><origin xyz="0 0 0.1"/><axis xyz="0 0 1"/><limit effort="60"/>
  </joint>
  <joint name="lean" type="revolute">
    <parent link="turret"/><child link="upper"/><origin xyz="0 0 0.1"/><axis xyz="0 1 0"/>
    <limit lower="-1.5" upper="1.5" effort="60"/>
  </joint>
  <joint name="bend" type="revolute">
    <parent link="upper"/><child link="lower"/><origin xyz="0 0 0.3"/><axis xyz="0 1 0"/>
    <limit lower="-2" upper="2" effort="40"/>
  </joint>
  <joint name="twist" type="revolute">
    <parent link="lower"/><child link="roll"/><origin xyz="0.25 0 0"/><axis xyz="2 0 0"/>
    <limit lower="-3" upper="3" effort="20"/>
  </joint>
  <joint name="nod" type="revolute">
    <parent link="roll"/><child link="pitch"/><axis xyz="0 1 0"/><limit lower="-2" upper="3" effort="20"/>
  </joint>
  <joint name="wrist" type="revolute">
    <parent link="pitch"/><child link="hand"/><origin xyz="0.06 0 0" rpy="0 1.5707963 0"/><axis xyz="0 0 1"/>
    <limit lower="-3" upper="3" effort="10"/>
  </joint>
  <joint name="left_slide" type="prismatic">
    <parent link="hand"/><child link="left"/><origin xyz="0 0 0.06"/><axis xyz="-1 0 0"/>
    <limit lower="0" upper="0.05" effort="20"/>
  </joint>
  <joint name="right_slide" type="prismatic">
    <parent link="hand"/><child link="right"/><origin xyz="0.002 0 0.06"/><axis xyz="1 0 0"/>
    <limit lower="0" upper="0.05" effort="20"/><mimic joint="left_slide" multiplier="1" offset="-0.002"/>
  </joint>
</robot>
"""

DESCRIPTION = """
name: toy
urdf: urdf/toy.urdf
base: base
clamp: {link: hand, xyz: [0, 0, 0.11]}
gripper:
  joints: [left_slide]
  closed: 0.002
  open: 0.042
  tips: [[left, [0, 0, 0.05]], [right, [0, 0, 0.05]]]
  force: 20
home: [0, -0.4, 0.6, 0, 1.3708, 0]
arm_spread_rad: [1, 0.4, 0.4, 0.5, 0.5, 1.5]
reach_m: [0.28, 0.44]
workspace_x_m: [0.2, 0.44]
workspace_y_m: [-0.3, 0.3]
camera_target_m: [0.25, 0, 0.2]
span_m: 0.8
clear_links: [roll, hand, clamp]
keypoints:
  overview:
    - {name: base, places: [[base, [0, 0, 0]]]}
    - {name: shoulder, places: [[upper, [0, 0, 0]]]}
    - {name: elbow, places: [[lower, [0, 0, 0]]]}
    - {name: wrist, places: [[roll, [0, 0, 0]]]}
    - {name: hand, places: [[hand, [0, 0, 0.03]]]}
    - {name: clamp, places: [[clamp, [0, 0, 0]]]}
  close_up:
    - {name: clamp, places: [[clamp, [0, 0, 0]]]}
    - {name: hand, places: [[hand, [0, 0, 0.03]]]}
    - {name: finger_tips, places: [[left, [0, 0, 0.05]], [right, [0, 0, 0.05]]]}
"""


def write_toy(folder: Path, urdf: str = URDF, description: str = DESCRIPTION) -> Path:
    """The robot as ROS lays it out: toy_arm/urdf/toy.urdf, toy_arm/meshes/wedge.stl; its description's path."""
    package = folder / "toy_arm"
    for name in ("urdf", "meshes"):
        (package / name).mkdir(parents=True, exist_ok=True)
    (package / "urdf" / "toy.urdf").write_text(urdf)
    (package / "meshes" / "wedge.stl").write_bytes(_wedge())
    (package / "toy.yaml").write_text(description)
    return package / "toy.yaml"


def _wedge() -> bytes:
    """A tetrahedron as binary STL, 12 cm high."""
    corners = [(-0.06, -0.06, 0.0), (0.06, -0.06, 0.0), (0.0, 0.07, 0.0), (0.0, 0.0, 0.12)]
    faces = [(0, 2, 1), (0, 1, 3), (1, 2, 3), (2, 0, 3)]
    triangles = [struct.pack("<12fH", 0, 0, 0, *(c for i in face for c in corners[i]), 0) for face in faces]
    return b"\0" * 80 + struct.pack("<I", len(faces)) + b"".join(triangles)
