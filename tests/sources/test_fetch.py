"""The client: polite, safe, and it goes on where it stopped."""

from __future__ import annotations

import contextlib
import email.utils
import gzip
import os
import socket
import threading
import time
import zlib
from pathlib import Path
from typing import Any

import httpcore
import pytest

from swimmer.errors import FetchError, SourceError
from swimmer.sources import SourceReport, open_source
from swimmer.sources.http.addresses import refuse_address, refuse_host
from swimmer.sources.http.client import Client, as_bytes, as_json, as_text, as_xml
from swimmer.sources.http.pages import Page, PageCache
from swimmer.sources.publishers.remote import SourceOptions
from tests.sources.publisher import Publisher, Question, Reply, fixed

URL = "https://lists.example.org/page"


def serve(publisher: Publisher, reply: Reply) -> None:
    publisher.serve(fixed({"/page": reply}))


# ---------------------------------------------------------------------- safe


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/list.json",
        "gopher://example.org/",
        "http://169.254.169.254/latest/meta-data/",
        "http://127.0.0.1:8080/",
        "http://[::1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[64:ff9b::a00:1]/",
        "http://10.1.2.3/",
        "http://192.168.0.1/",
        "http://0.0.0.0/",
        "http://localhost/",
        "http://metadata.google.internal/",
        "http://224.0.0.1/",
        "https://user:secret@example.org/",
        "http:///nohost",
        "http://[broken/",
        "//example.org/x",
        "",
    ],
)
def test_addresses_that_are_refused(url: str) -> None:
    with pytest.raises(SourceError), Client() as client:
        client.get(url, as_json)


def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    answer = [(2, 1, 6, "", ("10.0.0.7", 443))]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_a, **_k: answer)
    with pytest.raises(SourceError, match=r"10\.0\.0\.7"):
        refuse_host("https://innocent.example.org/list.json")


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_what_was_checked_is_connected_to(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, no_proxy: None
) -> None:
    """A name that leads elsewhere the second time it is looked up is not looked up again."""
    looked_up: list[str] = []

    def lookup(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        looked_up.append(host)
        address = "203.0.114.7" if len(looked_up) == 1 else "127.0.0.1"
        return [(2, 1, 6, "", (address, port))]

    connected: list[str] = []

    def connect(_self: Any, host: str, *_: Any, **__: Any) -> Any:
        connected.append(host)
        raise httpcore.ConnectError("no route")

    monkeypatch.setattr("socket.getaddrinfo", lookup)
    monkeypatch.setattr("httpcore.SyncBackend.connect_tcp", connect)
    with publisher.client(hosts={}, attempts=1) as client, pytest.raises(FetchError):
        client.get("http://rebinds.example.org/page", as_json)
    assert looked_up == ["rebinds.example.org"]
    assert connected == ["203.0.114.7"]


def test_nothing_is_sent_to_a_private_address(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, no_proxy: None
) -> None:
    """The first look-up fails, the one at connecting leads to this machine."""
    answers = [OSError("no answer"), [(2, 1, 6, "", ("127.0.0.1", 0))]]

    def lookup(*_: Any, **__: Any) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, OSError):
            raise answer
        return answer

    serve(publisher, Reply(b"[]"))
    monkeypatch.setattr("socket.getaddrinfo", lookup)
    port = publisher.url.rpartition(":")[2]
    with (
        publisher.client(hosts={}, attempts=1) as client,
        pytest.raises(SourceError, match=r"127\.0\.0\.1, a private address"),
    ):
        client.get(f"http://rebinds.example.org:{port}/page", as_json)
    assert publisher.log == []


