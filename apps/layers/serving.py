"""The layer editor on a port of this machine, until it is interrupted."""

from collections.abc import Callable

from apps.layers.server import served
from apps.layers.workspace import Workspace
from apps.serving import address, listening, run


def serve(workspace: Workspace, port: int, told: Callable[[str], None]) -> None:
    """port: 0 takes any that is free; told: called with the page's address once it is there. Raises BlockworldError
    where the port is taken."""
    with listening(port) as bound, served(workspace) as app:
        told(address(bound))
        run(app, bound)
