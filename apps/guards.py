"""What every request has to pass, and every answer says: names of hosts, size of bodies, and what a page may load.

A page of another site can make a browser send requests to this machine, and with DNS rebinding read the answers as its
own. So the Host header has to name this machine, and Origin, where there is one, has to be of the same host.
"""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import urlsplit

LOCAL = frozenset({"127.0.0.1", "localhost"})
LARGEST_BODY = 64 * 1024
"""Bytes of a request, where nothing else is said of its address."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class Guards:
    """An ASGI application around another. larger: addresses whose requests may have more bytes, and how many."""

    def __init__(self, app: Application, larger: Mapping[str, int]) -> None:
        self.app, self.larger = app, larger

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return  # no web sockets here
        headers = [(name.lower(), value.decode("latin-1")) for name, value in scope["headers"]]
        refusal = refused(headers)
        if refusal is not None:
            await _answer(send, *refusal)
            return
        most = self.larger.get(scope["path"], LARGEST_BODY)
        length = next((value for name, value in headers if name == b"content-length"), "0")
        if not length.isdecimal() or int(length) > most:
            await _answer(send, 413, f"This is larger than {most} bytes: send less.")
            return
        body = await _body(receive, most)
        if body is None:
            await _answer(send, 413, f"This is larger than {most} bytes: send less.")
            return
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replayed() -> Message:
            return waiting.pop() if waiting else await receive()

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        await self.app(scope, replayed, marked)


async def _body(receive: Receive, most: int) -> bytes | None:
    """All of a body, as far as it was sent; None for one that is larger."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if sum(map(len, parts)) > most:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def refused(headers: list[tuple[bytes, str]]) -> tuple[int, str] | None:
    """Status and sentence for a request that is not from a page of this server; None for one that is."""
    hosts = [value for name, value in headers if name == b"host"]
    if len(hosts) != 1 or _name(hosts[0]) not in LOCAL:
        return 421, "This server answers to 127.0.0.1 and localhost alone."
    for name, value in headers:
        if name == b"origin" and value.lower() != f"http://{hosts[0].lower()}":
            return 403, "This server answers to its own page alone."
        if name == b"sec-fetch-site" and value not in ("same-origin", "none"):
            return 403, "This server answers to its own page alone."
    return None


def _name(host: str) -> str | None:
    """Of HOST or HOST:PORT, or None where it is neither."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname if parts.netloc == host and "@" not in host else None


async def _answer(send: Send, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close"), *HEADERS]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": sentence.encode()})