PRIVATE = """
http://0/ http://0.0.0.0/ http://10.0.0.5/ http://100.64.0.1/ http://100.100.100.200/
http://127.0.0.1/ http://127.0.0.1./ http://127.1/ http://127.255.255.254/ http://2130706433/
http://0x7f000001/ http://0x7f.0.0.1/ http://017700000001/ http://0177.0.0.1/ http://127.0.0.1:80/
http://169.254.169.254/latest/meta-data/ http://169.254.169.254./ http://0xa9fea9fe/
http://2852039166/ http://172.16.0.1/ http://172.31.255.255/ http://192.0.0.192/ http://192.0.2.1/
http://192.88.99.1/ http://192.168.1.1/ http://198.18.0.1/ http://198.51.100.7/ http://203.0.113.9/
http://224.0.0.1/ http://240.0.0.1/ http://255.255.255.255/ http://168.63.129.16/
http://256.1.1.1/ http://1.2.3.4.5/ http://0x/ http://[::]/ http://[::1]/ http://[0:0:0:0:0:0:0:1]/
http://[::ffff:127.0.0.1]/ http://[::ffff:7f00:1]/ http://[::ffff:0:127.0.0.1]/
http://[::ffff:0:8.8.8.8]/ http://[::127.0.0.1]/ http://[::8.8.8.8]/ http://[64:ff9b::127.0.0.1]/
http://[64:ff9b::a9fe:a9fe]/ http://[64:ff9b:1::1]/ http://[100::1]/ http://[2001::1]/
http://[2001:0:7f00:1::]/ http://[2001:db8::1]/ http://[2002:7f00:1::]/ http://[2002:a00:1::]/
http://[3fff::1]/ http://[5f00::1]/ http://[fc00::1]/ http://[fd00:ec2::254]/ http://[fe80::1]/
http://[fec0::1]/ http://[ff02::1]/ http://[4000::1]/ http://[e000::1]/ http://localhost/
http://localhost./ http://LOCALHOST/ http://a.localhost/ http://metadata.google.internal/
http://metadata.google.internal./ http://metadata/ http://intranet/ http://printer.local/
http://router.lan/ http://router.home.arpa/ http://server.corp/ http://127%2e0.0.1/
http://127.0.0.1%00.example.org/ http://user:secret@example.org/ http://user@127.0.0.1/
http://a..example.org/ http://example.org../ http://.example.org/ http://exa$mple.org/
http://127.0.0.1\\@example.org/ http://example.org:99999/ http://example.org:x/ http://[::1/ http://
ftp://example.org/ file:///etc/passwd gopher://example.org/ http:///x //example.org/ example.org
""".split()
PUBLIC = """
http://8.8.8.8/ http://1.1.1.1:8080/x http://93.184.216.34/ http://172.32.0.1/ http://100.128.0.1/
http://192.0.1.1/ http://198.20.0.1/ http://169.253.1.1/ http://223.255.255.255/ http://134744072/
http://[2606:4700::1111]/ http://[2001:4860:4860::8888]/ http://[2a00:1450:4001:81b::200e]/
http://[::ffff:8.8.8.8]/ http://[64:ff9b::808:808]/ http://[2002:808:808::1]/ http://[2001:200::1]/
https://openreview.net/ https://OpenReview.net./x https://export.arxiv.org:443/api?q=a
https://xn--bcher-kva.example.org/ https://bücher.example.org/ https://a_b.example.org/
https://3com.example.org/ https://0x7f.example.org/ https://localhost.example.org/
https://1.2.3.4.example.org/ https://internal.example.org/ https://a-1.example.museum/
""".split()


@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:3128"])
def test_the_guard_with_and_without_a_proxy(
    monkeypatch: pytest.MonkeyPatch, no_proxy: None, proxy: str
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY") if proxy else ():
        monkeypatch.setenv(name, proxy)
        monkeypatch.setenv(name.lower(), proxy)
    public = [(2, 1, 6, "", ("93.184.216.34", 443))]
    monkeypatch.setattr("socket.getaddrinfo", _literal_or(public))
    assert len(PRIVATE) + len(PUBLIC) >= 80
    allowed = [url for url in PRIVATE if not _refused(url)]
    assert allowed == []
    assert [url for url in PUBLIC if _refused(url)] == []


def test_a_proxy_is_asked_for_names(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch, no_proxy: None
) -> None:
    """The proxy of the environment, on this machine as proxies often are, gets the whole address."""
    monkeypatch.setenv("http_proxy", publisher.url)
    asked = "http://lists.example.org/page"
    serve(publisher, Reply(b"[1]"))
    with publisher.client(hosts={}) as client:
        assert client.get(asked, as_json) == [1]
    assert publisher.log == [asked]


def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, no_proxy: None) -> None:
    monkeypatch.setenv("http_proxy", "carrier-pigeon://127.0.0.1")
    with Client(attempts=1) as client, pytest.raises(SourceError, match="proxy"):
        client.get("http://lists.example.org/page", as_json)


