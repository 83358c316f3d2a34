"""The client: polite, safe, and it goes on where it stopped."""

from __future__ import annotations

import email.utils
import gzip
import os
import time
import zlib
from pathlib import Path
from typing import Any

import pytest

from swimmer.errors import FetchError, SourceError
from swimmer.sources import SourceReport, open_source
from swimmer.sources.http.addresses import refuse_address, refuse_host
from swimmer.sources.http.client import Client, as_bytes, as_json, as_text, as_xml
from swimmer.sources.http.pages import Page, PageCache
from swimmer.sources.publishers.remote import Options
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


def test_an_address_that_turned_inside_after_the_check_is_refused(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The name was public when it was looked up, and leads to this machine when it is connected.
    monkeypatch.setattr("swimmer.sources.http.client.refuse_host", lambda *_: "innocent.example")
    monkeypatch.setattr("swimmer.sources.http.client.behind_proxy", lambda _url: False)
    serve(publisher, Reply(b"[]"))
    with (
        publisher.client(hosts={}) as client,
        pytest.raises(SourceError, match=r"127\.0\.0\.1"),
    ):
        client.get(f"{publisher.url}/page", as_json)


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


def test_a_redirect_loop_ends(publisher: Publisher) -> None:
    serve(publisher, Reply(b"", 302, {"Location": "/page"}))
    with publisher.client() as client, pytest.raises(FetchError, match="redirects"):
        client.get(URL, as_json)
    assert len(publisher.log) == 6


def test_a_redirect_on_the_same_host_is_followed(publisher: Publisher) -> None:
    publisher.serve(fixed({"/page": Reply(b"", 301, {"Location": "/new"}), "/new": Reply(b"[1]")}))
    with publisher.client() as client:
        assert client.get(URL, as_json) == [1]


def test_credentials_do_not_follow_to_another_host(publisher: Publisher) -> None:
    seen: list[dict[str, str | None]] = []

    def route(question: Question) -> Reply:
        names = ("authorization", "x-api-key", "accept")
        seen.append({name: question.headers.get(name) for name in names})
        if question.path == "/page":
            return Reply(b"", 302, {"Location": "https://huggingface.co/elsewhere"})
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
    source = open_source("iclr2025", Options(client=publisher.client))
    with pytest.raises(SourceError, match="refused"):
        list(source.papers(SourceReport()))
    assert len(publisher.log) == 1


def test_a_list_that_names_itself_as_next_page(publisher: Publisher) -> None:
    path = "/static/virtual/data/iclr-2025-orals-posters.json"
    body = b'{"next": "https://iclr.cc%s", "results": [{"name": "A"}]}' % path.encode()
    publisher.serve(fixed({path: body}))
    with pytest.raises(SourceError, match="itself"):
        list(open_source("iclr2025", Options(client=publisher.client)).papers(SourceReport()))


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
    source = open_source("acl2024", Options(client=publisher.client))
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
    with publisher.client() as client, pytest.raises(FetchError, match="more than 512 MB"):
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
        pytest.raises(FetchError, match="is there a network"),
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
