"""The HTTP server of the page and of the MCP server: no client holds it for itself.

A client that sends its request or reads its answer too slowly is disconnected, the number of
connections is bounded, and each client is given only a share of the threads. Encryption, accounts
and limits by the minute belong to a reverse proxy (docs/security.md shows one).
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

CONNECTIONS = 256
"""Connections at once; for one more, the one that waited longest without a request is closed."""

SECONDS = {"request": 10.0, "body": 20.0, "reading": 30.0}
"""How long a connection may wait for its next request, for the rest of a request's body, and for
the client to read any of what was sent."""

ANSWER_SECONDS = 300.0
"""How long a client may take to read one answer."""

WAITING = 32
"""Requests of one client that wait for its share; further ones are answered 503."""

_TICK = 1.0
_BACKLOG = 128
_SHUTDOWN = 3


def serve_app(app: ASGIApp, listener: socket.socket, *, share: int, lifespan: str = "auto") -> None:
    """Serve an application on a bound socket until interrupted.

    Args:
        app: the ASGI application.
        listener: a socket that is bound.
        share: how many requests of one client are worked on at once.
        lifespan: as for uvicorn.
    """
    listener.listen(_BACKLOG)
    config = uvicorn.Config(
        FairShare(app, share),
        http=BoundedProtocol,
        ws="none",
        lifespan=lifespan,  # type: ignore[arg-type]
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_SHUTDOWN,
    )
    uvicorn.Server(config).run(sockets=[listener])


class BoundedProtocol(H11Protocol):
    """A connection that is closed when its client is slow."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, and close an idle one when there are too many."""
        super().connection_made(transport)
        self._state: tuple[str, int, int] = ("", 0, 0)
        self._since = self._begun = self.loop.time()
        self._timer = self.loop.call_later(_TICK, self._look)
        if len(self.connections) > CONNECTIONS:
            idle = [one for one in self.connections if _state_of(one) == "request"]
            longest = min(idle, key=lambda one: getattr(one, "_since", 0.0), default=self)
            longest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._timer.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        now, waits_for = self.loop.time(), _state_of(self)
        # While the client reads, what is left to send tells whether it goes on.
        left = self.transport.get_write_buffer_size() if waits_for == "reading" else 0
        state = (waits_for, id(self.cycle), left)
        if state[1] != self._state[1]:
            self._begun = now
        if state != self._state:
            self._state, self._since = state, now
        too_slow = now - self._since > SECONDS.get(waits_for, float("inf"))
        if too_slow or (waits_for == "reading" and now - self._begun > ANSWER_SECONDS):
            self.transport.abort()
            return
        self._timer = self.loop.call_later(_TICK, self._look)


def _state_of(connection: Any) -> str:
    """Return what a connection waits for: request, body, reading, or nothing ("work")."""
    cycle = connection.cycle
    if cycle is None or cycle.response_complete:
        return "request"
    if connection.flow.write_paused:
        return "reading"
    return "body" if cycle.more_body else "work"


class FairShare:
    """ASGI middleware: a client has some requests worked on at once, and a few that wait.

    A client is a session of the Model Context Protocol, else an address; behind a reverse proxy on
    this machine, the address that the proxy says it answers.

    Args:
        app: the application.
        share: requests of one client that are worked on at once.
        waiting: requests of one client that wait.
    """

    def __init__(self, app: ASGIApp, share: int, waiting: int = WAITING) -> None:
        self._app = app
        self._share = share
        self._most = share + waiting
        self._held: Counter[str] = Counter()
        self._turns: dict[str, asyncio.Semaphore] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request when it is its client's turn, or answer 503."""
        # A stream of notifications works on nothing, for as long as it is open.
        stream = scope.get("method") == "GET" and b"text/event-stream" in _header(scope, b"accept")
        if scope["type"] != "http" or stream:
            await self._app(scope, receive, send)
            return
        client = client_of(scope)
        if self._held[client] >= self._most:
            await _too_many(send)
            return
        self._held[client] += 1
        try:
            async with self._turns.setdefault(client, asyncio.Semaphore(self._share)):
                await self._app(scope, receive, send)
        finally:
            self._held[client] -= 1
            if not self._held[client]:
                del self._held[client], self._turns[client]


def client_of(scope: Scope) -> str:
    """Return what tells the client of a request from others."""
    if session := _header(scope, b"mcp-session-id"):
        return session[:200].decode("latin-1")
    address = str((scope.get("client") or ("",))[0])
    forwarded = _header(scope, b"x-forwarded-for").decode("latin-1")
    if forwarded and address in ("127.0.0.1", "::1"):
        # The last one is the proxy's own word; those before it are the client's.
        return forwarded.rpartition(",")[2].strip()[:100]
    return address


def _header(scope: Scope, wanted: bytes) -> bytes:
    return b",".join(value for name, value in scope.get("headers", ()) if name == wanted)


async def _too_many(send: Callable[[Any], Any]) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"retry-after", b"1")]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    body = b"Too many requests of yours are waiting; ask again in a moment.\n"
    await send({"type": "http.response.body", "body": body})