def _literal_or(answer: list[Any]) -> Any:
    ask = socket.getaddrinfo

    def lookup(host: str, port: int, **options: Any) -> list[Any]:
        try:
            return list(ask(host, port, flags=socket.AI_NUMERICHOST, **options))
        except socket.gaierror:
            return answer

    return lookup


def _refused(url: str) -> bool:
    try:
        refuse_host(url)
    except SourceError:
        return True
    return False


def test_public_addresses_pass() -> None:
    refuse_address("93.184.216.34", "x")
    refuse_address("2606:2800:220:1:248:1893:25c8:1946", "x")


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "ftp://example.org/",
        "http://lists.example.org/page",
        "//169.254.169.254/",
        "https://[broken/",
    ],
)
def test_redirects_that_are_refused(publisher: Publisher, target: str) -> None:
    serve(publisher, Reply(b"", 302, {"Location": target}))
    with publisher.client() as client, pytest.raises(SourceError, match=r"refused|no address"):
        client.get(URL, as_json)
    assert len(publisher.log) == 1


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfff;", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Slow: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n", b" "),
    ],
    ids=["header", "interim answers", "chunk extension", "chunks", "trailer", "body"],
)
def test_an_answer_that_drips_is_given_up(
    monkeypatch: pytest.MonkeyPatch, start: bytes, drop: bytes
) -> None:
    monkeypatch.setattr("swimmer.sources.http.client.ANSWER_LIMIT", 0.5)
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.recv(65_536)
                connection.sendall(start)
                while not done.wait(0.02):
                    connection.sendall(drop)

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        began = time.monotonic()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        with (
            Client(allow_private=True, pauses={"": 0.0}) as client,
            pytest.raises(FetchError, match="not complete after"),
        ):
            client.get(address, as_json)
        took = time.monotonic() - began
        done.set()
        thread.join()
    assert took < 5


@pytest.mark.parametrize("etag", ['"\xe9t\xe9"', '"\u4e2d"', "x" * 70_000 + "é", ""])
def test_a_validator_that_cannot_be_sent_is_not(
    publisher: Publisher, tmp_path: Path, etag: str
) -> None:
    sent = etag.encode().decode("latin-1")
    seen: list[str | None] = []

    def route(question: Question) -> Reply:
        seen.append(question.headers.get("if-none-match"))
        return Reply(b"[1]", headers={"ETag": sent[:2_000]}, etag=False)

    publisher.serve(route)
    for _ in range(2):
        with publisher.client(tmp_path) as client:
            assert client.get(URL, as_json) == [1]
    assert seen == [None, None]


def test_a_redirect_loop_ends(publisher: Publisher) -> None:
    serve(publisher, Reply(b"", 302, {"Location": "/page"}))
    with publisher.client() as client, pytest.raises(FetchError, match="redirects"):
        client.get(URL, as_json)
    assert len(publisher.log) == 6


def test_a_redirect_on_the_same_host_is_followed(publisher: Publisher) -> None:
    publisher.serve(fixed({"/page": Reply(b"", 301, {"Location": "/new"}), "/new": Reply(b"[1]")}))
    with publisher.client() as client:
        assert client.get(URL, as_json) == [1]


