"""The page: every address, hostile papers, who may ask, stores that change, the reading list."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import httpx
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

pytest.importorskip("starlette")
from starlette.testclient import TestClient

from swimmer import Paper, PaperStore, ask, build_store, open_store, search
from swimmer.errors import InputError
from swimmer.export.ris import to_ris
from swimmer.library.reading_list import ReadingList
from swimmer.web.app import create_app
from swimmer.web.site import HERE

from .conftest import Outcome

NAME = "conf2025"
ORIGIN = "http://127.0.0.1"
Swimmer = Callable[..., Outcome]

HOSTILE = Paper(
    title='<script>alert("x")</script> {{ 7*7 }} & learning to rank',
    abstract="</p><img src=x onerror=alert(1)> preference {% raw %} optimisation of rewards.",
    url="https://example.org/a?b=1&c=<d>",
    id='"><svg onload=alert(2)>',
    authors=("<b>Mallory</b>", "שלום עולם"),
    venue="<i>V</i>",
    year=2024,
    keywords=("<u>k</u>",),
    status="Oral",
    extra={
        "pdf": "javascript:alert(3)",
        "<x>": "<y>",
        "code": "https://example.org/code",
        "nested": {"a": 1},
        "primary_area": "optimization",
    },
)


@pytest.fixture
def store(home: Path, papers: list[Paper]) -> Path:
    """A store of the small corpus and a hostile paper, with the model that ships."""
    with build_store([*papers, HOSTILE], str(home / "conf2025")) as built:
        assert built.folder is not None
        return built.folder


@pytest.fixture
def client(store: Path) -> Iterator[TestClient]:
    with TestClient(create_app([store]), base_url=ORIGIN) as client:
        yield client


def post(client: TestClient, path: str, **fields: str) -> Any:
    return client.post(path, data=fields, headers={"Origin": ORIGIN}, follow_redirects=False)


def ids(page: str) -> list[str]:
    """Return the ids of the hits of a page, in their order."""
    found = re.findall(r'<h3 dir="auto"><a href="/paper\?store=[^&"]*&amp;id=([^"]*)"', page)
    return [unquote_plus(html.unescape(one)) for one in found]


def asked(client: TestClient, **fields: Any) -> Any:
    return client.get("/search", params={"store": NAME, **fields})


# ---------------------------------------------------------------------- asking


def test_the_first_page_has_a_labelled_box_and_every_store(client: TestClient) -> None:
    page = client.get("/").text
    assert 'role="combobox"' in page and '<label for="q">' in page
    assert NAME in page and "sample" in page


def test_a_known_title_is_answered_by_its_neighbours(
    client: TestClient, store: Path, papers: list[Paper]
) -> None:
    page = asked(client, q=papers[0].title).text
    assert "Similar to" in page
    with open_store(store) as opened:
        assert ids(page) == [hit.paper.id for hit in search(opened, papers[0].title)]


def test_every_setting_of_the_address_counts(
    client: TestClient, store: Path, papers: list[Paper]
) -> None:
    page = asked(
        client,
        q="graphs and rewards",
        k=3,
        like=papers[1].id,
        unlike=papers[2].id,
        mode="hybrid",
        diversity="0.4",
        year_from="2000",
        year_to="2030",
        where="year>=1990",
        why="1",
    ).text
    with open_store(store) as opened:
        (answer,) = ask(
            opened,
            ["graphs and rewards"],
            3,
            like=[papers[1]],
            unlike=[papers[2]],
            mode="hybrid",
            diversity=0.4,
            filter={"year": {"$gte": 2000}},
            explain=True,
        )
    assert ids(page) == [hit.paper.id for hit in answer.hits]
    assert "Remove the example" in page and 'class="why"' in page
    for hit in answer.hits:
        assert hit.reasons is not None
        assert all(html.escape(term) in page for term in hit.reasons.terms)


def test_filters_are_applied(client: TestClient) -> None:
    assert ids(asked(client, q="learning", where='code=~"example.org"', k=50).text) == [HOSTILE.id]
    assert HOSTILE.id not in ids(asked(client, q="learning", year_from="2025", k=50).text)
    empty = asked(client, q="learning", year_from="1066", year_to="1066")
    assert empty.status_code == 200 and "No papers found." in empty.text


def test_links_add_and_take_away_examples(client: TestClient, papers: list[Paper]) -> None:
    page = asked(client, q="learning", why="1").text
    more = html.unescape(re.findall(r'href="([^"]+)"[^>]*>[^\n]*More like this', page)[0])
    chosen = ids(page)[0]
    with_example = client.get(more).text
    assert 'name="like"' in with_example and chosen not in ids(with_example)
    remove = html.unescape(
        re.findall(r'<a href="([^"]+)" aria-label="Remove the example', with_example)[0]
    )
    assert ids(client.get(remove).text) == ids(page)


def test_two_papers_of_one_title_are_told_apart_by_their_ids(home: Path) -> None:
    twins = [
        Paper(title="Position paper", abstract="Bandits with delayed feedback.", id="a"),
        Paper(title="Position paper", abstract="Protein folding with transformers.", id="b"),
        Paper(title="Delayed rewards", abstract="Bandits with delayed feedback.", id="c"),
        Paper(title="Folding proteins", abstract="Protein folding with transformers.", id="d"),
    ]
    # A build takes the first two for one work; a store that was filled by hand may hold both.
    store = PaperStore.create("static")
    store.add(twins)
    store.commit(home / "twins")
    with TestClient(create_app([home / "twins"]), base_url=ORIGIN) as client:
        for one, nearest in (("a", "c"), ("b", "d")):
            page = client.get("/search", params={"store": "twins", "like": one}).text
            assert ids(page)[0] == nearest
            page = client.get("/paper", params={"store": "twins", "id": one}).text
            assert ids(page)[0] == nearest


def test_examples_of_another_store_are_left_out_and_said(client: TestClient) -> None:
    page = asked(client, q="learning", like="no-such-id")
    assert page.status_code == 200 and "1 of the examples are not in the store" in page.text
    alone = asked(client, like="no-such-id")
    assert alone.status_code == 400 and "None of the examples" in alone.text


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"k": "0"}, "k", "whole number from 1"),
        ({"k": "ten"}, "k", "whole number"),
        ({"k": "10001"}, "k", "whole number"),
        ({"k": "٣x"}, "k", "whole number"),
        ({"mode": "telepathy"}, "mode", "dense"),
        ({"diversity": "2"}, "diversity", "0 to 1"),
        ({"diversity": "nan"}, "diversity", "0 to 1"),
        ({"year_from": "abc"}, "year_from", "whole number"),
        ({"year_from": "2025", "year_to": "2020"}, "year_to", "This is before 2025"),
        ({"where": "year>="}, "where", "needs a value"),
        ({"where": "(" * 60}, "where", "nested"),
        ({"where": "colour=red"}, "where", "unknown field"),
        ({"where": "x" * 2001}, "where", "2,000 characters"),
        ({"q": "x" * 5001}, "q", "5,000 characters"),
        ({"like": [str(i) for i in range(21)]}, "like", "At most 20"),
    ],
)
def test_a_wrong_field_is_shown_with_what_is_wrong_beside_it(
    client: TestClient, fields: dict[str, Any], field: str, said: str
) -> None:
    answer = asked(client, **{"q": "learning", **fields})
    assert answer.status_code == 400
    beside = re.search(rf'id="{field}-wrong">([^<]*)<', answer.text)
    assert beside is not None and said in html.unescape(beside[1])


def test_what_cannot_be_asked_is_a_readable_page(client: TestClient, papers: list[Paper]) -> None:
    for fields, said in (
        ({"q": ""}, "Type a title or some words."),
        ({"q": "\x00\u202e"}, "Type a title or some words."),
        ({"q": "zzqqxx"}, "zzqqxx"),
        ({"like": papers[0].id, "unlike": papers[0].id}, "a positive and a negative example"),
        ({"q": "x", "unlike": papers[0].id, "mode": "keyword"}, "cannot be used in keyword mode"),
    ):
        answer = asked(client, **fields)
        assert answer.status_code in (200, 400) and said in html.unescape(answer.text), fields
        assert "<form" in answer.text


def test_ten_thousand_papers_come_a_page_at_a_time(home: Path) -> None:
    many = [
        Paper(title=f"Study {n} of rewards", abstract=f"Rewards, {n} times over.", id=str(n))
        for n in range(130)
    ]
    build_store(many, str(home / "many")).close()
    with TestClient(create_app([home / "many"]), base_url=ORIGIN) as client:
        pages = [
            client.get(
                "/search", params={"store": "many", "q": "rewards", "k": 10_000, "page": page}
            ).text
            for page in (1, 2, 3, 99)
        ]
        exported = client.get(
            "/export", params={"store": "many", "q": "rewards", "k": 10_000, "format": "json"}
        ).text
    found = [ids(page) for page in pages]
    assert [len(part) for part in found] == [50, 50, 30, 30]
    everything = [hit["id"] for hit in json.loads(exported)["hits"]]
    assert found[0] + found[1] + found[2] == everything and found[3] == found[2]
    assert "page 2 of 3" in pages[1] and 'rel="next"' not in pages[2]


def test_a_paper_page_asks_on_from_its_paper(client: TestClient, papers: list[Paper]) -> None:
    page = client.get("/paper", params={"store": NAME, "id": papers[0].id}).text
    links = [html.unescape(one) for one in re.findall(r'href="(/search\?[^"]+)"', page)]
    assert len(links) > 3
    for link in links:
        answer = client.get(link)
        assert answer.status_code == 200 and papers[0].id not in ids(answer.text), link


def test_titles_are_completed(client: TestClient, papers: list[Paper]) -> None:
    whole = papers[0].display_title
    options = client.get("/complete", params={"store": NAME, "q": whole[: len(whole) // 2]}).text
    assert html.escape(whole, quote=True).replace("&#x27;", "&#39;") in options
    assert 'role="option"' in options and 'id="completion-1"' in options
    assert client.get("/complete", params={"store": NAME, "q": "x"}).text.strip() == ""


def test_a_paper_has_a_page_of_its_own(client: TestClient, papers: list[Paper]) -> None:
    paper = papers[0]
    raw = client.get("/paper", params={"store": NAME, "id": paper.id}).text
    page = html.unescape(raw)
    assert paper.abstract in page and all(author in page for author in paper.authors)
    assert all(word in page for word in paper.keywords)
    assert paper.id not in ids(raw) and len(ids(raw)) > 1
    own = html.unescape(client.get("/paper", params={"store": NAME, "id": HOSTILE.id}).text)
    assert "Primary area" in own and 'href="https://example.org/code"' in own


# ---------------------------------------------------------------------- what others wrote


def test_no_markup_of_a_paper_reaches_a_page(client: TestClient) -> None:
    assert post(client, "/list/add", store=NAME, id=HOSTILE.id).status_code == 303
    key = re.findall(r'<li class="hit" id="(\w+)"', client.get("/list").text)[0]
    post(client, "/list/note", key=key, note="</textarea><script>alert(9)</script>")
    for page in (
        asked(client, q=HOSTILE.title, why="1", k=50).text,
        asked(client, q="preference rewards", why="1", k=50).text,
        asked(client, q="<script>alert(0)</script> learning to rank").text,
        asked(client, like=HOSTILE.id).text,
        client.get("/paper", params={"store": NAME, "id": HOSTILE.id}).text,
        client.get("/complete", params={"store": NAME, "q": "learning to ra"}).text,
        client.get("/list").text,
    ):
        assert "learning to rank" in page
        assert not re.search(
            r"<(script|img|svg)(?! (src|defer)=\"?/static)", page.replace('<img src="/static', "")
        )
        for bad in ("<b>Mallory", "<x>", "<i>V", "<u>k", 'href="javascript:', "</textarea><s"):
            assert bad not in page


def tags_of(page: str) -> list[tuple[str, list[str]]]:
    """The tags of a page as a browser reads them, each with the names of its attributes."""
    found: list[tuple[str, list[str]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.append((tag, [name for name, _ in attrs]))

    Reader().feed(page)
    return found


def test_no_page_has_a_script_or_a_style_of_its_own(
    client: TestClient, papers: list[Paper]
) -> None:
    post(client, "/list/add", store=NAME, id=papers[0].id)
    for path in (
        "/",
        f"/search?store={NAME}&q=learning&why=1",
        "/list",
        "/nowhere",
        f"/paper?store={NAME}&id={papers[0].id}",
    ):
        answer = client.get(path)
        for tag, names in tags_of(answer.text):
            assert tag != "style" and (tag != "script" or "src" in names)
            assert not [name for name in names if name == "style" or name.startswith("on")]
        # What a page loads is its own; only links of papers lead elsewhere.
        assert not re.search(r'(src=|<link[^>]* href=)"(?!/static/)', answer.text)
        assert not re.search(r'<a(?![^>]*noopener)[^>]* href="(?!/|#)', answer.text)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        # Other sites learn nothing, and a form without script still says where it comes from.
        assert answer.headers["referrer-policy"] == "same-origin"


def test_overrides_of_direction_are_taken_out(client: TestClient) -> None:
    page = asked(client, q="learning \u202egnp.exe\x07 rewards").text
    assert "gnp.exe" in page and "\u202e" not in page and "\x07" not in page


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    q=st.text(max_size=60),
    where=st.text(max_size=30),
    like=st.text(max_size=20),
    path=st.sampled_from(["/search", "/export", "/complete", "/paper", "/"]),
    store=st.sampled_from([NAME, "", "nosuch", "../x", "a/b", "\x00"]),
)
def test_no_address_breaks_the_page(
    client: TestClient, q: str, where: str, like: str, path: str, store: str
) -> None:
    fields = {"store": store, "q": q, "where": where, "like": like, "id": like, "format": "csv"}
    answer = client.get(path, params={k: v.encode("utf-8", "replace") for k, v in fields.items()})
    assert answer.status_code in (200, 400, 404)


# ---------------------------------------------------------------------- exports


@pytest.mark.parametrize("format", ["json", "csv", "markdown", "bibtex", "ris", "reading-list"])
def test_an_export_is_what_the_command_line_writes(
    client: TestClient, store: Path, swimmer: Swimmer, papers: list[Paper], format: str
) -> None:
    got = client.get(
        "/export",
        params={
            "store": NAME,
            "q": papers[0].title,
            "k": 4,
            "where": "year>1990",
            "mode": "hybrid",
            "diversity": "0.2",
            "why": "1",
            "format": format,
        },
    )
    told = swimmer(
        "search",
        papers[0].title,
        "-s",
        store,
        "-k",
        "4",
        "--where",
        "year>1990",
        "--mode",
        "hybrid",
        "--diversity",
        "0.2",
        "--why",
        "--format",
        format,
    )
    assert got.status_code == 200 and told.code == 0
    assert got.text == told.out
    assert got.headers["content-disposition"].startswith('attachment; filename="swimmer-conf2025.')


def test_an_export_that_cannot_be_made_says_why(client: TestClient) -> None:
    wrong = client.get("/export", params={"store": NAME, "q": "x", "format": "docx"})
    assert wrong.status_code == 400 and "bibtex" in wrong.text
    assert client.get("/export", params={"store": NAME, "format": "csv"}).status_code == 400
    bad = client.get("/export", params={"store": NAME, "q": "x", "k": "0", "format": "csv"})
    assert bad.status_code == 400


# ---------------------------------------------------------------------- stores


def test_an_unknown_store_suggests_a_near_one(client: TestClient) -> None:
    for path in ("/search?q=x&store=confs2025", "/paper?id=x&store=confs2025", "/?store=confs2025"):
        answer = client.get(path)
        assert answer.status_code == 404 and f"did you mean {NAME}?" in html.unescape(answer.text)
    assert client.get("/complete?q=abc&store=nosuch").status_code == 404


def test_a_store_is_asked_by_name_never_by_path(client: TestClient, store: Path) -> None:
    for name in (str(store), f"../{NAME}", "..", "vectorstores/../x"):
        assert client.get("/search", params={"store": name, "q": "x"}).status_code == 404


def test_a_store_behind_a_link_keeps_the_name_it_is_asked_by(
    home: Path, store: Path, papers: list[Paper]
) -> None:
    (home / "vectorstores").mkdir()
    (home / "vectorstores" / "latest").symlink_to(store)
    with TestClient(create_app(), base_url=ORIGIN) as client:
        page = client.get("/paper", params={"store": "latest", "id": papers[0].id}).text
        assert "store=latest" in page and f"store={NAME}" not in page
        post(client, "/list/add", store="latest", id=papers[0].id)
        assert "store=latest" in client.get("/list").text


def test_two_given_stores_of_one_name_are_refused(home: Path, store: Path) -> None:
    twin = home / "other" / NAME
    shutil.copytree(store, twin)
    with pytest.raises(InputError, match="two of the stores are called conf2025"):
        create_app([store, twin])
    create_app([store, store])


def test_an_unknown_paper_or_page_is_said(client: TestClient) -> None:
    answer = client.get("/paper", params={"store": NAME, "id": "nosuch<b>"})
    assert answer.status_code == 404 and "nosuch&lt;b&gt;" in answer.text
    assert client.get("/nowhere").status_code == 404


def test_a_store_that_was_updated_is_served_anew(
    client: TestClient, store: Path, papers: list[Paper]
) -> None:
    assert client.get("/paper", params={"store": NAME, "id": "new"}).status_code == 404
    new = replace(papers[0], id="new", title="A new paper about tides", url="", abstract="Tides.")
    build_store([*papers, HOSTILE, new], str(store)).close()
    assert client.get("/paper", params={"store": NAME, "id": "new"}).status_code == 200
    assert "tides" in client.get("/complete", params={"store": NAME, "q": "a new pap"}).text


def test_a_store_that_was_deleted_is_a_clear_page(client: TestClient, store: Path) -> None:
    assert asked(client, q="learning").status_code == 200
    shutil.rmtree(store)
    answer = asked(client, q="learning")
    assert answer.status_code == 404 and "is not a store" in html.unescape(answer.text)


def test_a_damaged_store_is_a_clear_page(client: TestClient, store: Path) -> None:
    (store / "manifest.json").write_text("{", encoding="utf-8")
    answer = asked(client, q="learning")
    assert answer.status_code == 500 and "cannot be read" in answer.text
    assert "Traceback" not in answer.text


def test_without_a_store_the_page_says_how_to_build_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swimmer.store.names.bundled_sample", lambda: home / "none")
    with TestClient(create_app(), base_url=ORIGIN) as client:
        assert "swimmer build" in client.get("/").text
        assert client.get("/search?q=x").status_code == 404


def test_a_store_built_meanwhile_appears(home: Path, papers: list[Paper]) -> None:
    with TestClient(create_app(), base_url=ORIGIN) as client:
        assert "later2025" not in client.get("/").text
        build_store(papers, "later2025").close()
        assert "later2025" in client.get("/").text


# ---------------------------------------------------------------------- who may ask


def test_a_foreign_host_is_refused(store: Path) -> None:
    app = create_app([store])
    for host, status in (
        ("127.0.0.1:8765", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8765", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
        ("a b", 421),
        ("192.168.0.7", 421),
    ):
        with TestClient(app, base_url=ORIGIN) as client:
            assert client.get("/", headers={"Host": host}).status_code == status, host


def test_a_change_from_elsewhere_is_refused(client: TestClient, papers: list[Paper]) -> None:
    for headers in (
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": ORIGIN},
        {"Sec-Fetch-Site": "none"},
    ):
        answer = client.post(
            "/list/add",
            data={"store": NAME, "id": papers[0].id},
            headers=headers,
            follow_redirects=False,
        )
        assert answer.status_code == 403, headers
    assert "The list is empty" in client.get("/list").text
    for path in ("/list/add", "/list/remove", "/list/note", "/list/move"):
        assert client.get(path).status_code == 405
    assert client.put("/list/add", headers={"Origin": ORIGIN}).status_code == 405


def test_another_site_may_link_here_but_load_nothing(client: TestClient) -> None:
    for site, destination, status in (
        ("cross-site", "document", 200),
        ("none", "document", 200),
        ("same-origin", "empty", 200),
        ("cross-site", "image", 403),
        ("cross-site", "iframe", 403),
        ("same-site", "empty", 403),
        ("cross-site", "", 403),
    ):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": destination}
        for path in (f"/search?store={NAME}&q=learning", "/list", "/static/swimmer.css"):
            assert client.get(path, headers=headers).status_code == status, (site, destination)


def test_a_body_is_bounded(client: TestClient) -> None:
    assert post(client, "/list/add", store="x" * 140_000).status_code == 413
    many = "&".join(f"a{n}=1" for n in range(100))
    wrong = client.post("/list/add", content=many, headers={"Origin": ORIGIN})
    assert wrong.status_code == 400


def test_a_token_is_asked_once_and_kept_in_a_cookie(store: Path) -> None:
    token = "a-token-of-some-length"
    app = create_app([store], host="0.0.0.0", token=token)
    with TestClient(app, base_url="http://192.168.0.7:8765", follow_redirects=False) as client:
        for path in (
            "/",
            "/list",
            f"/complete?store={NAME}&q=ab",
            "/?token=wrong",
            "/?token=%C3%A9",
        ):
            assert client.get(path).status_code == 401, path
        assert client.get("/static/swimmer.css").status_code == 200
        let_in = client.get(f"/search?q=a+b&token={token}")
        assert let_in.status_code == 303 and let_in.headers["location"] == "/search?q=a+b"
        cookie = let_in.headers["set-cookie"]
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie
        assert client.get("/").status_code == 200
        assert client.get("/", headers={"Host": "evil.example"}).status_code == 421
    with TestClient(app, base_url="http://192.168.0.7:8765", follow_redirects=False) as client:
        client.cookies.set("swimmer_token", "b-token-of-some-length")
        assert client.get("/").status_code == 401
        away = client.get(f"//evil.example/?token={token}")
        assert not away.headers.get("location", "/").startswith("//")


# ---------------------------------------------------------------------- the reading list


def keys_of(client: TestClient) -> list[str]:
    return re.findall(r'<li class="hit" id="(\w+)"', client.get("/list").text)


def test_the_list_is_kept_ordered_noted_and_exported(
    store: Path, papers: list[Paper], home: Path
) -> None:
    kept = home / "list.json"
    with TestClient(create_app([store], reading_list=kept), base_url=ORIGIN) as client:
        for paper in papers[:3]:
            assert post(client, "/list/add", store=NAME, id=paper.id).status_code == 303
        post(client, "/list/add", store=NAME, id=papers[0].id)
        first, second, third = keys_of(client)
        post(client, "/list/move", key=third, way="up")
        assert keys_of(client) == [first, third, second]
        post(client, "/list/note", key=third, note="read *this*\r\n- first\r\n- again")
        post(client, "/list/remove", key=first)
        post(client, "/list/remove", key=first)
    shutil.rmtree(store)
    with TestClient(create_app(reading_list=kept), base_url=ORIGIN) as client:
        assert keys_of(client) == [third, second]
        assert "read *this*\n- first" in client.get("/list").text
        texts = {
            name: client.get("/list/export", params={"format": name}).text
            for name in ("reading-list", "json", "csv", "bibtex", "ris")
        }
        assert client.get("/list/export?format=docx").status_code == 400
    assert "### Notes\n\nread *this*\n- first\n- again" in texts["reading-list"]
    assert texts["ris"] == to_ris([papers[2], papers[1]])
    assert [json.loads(line)["id"] for line in texts["json"].splitlines()] == [
        papers[2].id,
        papers[1].id,
    ]
    assert (
        texts["csv"].splitlines()[0].endswith("abstract,notes,authors_order")
        and "read *this*" in texts["csv"]
    )
    assert texts["bibtex"].count("\n@") + texts["bibtex"].startswith("@") == 2
    for ending, text in ((".md", texts["reading-list"]), (".jsonl", texts["json"])):
        path = home / f"again{ending}"
        path.write_text(text, encoding="utf-8")
        with build_store(path, str(home / "again")) as built:
            assert [paper.title for paper in built] == [papers[2].title, papers[1].title]


def test_a_part_of_the_page_comes_back_where_only_that_was_asked(
    client: TestClient, papers: list[Paper]
) -> None:
    headers = {"Origin": ORIGIN, "HX-Request": "true"}

    def ask_for(path: str, **fields: str) -> Any:
        return client.post(path, data=fields, headers=headers, follow_redirects=False)

    kept = ask_for("/list/add", store=NAME, id=papers[0].id)
    assert kept.status_code == 200 and "<html" not in kept.text and "hx-swap-oob" in kept.text
    (key,) = keys_of(client)
    assert ask_for("/list/note", key=key, note="x").text == "saved"
    wrong = ask_for("/list/note", key="nosuch", note="x")
    assert wrong.status_code == 400 and "<html" not in wrong.text
    assert ask_for("/list/note", key=key, note="x" * 10_001).status_code == 400
    assert ask_for("/list/move", key=key, way="sideways").status_code == 400
    left = ask_for("/list/remove", key=key)
    assert 'id="papers"' in left.text and "<html" not in left.text


def test_a_long_list_comes_in_pages(home: Path) -> None:
    kept = ReadingList(home / "list.json")
    for number in range(205):
        kept.add("gone", Paper(f"Paper {number}", id=str(number)))
    keys = [entry.key for entry in kept.entries()]
    with TestClient(create_app(reading_list=home / "list.json"), base_url=ORIGIN) as client:

        def shown(address: str) -> list[str]:
            return re.findall(r'<li class="hit" id="(\w+)"', client.get(address).text)

        assert [*shown("/list"), *shown("/list?page=2"), *shown("/list?page=3")] == keys
        assert "205 papers, page 2 of 3" in client.get("/list?page=2").text
        assert '<ol class="hits list" start="101">' in client.get("/list?page=2").text
        for junk in ("0", "-1", "9", "99999999", "x", "²"):
            assert shown(f"/list?page={junk}") in (keys[:100], keys[200:])
        assert shown(f"/list?at={keys[204]}") == keys[200:]
        moved = post(client, "/list/move", key=keys[100], way="up")
        assert moved.headers["location"] == f"/list?at={keys[100]}#{keys[100]}"
        assert shown(moved.headers["location"])[-1] == keys[100]
        swapped = client.post(
            "/list/remove",
            data={"key": keys[204], "page": "3"},
            headers={"Origin": ORIGIN, "HX-Request": "true"},
        )
        assert "204 papers, page 3 of 3" in swapped.text
        back = post(client, "/list/remove", key=keys[203], page="3")
        assert back.headers["location"] == "/list?page=3"
        assert post(client, "/list/remove", key="", page="//x").headers["location"] == "/list"


def test_a_damaged_list_is_put_aside_and_said(home: Path, papers: list[Paper]) -> None:
    for number, damage in enumerate(
        (
            "{",
            "[]",
            '{"schema": 1, "papers": [{}]}',
            '{"schema":1,"papers":[{"paper":{"title":""}}]}',
            '{"schema":1,"papers":[{"paper":{"title":"x","colour":"red"}}]}',
            "\x00\xff",
            '{"schema":1,"papers":[[]]}',
            '{"papers":{"a":1}}',
            '{"papers":[null]}',
        )
    ):
        path = home / str(number) / "list.json"
        path.parent.mkdir()
        path.write_text(damage, encoding="latin-1")
        with TestClient(create_app(reading_list=path), base_url=ORIGIN) as client:
            page = client.get("/list").text
            assert "was damaged" in page and "The list is empty" in page
        (aside,) = path.parent.glob("list.damaged-*.json")
        assert aside.read_text(encoding="latin-1") == damage


def test_a_list_with_half_characters_is_shown(home: Path) -> None:
    path = home / "list.json"
    halves = {"paper": {"title": "x"}, "note": "\ud800", "store": "\udfff", "added": "\ud800"}
    path.write_text(json.dumps({"schema": 1, "papers": [halves]}), encoding="utf-8")
    with TestClient(create_app(reading_list=path), base_url=ORIGIN) as client:
        assert client.get("/list").status_code == 200
        assert client.get("/list/export?format=reading-list").status_code == 200
        (key,) = keys_of(client)
        assert post(client, "/list/move", key=key, way="up").status_code == 303


@pytest.mark.parametrize("letter", ["読", "🐟", "\r\n読"])
def test_a_note_of_the_full_length_is_kept(
    client: TestClient, papers: list[Paper], letter: str
) -> None:
    post(client, "/list/add", store=NAME, id=papers[0].id)
    (key,) = keys_of(client)
    long = letter * (10_000 // len(letter.replace("\r\n", "\n")))
    assert post(client, "/list/note", key=key, note=long).status_code == 303
    shown = html.unescape(client.get("/list").text)
    assert long.replace("\r\n", "\n").strip() in shown


def test_a_list_of_a_later_swimmer_is_left_alone(
    home: Path, store: Path, papers: list[Paper]
) -> None:
    path = home / "list.json"
    path.write_text('{"schema": 99, "papers": []}', encoding="utf-8")
    with TestClient(create_app([store], reading_list=path), base_url=ORIGIN) as client:
        assert client.get("/list").status_code == 500
        assert client.get("/").status_code == 200
        assert post(client, "/list/add", store=NAME, id=papers[0].id).status_code == 500
    assert path.read_text(encoding="utf-8") == '{"schema": 99, "papers": []}'


def test_two_processes_share_one_list(home: Path, papers: list[Paper]) -> None:
    one, other = ReadingList(home / "list.json"), ReadingList(home / "list.json")
    one.add("a", papers[0])
    other.add("b", papers[0])
    one.add("a", papers[1])
    assert [(e.store, e.paper) for e in other.entries()] == [
        ("a", papers[0]),
        ("b", papers[0]),
        ("a", papers[1]),
    ]
    assert not list(home.glob(".reading_list*"))


def test_the_list_of_a_store_in_another_place_may_repeat_an_id(
    home: Path, papers: list[Paper]
) -> None:
    path = home / "list.json"
    reading = ReadingList(path)
    reading.add("a", replace(papers[0], id="1"))
    reading.add("b", replace(papers[1], id="1"))
    with TestClient(create_app(reading_list=path), base_url=ORIGIN) as client:
        text = client.get("/list/export?format=reading-list").text
    assert all(paper.title.split(":")[0][:20] in text for paper in papers[:2])


@given(
    title=st.text(min_size=1, max_size=40).filter(str.strip),
    note=st.text(max_size=80),
    extra=st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=9), max_size=3),
)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_on_the_list_is_read_back(
    home: Path, title: str, note: str, extra: dict[str, Any]
) -> None:
    path = home / "any.json"
    path.unlink(missing_ok=True)
    try:
        paper = Paper(title=title, extra=extra)
    except ValueError:
        return
    reading = ReadingList(path)
    entry = reading.add("s", paper)
    reading.edit(entry.key, note=note)
    (again,) = ReadingList(path).entries()
    assert again.paper == paper and again == reading.entries()[0] and not reading.problem


# ---------------------------------------------------------------------- the command


def test_a_port_in_use_is_said_with_the_next_free_one(swimmer: Swimmer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = swimmer("serve", "--no-browser", "--port", str(port))
    assert told.code == 2 and f"error: port {port} is in use\n" in told.err
    assert "hint: try: swimmer serve --port" in told.err


def test_no_other_port_is_tried_where_the_address_is_wrong(
    swimmer: Swimmer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swimmer.web.server._next_free", lambda host, port: 1 // 0)
    told = swimmer("serve", "--no-browser", "--host", "no such host")
    assert told.code == 2 and "hint: use another --host or --port" in told.err


def test_what_cannot_be_served_is_said(swimmer: Swimmer) -> None:
    unknown = swimmer("serve", "smaple", "--no-browser", "--port", "0")
    assert unknown.code == 2 and "did you mean sample" in unknown.err
    short = swimmer("serve", "--token", "short", "--no-browser", "--port", "0")
    assert short.code == 2 and "8 to 200" in short.err


def test_a_missing_extra_is_the_line_that_installs_it(
    swimmer: Swimmer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [
        name for name in sys.modules if name.startswith(("swimmer.web", "swimmer.serving"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    told = swimmer("serve", "--no-browser")
    assert told.code == 2 and 'pip install "swimmer[web]"' in told.err


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_the_command_serves_until_interrupted_whoever_hangs_up(store: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "swimmer", "serve", str(store), "--no-browser", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stderr is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"swimmer: serving at (http://127\.0\.0\.1:(\d+)/) .*\n", line)
        assert found is not None, process.stderr.read()
        address, port = found[1], int(found[2])
        assert httpx.get(address, timeout=30).status_code == 200
        for sent in (
            b"GET /search?k=200&q=learning HTTP/1.1\r\nHost: localhost\r\n\r\n",
            b"POST /list/add HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n"
            b"Content-Length: 500\r\n\r\nstore=",
            b"GET / HT",
            b"\x16\x03\x01",
        ):
            with socket.create_connection(("127.0.0.1", port)) as visitor:
                visitor.sendall(sent)
        assert httpx.get(address + "list", timeout=30).status_code == 200
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode in (0, 130)
    assert "Traceback" not in err and out == ""


def test_the_vendored_files_are_those_that_their_readme_names() -> None:
    vendor = HERE / "static" / "vendor"
    readme = (vendor / "README.md").read_text(encoding="utf-8")
    named = dict(re.findall(r"\| `([\w.]+)` .*`([0-9a-f]{64})`", readme))
    assert set(named) == {path.name for path in vendor.iterdir() if path.suffix in (".js", ".css")}
    for name, digest in named.items():
        assert hashlib.sha256((vendor / name).read_bytes()).hexdigest() == digest


# ---------------------------------------------------------------------- read-only


def test_a_read_only_page_has_no_list_and_changes_nothing(
    store: Path, papers: list[Paper], tmp_path: Path
) -> None:
    """Searches, papers and the map are there; the reading list of whoever serves is not."""
    notes = tmp_path / "list.json"
    ReadingList(notes).add(NAME, papers[0])
    before = notes.read_bytes()
    app = create_app([store], reading_list=notes, read_only=True)
    with TestClient(app, base_url=ORIGIN) as client:
        home, found = client.get("/").text, asked(client, q=papers[0].title)
        paper = client.get("/paper", params={"store": NAME, "id": papers[0].id})
        for page in (home, found.text, paper.text):
            assert "/list" not in page
            assert "Add to reading list" not in page and "the reading list" not in page
        assert found.status_code == paper.status_code == 200
        assert ids(found.text)
        assert client.get("/list").status_code == 404
        assert client.get("/list/export?format=json").status_code == 404
        for path in ("add", "remove", "note", "move"):
            answer = post(client, f"/list/{path}", store=NAME, id=papers[1].id, key="x", note="y")
            assert answer.status_code in (404, 405)
    assert notes.read_bytes() == before


@pytest.mark.parametrize(
    "host", ["a\x85b", "a\nb", "\x1b[31mred", "a" * 300, "exa mple", "é\u200b"]
)
def test_a_host_that_is_none_is_refused_in_words(host: str) -> None:
    from swimmer.web import serve

    with pytest.raises(InputError) as refused:
        serve([], host=host, port=0, browser=False)
    assert str(refused.value).isprintable()
