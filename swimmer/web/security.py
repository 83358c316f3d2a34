"""Who may ask: the host that is named, the token, where a change comes from; what a page may do."""

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from swimmer.errors import InputError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
BODY_LIMIT = 128 << 10
"""Bytes of a request's body: a note of 10,000 characters, each of 12 bytes in a form."""

POLICY = (
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; object-src 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: a form would then be sent with an Origin of null, and refused as foreign.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
COOKIE = "swimmer_token"
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{8,200}")


def is_loopback(host: str) -> bool:
    """Whether an address to listen at can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_token(token: str | None, host: str) -> str:
    """Return the token that a visitor needs, "" for none: made here for a host others can reach.

    Raises:
        InputError: the token is short, or has characters that a cookie has not.
    """
    if token is None:
        return "" if is_loopback(host) else secrets.token_urlsafe(24)
    if not _TOKEN.fullmatch(token):
        raise InputError(
            "the token must have 8 to 200 letters, digits, '-', '_', '.' or '~'; leave --token "
            "out and one is made"
        )
    return token


def known_hosts(host: str) -> Callable[[str], bool]:
    """Return whether a name in a Host header is one of this server's, listening at `host`."""
    names = {*LOOPBACK, host.lower()}
    if is_loopback(host):
        return lambda name: name in names
    own = socket.gethostname().lower()
    names |= {own, own.partition(".")[0], f"{own.partition('.')[0]}.local"}
    # An address is no name that somebody else could point at this machine.
    return lambda name: name in names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Guard:
    """ASGI middleware: refuses what does not come from the page itself, binds what it may load.

    A Host header that is not this server's is refused (DNS rebinding), a POST that does not come
    from the same origin too, and whatever another site's page loads: it could not read the answer,
    but the work would be done. With a token, it must be in the cookie, or once in the address.
    """

    def __init__(self, app: ASGIApp, knows: Callable[[str], bool], token: str = "") -> None:
        self._app = app
        self._knows = knows
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "private, no-cache")
            await send(message)

        refusal = self._refusal(scope)
        inner: Callable[[Scope, Receive, Send], Awaitable[None]] = refusal or self._app
        await inner(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not self._knows(host_of(headers.get("host", ""))):
            return _refused(
                421,
                "This server does not go by the name in the request's Host header. Open it at "
                "the address that `swimmer serve` printed.",
            )
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return _refused(405, "Only GET, HEAD and POST are understood.")
        if scope["method"] == "POST" and not from_same_origin(headers):
            return _refused(403, "A change must come from the page itself; reload it.")
        if loaded_by_another_site(headers):
            return _refused(403, "Another site may link to this page, not load it into its own.")
        return self._without_token(scope, headers) if self._token else None

    def _without_token(self, scope: Scope, headers: Headers) -> Response | None:
        if scope["path"].startswith("/static/"):
            return None
        if self._is_token(_cookies(headers.getlist("cookie")).get(COOKIE, "")):
            return None
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in query if name == "token"]
        if scope["method"] == "POST" or not given or not self._is_token(given[0]):
            return _refused(
                401,
                "This page needs its token: open the address that `swimmer serve` printed, "
                "with ?token=… at its end. If you have just followed it, reload this page.",
            )
        # The token leaves the address at once: addresses are shared, and kept in histories.
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        path = "/" + scope["path"].lstrip("/")
        response = RedirectResponse(path + (f"?{rest}" if rest else ""), 303)
        response.set_cookie(COOKIE, self._token, httponly=True, samesite="strict", path="/")
        return response

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode("utf-8", "replace"), self._token.encode())


def _refused(status: int, why: str) -> Response:
    return PlainTextResponse(f"{why}\n", status)


def host_of(header: str) -> str:
    """Return the name or address in a Host header, without its port, in lower case."""
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:\[\]/@]+))(?::\d{1,5})?", header)
    return (found[1] or found[2]).lower() if found else ""


def from_same_origin(headers: Headers) -> bool:
    """Whether a browser says that a request was made by a page of this server.

    Browsers send Sec-Fetch-Site to loopback and over TLS, Origin everywhere.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", ""))
    return origin.scheme in ("http", "https") and origin.netloc == headers.get("host")


def loaded_by_another_site(headers: Headers) -> bool:
    """Whether a browser says that another site's page asks, other than by a link to follow."""
    site, destination = headers.get("sec-fetch-site"), headers.get("sec-fetch-dest")
    return site in ("cross-site", "same-site") and destination != "document"


def _cookies(lines: Iterable[str]) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie("; ".join(lines)).items()}
    except CookieError:
        return {}