@pytest.mark.parametrize(
    "target", ["https://huggingface.co/elsewhere", "https://lists.example.org:8443/elsewhere"]
)
def test_credentials_do_not_follow_to_another_host_or_port(
    publisher: Publisher, target: str
) -> None:
    seen: list[dict[str, str | None]] = []

    def route(question: Question) -> Reply:
        names = ("authorization", "x-api-key", "accept")
        seen.append({name: question.headers.get(name) for name in names})
        if question.path == "/page":
            return Reply(b"", 302, {"Location": target})
        return Reply(b"[]")

    publisher.serve(route)
    headers = {"Authorization": "Bearer secret", "x-api-key": "secret", "Accept": "a/b"}
    with publisher.client() as client:
        client.get(URL, as_json, headers=headers)
    assert seen[0]["authorization"] == "Bearer secret"
    assert seen[1] == {"authorization": None, "x-api-key": None, "accept": "a/b"}


@pytest.mark.parametrize("next_page", ["file:///etc/passwd", "http://169.254.169.254/latest/"])
def test_a_list_that_names_a_forbidden_next_page(publisher: Publisher, next_page: str) -> None:
    events = b'{"count": 9, "next": "%s", "results": [{"name": "A"}]}' % next_page.encode()
    publisher.serve(fixed({"/static/virtual/data/iclr-2025-orals-posters.json": events}))
    source = open_source("iclr2025", SourceOptions(client=publisher.client))
    with pytest.raises(SourceError, match=r"refused|is not an http or https address"):
        list(source.papers(SourceReport()))
    assert len(publisher.log) == 1


def test_a_list_that_names_itself_as_next_page(publisher: Publisher) -> None:
    path = "/static/virtual/data/iclr-2025-orals-posters.json"
    body = b'{"next": "https://iclr.cc%s", "results": [{"name": "A"}]}' % path.encode()
    publisher.serve(fixed({path: body}))
    with pytest.raises(SourceError, match="itself"):
        list(open_source("iclr2025", SourceOptions(client=publisher.client)).papers(SourceReport()))


