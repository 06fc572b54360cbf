"""Arrows point one way: training -> sim -> perception, apps -> training and perception; each heavy library stays in its
place."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {
    "perception": ROOT / "ros_ws" / "src" / "perception" / "perception",
    "sim": ROOT / "sim",
    "training": ROOT / "training",
    "apps": ROOT / "apps",
}
ROS = {
    "rclpy",
    "rosidl_runtime_py",
    "perception_interfaces",
    "tf2_ros",
    "sensor_msgs",
    "shape_msgs",
    "geometry_msgs",
}
FORBIDDEN = {
    "perception": {"torch", "lightning_fabric", "pybullet", "pybullet_data", "sim", "training", "apps", "blockworld"},
    "sim": {"torch", "lightning_fabric", "training", "apps", "blockworld"} | ROS,
    "training": {"apps", "blockworld"} | ROS,
    "apps": {"torch", "lightning_fabric", "pybullet", "sim", "blockworld"} | ROS,
}


def imported_packages(source: str) -> set[str]:
    """Top-level packages that a module imports anywhere, inside functions and by import_module("...") too."""
    packages = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            packages.add(node.module.partition(".")[0])
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) in {"import_module", "__import__"}
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            packages.add(str(node.args[0].value).partition(".")[0])
    return packages


def sources(package: str) -> list[Path]:
    return sorted(FOLDERS[package].rglob("*.py"))


@pytest.mark.parametrize("package", FOLDERS)
def test_no_package_imports_upward(package):
    assert sources(package)
    wrong = {
        str(path.relative_to(ROOT)): sorted(bad)
        for path in sources(package)
        if (bad := imported_packages(path.read_text(encoding="utf-8")) & FORBIDDEN[package])
    }
    assert not wrong


def test_only_the_nodes_import_rclpy():
    nodes = FOLDERS["perception"] / "nodes"
    everything = [
        *sources("perception"),
        *sources("sim"),
        *sources("training"),
        *sources("apps"),
        *(ROOT / "blockworld").rglob("*.py"),
    ]
    importers = {p for p in everything if "rclpy" in imported_packages(p.read_text(encoding="utf-8"))}
    assert importers
    assert {p for p in importers if nodes not in p.parents} == set()


@pytest.mark.parametrize(
    ("source", "packages"),
    [
        ("import torch.nn as nn", {"torch"}),
        ("def f():\n    from sim.world import PybulletWorld", {"sim"}),
        ("from . import sim", set()),
        ("import importlib\nimportlib.import_module('torch.nn')", {"importlib", "torch"}),
    ],
)
def test_every_way_to_import_is_seen(source, packages):
    assert imported_packages(source) == packages
