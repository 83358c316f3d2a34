"""The one client through which every publisher is asked: politely, safely and resumably.

Politeness: a pause per host as its terms ask, retries with back-off and jitter, `Retry-After`
obeyed, pages kept with their validators. Safety: only http(s), no private address, no redirect
to another scheme, sizes and times bounded, compression undone under that bound.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode, urlsplit, urlunsplit

from swimmer.errors import TRY_LATER, FetchError, IncompleteError, SourceError
from swimmer.sources.http.addresses import PORTS, AddressGuard, proxy_for
from swimmer.sources.http.answers import as_bytes, as_json, as_text, as_xml, ends_too_early
from swimmer.sources.http.headers import CREDENTIALS, redirect_target, user_agent, validators
from swimmer.sources.http.pages import Page, PageCache
from swimmer.sources.http.retries import (
    RETRYABLE,
    STATUS_HINTS,
    RetryableError,
    has_no_address,
    retry_after,
)

if TYPE_CHECKING:
    import httpx

    from swimmer.sources.http.transport import GuardedBackend

__all__ = [
    "Client",
    "FetchError",
    "IncompleteError",
    "as_bytes",
    "as_json",
    "as_text",
    "as_xml",
    "ends_too_early",
    "user_agent",
]

T = TypeVar("T")

PAUSE = 1.0
"""Seconds between two requests to a host whose terms name no figure."""

PAUSES = {
    "export.arxiv.org": 3.0,
    "api.semanticscholar.org": 1.1,
    "api.openreview.net": 1.0,
    "api2.openreview.net": 1.0,
    "openaccess.thecvf.com": 1.0,
    "huggingface.co": 0.5,
    "raw.githubusercontent.com": 0.5,
}
"""Seconds between two requests to a host, as its terms ask."""

SIZE_LIMIT = 64 << 20
"""Bytes of one answer, decompressed: it is held whole. The longest real list has fifty million."""

ANSWER_LIMIT = 900.0
"""Seconds for one whole answer, from connecting to the last byte, however slowly it drips."""

PATIENCE = 300.0
"""The longest `Retry-After`, in seconds, that is waited for; a longer one ends the fetch."""

ATTEMPTS = 6
UNNAMED_ATTEMPTS = 3
"""Tries for a host whose name has no address: without a network, waiting longer helps nobody."""

REDIRECTS = 5


class Client:
    """Asks publishers for pages; one client for one fetch, used as a context manager.

    Args:
        cache: the folder pages are kept in, or None.
        offline: answer from the cache only, never from the network.
        notify: called with a line of text whenever there is something to wait for.
        hosts: other places to ask instead of a host, such as a mirror:
            `{"iclr.cc": "http://127.0.0.1:8000"}`. They are trusted, private or not.
        allow_private: whether other private addresses may be asked.
        timeout: seconds to connect, and between two pieces of an answer.
        pauses: seconds between two requests by host, instead of `PAUSES`.
        attempts: how often one page is asked for before giving up.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        cache: str | Path | None = None,
        *,
        offline: bool = False,
        notify: Callable[[str], None] | None = None,
        hosts: Mapping[str, str] | None = None,
        allow_private: bool = False,
        timeout: float = 30.0,
        pauses: Mapping[str, float] | None = None,
        attempts: int = ATTEMPTS,
        size_limit: int = SIZE_LIMIT,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.offline = offline
        self.notify = notify or (lambda _text: None)
        self._pages = PageCache(cache)
        self._hosts = dict(hosts or {})
        self._allow_private = allow_private
        self._timeout = timeout
        self._pauses = PAUSES if pauses is None else pauses
        self._attempts = attempts
        self._size_limit = size_limit
        self._sleep = sleep
        self._last: dict[str, float] = {}
        self._since: float | None = None
        self._guard = AddressGuard(allow_private, self._hosts)
        self._sessions: dict[str, tuple[httpx.Client, GuardedBackend]] = {}

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        for session, _backend in self._sessions.values():
            session.close()
        self._sessions = {}

    @contextmanager
    def listing(self, name: str) -> Iterator[None]:
        """Mark the pages fetched inside as one listing.

        When the block is left by an exception, or the process dies, the next listing of that
        name goes on where this one stopped: pages that it got are not asked for again.
        """
        self._since = self._pages.listing_begun(name)
        try:
            yield
            self._pages.listing_done(name)
        except FetchError:
            raise
        except SourceError:
            # The pages came whole but cannot be used: next time they are asked for anew.
            self._pages.listing_done(name)
            raise
        finally:
            self._since = None

    def get(
        self,
        url: str,
        read: Callable[[Page], T],
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        send: Any = None,
        keep: float | None = 0.0,
    ) -> T:
        """Return what `read` makes of the answer: `as_json`, `as_xml`, `as_text`.

        Args:
            url: an absolute http or https address.
            read: raises IncompleteError for a cut answer, SourceError for a wrong one; only an
                answer that it can read is kept.
            params: the query.
            headers: further headers; credentials do not follow a redirect to another host or
                port.
            send: a JSON value that is posted.
            keep: seconds for which a kept page is taken as it is; None never keeps the page.

        Raises:
            FetchError: there is no answer, or not a good one, after all attempts.
            SourceError: the address is refused, or the answer cannot be read.
        """
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params)
        posted = json.dumps(send, sort_keys=True) if send is not None else ""
        private = "authorization" if "authorization" in {n.lower() for n in headers or ()} else ""
        key = hashlib.sha256(f"{url}\n{posted}\n{private}".encode()).hexdigest()
        page = self._pages.get(key) if keep is not None else None
        if page is not None and self._still_good(page, keep or 0.0):
            return read(page)
        if self.offline:
            raise FetchError(f"{url}: not among the pages kept on disk", hint="leave out --offline")
        asked = {**(headers or {}), **validators(page)}
        kept_as = "" if keep is None else key
        return self._insist(url, partial(self._once, url, kept_as, page, read, asked, posted))

    def _still_good(self, page: Page, keep: float) -> bool:
        if self.offline or (self._since is not None and page.checked >= self._since):
            return True
        return time.time() - page.checked < keep

    def _insist(self, url: str, once: Callable[[], T]) -> T:
        for attempt in range(1, self._attempts + 1):
            try:
                return once()
            except RetryableError as failure:
                self._give_up_or_wait(url, failure, attempt)
        raise AssertionError("the last attempt neither answered nor gave up")

    def _once(
        self,
        url: str,
        key: str,
        known: Page | None,
        read: Callable[[Page], T],
        headers: Mapping[str, str],
        posted: str,
    ) -> T:
        import httpx

        try:
            status, answered, body = self._ask(url, headers, posted)
            if status == 304 and known is not None:
                self._pages.confirm(key, time.time())
                return read(known)
            if status == 200:
                page = Page(url, body, answered, time.time())
                value = read(page)
                if key:
                    self._pages.put(key, page)
                return value
        except IncompleteError as error:
            raise RetryableError(str(error).removeprefix(f"{url}: ")) from None
        except httpx.TimeoutException:
            raise RetryableError(f"no answer within {self._timeout:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, zlib.error) as error:
            what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise RetryableError(what, unnamed=has_no_address(error)) from None
        if status not in RETRYABLE:
            raise FetchError(f"{url}: answered {status}", status, hint=STATUS_HINTS.get(status, ""))
        raise RetryableError(
            f"answered {status}", status, retry_after(answered.get("retry-after", ""))
        )

    def _give_up_or_wait(self, url: str, failure: RetryableError, attempt: int) -> None:
        host = urlsplit(url).hostname
        kept = "what was fetched so far is kept"
        if failure.unnamed and attempt >= min(UNNAMED_ATTEMPTS, self._attempts):
            raise FetchError(
                f"{url}: {host} cannot be found",
                hint="check the network; --offline uses the pages kept on disk",
            )
        if failure.wait is not None and failure.wait > PATIENCE:
            raise FetchError(
                f"{url}: {failure} and asks to wait {failure.wait:.0f} s",
                failure.status,
                hint=f"try again after that time; {kept}",
            )
        if attempt >= self._attempts:
            raise FetchError(
                f"{url}: {failure}, {attempt} times",
                failure.status,
                hint=f"try again later; {kept}",
            )
        pause = failure.wait if failure.wait is not None else min(60.0, 2.0 ** (attempt - 1))
        pause += random.uniform(0, pause / 2)
        self.notify(f"{host}: {failure}; attempt {attempt + 1} in {pause:.0f} s")
        self._sleep(pause)

    def _ask(
        self, url: str, headers: Mapping[str, str], posted: str
    ) -> tuple[int, dict[str, str], bytes]:
        first = None
        for _ in range(REDIRECTS + 1):
            host = self._guard.check(url)
            origin = (host, urlsplit(url).port or PORTS[urlsplit(url).scheme])
            first = first or origin
            if origin != first:
                headers = {n: v for n, v in headers.items() if n.lower() not in CREDENTIALS}
            self._pause(host)
            status, answered, body = self._exchange(url, host, headers, posted)
            if status not in (301, 302, 303, 307, 308):
                return status, answered, body
            target = redirect_target(url, answered.get("location", ""))
            scheme = urlsplit(target).scheme
            if scheme != urlsplit(url).scheme:
                raise FetchError(
                    f"{url}: redirects from {urlsplit(url).scheme} to {scheme or 'nothing'} "
                    f"({target[:100]!r}); refused, give that address if you trust it",
                    status,
                )
            url = target
        raise FetchError(
            f"{url}: more than {REDIRECTS} redirects; refused",
            status,
            hint="open the address in a browser and give the one where it ends",
        )

    def _exchange(
        self, url: str, host: str, headers: Mapping[str, str], posted: str
    ) -> tuple[int, dict[str, str], bytes]:
        place = self._hosts.get(host)
        where = url
        if place is not None:
            parts, other = urlsplit(url), urlsplit(place)
            where = urlunsplit((other.scheme, other.netloc, parts.path, parts.query, ""))
        proxy = proxy_for(where)
        session, backend = self._session(proxy)
        request = session.build_request(
            "POST" if posted else "GET",
            where,
            headers=dict(headers),
            content=posted.encode() if posted else None,
        )
        if posted:
            request.headers["content-type"] = "application/json"
        # A proxy is the user's own, and it is the proxy that looks names up.
        checked = place is None and not self._allow_private and not proxy
        backend.begin(url, ANSWER_LIMIT, checked)
        response = session.send(request, stream=True)
        try:
            body = self._body(response, url) if response.status_code == 200 else b""
            return response.status_code, dict(response.headers), body
        finally:
            response.close()

    def _body(self, response: httpx.Response, url: str) -> bytes:
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "", "gzip", "x-gzip", "deflate"):
            raise FetchError(f"{url}: answers in the encoding {encoding!r:.40}, expected gzip")
        declared = response.headers.get("content-length", "")
        # A length of more digits than any has is too large, and int() would refuse it.
        if declared.isdecimal() and int(declared[:30]) > self._size_limit:
            raise FetchError(self._too_large(url))
        unfold = zlib.decompressobj(47) if encoding not in ("identity", "") else None
        pieces, size = [], 0
        for raw in response.iter_raw():
            piece = raw
            if unfold is not None:
                piece = unfold.decompress(raw, self._size_limit + 1 - size)
            size += len(piece)
            if size > self._size_limit:
                raise FetchError(self._too_large(url))
            pieces.append(piece)
        if unfold is not None and not unfold.eof:
            raise IncompleteError(
                f"{url}: the compressed answer is cut off",
                hint=TRY_LATER,
            )
        return b"".join(pieces)

    def _too_large(self, url: str) -> str:
        return (
            f"{url}: answers with more than {self._size_limit >> 20} MB; refused. Download a list "
            "that is longer, and build from the file"
        )

    def _pause(self, host: str) -> None:
        pause = self._pauses.get(host, self._pauses.get("", PAUSE))
        rest = self._last.get(host, -pause) + pause - time.monotonic()
        if rest > 0:
            self._sleep(rest)
        self._last[host] = time.monotonic()

    def _session(self, proxy: str) -> tuple[httpx.Client, GuardedBackend]:
        if proxy not in self._sessions:
            import httpx

            from swimmer.sources.http.transport import GuardedBackend, GuardedTransport

            backend = GuardedBackend(self._guard)
            try:
                transport = GuardedTransport(backend, proxy)
            except (ValueError, ImportError, httpx.InvalidURL) as error:
                raise SourceError(
                    f"the proxy that the environment names cannot be used ({error})",
                    hint="set HTTPS_PROXY to an http or https address",
                ) from None
            session = httpx.Client(
                headers={"User-Agent": user_agent(), "Accept-Encoding": "gzip, deflate"},
                timeout=self._timeout,
                follow_redirects=False,
                transport=transport,
            )
            self._sessions[proxy] = session, backend
        return self._sessions[proxy]
