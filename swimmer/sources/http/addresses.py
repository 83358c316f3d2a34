"""Which addresses may be fetched: http(s) on the public internet; private ones are blocked (SSRF).

Sources: the special-purpose address registries of IANA
(https://www.iana.org/assignments/iana-ipv4-special-registry,
https://www.iana.org/assignments/iana-ipv6-special-registry) and, for how programs read a host that
ends in a number, https://url.spec.whatwg.org/#ends-in-a-number-checker.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import urllib.request
from collections.abc import Container
from urllib.parse import urlsplit

from swimmer.errors import SourceError

_EXAMPLE = "give an address that begins with https://"
PORTS = {"http": 80, "https": 443}
MOST_ADDRESSES = 8
"""Addresses of one name that are tried, in the order in which the system gives them."""

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Beside what `is_global` knows, which differs between versions of Python: protocol assignments,
# documentation, 6to4's relay, and the host service of a large cloud.
_REFUSED_IPV4 = tuple(
    map(ipaddress.IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"))
)
_REFUSED_IPV6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "3fff::/20")))
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_ENDS_IN_NUMBER = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$")
_PRIVATE_NAMES = (
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "lan",
    "home",
    "home.arpa",
)


class AddressGuard:
    """Checks what is fetched; a name is looked up once, and only what was checked is connected to.

    Args:
        allow_private: whether private addresses may be fetched.
        trusted: hosts that may be anywhere.
    """

    def __init__(self, allow_private: bool = False, trusted: Container[str] = ()) -> None:
        self._allow_private = allow_private
        self._trusted = trusted
        self._known: dict[tuple[str, int], list[str]] = {}

    def check(self, url: str) -> str:
        """Return the host of `url` in lower case, without a dot at its end.

        Behind a proxy the proxy looks names up, so only addresses that are written out are checked.

        Raises:
            SourceError: the scheme is not http(s), there is no host, the host holds credentials,
                or it is, or leads to, an address that is not on the public internet.
        """
        host, port = _host_and_port(url)
        if self._allow_private or host in self._trusted:
            return host
        _refuse_written(host, url)
        if not proxy_for(url):
            # Without an answer there is no address to refuse; connecting tells what is wrong.
            with contextlib.suppress(OSError, UnicodeError):
                self.addresses(host, port, url)
        return host

    def addresses(self, host: str, port: int, url: str) -> list[str]:
        """Return the IP addresses of a host, looked up once; all of them are public.

        Raises:
            SourceError: one of them is not.
            OSError: the name has no address.
        """
        known = self._known.get((host, port))
        if known is None:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            known = list(dict.fromkeys(str(address[0]) for *_, address in found))[:MOST_ADDRESSES]
            for address in known:
                refuse_address(address, url)
            self._known[host, port] = known
        return known

    def forget(self, host: str, port: int) -> None:
        """Look a name up anew next time, as after none of its addresses could be connected to."""
        self._known.pop((host, port), None)


def refuse_host(url: str, allow_private: bool = False, trusted: Container[str] = ()) -> str:
    """Return the host of `url` as `AddressGuard.check` does; raises SourceError as it does."""
    return AddressGuard(allow_private, trusted).check(url)


def refuse_address(address: str, url: str) -> None:
    """Raise SourceError when an IP address is not on the public internet.

    Raises:
        ValueError: `address` is not an IP address.
    """
    if not _is_public(ipaddress.ip_address(address.partition("%")[0])):
        raise SourceError(f"{url[:200]}: leads to {address}, a private address; refused")


def proxy_for(url: str) -> str:
    """Return the proxy through which the environment sends requests for `url`, else ""."""
    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not proxy or urllib.request.proxy_bypass(parts.hostname or ""):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def _host_and_port(url: str) -> tuple[str, int]:
    """Return the host, as ASCII, and the port that both readers of addresses find in `url`."""
    import httpx

    shown = repr(url[:200])
    try:
        parts = urlsplit(url)
        # The request is made from what httpx reads: where the two differ, one would be checked and
        # the other connected to.
        read = httpx.URL(url)
        host, port = read.raw_host.decode("ascii").lower(), parts.port
        written = parts.hostname or ""
    except (ValueError, httpx.InvalidURL) as error:
        raise SourceError(f"{shown}: not an address ({error})", hint=_EXAMPLE) from None
    if parts.scheme not in PORTS or not host:
        raise SourceError(
            f"{shown}: is not an http or https address",
            hint=_EXAMPLE,
        )
    if parts.username is not None or read.userinfo:
        raise SourceError(f"{host}: an address with a user name in it; refused")
    if port != read.port and port != PORTS[parts.scheme]:
        raise SourceError(f"{shown}: an address whose port is unclear; refused")
    if written.isascii() and written.strip("[]") != host.strip("[]"):
        raise SourceError(f"{shown}: an address whose host is unclear; refused")
    return host.removesuffix("."), port or PORTS[parts.scheme]


def _refuse_written(host: str, url: str) -> None:
    """Raise SourceError for a host that is a private address or a name inside a network."""
    if ":" in host:
        try:
            refuse_address(host, url)
        except SourceError:
            raise
        except ValueError as error:
            raise SourceError(f"{url[:200]!r}: not an address ({error})", hint=_EXAMPLE) from None
        return
    if not _NAME.fullmatch(host):
        raise SourceError(f"{url[:200]!r}: {host[:80]!r} is not the name of a host; refused")
    if _ENDS_IN_NUMBER.search(host):
        # 127.1, 0x7f000001 and 017700000001 are 127.0.0.1 to whatever connects, a proxy included.
        try:
            address = str(ipaddress.IPv4Address(socket.inet_aton(host)))
        except (OSError, ValueError):
            raise SourceError(f"{url[:200]!r}: {host[:80]} is not an IP address") from None
        refuse_address(address, url)
        return
    if "." not in host or host.endswith(tuple(f".{name}" for name in _PRIVATE_NAMES)):
        raise SourceError(f"{url[:200]}: {host} is a name inside a network; refused")


def _is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(ip, ipaddress.IPv4Address):
        refused = any(ip in network for network in _REFUSED_IPV4)
        return ip.is_global and not ip.is_multicast and not refused
    inner = ip.ipv4_mapped or ip.sixtofour
    if ip in _NAT64:
        inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if inner is not None:
        return _is_public(inner)
    refused = any(ip in network for network in _REFUSED_IPV6)
    return ip in _GLOBAL_UNICAST and ip.is_global and not refused
