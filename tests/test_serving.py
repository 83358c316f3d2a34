"""The page and the MCP server under many clients: slow ones are closed, none takes all."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

pytest.importorskip("uvicorn")
pytest.importorskip("starlette")
import uvicorn

from swimmer import serving
from swimmer.serving import BoundedProtocol, FairShare, client_of
from tests.messages import INITIALIZE

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def _answers(scope: Any, receive: Any, send: Any) -> None:
    """Answer with as many bytes as the path says, after the body of the request is there."""
    size = int(scope["path"].lstrip("/") or 2)
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", str(size).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for start in range(0, size, 1 << 16):
        part = b"x" * min(1 << 16, size - start)
        await send(
            {"type": "http.response.body", "body": part, "more_body": start + len(part) < size}
        )


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    monkeypatch.setattr(serving, "SECONDS", {"request": 0.4, "body": 0.4, "reading": 0.4})
    monkeypatch.setattr(serving, "_TICK", 0.1)
    monkeypatch.setattr(serving, "CONNECTIONS", 20)
    config = uvicorn.Config(
        _answers, http=BoundedProtocol, ws="none", lifespan="off", log_level="error"
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield listener.getsockname()
        server.should_exit = True
        thread.join(10)


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HT", GET[:-2], b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab"],
    ids=["nothing", "half a line", "no end of the headers", "half a body"],
)
@pytest.mark.parametrize("drips", [False, True])
def test_a_slow_client_is_closed(address: tuple[str, int], sent: bytes, drips: bool) -> None:
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(sent)
        begun = time.monotonic()
        if drips:
            drop = b"x" if b"POST" not in sent else b""
            client.settimeout(0.1)
            while time.monotonic() - begun < 8 and not _closed(client):
                with contextlib.suppress(OSError):
                    client.sendall(drop)
        else:
            assert _closed(client)
        assert time.monotonic() - begun < 8


def _closed(client: socket.socket) -> bool:
    try:
        return client.recv(100) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_a_client_that_does_not_read_is_closed(address: tuple[str, int]) -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.connect(address)
        client.sendall(b"GET /50000000 HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(3)
        read = 0
        client.settimeout(5)
        with contextlib.suppress(OSError):
            while part := client.recv(1 << 20):
                read += len(part)
        assert read < 50_000_000


def test_two_hundred_slow_clients_keep_nobody_out(address: tuple[str, int]) -> None:
    """One more connection closes the one that has waited longest; whoever asks is answered."""
    slow = []
    for _ in range(200):
        with contextlib.suppress(OSError):
            slow.append(socket.create_connection(address, timeout=5))
            slow[-1].sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
    answer = httpx.get(f"http://127.0.0.1:{address[1]}/5", timeout=10, trust_env=False)
    assert answer.content == b"xxxxx"
    time.sleep(1.5)
    for client in slow:
        client.settimeout(2)
        assert _closed(client)
        client.close()


def test_a_client_that_reads_on_is_answered(address: tuple[str, int]) -> None:
    answer = httpx.get(f"http://127.0.0.1:{address[1]}/3000000", timeout=30, trust_env=False)
    assert len(answer.content) == 3_000_000


def _scope(address: str, **headers: str) -> dict[str, Any]:
    named = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    return {"type": "http", "method": "POST", "client": (address, 1), "headers": named}


async def test_a_client_has_its_share_and_others_theirs() -> None:
    """Three of one client are worked on, some wait, the rest is refused; another is not kept out."""
    running: list[str] = []
    release = asyncio.Event()
    sent: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        running.append(scope["client"][0])
        await release.wait()

    async def send(message: Any) -> None:
        if "status" in message:
            sent.append(message["status"])

    async def receive() -> Any:
        return {"type": "http.request"}

    share = FairShare(app, share=3, waiting=5)
    greedy = [asyncio.ensure_future(share(_scope("1.1.1.1"), receive, send)) for _ in range(20)]
    await asyncio.sleep(0.05)
    assert running == ["1.1.1.1"] * 3
    assert sent == [503] * 12
    other = asyncio.ensure_future(share(_scope("2.2.2.2"), receive, send))
    await asyncio.sleep(0.05)
    assert running[-1] == "2.2.2.2"
    release.set()
    await asyncio.gather(*greedy, other)
    assert len(running) == 9
    assert not share._turns and not share._held


@pytest.mark.parametrize(
    ("scope", "client"),
    [
        (_scope("9.9.9.9"), "9.9.9.9"),
        (_scope("9.9.9.9", x_forwarded_for="1.1.1.1"), "9.9.9.9"),
        (_scope("127.0.0.1", x_forwarded_for="6.6.6.6, 1.1.1.1"), "1.1.1.1"),
        (_scope("127.0.0.1", mcp_session_id="abc"), "abc"),
        ({"type": "http", "headers": []}, ""),
    ],
)
def test_who_a_client_is(scope: dict[str, Any], client: str) -> None:
    assert client_of(scope) == client


def test_sessions_are_bounded_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """One session more than there may be is refused, until one has been idle for its time."""
    pytest.importorskip("mcp")
    from swimmer import mcp_server

    seen: list[Any] = []
    monkeypatch.setattr(
        serving, "serve_app", lambda app, listener, share: seen.append((app, share))
    )
    mcp_server.serve_http(mcp_server.build_server(), 0, sessions=5, session_seconds=1.5)
    ((app, share),) = seen
    assert share == 3
    from starlette.testclient import TestClient

    with TestClient(app, base_url="http://127.0.0.1:1") as client:
        opened = [_open_session(client) for _ in range(5)]
        assert all(opened)
        assert len(set(opened)) == 5
        assert not _open_session(client)
        time.sleep(3)
        assert _open_session(client)


def _open_session(client: Any) -> str:
    accept = {"Accept": "application/json, text/event-stream"}
    answer = client.post("/mcp", json=INITIALIZE, headers=accept)
    return str(answer.headers.get("mcp-session-id", "")) if answer.status_code == 200 else ""
