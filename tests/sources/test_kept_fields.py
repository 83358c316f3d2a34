"""Fields that a publisher gives besides: read, kept, filtered, sorted by and shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from swimmer import Paper, build_store, open_store
from swimmer.papers import events_in_words
from swimmer.sources import SourceReport, open_source

EVENT = {
    "name": "Fish in Rivers",
    "abstract": "We swim in rivers.",
    "authors": [
        {"fullname": "Bo Orr", "institution": "Sea University"},
        {"fullname": "Ann Fox", "institution": "Lake Institute"},
    ],
    "event_type": "Poster",
    "virtualsite_url": "https://iclr.cc/virtual/2031/poster/11",
    "starttime": "2031-04-24T10:00:00+08:00",
    "endtime": "2031-04-24T12:30:00+08:00",
    "session": "Poster Session 1",
    "room_name": "Hall 3",
    "poster_position": "#112",
    "topic": "Fish->Rivers",
    "decision": "Accept (poster)",
    "paper_url": "https://openreview.net/forum?id=aaa111",
    "paper_pdf_url": "https://openreview.net/pdf?id=aaa111",
    "citations": 12,
    "upvotes": 7,
    "ratings": [6, 8, 5],
    "code": "https://github.com/fox/rivers",
    "published": "2031-01-20",
}
ORAL = {
    **EVENT,
    "event_type": "Oral",
    "virtualsite_url": "https://iclr.cc/virtual/2031/oral/12",
    "starttime": "2031-04-25T09:00:00+08:00",
    "endtime": "2031-04-25T09:15:00+08:00",
    "session": "Oral Session 2",
    "room_name": "Hall 1",
    "poster_position": "",
}
OTHER = {
    "name": "Birds over Hills",
    "abstract": "We fly over hills.",
    "authors": [{"fullname": "Cy Lee", "institution": ""}],
    "event_type": "Poster",
    "virtualsite_url": "https://iclr.cc/virtual/2031/poster/13",
    "session": "Poster Session 4",
    "room_name": "Hall 9",
    "starttime": "2031-04-26T10:00:00+08:00",
    "citations": 40,
    "upvotes": 3,
    "ratings": [3, 3],
    "published": "2031-02-01",
}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    listed = tmp_path / "fish.json"
    listed.write_text(json.dumps([EVENT, ORAL, OTHER]))
    folder = tmp_path / "fish"
    build_store(listed, folder, model="static").close()
    return folder


def test_an_oral_and_a_poster_are_one_paper_with_two_events(store: Path) -> None:
    with open_store(store) as opened:
        assert len(opened) == 2
        (paper,) = (paper for paper in opened if paper.title == "Fish in Rivers")
    assert events_in_words(paper) == [
        "Poster, Poster Session 1, Hall 3, #112, 2031-04-24 10:00–12:30",
        "Oral, Oral Session 2, Hall 1, 2031-04-25 09:00–09:15",
    ]
    assert paper.extra["institutions"] == ["Sea University", "Lake Institute"]
    kept = {name: paper.extra[name] for name in ("area", "decision", "citations", "upvotes")}
    assert kept == {
        "area": "Fish->Rivers",
        "decision": "Accept (poster)",
        "citations": 12,
        "upvotes": 7,
    }
    assert paper.extra["ratings"] == [6, 8, 5]
    assert paper.extra["pdf"] == "https://openreview.net/pdf?id=aaa111"
    assert paper.extra["code"] == "https://github.com/fox/rivers"
    assert paper.extra["published"] == "2031-01-20"


def titles_in(output: str) -> list[str]:
    return [hit["title"] for line in output.splitlines() for hit in json.loads(line)["hits"]]


@pytest.mark.parametrize(
    ("condition", "titles"),
    [
        ('session="Poster Session 4"', ["Birds over Hills"]),
        ('room_name="Hall 3"', ["Fish in Rivers"]),
        ('poster_position="#112"', ["Fish in Rivers"]),
        ("citations>20", ["Birds over Hills"]),
        ("upvotes>=7", ["Fish in Rivers"]),
        ('institutions="Lake Institute"', ["Fish in Rivers"]),
        ('starttime>="2031-04-26"', ["Birds over Hills"]),
        ('decision=~"poster"', ["Fish in Rivers"]),
        ('code=~"github.com/fox"', ["Fish in Rivers"]),
        ('published<"2031-02-01"', ["Fish in Rivers"]),
    ],
)
def test_kept_fields_are_filters(
    store: Path, swimmer: Callable[..., Any], condition: str, titles: list[str]
) -> None:
    asked = ("search", "Fish in Rivers", "--include-self", "--where", condition)
    outcome = swimmer(*asked, "-s", store, "--json")
    assert outcome.code == 0, outcome.err
    assert titles_in(outcome.out) == titles


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("citations", "Birds over Hills"),
        ("upvotes", "Fish in Rivers"),
        ("upvotes:asc", "Birds over Hills"),
        ("rating", "Fish in Rivers"),
        ("published", "Birds over Hills"),
        ("published:asc", "Fish in Rivers"),
    ],
)
def test_kept_fields_sort(store: Path, swimmer: Callable[..., Any], sort: str, first: str) -> None:
    outcome = swimmer("search", "--where", "year=2031", "--sort", sort, "-s", store, "--json")
    assert outcome.code == 0, outcome.err
    assert titles_in(outcome.out)[0] == first


def test_kept_fields_are_shown(store: Path, swimmer: Callable[..., Any]) -> None:
    listed = swimmer("show", store).out
    for name in ("session", "starttime", "room_name", "citations", "upvotes", "pdf", "code"):
        assert name in listed.partition("fields")[2]
    hit = swimmer("search", "Fish in Rivers", "--include-self", "-s", store).out
    assert "Poster, Poster Session 1, Hall 3, #112, 2031-04-24 10:00–12:30" in hit
    pytest.importorskip("starlette", reason="the extra web is not installed")
    from starlette.testclient import TestClient

    from swimmer.web import create_app

    with TestClient(create_app([store]), base_url="http://127.0.0.1") as client:
        page = client.get("/paper", params={"store": "fish", "id": "11"}).text
    for said in (
        "Oral, Oral Session 2, Hall 1, 2031-04-25 09:00–09:15",
        "Sea University",
        "Citations",
        "Upvotes",
        "https://github.com/fox/rivers",
        "https://openreview.net/pdf?id=aaa111",
    ):
        assert said in page, said


def test_an_event_without_place_or_time_says_nothing() -> None:
    assert (
        events_in_words(Paper("T", status="Poster", extra={"events": [{"kind": "Poster"}]})) == []
    )
    assert events_in_words(Paper("T", extra={"events": [3, "x", {"session": "S"}]})) == ["S"]
    assert events_in_words(Paper("T", extra={"starttime": "soon", "endtime": "later"})) == [
        "soon–later"
    ]
    several = {"starttime": "2031-04-24 10:00", "endtime": "2031-04-25 12:00"}
    assert events_in_words(Paper("T", extra=several)) == ["2031-04-24 10:00–2031-04-25 12:00"]


RECORDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "Semantic Scholar": (
        {
            "paperId": "p1",
            "externalIds": {"ArXiv": "2301.00001"},
            "citationCount": 12,
            "publicationDate": "2023-01-02",
            "openAccessPdf": {"url": "https://x.example/a.pdf"},
        },
        {"citations": 12, "published": "2023-01-02", "pdf": "https://x.example/a.pdf"},
    ),
    "OpenAlex": (
        {
            "id": "https://openalex.org/W5",
            "authorships": [
                {
                    "author": {"display_name": "Ann Fox"},
                    "institutions": [{"display_name": "Sea U"}],
                }
            ],
            "publication_date": "2023-01-02",
            "cited_by_count": 17,
            "best_oa_location": {"pdf_url": "https://x.example/a.pdf"},
        },
        {
            "citations": 17,
            "published": "2023-01-02",
            "pdf": "https://x.example/a.pdf",
            "institutions": ["Sea U"],
        },
    ),
    "Crossref": (
        {
            "DOI": "10.1000/q",
            "title": ["Fish"],
            "issued": {"date-parts": [[2023, 1, 2]]},
            "is-referenced-by-count": 9,
        },
        {"citations": 9, "published": "2023-01-02"},
    ),
    "Hugging Face": (
        {
            "paper": {
                "id": "2301.00001",
                "title": "Fish",
                "upvotes": 33,
                "publishedAt": "2023-01-02T00:00:00.000Z",
                "githubRepo": "https://github.com/fox/fish",
            }
        },
        {
            "upvotes": 33,
            "published": "2023-01-02T00:00:00.000Z",
            "code": "https://github.com/fox/fish",
        },
    ),
    "paperlists": (
        {
            "track": "main",
            "status": "Poster",
            "author": "Ann Fox",
            "gs_citation": 12,
            "rating": "6;7",
            "aff": "Sea U",
            "github": "https://github.com/fox/fish",
            "primary_area": "fish",
        },
        {
            "citations": 12,
            "ratings": [6.0, 7.0],
            "institutions": ["Sea U"],
            "code": "https://github.com/fox/fish",
            "area": "fish",
        },
    ),
    "arxiv.py": (
        {
            "entry_id": "http://arxiv.org/abs/2301.00001v2",
            "summary": "We swim.",
            "authors": ["Ann Fox"],
            "published": "2023-01-02 10:00:00+00:00",
            "updated": "2023-02-03 10:00:00+00:00",
            "primary_category": "cs.LG",
            "categories": ["cs.LG", "stat.ML"],
            "comment": "12 pages",
            "pdf_url": "http://arxiv.org/pdf/2301.00001v2",
        },
        {
            "published": "2023-01-02 10:00:00+00:00",
            "updated": "2023-02-03 10:00:00+00:00",
            "area": "cs.LG",
            "comment": "12 pages",
            "pdf": "http://arxiv.org/pdf/2301.00001v2",
        },
    ),
    "arXiv's snapshot": (
        {
            "id": "0704.0001",
            "authors_parsed": [["Fox", "Ann", ""]],
            "versions": [{"created": "Mon, 2 Apr 2007 19:18:42 GMT"}],
            "update_date": "2008-11-26",
        },
        {"published": "2007-04-02", "updated": "2008-11-26"},
    ),
    "a table": (
        {
            "authors": "Ann Fox",
            "year": 2023,
            "Publication Date": "2023-01",
            "session": "S",
            "room_name": "R",
            "citation_count": 3,
        },
        {"published": "2023-01", "session": "S", "room_name": "R", "citations": 3},
    ),
}


@pytest.mark.parametrize("shape", list(RECORDS))
def test_every_shape_keeps_what_its_publisher_gives(shape: str, tmp_path: Path) -> None:
    record, expected = RECORDS[shape]
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"title": "Fish", **record}]))
    (paper,) = open_source(path).papers(SourceReport())
    assert paper.title == "Fish"
    assert {name: paper.extra.get(name) for name in expected} == expected


@pytest.mark.parametrize("date", ["2023", "soon", "2023-13-01", 2023, None, ["2023-01-02"]])
def test_a_year_alone_is_no_date(date: object, tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"title": "Fish", "date": date}]))
    (paper,) = open_source(path).papers(SourceReport())
    assert "published" not in paper.extra
