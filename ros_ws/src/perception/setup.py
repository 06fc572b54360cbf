"""The ament_python package `perception`, for colcon on a sourced ROS 2; see pyproject.toml for the rest."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
SHARE = "share/perception"


def files(folder: str, pattern: str) -> tuple[str, list[str]]:
    """Where the files of a folder are installed, and the files, relative to this one."""
    return f"{SHARE}/{folder}", sorted(str(path.relative_to(HERE)) for path in (HERE / folder).glob(pattern))


setup(
    name="perception",
    version="0.1.0",
    description="Localizes a block from the images of uncalibrated cameras, and picks it up.",
    license="Apache-2.0",
    packages=find_packages(include=["perception", "perception.*"]),
    package_data={"perception": ["robots/*.yaml"]},
    data_files=[
        ("share/ament_index/resource_index/packages", ["resource/perception"]),
        (SHARE, ["package.xml"]),
        files("launch", "*.launch.py"),
        files("config", "*.yaml"),
        files("config", "*.xml"),
        files("rviz", "*.rviz"),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    entry_points={
        "console_scripts": [
            f"{name} = perception.nodes.{name}:main"
            for name in ("bag_recorder", "grasp_transfer", "localizer", "pick", "sim_world")
        ],
    },
)
