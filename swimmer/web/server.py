"""The web server of the page."""

from __future__ import annotations

import contextlib
import errno
import re
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from swimmer.errors import InputError
from swimmer.serving import serve_app
from swimmer.web.app import THREADS, create_app
from swimmer.web.security import checked_token

PORTS = 50
_HOST = re.compile(r"[A-Za-z0-9._:%-]{0,253}")


def serve(
    stores: Sequence[Path | str],
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    token: str | None = None,
    browser: bool = True,
    read_only: bool = False,
) -> None:
    """Serve the page until interrupted; prints its address on standard output.

    Args:
        stores: folders, or addresses of Milvus, to serve besides what `swimmer list` finds.
        host: the address to listen at.
        port: 0 takes a free one.
        token: what visitors must give; by default a new one where other computers can connect.
        browser: whether to open the page in a browser.
        read_only: leave out the reading list with its notes.

    Raises:
        InputError: the port is not available, or the token is not valid.
    """
    needed = checked_token(token, host)
    with _listener(host, port) as listener:
        address = _address(host, listener.getsockname()[1], needed)
        app = create_app(stores, host=host, token=needed, read_only=read_only)
        sys.stdout.write(f"swimmer: serving at {address} (Ctrl-C to stop)\n")
        sys.stdout.flush()
        if browser:
            _open(address)
        # Ctrl-C is the normal way to stop the server.
        with contextlib.suppress(KeyboardInterrupt):
            serve_app(app, listener, share=THREADS - 1, lifespan="on")


def _listener(host: str, port: int) -> socket.socket:
    if not _HOST.fullmatch(host):
        raise InputError(
            f"{host[:80]!r} is not an address of this computer", hint="use another --host or --port"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off; otherwise each response waits
    # 40 ms for the acknowledgement of its headers.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # What is bound but not listened at can be taken by another process.
        listener.listen()
    except (OSError, OverflowError, UnicodeError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        # Another port helps only where the port is the problem.
        taken = getattr(error, "errno", None) in (errno.EADDRINUSE, errno.EACCES)
        free = _next_free(host, port) if taken else None
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            what = f"port {port} is in use"
        else:
            what = f"port {port} of {host} cannot be opened ({reason})"
        hint = f"try: swimmer serve --port {free}" if free else "use another --host or --port"
        raise InputError(what, hint=hint) from None
    return listener


def _next_free(host: str, port: int) -> int | None:
    """Return the next free port above one, or None."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for other in range(port + 1, min(port + 1 + PORTS, 65_536)):
        with socket.socket(family) as trial, contextlib.suppress(OSError):
            trial.bind((host, other))
            return other
    return None


def _address(host: str, port: int, token: str) -> str:
    # 0.0.0.0 cannot be opened in a browser; other computers reach this one by its name.
    name = socket.gethostname() if host in ("", "0.0.0.0", "::") else host
    name = f"[{name}]" if ":" in name else name
    return f"http://{name}:{port}/" + (f"?token={token}" if token else "")


def _open(address: str) -> None:
    import threading
    import webbrowser

    # The socket listens already: a browser that is faster than the server waits for it.
    def opened() -> None:
        with contextlib.suppress(webbrowser.Error, OSError):
            webbrowser.open(address)

    threading.Thread(target=opened, daemon=True).start()
