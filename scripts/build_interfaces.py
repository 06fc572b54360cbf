"""Build the ROS 2 package `perception_interfaces` into the virtual environment that runs this script.

It is built by colcon against the ROS 2 that this Python imports: the wheels from PyPI, or a sourced
installation. Either way it is installed into the prefix of the virtual environment, so that its Python
imports it right away. Nothing is built while the sources, the Python and the ROS 2 are those of the
last build.

Usage: .venv/bin/python scripts/build_interfaces.py
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import numpy

from perception.ros_environment import ros_environment, sourced_prefixes

PACKAGE = Path(__file__).resolve().parent.parent / "ros_ws" / "src" / "perception_interfaces"
PREFIX = Path(sys.prefix)
WORK = PREFIX / "interfaces"
STAMP = WORK / "built"

# The wheels were built in a manylinux container; their CMake exports still name its include folders.
FOREIGN_PYTHON = re.compile(r"/opt/python/[\w.-]+/include/python3\.\d+t?")
FOREIGN_NUMPY = re.compile(r"/opt/python/[\w.-]+/lib/python3\.\d+t?/site-packages/numpy/_?core/include")


class BuildError(Exception):
    """The interfaces cannot be built; the message is one sentence for the user."""


def fingerprint() -> str:
    """A digest of what the build depends on: its sources, this script, Python, numpy and the ROS 2 in use."""
    digest = hashlib.sha256()
    for path in [Path(__file__), *sorted(p for p in PACKAGE.rglob("*") if p.is_file())]:
        digest.update(path.read_bytes())
    digest.update(f"{sys.version}|{PREFIX}|{numpy.__version__}|{sourced_prefixes()}".encode())
    return digest.hexdigest()


def point_wheels_at_this_python() -> int:
    """Name this machine's Python and numpy headers in the CMake exports of the wheels.

    Returns the number of files changed: 0 when all were changed before. A file is replaced, not written in
    place, because an installer may have hard-linked it to its cache.
    """
    python_include, numpy_include = sysconfig.get_path("include"), numpy.get_include()
    changed = 0
    for path in (PREFIX / "share").rglob("*.cmake"):
        text = path.read_text(encoding="utf-8")
        patched = FOREIGN_NUMPY.sub(numpy_include, FOREIGN_PYTHON.sub(python_include, text))
        if patched == text:
            continue
        with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="utf-8", delete=False) as file:
            file.write(patched)
        shutil.copymode(path, file.name)
        Path(file.name).replace(path)
        changed += 1
    return changed


def tools() -> str:
    """The path of colcon. Raises BuildError where colcon, a C++ compiler or Python's headers are missing."""
    colcon = shutil.which("colcon", path=f"{PREFIX / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}")
    if colcon is None:
        raise BuildError(
            "colcon is missing; install it with: sudo apt-get install python3-colcon-common-extensions"
        )
    if not (os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")):
        raise BuildError("a C++ compiler is missing; install it with: sudo apt-get install g++")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise BuildError(
            f"the headers of Python {version} are missing; "
            f"install them with: sudo apt-get install libpython{version}-dev"
        )
    return colcon


def build_environment() -> dict[str, str]:
    """The environment for colcon: packages and tools are looked for in the virtual environment first."""
    environment = ros_environment()
    environment["PATH"] = os.pathsep.join([str(PREFIX / "bin"), environment.get("PATH", os.defpath)])
    environment["CMAKE_PREFIX_PATH"] = environment["AMENT_PREFIX_PATH"]
    jobs = min(4, os.cpu_count() or 1)
    # Without MAKEFLAGS colcon also limits the load, which on a busy machine leaves one compiler at a time.
    environment.setdefault("MAKEFLAGS", f"-j{jobs}")
    environment.setdefault("CMAKE_BUILD_PARALLEL_LEVEL", str(jobs))
    return environment


def build() -> None:
    """Run colcon. Raises BuildError with the end of its output when it fails."""
    colcon = tools()
    if not sourced_prefixes():
        point_wheels_at_this_python()
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir()
    environment = build_environment()
    generator = "Ninja" if shutil.which("ninja", path=environment["PATH"]) else "Unix Makefiles"
    site_packages = Path(sysconfig.get_path("purelib")).relative_to(PREFIX)
    result = subprocess.run(
        [
            colcon,
            "--log-base",
            str(WORK / "log"),
            "build",
            "--base-paths",
            str(PACKAGE),
            "--build-base",
            str(WORK / "build"),
            "--install-base",
            str(PREFIX),
            "--merge-install",
            "--cmake-args",
            f"-G{generator}",
            "-DCMAKE_BUILD_TYPE=Release",
            "-DBUILD_TESTING=OFF",
            f"-DPython3_EXECUTABLE={sys.executable}",
            f"-DPYTHON_INSTALL_DIR={site_packages}",
            f"-DCMAKE_INSTALL_RPATH={PREFIX / 'lib'}",
        ],
        env=environment,
        cwd=WORK,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if result.returncode:
        tail = "\n".join(result.stdout.splitlines()[-30:])
        raise BuildError(
            f"{tail}\ncolcon could not build perception_interfaces; the whole log is in {WORK / 'log'}"
        )
    shutil.rmtree(WORK / "build")


def main() -> int:
    """Build what changed; 0 on success, 1 with a sentence on standard error otherwise."""
    wanted = fingerprint()
    if STAMP.is_file() and STAMP.read_text() == wanted:
        return 0
    print("Building the ROS 2 interfaces", flush=True)
    try:
        build()
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    STAMP.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
