"""Prints those of the given node names that are in use in this ROS 2 domain."""

from __future__ import annotations

import os
import sys

from perception.nodes.client import Client

LOOK_S = 3.0


def main(names: list[str]) -> None:
    """Look for LOOK_S seconds, less if all are found; one name per line."""
    wanted = set(names)
    with Client(f"running_{os.getpid()}") as client:
        client.spin_until(lambda: wanted <= client.node_names(), LOOK_S)
        print(*sorted(wanted & client.node_names()), sep="\n", end="")


if __name__ == "__main__":
    main(sys.argv[1:])
