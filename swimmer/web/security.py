"""Requests that are refused: another host, no token, another site; and the security headers."""

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
"""Bytes of a request's body: a note of 10,000 characters, each up to 12 bytes in a form."""

POLICY = (
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; object-src 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: a form would then be sent with the Origin "null", and be refused.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
COOKIE = "swimmer_token"
_TOKEN = re.compile(r"[A-Za-z0-9._~-]{8,200}")


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def checked_token(token: str | None, host: str) -> str:
    """Return the token that a visitor needs, "" for none; a new one for a host others can reach.

    Raises:
        InputError: the token is too short, or has characters that a cookie cannot have.
    """
    if token is None:
        return "" if is_loopback(host) else secrets.token_urlsafe(24)
    if not _TOKEN.fullmatch(token):
        raise InputError(
            "the token must have 8 to 200 letters, digits, '-', '_', '.' or '~'",
            hint="leave --token out to get a new one",
        )
    return token


def known_hosts(host: str) -> Callable[[str], bool]:
    """Return a function: whether a name in a Host header is a name of this server."""
    names = {*LOOPBACK, host.lower()}
    if is_loopback(host):
        return lambda name: name in names
    own = socket.gethostname().lower()
    names |= {own, own.partition(".")[0], f"{own.partition('.')[0]}.local"}
    # An attacker can point a name at this machine, but not an IP address.
    return lambda name: name in names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Guard:
    """ASGI middleware: refuses requests that are not from this server's own pages; sets headers.

    Refused are a Host header of another name (DNS rebinding), a POST from another origin, and
    anything that another site's page loads: it could not read the answer, but would cause the
    work. With a token, the cookie must hold it, or once the address.
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
                "The Host header names another server. Open the address that `swimmer serve` "
                "printed.",
            )
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return _refused(405, "Only GET, HEAD and POST are allowed.")
        if scope["method"] == "POST" and not from_same_origin(headers):
            return _refused(
                403, "This change did not come from the page. Reload the page and try again."
            )
        if loaded_by_another_site(headers):
            return _refused(403, "Other sites may link to this page, but not load it.")
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
                "This page needs a token. Open the address that `swimmer serve` printed, with "
                "?token=… at its end. If you have just done so, reload this page.",
            )
        # The token is removed from the address, which may be shared or kept in a history.
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
    """Whether the browser says that a page of this server made the request.

    Browsers send Sec-Fetch-Site to loopback and over TLS, Origin everywhere.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", ""))
    return origin.scheme in ("http", "https") and origin.netloc == headers.get("host")


def loaded_by_another_site(headers: Headers) -> bool:
    """Whether the browser says that another site's page made the request, except by a link."""
    site, destination = headers.get("sec-fetch-site"), headers.get("sec-fetch-dest")
    return site in ("cross-site", "same-site") and destination != "document"


def _cookies(lines: Iterable[str]) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie("; ".join(lines)).items()}
    except CookieError:
        return {}