BILLION_LAUGHS = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">
<!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">
<!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">]>
<collection id="2024.acl">&lol3;</collection>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE c [<!ENTITY x SYSTEM "file:///etc/passwd">]>
<collection id="2024.acl"><volume id="1"><paper id="1"><title>&x;</title></paper></volume>
</collection>"""


@pytest.mark.parametrize("body", [BILLION_LAUGHS, OUTSIDE], ids=["laughs", "outside"])
def test_xml_with_entities_is_refused(publisher: Publisher, body: bytes, tmp_path: Path) -> None:
    publisher.serve(fixed({"/acl-org/acl-anthology/master/data/xml/2024.acl.xml": body}))
    source = open_source("acl2024", SourceOptions(client=publisher.client))
    with pytest.raises(SourceError, match="document type or entities"):
        list(source.papers(SourceReport()))
    (tmp_path / "x.xml").write_bytes(body)
    with pytest.raises(SourceError, match="document type or entities"):
        list(open_source(tmp_path / "x.xml").papers(SourceReport()))


def test_a_gzip_bomb_is_refused(publisher: Publisher) -> None:
    bomb = gzip.compress(b" " * (30 << 20))
    assert len(bomb) < 40_000
    serve(publisher, Reply(bomb, headers={"Content-Encoding": "gzip"}))
    with (
        publisher.client(size_limit=1 << 20) as client,
        pytest.raises(FetchError, match="more than 1 MB"),
    ):
        client.get(URL, as_bytes)


def test_an_answer_that_declares_10_gb_is_refused_unread(publisher: Publisher) -> None:
    serve(publisher, Reply(b"x" * 100, declare=10 << 30))
    with publisher.client() as client, pytest.raises(FetchError, match="more than 64 MB"):
        client.get(URL, as_bytes)
    assert len(publisher.log) == 1


def test_an_answer_that_grows_without_declaring_is_refused(publisher: Publisher) -> None:
    body = gzip.compress(os.urandom(3 << 20))
    serve(publisher, Reply(body, headers={"Content-Encoding": "gzip"}))
    with (
        publisher.client(size_limit=2 << 20, attempts=1) as client,
        pytest.raises(FetchError, match="more than 2 MB"),
    ):
        client.get(URL, as_bytes)


def test_a_good_gzip_answer_is_unfolded(publisher: Publisher) -> None:
    serve(publisher, Reply(gzip.compress(b'{"a": 1}'), headers={"Content-Encoding": "gzip"}))
    with publisher.client() as client:
        assert client.get(URL, as_json) == {"a": 1}


def test_a_cut_gzip_answer_is_asked_for_again(publisher: Publisher) -> None:
    whole = gzip.compress(b'{"a": 1}' + b" " * 5_000)
    publisher.faults = [Reply(whole[:-12], headers={"Content-Encoding": "gzip"})]
    serve(publisher, Reply(whole, headers={"Content-Encoding": "gzip"}))
    with publisher.client() as client:
        assert client.get(URL, as_json) == {"a": 1}
    assert len(publisher.log) == 2


def test_another_compression_is_refused(publisher: Publisher) -> None:
    serve(publisher, Reply(b"??", headers={"Content-Encoding": "br"}))
    with publisher.client() as client, pytest.raises(FetchError, match="'br'"):
        client.get(URL, as_bytes)


def test_damaged_compression_is_an_error(publisher: Publisher) -> None:
    serve(publisher, Reply(b"not gzip at all", headers={"Content-Encoding": "gzip"}))
    with publisher.client(attempts=2) as client, pytest.raises(FetchError, match="2 times"):
        client.get(URL, as_bytes)


def test_json_nested_without_end_is_refused(publisher: Publisher) -> None:
    serve(publisher, Reply(b"[" * 200_000 + b"]" * 200_000))
    with publisher.client() as client, pytest.raises(SourceError, match="nested"):
        client.get(URL, as_json)


# -------------------------------------------------------------------- polite


def test_a_pause_between_two_requests_to_one_host(publisher: Publisher) -> None:
    publisher.serve(lambda _: Reply(b"1"))
    with publisher.client(pauses={"huggingface.co": 5.0, "": 0.0}) as client:
        client.get("https://huggingface.co/a", as_json)
        client.get("https://lists.example.org/b", as_json)
        assert publisher.slept == []
        client.get("https://huggingface.co/c", as_json)
    assert len(publisher.slept) == 1
    assert 4.5 < publisher.slept[0] <= 5.0


def test_arxiv_is_asked_once_in_three_seconds() -> None:
    from swimmer.sources.http.client import PAUSES

    assert PAUSES["export.arxiv.org"] >= 3.0


def test_pauses_grow_and_scatter(publisher: Publisher) -> None:
    publisher.serve(lambda _: Reply(b"", 503))
    with publisher.client() as client, pytest.raises(FetchError, match="503, 6 times") as caught:
        client.get(URL, as_json)
    assert caught.value.status == 503
    assert len(publisher.log) == 6
    for attempt, slept in enumerate(publisher.slept):
        assert 2.0**attempt <= slept <= 1.5 * 2.0**attempt
    assert len({round(slept / 2.0**i, 6) for i, slept in enumerate(publisher.slept)}) > 1


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        ("12", 12, 18),
        ("in 20 seconds", 17, 31),
        ("nonsense", 1, 1.5),
        ("-5", 1, 1.5),
        ("²", 1, 1.5),
        ("٣", 1, 1.5),
        ("Mon, 99 Foo 99999999999999999999 00:00:00", 1, 1.5),
    ],
)
def test_retry_after(publisher: Publisher, value: str, low: float, high: float) -> None:
    if value == "in 20 seconds":
        value = email.utils.formatdate(time.time() + 20, usegmt=True)
    publisher.faults = [Reply(b"", 429, {"Retry-After": value})]
    serve(publisher, Reply(b"[]"))
    with publisher.client() as client:
        client.get(URL, as_json)
    assert low <= publisher.slept[0] <= high


@pytest.mark.parametrize("value", ["9" * 5_000, "1" * 30])
def test_an_endless_retry_after_ends_the_fetch(publisher: Publisher, value: str) -> None:
    publisher.serve(lambda _: Reply(b"", 429, {"Retry-After": value}))
    with publisher.client() as client, pytest.raises(FetchError, match="asks to wait"):
        client.get(URL, as_json)
    assert publisher.slept == []


def test_a_long_retry_after_ends_the_fetch(publisher: Publisher) -> None:
    publisher.serve(lambda _: Reply(b"", 429, {"Retry-After": "86400"}))
    with publisher.client() as client, pytest.raises(FetchError, match="86400 s"):
        client.get(URL, as_json)
    assert len(publisher.log) == 1
    assert publisher.slept == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_refusal_is_not_repeated(publisher: Publisher, status: int) -> None:
    publisher.serve(lambda _: Reply(b"", status))
    with publisher.client() as client, pytest.raises(FetchError, match=str(status)) as caught:
        client.get(URL, as_json)
    assert caught.value.status == status
    assert len(publisher.log) == 1


def test_nobody_answers(publisher: Publisher) -> None:
    publisher.close()
    with publisher.client(attempts=2) as client, pytest.raises(FetchError, match="2 times") as e:
        client.get(URL, as_json)
    assert e.value.status is None


def test_without_a_network_it_says_so_soon(publisher: Publisher) -> None:
    with (
        publisher.client(hosts={"a.example": "http://no-such-host.invalid"}) as client,
        pytest.raises(FetchError, match="hint: check the network"),
    ):
        client.get("https://a.example/list", as_json)
    assert sum(publisher.slept) < 5


def test_who_is_asking(publisher: Publisher) -> None:
    serve(publisher, Reply(b"[]"))
    with publisher.client() as client:
        client.get(URL, as_json)
    (agent,) = publisher.user_agents
    assert agent.startswith("swimmer/")
    assert "(+" in agent


def test_whoever_fetches_may_say_where_to_complain(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWIMMER_CONTACT", "mailto:me@example.org\r\nX-Evil: 1")
    serve(publisher, Reply(b"[]"))
    with publisher.client() as client:
        client.get(URL, as_json)
    (agent,) = publisher.user_agents
    assert "(+mailto:me@example.org" in agent and "\n" not in agent


def test_news_of_waiting(publisher: Publisher) -> None:
    said: list[str] = []
    publisher.faults = [Reply(b"", 503)]
    serve(publisher, Reply(b"[]"))
    with publisher.client(notify=said.append) as client:
        client.get(URL, as_json)
    assert len(said) == 1
    assert "503" in said[0]
    assert "attempt 2" in said[0]


# ----------------------------------------------------------------- resumable


def test_an_unreadable_answer_is_not_kept(publisher: Publisher, tmp_path: Path) -> None:
    serve(publisher, Reply(b"<html>sorry</html>"))
    with publisher.client(tmp_path) as client, pytest.raises(SourceError, match="HTML"):
        client.get(URL, as_json)
    serve(publisher, Reply(b"[2]"))
    with publisher.client(tmp_path) as client:
        assert client.get(URL, as_json) == [2]


def test_validators(publisher: Publisher, tmp_path: Path) -> None:
    asked: list[tuple[str | None, str | None]] = []

    def route(question: Question) -> Reply:
        headers = question.headers
        asked.append((headers.get("if-none-match"), headers.get("if-modified-since")))
        return Reply(b"[3]", headers={"Last-Modified": "Fri, 21 Nov 2025 03:00:00 GMT"})

    publisher.serve(route)
    for _ in range(2):
        with publisher.client(tmp_path) as client:
            assert client.get(URL, as_json) == [3]
    assert publisher.statuses == [200, 304]
    assert asked[0] == (None, None)
    assert asked[1][0]
    assert asked[1][1] == "Fri, 21 Nov 2025 03:00:00 GMT"


def test_a_page_without_validators_is_fetched_again(publisher: Publisher, tmp_path: Path) -> None:
    serve(publisher, Reply(b"[3]", etag=False))
    for _ in range(2):
        with publisher.client(tmp_path) as client:
            client.get(URL, as_json)
    assert publisher.statuses == [200, 200]


def test_a_page_may_be_kept_for_a_time(publisher: Publisher, tmp_path: Path) -> None:
    serve(publisher, Reply(b"[3]"))
    for _ in range(2):
        with publisher.client(tmp_path) as client:
            client.get(URL, as_json, keep=3600)
    assert publisher.statuses == [200]


def test_what_must_not_be_kept_is_not(publisher: Publisher, tmp_path: Path) -> None:
    serve(publisher, Reply(b'{"token": "secret"}'))
    with publisher.client(tmp_path) as client:
        client.get(URL, as_json, send={"password": "p"}, keep=None)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"secret" not in path.read_bytes()
    assert not list(tmp_path.rglob("??/*"))


def test_two_posts_are_two_pages(publisher: Publisher, tmp_path: Path) -> None:
    publisher.serve(lambda question: Reply(question.body))
    with publisher.client(tmp_path) as client, client.listing("two"):
        assert client.get(URL, as_json, send={"ids": [1]}) == {"ids": [1]}
        assert client.get(URL, as_json, send={"ids": [2]}) == {"ids": [2]}


def test_a_finished_listing_is_asked_for_again(publisher: Publisher, tmp_path: Path) -> None:
    serve(publisher, Reply(b"[3]", etag=False))
    for _ in range(2):
        with publisher.client(tmp_path) as client, client.listing("all"):
            client.get(URL, as_json)
    assert publisher.statuses == [200, 200]


def test_an_interrupted_listing_goes_on(publisher: Publisher, tmp_path: Path) -> None:
    publisher.serve(lambda question: Reply(question.path.encode(), etag=False))
    with (
        pytest.raises(KeyboardInterrupt),
        publisher.client(tmp_path) as client,
        client.listing("all"),
    ):
        client.get("https://lists.example.org/1", as_text)
        raise KeyboardInterrupt
    with publisher.client(tmp_path) as client, client.listing("all"):
        client.get("https://lists.example.org/1", as_text)
        client.get("https://lists.example.org/2", as_text)
    assert publisher.log == ["/1", "/2"]


def test_an_old_interruption_is_forgotten(tmp_path: Path) -> None:
    cache = PageCache(tmp_path)
    begun = cache.listing_begun("all", now=1_000.0)
    assert cache.listing_begun("all", now=2_000.0) == begun
    assert cache.listing_begun("all", now=1_000_000.0) == 1_000_000.0


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"no json\nx", b'{"url":1}\n' + b"x" * 40])
def test_a_damaged_page_counts_as_absent(tmp_path: Path, damage: bytes) -> None:
    cache = PageCache(tmp_path)
    key = "ab" * 32
    cache.put(key, Page(URL, b"hello", {"etag": "1"}, 5.0))
    kept = cache.get(key)
    assert kept is not None
    assert (kept.body, kept.checked) == (b"hello", 5.0)
    (path,) = tmp_path.rglob(key)
    path.write_bytes(damage)
    assert cache.get(key) is None


def test_a_page_whose_bytes_changed_counts_as_absent(tmp_path: Path) -> None:
    cache = PageCache(tmp_path)
    key = "cd" * 32
    cache.put(key, Page(URL, b"hello", {}, 5.0))
    (path,) = tmp_path.rglob(key)
    head = path.read_bytes().partition(b"\n")[0]
    path.write_bytes(head + b"\n" + zlib.compress(b"other"))
    assert cache.get(key) is None


def test_no_cache_keeps_nothing() -> None:
    cache = PageCache(None)
    cache.put("k", Page(URL, b"x", {}, 1.0))
    assert cache.get("k") is None


@pytest.mark.parametrize("read", [as_json, as_xml])
def test_an_empty_answer_is_incomplete(publisher: Publisher, read: Any) -> None:
    serve(publisher, Reply(b""))
    with publisher.client(attempts=2) as client, pytest.raises(FetchError, match="cut off"):
        client.get(URL, read)
