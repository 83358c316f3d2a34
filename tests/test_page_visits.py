"""The pages of a paper and a person, for you, digest, daily, and what a store holds at a glance."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("starlette")

from hypothesis import given, strategies as st
from starlette.testclient import TestClient

from swimmer import Paper, PaperStore, build_store, open_store
from swimmer.library import ReadingList
from swimmer.web.app import create_app
from swimmer.web.daily_page import Choice, Period
from swimmer.web.glance import examples_of

from .test_facets import keep_map

ORIGIN = "http://127.0.0.1"
BAD = "<img src=x onerror=alert(1)>"
WALKING = [
    Paper(
        f"Walking robots, study {n}",
        f"We train walking robots with rewards, {n} times. Robots walk on ice.",
        id=f"w{n}",
        authors=("Ana Ruiz", f"Bo Chen {n}", f"{BAD} Mallory") if n < 6 else ("Cy Dee",),
        venue="CONF",
        year=2023 + n % 3,
        status="Oral" if n == 4 else "Poster",
        keywords=("robots", BAD),
        extra={
            "session": f"{BAD} 1",
            "room_name": "Hall 3",
            "poster_position": f"#{n + 1}",
            "starttime": "2031-04-25T10:00:00+02:00",
        },
    )
    for n in range(12)
]
PROTEINS = [
    Paper(
        f"Folding proteins, part {n}",
        f"Folding of proteins by diffusion, {n} times.",
        id=f"p{n}",
        authors=("Cy Dee", "Di Fox"),
        venue="CONF",
        year=2024,
    )
    for n in range(12)
]
DAYS = ("2025-01-22T09:00:00Z", "2025-01-22", "2025-01-20T23:59:00Z", "2024-12-31", "soon", 7)
DAILY = [
    Paper(
        f"{one.title} {BAD}",
        one.abstract,
        id=one.id,
        authors=one.authors,
        extra={"published": DAYS[n % len(DAYS)], "upvotes": n},
    )
    for n, one in enumerate(WALKING)
]


@pytest.fixture
def client(home: Path) -> Iterator[TestClient]:
    """A page over a conference, another year of it, and a daily list."""
    stores = {"conf": WALKING + PROTEINS, "other": WALKING[:3] + PROTEINS, "daily": DAILY}
    for name, papers in stores.items():
        build_store(papers, home / name, model="static").close()
    app = create_app([home / name for name in stores], reading_list=home / "list.json")
    with TestClient(app, base_url=ORIGIN) as client:
        yield client


def titles(page: str) -> list[str]:
    found = re.findall(r'data-key="o">(.*?)</a>', page)
    return [html.unescape(one) for one in found]


def text_of(client: TestClient, path: str, status: int = 200, **fields: str) -> str:
    answer = client.get(path, params=fields or None)
    assert answer.status_code == status, answer.text[:2_000]
    assert BAD not in answer.text
    return answer.text


# ---------------------------------------------------------------------- a paper


def test_authors_lead_to_their_pages(client: TestClient) -> None:
    page = text_of(client, "/paper", store="conf", id="w0")
    links = [html.unescape(one) for one in re.findall(r'href="(/person\?[^"]*)"', page)]
    assert len(links) == 3
    for link, name in zip(links, WALKING[0].authors, strict=True):
        person = client.get(link)
        assert person.status_code == 200 and html.escape(name) in person.text


def test_the_board_shows_the_posters_beside(client: TestClient) -> None:
    page = text_of(client, "/paper", store="conf", id="w5")
    (board,) = re.findall(r'<ol class="board">(.*?)</ol>', page, re.DOTALL)
    places = re.findall(r"<span>(#\d+)</span>", board)
    assert places == ["#3", "#4", "#5", "#6", "#7", "#8", "#9"]
    assert 'aria-current="true"><span>#6</span>' in board
    assert 'class="board"' not in text_of(client, "/paper", store="conf", id="p1")


def test_shared_terms_are_marked_in_the_abstract(client: TestClient) -> None:
    page = text_of(client, "/paper", store="conf", id="p1")
    assert "<mark>" not in page
    (link,) = re.findall(r'href="([^"]*)">Mark the terms', page)
    marked = text_of(client, html.unescape(link))
    (abstract,) = re.findall(r'<p class="abstract"[^>]*>(.*?)</p>', marked)
    assert "<mark>" in abstract and "Without marks" in marked


def test_a_paper_is_cited_and_noted(client: TestClient) -> None:
    page = text_of(client, "/paper", store="conf", id="w0")
    assert "@" in page and "Walking robots, study 0" in page
    assert "My notes" not in page
    client.post("/list/add", data={"store": "conf", "id": "w0"}, headers={"Origin": ORIGIN})
    page = text_of(client, "/paper", store="conf", id="w0")
    assert 'aria-label="My notes"' in page and 'name="note"' in page


def test_similar_papers_of_other_stores_and_years(client: TestClient) -> None:
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.get(
            "/paper/elsewhere", params={"store": "conf", "id": "w0"}, headers=headers
        )
        assert answer.status_code == 200 and BAD not in answer.text
        assert ("<html" in answer.text) == (not headers)
        assert "Other years" in answer.text and ">other</h3>" in answer.text
        assert "store=other&amp;id=w" in answer.text
    text_of(client, "/paper/elsewhere", 404, store="conf", id="nosuch")


def test_a_store_of_one_paper_has_all_pages(home: Path) -> None:
    build_store([Paper("Alone", authors=("Ann",))], home / "one", model="static").close()
    with TestClient(create_app([home / "one"]), base_url=ORIGIN) as client:
        with open_store(home / "one") as store:
            (paper,) = store
        assert "the only paper" in text_of(client, "/paper", store="one", id=paper.id)
        for path in ("/", "/glance", "/daily", "/foryou", "/digest", "/search?q=alone"):
            text_of(client, path)
        text_of(client, "/person", store="one", name="Ann")
        text_of(client, "/person/near", store="one", name="Ann")


def test_an_empty_store_has_a_first_page(home: Path) -> None:
    store = PaperStore.create("static")
    store.commit(home / "empty")
    with TestClient(create_app([home / "empty"]), base_url=ORIGIN) as client:
        for path in ("/", "/glance", "/daily", "/foryou"):
            text_of(client, path)


# ---------------------------------------------------------------------- a person


def test_a_person_has_papers_years_topics_and_people(client: TestClient) -> None:
    page = text_of(client, "/person", store="conf", name="ruiz, ana")
    assert set(titles(page)) == {paper.title for paper in WALKING[:6]}
    assert re.findall(r"<dt>(\d+)</dt><dd><meter[^>]*></meter> (\d+)", page) == [
        ("2023", "2"),
        ("2024", "2"),
        ("2025", "2"),
    ]
    assert "topic=robots" in page and "other: 3 papers of this name" in page
    for headers in ({}, {"HX-Request": "true"}):
        near = client.get(
            "/person/near", params={"store": "conf", "name": "Ana Ruiz"}, headers=headers
        )
        assert ("<html" in near.text) == (not headers)
        assert "Cy Dee" in near.text and BAD not in near.text


def test_a_name_that_no_paper_has_is_said(client: TestClient) -> None:
    for name in ("Nobody", "", "x" * 5_000, f"{BAD} Eve", "\x00"):
        page = text_of(client, "/person", 404, store="conf", name=name)
        assert "No such person" in page
        assert "Nobody in" in text_of(client, "/person/near", store="conf", name=name)


# ---------------------------------------------------------------------- for you, digest


def keep(client: TestClient, home: Path, papers: list[Paper], name: str = "Reading list") -> None:
    reading = ReadingList(home / "list.json")
    for paper in papers:
        reading.add("mine", paper, name)


def test_for_you_ranks_by_the_list_and_says_why(client: TestClient, home: Path) -> None:
    assert "Your reading list is empty" in text_of(client, "/foryou", store="conf")
    keep(client, home, WALKING[:2])
    page = text_of(client, "/foryou", store="conf")
    found = titles(page)
    assert found and all("Walking" in title for title in found[:5])
    assert not {paper.title for paper in WALKING[:2]} & set(found)
    assert "near to your Walking robots, study" in page
    keep(client, home, PROTEINS[:2], "bio")
    bio = text_of(client, "/foryou", store="conf", list="bio", newer="1")
    assert "Folding" in titles(bio)[0]
    part = text_of(client, "/foryou/part", store="conf")
    assert "<html" not in part and "near to your" in part
    assert "/foryou/part" in text_of(client, "/", store="conf")
    text_of(client, "/foryou", 400, store="conf", list="nosuch")


def test_for_you_over_all_stores_links_to_each(client: TestClient, home: Path) -> None:
    keep(client, home, WALKING[10:12])
    page = text_of(client, "/foryou", store="*")
    stores = set(re.findall(r'<h3 dir="auto"><a href="/paper\?store=(\w+)&', page))
    assert stores <= {"conf", "other", "daily", "sample"} and len(stores) > 1


def test_a_digest_is_shown_and_saved(client: TestClient, home: Path) -> None:
    assert "Your reading list is empty" in text_of(client, "/digest", store="conf")
    text_of(client, "/digest/export", 400, store="conf", format="html")
    keep(client, home, WALKING[:2])
    page = text_of(client, "/digest", store="conf", since="7")
    assert "near to your" in page and "new in conf on" in page
    # Nothing is remembered: it is there again.
    assert titles(text_of(client, "/digest", store="conf", since="7")) == titles(page)
    links = [html.unescape(one) for one in re.findall(r'href="(/digest/export[^"]*)"', page)]
    assert len(links) == 3
    for link in links:
        saved = client.get(link)
        assert saved.status_code == 200 and "attachment" in saved.headers["content-disposition"]
        assert "Walking robots" in saved.text
    text_of(client, "/digest/export", 400, store="conf", format="docx")
    text_of(client, "/digest", store="conf", since="junk")


def test_a_list_of_two_thousand_papers_is_shown_and_ranks(client: TestClient, home: Path) -> None:
    papers = [
        {"paper": {"title": f"Walking robots {n} {BAD}", "id": str(n)}, "store": "gone"}
        for n in range(2_000)
    ]
    text = json.dumps({"schema": 1, "papers": papers})
    (home / "list.json").write_text(text, encoding="utf-8")
    assert "2000 papers, page 20 of 20" in text_of(client, "/list", page="20")
    assert "near to 500 of yours" in text_of(client, "/foryou", store="conf")
    assert "near to your" in text_of(client, "/digest", store="conf", since="")
    assert 'aria-label="2000 papers"' in text_of(client, "/", store="conf")


def test_a_page_for_many_visitors_ranks_by_nobody_s_list(home: Path) -> None:
    build_store(PROTEINS, home / "conf", model="static").close()
    keep_file = home / "list.json"
    ReadingList(keep_file).add("x", PROTEINS[0])
    app = create_app([home / "conf"], reading_list=keep_file, read_only=True)
    with TestClient(app, base_url=ORIGIN) as client:
        for path in ("/foryou", "/foryou/part", "/digest", "/digest/export?format=html"):
            assert client.get(path).status_code == 404
        assert "/foryou" not in client.get("/").text
        assert "My notes" not in client.get("/paper?id=p0").text
        assert client.get("/daily").status_code == 200


# ---------------------------------------------------------------------- daily


def test_days_weeks_and_months_with_authors_and_upvotes(client: TestClient) -> None:
    page = text_of(client, "/daily", store="daily")
    assert "Wed 22 Jan 2025" in page and len(titles(page)) == 4
    assert "3 authors" in page and "1 upvote<" in page and "2025-01-22" in page
    votes = [int(n) for n in re.findall(r"(\d+) upvotes?<", page)]
    assert votes == sorted(votes, reverse=True)
    week = text_of(client, "/daily", store="daily", by="week")
    assert "20 Jan to 26 Jan 2025" in week and len(titles(week)) == 6
    month = text_of(client, "/daily", store="daily", by="month", at="2024-12-05")
    assert "December 2024" in month and len(titles(month)) == 2
    earlier = text_of(client, "/daily", store="daily", at="2025-01-21")
    assert "Mon 20 Jan 2025" in earlier
    assert "Tue 31 Dec 2024" in text_of(client, "/daily", store="daily", at="1900-01-01")


def test_a_day_is_sorted_and_filtered(client: TestClient) -> None:
    by_title = titles(text_of(client, "/daily", store="daily", sort="title"))
    assert by_title == sorted(by_title)
    by_authors = text_of(client, "/daily", store="daily", sort="authors")
    assert [int(n) for n in re.findall(r"(\d) authors?<", by_authors)] == [3, 3, 1, 1]
    found = titles(text_of(client, "/daily", store="daily", words="study 6"))
    assert found[0] == DAILY[6].title
    assert titles(text_of(client, "/daily", store="daily", words="zebra")) == []


def test_a_store_without_dates_says_so(client: TestClient) -> None:
    assert "no dates of publication" in text_of(client, "/daily", store="conf")


@given(
    by=st.text(max_size=6) | st.sampled_from(["day", "week", "month"]),
    at=st.text(max_size=12) | st.dates().map(str),
    sort=st.text(max_size=8),
    page=st.text(max_size=6) | st.integers().map(str),
)
def test_any_choice_is_read(by: str, at: str, sort: str, page: str) -> None:
    choice = Choice.of({"by": by, "at": at, "sort": sort, "page": page}, "s")
    assert choice.page >= 0 and choice.url().startswith("/daily?")


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (date(2025, 1, 1), date(2025, 1, 2), "Wed 1 Jan 2025"),
        (date(2024, 12, 30), date(2025, 1, 6), "30 Dec to 5 Jan 2025"),
        (date(2025, 2, 1), date(2025, 3, 1), "February 2025"),
    ],
)
def test_a_period_has_a_name(start: date, end: date, said: str) -> None:
    assert Period(start, end, 1).name == said


def test_dates_at_the_ends_of_time_are_shown(home: Path) -> None:
    papers = [
        Paper(f"Paper {n}", id=str(n), extra={"published": when})
        for n, when in enumerate(("0001-01-01", "9999-12-31", "2025-02-30", "2025-13-01"))
    ]
    build_store(papers, home / "ends", model="static").close()
    with TestClient(create_app([home / "ends"]), base_url=ORIGIN) as client:
        for by in ("day", "week", "month"):
            for at in ("", "0001-01-01"):
                text_of(client, "/daily", store="ends", by=by, at=at)


# ---------------------------------------------------------------------- at a glance


def test_the_map_is_a_picture_with_the_place_of_a_paper(client: TestClient, home: Path) -> None:
    pytest.importorskip("numpy")
    assert client.get("/map/picture?store=conf").status_code == 404
    assert 'class="card picture' not in text_of(client, "/", store="conf")
    keep_map(home / "conf", (BAD, "robots"), [n % 2 for n in range(24)])
    for path in ("/?store=conf", "/paper?store=conf&id=w0"):
        page = text_of(client, path)
        (address,) = re.findall(r'<img src="(/map/picture[^"]*)"', page)
        drawn = client.get(html.unescape(address))
        assert drawn.headers["content-type"].startswith("image/svg+xml")
        assert "max-age" in drawn.headers["cache-control"]
        root = ElementTree.fromstring(drawn.text)
        assert drawn.text.count("h0") == 24 and BAD not in drawn.text
        assert len(root.findall("{http://www.w3.org/2000/svg}circle")) == (
            2 if "id=" in path else 0
        )
    plain = client.get("/map/picture", params={"store": "conf", "id": BAD})
    assert plain.status_code == 200 and "max-age" not in plain.headers["cache-control"]


def test_examples_are_one_of_each_kind(client: TestClient, home: Path) -> None:
    with open_store(home / "conf") as store:
        kinds = {one.kind: one.query for one in examples_of(store)}
    assert list(kinds) == ["A title", "An author", "Your own words"]
    page = text_of(client, "/", store="conf")
    for link in re.findall(r'<li><a href="(/search[^"]*)"><span class="kind">', page):
        assert client.get(html.unescape(link)).status_code == 200


def test_orals_and_newest_papers_are_shown_after_the_first_page(client: TestClient) -> None:
    assert "Presented as Oral" in text_of(client, "/glance", store="conf")
    daily = text_of(client, "/glance", store="daily")
    assert "Last published" in daily and "Most upvotes" in daily
    for link in re.findall(r'href="([^"]*)">All of them', daily):
        assert client.get(html.unescape(link)).status_code == 200
