"""How the server meets its clients: standard input and output, or HTTP."""

from __future__ import annotations

import errno
import socket
import sys

from mcp.server.mcpserver import MCPServer

from swimmer.errors import InputError

LOOPBACK = "127.0.0.1"
SESSIONS = 100
"""Sessions over HTTP at once; one more is refused until another ends."""

SESSION_SECONDS = 600.0
"""How long a session without a call is kept; a client that comes back later begins another."""

CALLS = 3
"""Calls of one session that are worked on at once."""


def serve_stdio(server: MCPServer[dict[str, object]]) -> None:
    """Serve one client on standard input and output, until it disconnects or Ctrl-C.

    Ctrl-C ends the process at once; an interrupted build resumes next time.
    """
    import signal

    # The thread that waits for a line cannot be woken: a handler in Python would run only after
    # the next line.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        server.run("stdio")
    except Exception as error:
        if not _disconnected(error):
            raise


def _disconnected(error: BaseException) -> bool:
    """Whether an error, or every error of a group, means that the client has disconnected."""
    inner = getattr(error, "exceptions", None)
    if inner:
        return all(_disconnected(one) for one in inner)
    return isinstance(error, BrokenPipeError)


def serve_http(
    server: MCPServer[dict[str, object]],
    port: int,
    *,
    sessions: int = SESSIONS,
    session_seconds: float = SESSION_SECONDS,
) -> None:
    """Serve streamable HTTP at http://127.0.0.1:PORT/mcp, until interrupted.

    Only programs on this machine can connect, and web pages cannot: requests with another Host
    or Origin are refused. Port 0 takes a free one; the address is printed on standard error.

    Args:
        server: what `build_server` gives.
        port: the port.
        sessions: sessions at once; one more is refused.
        session_seconds: how long a session without a call is kept.

    Raises:
        InputError: the port is not available.
    """
    from swimmer.serving import serve_app

    # Without the protocol named, asyncio leaves Nagle's delay on: 40 ms an answer.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
            # What is bound but not listened at can be taken by another process.
            listener.listen()
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            what = f"port {port} cannot be opened ({reason})"
            if getattr(error, "errno", None) == errno.EADDRINUSE:
                what = f"port {port} is in use"
            raise InputError(what, hint="use another --port; 0 takes a free one") from None
        address = f"http://{LOOPBACK}:{listener.getsockname()[1]}/mcp"
        sys.stderr.write(f"swimmer: serving MCP at {address}\n")
        sys.stderr.flush()
        app = server.streamable_http_app(
            host=LOOPBACK, session_idle_timeout=session_seconds, max_sessions=sessions
        )
        serve_app(app, listener, share=CALLS)
