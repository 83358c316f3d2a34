"""What the pages show of papers: two views, marked terms, files, sessions, orders."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import pytest

pytest.importorskip("starlette")

from starlette.testclient import TestClient

from swimmer import Paper, build_store
from swimmer.errors import StoreDamagedError
from swimmer.web.app import create_app
from swimmer.web.site import files, marked

PAPERS = [
    Paper(
        "Walking robots on ice",
        "Ice is slippery. We train walking robots with rewards for balance. They walk far.",
        id="a",
        authors=("Ana Ruiz",),
        venue="CONF",
        year=2025,
        extra={
            "session": "Posters 1",
            "room_name": "Hall 3",
            "poster_position": "#12",
            "starttime": "2031-04-25T10:00:00+02:00",
            "pdf": "https://papers.example/a.pdf",
            "code": "https://code.example/a",
            "citations": 3,
        },
    ),
    Paper(
        "Walking robots in sand",
        "Sand is deep. Walking robots with rewards for balance sink less.",
        id="b",
        venue="CONF",
        year=2024,
        extra={"session": "Posters 2", "pdf": "javascript:alert(1)", "citations": 30},
    ),
    *[
        Paper(f"Proteins, part {n}", "Folding of proteins.", id=f"p{n}", year=2020)
        for n in range(9)
    ],
]


@pytest.fixture
def client(home: Path) -> Iterator[TestClient]:
    build_store(PAPERS, home / "conf", model="static").close()
    with TestClient(create_app([home / "conf"]), base_url="http://127.0.0.1") as client:
        yield client


def search(client: TestClient, **fields: str) -> str:
    return client.get("/search", params={"q": "walking robots", **fields}).text


def test_the_chosen_view_is_kept(client: TestClient) -> None:
    assert 'class="hits compact"' in search(client)
    assert 'class="hits"' in search(client, view="full")
    # It holds for what is asked next, and for other pages.
    assert 'class="hits"' in search(client, q="proteins")
    assert 'class="hits compact"' in search(client, view="compact")
    for wrong in ("", "wide", "<b>"):
        assert 'class="hits compact"' in search(client, view=wrong)
    client.cookies.set("swimmer_view", "<b>")
    assert "<b>" not in search(client)


def test_a_link_to_the_other_view_keeps_the_question(client: TestClient) -> None:
    page = search(client, why="1", k="2")
    (link,) = re.findall(r'href="([^"]*view=full)"', page)
    full = client.get(html.unescape(link)).text
    assert 'name="why" value="1" form="ask" checked' in full
    assert full.count('<li class="hit"') == 2


def test_where_a_paper_is_presented_and_its_files_are_shown(client: TestClient) -> None:
    page = search(client)
    assert "Posters 1, Hall 3, #12, 2031-04-25 10:00" in page
    assert 'href="https://papers.example/a.pdf"' in page and 'href="https://code.example/a"' in page
    assert "javascript:" not in page


def test_the_sentence_that_answers_is_shown_with_its_terms_marked(client: TestClient) -> None:
    page = search(client, q="rewards for balance", why="1")
    (sentence, *_) = re.findall(r'<p class="sentence"[^>]*>(.*?)</p>', page)
    assert "Ice is slippery" not in sentence and "<mark>rewards</mark>" in sentence
    assert "<mark>" not in search(client, q="rewards for balance")


def test_marking_escapes_every_part() -> None:
    assert marked("a <b>c</b> B", ("b", "<b>")) == (
        "a &lt;<mark>b</mark>&gt;c&lt;/<mark>b</mark>&gt; <mark>B</mark>"
    )
    assert marked("subset & sets", ("set", "(")) == "subset &amp; sets"
    assert marked("<script>", ()) == "&lt;script&gt;"


def test_files_are_addresses_of_the_web_only() -> None:
    assert files(Paper("T", extra={"pdf": 3, "code": ["x"]})) == []
    assert files(
        Paper("T", extra={"pdf": "data:text/html,x", "github": "https://g.example/x"})
    ) == [("Code", "https://g.example/x")]
    assert files(Paper("T", url="https://arxiv.org/abs/2501.00001v2")) == [
        ("PDF", "https://arxiv.org/pdf/2501.00001")
    ]


def test_only_orders_that_the_store_has_are_offered(client: TestClient) -> None:
    page = search(client)
    links = {
        said: html.unescape(link)
        for link, said in re.findall(r'<a href="([^"]*)"[^>]*>([^<]* first|By title)</a>', page)
    }
    assert list(links) == [
        "Closest first",
        "Newest first",
        "Oldest first",
        "Most cited first",
        "By title",
    ]
    assert "sort=" not in links["Closest first"]
    for said, first in (("Most cited first", "Walking robots in sand"), ("By title", "Proteins")):
        found = client.get(links[said]).text
        assert first in re.findall(r'data-key="o">([^<]*)<', found)[0]


def test_sessions_narrow_the_results(client: TestClient) -> None:
    page = search(client)
    links = re.findall(r'<a href="([^"]*session=[^"]*)"', page)
    assert len(links) == 2
    narrowed = client.get(html.unescape(links[0])).text
    assert narrowed.count('<li class="hit"') == 1
    assert "No papers found" in search(client, session="Posters 9")


def test_a_store_without_sessions_offers_none(home: Path) -> None:
    build_store(PAPERS[2:], home / "bare", model="static").close()
    with TestClient(create_app([home / "bare"]), base_url="http://127.0.0.1") as client:
        assert "<summary>Session" not in search(client, q="proteins")
        assert "No papers found" in search(client, q="proteins", session="Posters 1")


def test_every_page_has_the_box_with_its_store(client: TestClient, home: Path) -> None:
    for path in ("/", "/search?q=x", "/paper?id=a&store=conf", "/list", "/nowhere"):
        page = client.get(path).text
        assert page.count('id="q"') == 1 and '<option value="conf" selected>' in page, path


# ---------------------------------------------------------------------- all stores


@pytest.fixture
def both(home: Path) -> Iterator[TestClient]:
    """A page over two stores, one of them served by the name of a link to its folder."""
    build_store(PAPERS, home / "conf", model="static").close()
    others = [
        replace(paper, id=f"o-{paper.id}", year=2019, keywords=("folding",)) for paper in PAPERS[2:]
    ]
    build_store(others, home / "folder", model="static").close()
    (home / "linked").symlink_to(home / "folder")
    app = create_app([home / "conf", home / "linked"])
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def test_all_stores_answer_as_one(both: TestClient) -> None:
    page = search(both, q="proteins", store="*", why="1", k="40")
    assert '<option value="*" selected>all stores</option>' in page
    stores = set(re.findall(r'<h3 dir="auto"><a href="/paper\?store=(\w+)&', page))
    # What the sample store holds is far from it, and comes last.
    assert {"conf", "linked"} <= stores <= {"conf", "linked", "sample"}
    for link in re.findall(r'href="(/paper\?[^"]*)"', page)[:4]:
        assert both.get(html.unescape(link)).status_code == 200
    more = re.findall(r'href="([^"]*)"[^>]*title="More like this"', page)
    assert both.get(html.unescape(more[0])).status_code == 200
    titled = search(both, q=PAPERS[3].title, store="*")
    (link,) = re.findall(r'Similar to\s+<a dir="auto" href="([^"]*)"', titled)
    assert both.get(html.unescape(link)).status_code == 200
    for link in re.findall(r'href="(/export[^"]*)"', page):
        saved = both.get(html.unescape(link))
        assert saved.status_code == 200 and "swimmer-all." in saved.headers["content-disposition"]


def test_facets_of_all_stores_are_sums(both: TestClient) -> None:
    page = search(both, q="proteins", store="*")
    counts = dict(re.findall(r">(20\d\d) <span class=\"count\">(\d+)<", page))
    assert counts["2019"] == counts["2020"] == "9"
    link = next(one for one in re.findall(r'<a href="([^"]*year=2019[^"]*)"', page))
    narrowed = both.get(html.unescape(link)).text
    assert set(re.findall(r'<h3 dir="auto"><a href="/paper\?store=(\w+)&', narrowed)) == {"linked"}
    assert "<summary>Topic" in page and "<summary>Author" in page
    browsed = both.get("/search", params={"store": "*", "year": "2019"}).text
    assert "a filter that 9 papers meet" in browsed


@pytest.mark.parametrize("facet", ["topic", "session", "author"])
def test_facets_that_each_store_has_its_own_of_narrow_all_stores(
    both: TestClient, facet: str
) -> None:
    page = search(both, q=PAPERS[3].title, store="*", k="40")
    first = re.search(
        rf'<a href="([^"]*[?;]{facet}=[^"]*)"[^>]*>[^<]*<span class="count">(\d+)', page
    )
    assert first is not None, facet
    answer = both.get(html.unescape(first[1]))
    assert answer.status_code == 200 and 'role="note"' not in answer.text
    stores = re.findall(r'<h3 dir="auto"><a href="/paper\?store=(\w+)&', answer.text)
    assert 0 < len(stores) <= int(first[2])
    # The title is known in each, wherever the chosen value is from.
    assert "Similar to" in answer.text
    only = both.get("/search", params={"store": "*", facet: "no such value", "q": "proteins"})
    assert only.status_code == 200 and "No papers found." in only.text
    browsed = both.get("/search", params={"store": "*", facet: "no such value"})
    assert browsed.status_code == 200 and "No papers found." in browsed.text


def test_titles_of_all_stores_are_completed(both: TestClient) -> None:
    found = both.get("/complete", params={"store": "*", "q": "walking ro"}).text
    assert found.count('role="option"') == 2
    assert both.get("/", params={"store": "*"}).status_code == 200


def test_what_fails_after_the_top_was_sent_is_said(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StoreDamagedError("<b>the file</b> is gone", hint="build it again")

    monkeypatch.setattr(import_module("swimmer.web.results"), "_with_reasons", fail)
    page = search(client, why="1")
    assert "&lt;b&gt;the file&lt;/b&gt; is gone" in page and "build it again" in page
    assert page.rstrip().endswith("</html>")
