"""A page's application on a port of this machine, until it is interrupted."""

import socket

import uvicorn

from apps.guards import Guards
from perception.errors import BlockworldError

HOST = "127.0.0.1"
MOST_REQUESTS = 100
"""At once."""


def listening(port: int) -> socket.socket:
    """A socket on a port, where 0 takes any that is free. Raises BlockworldError where it is taken."""
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
        found.listen(MOST_REQUESTS)  # who is told the address may ask at once, and waits
    except (OSError, OverflowError) as error:
        found.close()
        raise BlockworldError(f"port {port} is taken or not allowed: give another --port, or 0 for any.") from error
    return found


def address(bound: socket.socket) -> str:
    """Of the page on such a socket."""
    return f"http://{HOST}:{bound.getsockname()[1]}/"


def run(app: Guards, bound: socket.socket) -> None:
    """Answer, until the process is interrupted."""
    config = uvicorn.Config(
        app, log_level="warning", lifespan="off", ws="none", server_header=False, limit_concurrency=MOST_REQUESTS,
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(config).run([bound])
