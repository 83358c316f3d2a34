"""A publisher that answers anything: every answer is papers or an error in words, in bounded time."""

from __future__ import annotations

import contextlib
import gzip
import json
import random
import time
from pathlib import Path
from typing import Any
from unittest import mock

import httpcore

from swimmer.errors import SwimmerError
from swimmer.sources import SourceReport, open_source
from swimmer.sources.http import client as http_client
from swimmer.sources.http.client import Client
from swimmer.sources.publishers.remote import SourceOptions

from .lists import CHANGES, SEEDS, TOKENS, use
from .runner import Campaign, Failure

ANSWER_SECONDS = 1.0
SOURCES = [
    "iclr2025",
    "pmlr:v244",
    "acl:2022.acl",
    "cvpr2024",
    "openreview:ICLR.cc/2024/Conference",
    "arxiv:cs.LG:2024-01-01",
    "daily:2024-05-01",
    "s2:graph neural networks",
    "https://lists.example.org/papers.json",
    "https://lists.example.org/papers.bib.gz",
]
_ALLOWED = "93.184.216.34"


class Publisher(Campaign):
    """One source is read; whatever is asked for, the answers are made at random."""

    name = "publisher"
    about = "hostile answers: no traceback, no private address connected to, none over its time"

    def prepare(self) -> None:
        """Nothing: the answers are made in each trial."""

    def trial(self, chance: random.Random, folder: Path) -> None:
        connected: list[str] = []

        def connect(_backend: Any, host: str, *_args: Any, **_options: Any) -> Any:
            connected.append(host)
            if chance.random() < 0.05:
                raise httpcore.ConnectError("refused")
            return _Connection(chance)

        def look_up(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
            private = ["127.0.0.1", "10.0.0.1", "::1", "::ffff:0:7f00:1", "169.254.169.254"]
            address = chance.choice(private) if chance.random() < 0.05 else _ALLOWED
            return [(2, 1, 6, "", (address, port))]

        def client() -> Client:
            return Client(folder / "pages", attempts=2, pauses={"": 0.0}, sleep=lambda _s: None)

        options = SourceOptions(client=client)
        with (
            mock.patch("socket.getaddrinfo", look_up),
            mock.patch("httpcore.SyncBackend.connect_tcp", connect),
            mock.patch.object(http_client, "ANSWER_LIMIT", ANSWER_SECONDS),
            mock.patch("urllib.request.getproxies", dict),
        ):
            for _ in range(5):
                with contextlib.suppress(SwimmerError):
                    source = open_source(chance.choice(SOURCES), options)
                    papers: list[object] = []
                    for paper in source.papers(SourceReport()):
                        papers.append(paper)
                        if len(papers) > 200:
                            break
                    use(papers)
        others = set(connected) - {_ALLOWED}
        if others:
            raise Failure(f"connected to {sorted(others)}")


class _Connection(httpcore.NetworkStream):
    """A connection over which random answers come, whole or a few bytes at a time."""

    def __init__(self, chance: random.Random) -> None:
        self._chance, self._left = chance, b""
        self._drips = chance.random() < 0.05
        self._ends = time.monotonic() + 5

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if not self._left:
            self._left = _answer(self._chance)
        if self._drips:
            time.sleep(0.02)
            if time.monotonic() > self._ends:
                raise Failure("read from for longer than an answer may take")
            return b"x"
        size = self._chance.choice([1, 7, max_bytes, max_bytes])
        part, self._left = self._left[:size], self._left[size:]
        return part

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        return

    def close(self) -> None:
        return

    def start_tls(self, *_args: Any, **_options: Any) -> httpcore.NetworkStream:
        return self

    def get_extra_info(self, info: str) -> Any:
        return None


def _answer(chance: random.Random) -> bytes:
    text = chance.choice([*SEEDS.values(), json.dumps({"notes": [], "count": 3}), "<html></html>"])
    if chance.random() < 0.6:
        for _ in range(chance.choice([1, 2, 4])):
            text = chance.choice(CHANGES)(chance, text)[: 1 << 17]
    body = text.encode("utf-8", "surrogatepass")
    status = chance.choice([200] * 12 + [204, 301, 302, 304, 307, 401, 404, 429, 500, 503, 99, 999])
    headers = [b"Content-Type: application/json"]
    kind = chance.random()
    if kind < 0.1:
        body = gzip.compress(body)[: chance.choice([5, 10**9])]
        headers.append(b"Content-Encoding: gzip")
    if chance.random() < 0.2:
        headers.append(b"ETag: " + chance.choice([b'"\xe9"', b'"x"', b"\xff" * 2_000, b""]))
    if status in (429, 503):
        waits = ["²", "9" * 5_000, "-1", "1", "Mon, 99 Xxx 9999999 00:00:00 GMT"]
        headers.append(b"Retry-After: " + chance.choice(waits).encode())
    if 300 < status < 310:
        targets = [
            "http://127.0.0.1/",
            "//169.254.169.254/",
            "https://[::ffff:0:7f00:1]/",
            "file:///etc/passwd",
            "/elsewhere",
            "https://user:x@example.org/",
            "https://example.org:99999/",
            "http://0x7f.1/",
            "https://[",
            "\\\\x",
            "https://lists.example.org:8443/a",
            "https://a..b/",
            "https://é.example.org/",
        ]
        headers.append(b"Location: " + chance.choice(targets).encode())
    if chance.random() < 0.1:
        headers.append(b"X: " + chance.choice(TOKENS).encode("utf-8", "surrogatepass"))
    chunked = chance.random() < 0.2
    if chunked:
        headers.append(b"Transfer-Encoding: chunked")
        body = b"%x;%s\r\n%s\r\n0\r\n\r\n" % (len(body), b"e" * chance.randrange(50), body)
    elif chance.random() < 0.9:
        length = chance.choice([str(len(body))] * 8 + ["²", "9" * 30, "-1", "0"])
        headers.append(b"Content-Length: " + length.encode())
    return b"HTTP/1.1 %03d X\r\n%s\r\n\r\n%s" % (status, b"\r\n".join(headers), body)
