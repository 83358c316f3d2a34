"""How the client connects: only to addresses that were checked, and never beyond a time limit."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpcore
import httpx

from swimmer.errors import FetchError
from swimmer.sources.http.addresses import AddressGuard

T = TypeVar("T")


class GuardedBackend(httpcore.NetworkBackend):
    """Connects for one client, a request at a time.

    Args:
        guard: looks names up and refuses private addresses.
    """

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._url = ""
        self._checked = True
        self._limit = self._end = 0.0

    def begin(self, url: str, limit: float, checked: bool) -> None:
        """Begin a request that must be answered whole within `limit` seconds.

        Args:
            url: the address that was asked for, for messages.
            limit: seconds for everything from connecting to the last byte.
            checked: whether new connections must lead to public addresses.
        """
        self._url, self._checked = url, checked
        self._limit, self._end = limit, time.monotonic() + limit

    def remaining(self, timeout: float | None) -> float:
        """Return the seconds that one step may take.

        Raises:
            FetchError: the time of the whole answer is used up.
        """
        rest = self._end - time.monotonic()
        if rest <= 0:
            raise FetchError(f"{self._url}: not complete after {self._limit:.0f} s; given up")
        return rest if timeout is None else min(rest, timeout)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that takes the connection."""
        places = [host]
        failed: Exception = httpcore.ConnectError(f"{host} has no address")
        if self._checked:
            try:
                places = self._guard.addresses(host.lower().removesuffix("."), port, self._url)
            except (OSError, UnicodeError) as error:
                raise httpcore.ConnectError(str(error)) from error
        for place in places:
            try:
                stream = httpcore.SyncBackend().connect_tcp(
                    place, port, self.remaining(timeout), local_address, socket_options
                )
                return _TimedStream(stream, self)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        self._guard.forget(host, port)
        raise failed

    def connect_unix_socket(self, *_args: Any, **_options: Any) -> httpcore.NetworkStream:
        """Refuse; publishers are on the internet."""
        raise httpcore.UnsupportedProtocol("unix sockets are not connected to")


class _TimedStream(httpcore.NetworkStream):
    """A connection whose every step ends with the time of the whole answer."""

    def __init__(self, stream: httpcore.NetworkStream, backend: GuardedBackend) -> None:
        self._stream, self._backend = stream, backend

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._timed(lambda rest: self._stream.read(max_bytes, rest), timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._timed(lambda rest: self._stream.write(buffer, rest), timeout)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        inner = self._timed(
            lambda rest: self._stream.start_tls(ssl_context, server_hostname, rest), timeout
        )
        return _TimedStream(inner, self._backend)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def _timed(self, step: Callable[[float], T], timeout: float | None) -> T:
        rest = self._backend.remaining(timeout)
        try:
            return step(rest)
        except httpcore.TimeoutException:
            # It was the time of the whole answer that ran out, unless this finds some left.
            self._backend.remaining(timeout)
            raise


class GuardedTransport(httpx.BaseTransport):
    """httpx over connections of a `GuardedBackend`.

    Args:
        backend: connects.
        proxy: the address of the proxy that everything goes through, "" for none.
    """

    def __init__(self, backend: GuardedBackend, proxy: str = "") -> None:
        through = httpx.Proxy(proxy) if proxy else None
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            proxy=httpcore.Proxy(
                str(through.url), auth=through.raw_auth, headers=through.headers.raw
            )
            if through
            else None,
            network_backend=backend,
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; raises httpx's errors."""
        with _as_httpx():
            answer = self._pool.handle_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            status_code=answer.status, headers=answer.headers, stream=_Body(answer)
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@contextmanager
def _as_httpx() -> Iterator[None]:
    """Turn httpcore's errors into those of httpx, which have the same names."""
    try:
        yield
    except FetchError:
        raise
    except Exception as error:
        kind = getattr(httpx, type(error).__name__, None)
        if type(error).__module__.partition(".")[0] != "httpcore" or kind is None:
            raise
        raise kind(str(error)) from error
