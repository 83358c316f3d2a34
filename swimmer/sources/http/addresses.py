"""Which addresses may be asked: http(s) on the public internet, nothing inside the house."""

from __future__ import annotations

import ipaddress
import socket
import urllib.request
from collections.abc import Container
from urllib.parse import urlsplit

from swimmer.errors import SourceError

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def refuse_host(url: str, allow_private: bool = False, trusted: Container[str] = ()) -> str:
    """Return the host of `url` in lower case; `trusted` hosts may be anywhere.

    Behind a proxy the proxy looks names up, so that only addresses written out are checked.

    Raises:
        SourceError: the scheme is not http(s), there is no host, the host holds credentials, or
            it is, or leads to, an address that is not on the public internet.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise SourceError(f"{url[:200]!r}: not an address ({error})") from None
    if parts.scheme not in ("http", "https") or not host:
        raise SourceError(f"{url[:200]!r}: refused; expected an http or https address")
    if parts.username is not None:
        raise SourceError(f"{host}: an address with a user name in it; refused")
    if allow_private or host in trusted:
        return host
    try:
        refuse_address(host, url)
        return host
    except ValueError:
        pass
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        raise SourceError(f"{url}: {host} is inside this network; refused")
    if not behind_proxy(url):
        try:
            found = socket.getaddrinfo(host, port or 443, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            # Without an answer there is no address to refuse; connecting tells what is wrong.
            return host
        for *_, address in found:
            refuse_address(str(address[0]), url)
    return host


def refuse_address(address: str, url: str) -> None:
    """Raise SourceError when an IP address is not on the public internet.

    Raises:
        ValueError: `address` is not an IP address.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        else:
            ip = ip.ipv4_mapped or ip.sixtofour or ip
    if not ip.is_global or ip.is_multicast:
        raise SourceError(f"{url}: leads to {address}, inside this network or machine; refused")


def behind_proxy(url: str) -> bool:
    """Return whether the environment sends requests for `url` through a proxy."""
    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    if not (proxies.get(parts.scheme) or proxies.get("all")):
        return False
    return not urllib.request.proxy_bypass(parts.hostname or "")
