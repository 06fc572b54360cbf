"""The environment in which a ROS 2 process of this project runs, and the choice of its DDS domain.

Every process that talks ROS 2 is started with `ros_environment(...)`, so that it finds the same ROS 2 (wheels
in the virtual environment, or a sourced installation) and is seen on this machine alone.
"""

import os
import random
import socket
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

# The wheels start Python a second time to set the library path, unless this variable says that it is set.
_LIBRARY_PATH_IS_SET = "_ROS_WHEELS_BOOTSTRAP_COMPLETE"

# RTPS 2.2, section 9.6.1.1: ports of a domain are 7400 + 250 * domain, + 10 for the first participant's own.
# Up to 101 they stay below the ports that Linux hands out to others.
_FIRST_PORT, _PORTS_PER_DOMAIN, _FIRST_PARTICIPANT = 7400, 250, 10
LARGEST_DOMAIN_ID = 101


def sourced_prefixes(environment: Mapping[str, str] | None = None) -> list[str]:
    """The folders of AMENT_PREFIX_PATH outside this virtual environment if they hold a ROS 2, else none."""
    environment = os.environ if environment is None else environment
    prefixes = [
        p for p in environment.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p and p != sys.prefix
    ]
    return prefixes if any(Path(p, "share", "rclpy").is_dir() for p in prefixes) else []


def ros_environment(domain_id: int | None = None, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a child process that uses ROS 2.

    `base` is what it starts from (default: this process's own); `domain_id` is 0 to 101 (default: that of
    `base`). The child discovers other participants on this machine only. Logs go to ROS_LOG_DIR where it is
    set, else to a folder of this user beside other temporary files, so that no home directory is needed.
    Raises ValueError when `domain_id` is out of range.
    """
    environment = dict(os.environ if base is None else base)
    sourced = sourced_prefixes(environment)
    libraries = [str(Path(sys.prefix, "lib"))]
    if not sourced:
        libraries += sorted(str(p) for p in Path(sys.prefix).glob("lib/python3*/site-packages/ros_*.libs"))
        environment[_LIBRARY_PATH_IS_SET] = "1"
        environment["RMW_IMPLEMENTATION"] = "rmw_fastrtps_cpp"
    environment["AMENT_PREFIX_PATH"] = os.pathsep.join([sys.prefix, *sourced])
    others = [p for p in environment.get("LD_LIBRARY_PATH", "").split(os.pathsep) if p and p not in libraries]
    environment["LD_LIBRARY_PATH"] = os.pathsep.join([*libraries, *others])
    environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    environment.setdefault(
        "ROS_LOG_DIR", str(Path(tempfile.gettempdir(), f"blockworld-ros-log-{os.getuid()}"))
    )
    if domain_id is not None:
        _check(domain_id)
        environment["ROS_DOMAIN_ID"] = str(domain_id)
    return environment


def domain_is_free(domain_id: int) -> bool:
    """Whether no process of this machine takes part in the DDS domain; raises ValueError out of range."""
    _check(domain_id)
    first = _FIRST_PORT + _PORTS_PER_DOMAIN * domain_id
    for port in (first, first + _FIRST_PARTICIPANT):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("", port))
            except OSError:
                return False
    return True


def free_domain_id() -> int:
    """A DDS domain, 1 to 101, that no process of this machine takes part in.

    It is drawn at random, so that two processes that ask at the same time seldom get the same.
    Raises RuntimeError when all are taken.
    """
    candidates = random.SystemRandom().sample(range(1, LARGEST_DOMAIN_ID + 1), LARGEST_DOMAIN_ID)
    for domain_id in candidates:
        if domain_is_free(domain_id):
            return domain_id
    raise RuntimeError(
        f"all DDS domains from 1 to {LARGEST_DOMAIN_ID} are in use on this machine; end some ROS 2 "
        "processes and try again"
    )


def _check(domain_id: int) -> None:
    if not 0 <= domain_id <= LARGEST_DOMAIN_ID:
        raise ValueError(f"ROS_DOMAIN_ID is {domain_id}; give a number from 0 to {LARGEST_DOMAIN_ID}")
