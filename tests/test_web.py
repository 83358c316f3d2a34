"""The page: every address, hostile papers, who may ask, stores that change, the reading list."""

from __future__ import annotations

import html
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

pytest.importorskip("starlette")
from starlette.testclient import TestClient

from swimmer import Paper, build_store, open_store
from swimmer.web.app import create_app

from .conftest import Outcome

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
    extra={"pdf": "javascript:alert(3)", "<x>": "<y>", "code": "https://example.org/code",
           "nested": {"a": 1}, "primary_area": "optimization"},
)  # fmt: skip


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
    return client.post(
        path, data=fields, headers={"Origin": ORIGIN}, follow_redirects=False
    )  # fmt: skip


def ids(page: str) -> list[str]:
    """The ids of the hits of a page, in their order."""
    found = re.findall(r'<h3 dir="auto"><a href="/paper\?store=[^&"]*&amp;id=([^"]*)"', page)
    from urllib.parse import unquote_plus

    return [unquote_plus(html.unescape(one)) for one in found]


def test_the_first_page_has_a_labelled_box_and_every_store(client: TestClient) -> None:
    page = client.get("/").text
    assert 'role="combobox"' in page and '<label for="q">' in page
    assert "conf2025" in page and "sample" in page


def test_a_known_title_is_answered_by_its_neighbours(
    client: TestClient, store: Path, papers: list[Paper]
) -> None:
    page = client.get("/search", params={"store": "conf2025", "q": papers[0].title}).text
    assert "Similar to" in page
    with open_store(store) as opened:
        from swimmer import search

        assert ids(page) == [hit.paper.id for hit in search(opened, papers[0].title)]


def test_no_markup_of_a_paper_reaches_a_page(client: TestClient) -> None:
    asked = {"store": "conf2025", "q": HOSTILE.title, "why": "1", "k": "50"}
    pages = [
        client.get("/search", params=asked).text,
        client.get(
            "/search", params={"store": "conf2025", "q": "preference rewards", "k": "50"}
        ).text,
        client.get("/search", params={"store": "conf2025", "like": HOSTILE.id}).text,
        client.get("/paper", params={"store": "conf2025", "id": HOSTILE.id}).text,
        client.get("/complete", params={"store": "conf2025", "q": "learning to ra"}).text,
    ]
    assert post(client, "/list/add", store="conf2025", id=HOSTILE.id).status_code == 303
    pages.append(client.get("/list").text)
    for page in pages:
        assert "learning to rank" in page
        for bad in ("<script>alert", "<img src=x", "<svg onload", "<b>Mallory", "<x>", "<i>V"):
            assert bad not in page
        assert 'href="javascript:' not in page
        assert " onerror=" not in page.replace("&lt;img src=x onerror=", "")
        assert "49" not in re.findall(r"learning to rank|49 &amp;", page)
