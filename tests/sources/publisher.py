"""A local HTTP server that stands in for every publisher, well-behaved or not."""

from __future__ import annotations

import hashlib
import http.server
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from swimmer.sources.http.client import Client

HOSTS = (
    "iclr.cc",
    "neurips.cc",
    "icml.cc",
    "cvpr.thecvf.com",
    "api2.openreview.net",
    "api.openreview.net",
    "export.arxiv.org",
    "raw.githubusercontent.com",
    "proceedings.mlr.press",
    "openaccess.thecvf.com",
    "huggingface.co",
    "api.semanticscholar.org",
    "lists.example.org",
)


@dataclass
class Reply:
    """One answer; `cut` bytes of the body are sent, then the line goes dead."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    declare: int | None = None
    hang: float = 0.0
    etag: bool = True


@dataclass
class Question:
    """One request as a route sees it."""

    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes


Route = Callable[[Question], "Reply | None"]


class Publisher:
    """Serves routes; `faults` are answered first, in order; `log` holds what was asked."""

    def __init__(self) -> None:
        self.routes: list[Route] = []
        self.faults: list[Reply] = []
        self.log: list[str] = []
        self.statuses: list[int] = []
        self.user_agents: set[str] = set()
        self.dead_after: int | None = None
        self.slept: list[float] = []
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        self._server = server
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self, route: Route) -> None:
        self.routes = [route]

    def client(self, cache: Any = None, **arguments: Any) -> Client:
        """Return a client that asks this server instead of every publisher."""
        settings: dict[str, Any] = {
            "hosts": dict.fromkeys(HOSTS, self.url),
            "pauses": {"": 0.0},
            # Long enough for a machine that is busy with something else.
            "timeout": 20.0,
            "sleep": self.slept.append,
        }
        return Client(cache, **{**settings, **arguments})

    def answer(self, question: Question) -> Reply:
        for route in self.routes:
            reply = route(question)
            if reply is not None:
                return reply
        return Reply(b"not here", 404)


def fixed(pages: Mapping[str, bytes | Reply]) -> Route:
    """Return a route that knows some paths."""

    def route(question: Question) -> Reply | None:
        found = pages.get(question.path)
        return Reply(found) if isinstance(found, bytes) else found

    return route


def first_of(*routes: Route) -> Route:
    def route(question: Question) -> Reply | None:
        return next((r for one in routes if (r := one(question)) is not None), None)

    return route


def slices(items: list[Any], size: int) -> Iterable[list[Any]]:
    return [items[i : i + size] for i in range(0, len(items), size)]


def _handler(publisher: Publisher) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_arguments: object) -> None:
            return

        def do_GET(self) -> None:
            self._do()

        def do_POST(self) -> None:
            self._do()

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            publisher.user_agents.add(self.headers.get("user-agent", ""))
            dead = publisher.dead_after is not None and len(publisher.log) >= publisher.dead_after
            if dead:
                self.close_connection = True
                self.connection.close()
                return
            publisher.log.append(self.path + (body.decode() and f" {body.decode()}"))
            if publisher.faults:
                reply = publisher.faults.pop(0)
            else:
                parts = urlsplit(self.path)
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                reply = publisher.answer(
                    Question(
                        parts.path, query, {n.lower(): v for n, v in self.headers.items()}, body
                    )
                )
            self._send(reply)

        def _send(self, reply: Reply) -> None:
            if reply.hang:
                time.sleep(reply.hang)
            etag = '"' + hashlib.sha1(reply.body).hexdigest() + '"'
            status, body = reply.status, reply.body
            if reply.etag and status == 200 and self.headers.get("if-none-match") == etag:
                status, body = 304, b""
            publisher.statuses.append(status)
            sent = body if reply.cut is None else body[: reply.cut]
            try:
                self.send_response(status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.etag and status == 200:
                    self.send_header("ETag", etag)
                if status != 304:
                    length = len(body) if reply.declare is None else reply.declare
                    self.send_header("Content-Length", str(length))
                self.end_headers()
                self.wfile.write(sent)
                if len(sent) < len(body) or reply.declare is not None:
                    self.close_connection = True
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    return Handler
