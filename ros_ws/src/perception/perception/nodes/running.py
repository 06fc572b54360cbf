"""Prints those of the given node names that are in use in this ROS 2 domain."""

from __future__ import annotations

import os
import sys

from perception.nodes.client import Client

LOOK_S = 10.0  # participants announce themselves every 3 s, and an announcement may get lost
OTHERS_S = 1.0


def main(names: list[str]) -> None:
    """Look until one is found and OTHERS_S longer, for LOOK_S at most; one name per line."""
    wanted = set(names)
    with Client(f"running_{os.getpid()}") as client:
        if client.spin_until(lambda: bool(wanted & client.node_names()), LOOK_S):
            client.spin_until(lambda: wanted <= client.node_names(), OTHERS_S)
        print(*sorted(wanted & client.node_names()), sep="\n", end="")


if __name__ == "__main__":
    main(sys.argv[1:])
