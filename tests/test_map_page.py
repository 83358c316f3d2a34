"""The map as a page of the server: made once in the background, then drawn, answers marked."""

from __future__ import annotations

import html
import json
import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason='needs pip install "swimmer[web]"')
pytest.importorskip("openTSNE", reason='needs pip install "swimmer[map]"')
from starlette.testclient import TestClient

import swimmer.web.map as page_module
from swimmer import Paper, build_store, open_store, paper_map, search
from swimmer.errors import MissingExtraError
from swimmer.web.app import create_app

from .test_web import HOSTILE

WORDS = "graph rewiring speech codecs protein folding offline bandits".split()


@pytest.fixture
def store(home: Path) -> Path:
    papers = [
        Paper(f"{WORDS[i % 8]} {WORDS[(i * 3) % 8]} {i}", "Text.", id=f"p{i}") for i in range(30)
    ]
    build_store([*papers, HOSTILE], home / "conf").close()
    return home / "conf"


@pytest.fixture
def client(store: Path) -> Iterator[TestClient]:
    with TestClient(create_app([store]), base_url="http://127.0.0.1") as client:
        yield client


def waited(client: TestClient, name: str = "conf") -> None:
    """Ask as the page does until it is told to load again."""
    for _ in range(600):
        if client.get(f"/map/state?store={name}").headers.get("hx-refresh") == "true":
            return
        time.sleep(0.1)
    raise AssertionError("the map was not made within a minute")


def marks(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="map-marks">(.*?)</script>', page, re.S)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_the_first_visitor_waits_and_is_told_so_the_second_starts_nothing(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, made = threading.Event(), []

    def slow(store: Any, *, progress: Any) -> Any:
        made.append(store)
        progress("placing", 50, 200)
        assert going.wait(30)
        return paper_map(store)

    monkeypatch.setattr("swimmer.analysis.paper_map", slow)
    first = client.get("/map?store=conf").text
    assert "Computing the map" in first and 'hx-get="/map/state?store=conf"' in first
    assert "Computing the map" in client.get("/map?store=conf").text
    state = client.get("/map/state?store=conf")
    assert "placing the papers, 25 %" in state.text and "hx-refresh" not in state.headers
    assert client.get("/map/points?store=conf").status_code == 503
    going.set()
    waited(client)
    assert 'data-points="/map/points?' in client.get("/map?store=conf").text and len(made) == 1


def test_maps_are_made_one_after_another_and_none_is_begun_twice(
    home: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(page_module.HELD + 1):
        shutil.copytree(store, home / f"copy{number}")
    going, begun, at_once = threading.Event(), [], []

    def slow(store: Any, *, progress: Any) -> Any:
        begun.append(store.name)
        at_once.append(len(begun) - len(finished))
        assert going.wait(30)
        finished.append(store.name)
        return paper_map(store)

    finished: list[str] = []
    monkeypatch.setattr("swimmer.analysis.paper_map", slow)
    stores = [store, *(home / f"copy{number}" for number in range(page_module.HELD + 1))]
    with TestClient(create_app(stores), base_url="http://127.0.0.1") as client:
        for _ in range(2):
            for one in stores:
                assert "Computing the map" in client.get(f"/map?store={one.name}").text
        assert "waiting for the map of another" in client.get("/map/state?store=copy0").text
        going.set()
        for one in stores:
            waited(client, one.name)
    assert sorted(begun) == sorted(one.name for one in stores) and set(at_once) == {1}


def test_the_map_of_a_store_behind_a_link_keeps_the_name_it_is_asked_by(
    home: Path, store: Path
) -> None:
    paper_map(open_store(store))
    (home / "latest").symlink_to(store)
    with TestClient(create_app([home / "latest"]), base_url="http://127.0.0.1") as client:
        page = html.unescape(client.get("/map?store=latest&q=speech").text)
        assert "store=conf" not in page and '<option value="latest" selected>' in page
        address = re.search(r'data-points="([^"]*)"', page)[1]  # type: ignore[index]
        assert client.get(address).status_code == 200


def test_a_map_that_cannot_be_made_says_why(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(store: Any, *, progress: Any) -> Any:
        raise MissingExtraError("the map", "map")

    monkeypatch.setattr("swimmer.analysis.paper_map", missing)
    client.get("/map?store=conf")
    waited(client)
    page = client.get("/map?store=conf")
    assert page.status_code == 503 and "pip install" in page.text and 'role="alert"' in page.text


def test_the_page_has_points_topics_and_hits_that_keys_reach(
    client: TestClient, store: Path
) -> None:
    drawn = paper_map(open_store(store))
    page = client.get("/map?store=conf&q=speech").text
    hits = [hit.paper.id for hit in search(open_store(store), "speech", 10)]
    assert marks(page)["id"] == hits
    for paper in hits:
        assert f'href="/paper?store=conf&amp;id={paper}"' in page or paper == HOSTILE.id
    assert page.count('<button type="button" data-topic=') == len(drawn.topics)
    address = html.unescape(re.search(r'data-points="([^"]*)"', page)[1])  # type: ignore[index]
    answer = client.get(address)
    assert answer.json()["papers"] == 31 and len(answer.json()["x"]) == 31
    assert "immutable" in answer.headers["cache-control"]
    old = client.get("/map/points?store=conf&v=another")
    assert "immutable" not in old.headers["cache-control"]


def test_a_paper_is_marked_by_its_id_and_hostile_text_stays_text(
    client: TestClient, store: Path
) -> None:
    paper_map(open_store(store))
    page = client.get("/map", params={"store": "conf", "id": HOSTILE.id}).text
    assert marks(page)["query"] is not None
    assert "<script>alert" not in page and "<svg onload" not in page
    found = client.get("/map", params={"store": "conf", "id": "nobody"})
    assert found.status_code == 400 and "no paper with this id" in found.text


def test_too_few_papers_and_unknown_stores_are_told(home: Path) -> None:
    build_store([Paper("One paper"), Paper("Another paper")], home / "two").close()
    with TestClient(create_app([home / "two"]), base_url="http://127.0.0.1") as client:
        assert "a map needs at least 5" in client.get("/map?store=two").text
        assert client.get("/map?store=nowhere").status_code == 404
        assert client.get("/map/points?store=nowhere").status_code == 404


# ---------------------------------------------------------------------- what the script asks for


def addresses(page: str) -> dict[str, str]:
    return {
        name: html.unescape(address)
        for name, address in re.findall(r'data-(points|papers|find|colours|keep)="([^"]*)"', page)
    }


@pytest.fixture
def asked(client: TestClient, store: Path) -> dict[str, str]:
    """The addresses that the page of a map names, an answer marked on it."""
    paper_map(open_store(store))
    return addresses(client.get("/map?store=conf&q=speech+codecs").text)


def test_papers_are_given_by_their_points(client: TestClient, asked: dict[str, str]) -> None:
    with open_store(client.app.state.site.pool.store("conf").folder) as store:  # type: ignore[attr-defined]
        papers = store.papers([3, 30])
    found = client.get(f"{asked['papers']}&points=3,30")
    assert found.json()["title"] == [paper.display_title for paper in papers]
    assert [client.get(page).status_code for page in found.json()["page"]] == [200, 200]
    assert "immutable" in found.headers["cache-control"]
    for wrong in ("31", "-1", "x", "1,2,99999999999", ",".join(["1"] * 201)):
        assert client.get(f"{asked['papers']}&points={wrong}").status_code == 400


def test_titles_are_found_whatever_their_case(client: TestClient, asked: dict[str, str]) -> None:
    found = client.get(f"{asked['find']}&text=CODECS").json()["points"]
    held = client.get(asked["papers"] + "&points=" + ",".join(map(str, range(31)))).json()
    holding = [n for n, title in enumerate(held["title"]) if "codecs" in title.lower()]
    assert found == holding and found
    assert client.get(f"{asked['find']}&text=%20").json()["points"] == []
    assert client.get(f"{asked['find']}&text=%25").json()["points"] == []


def test_points_are_coloured_by_what_the_page_offers(
    client: TestClient, asked: dict[str, str]
) -> None:
    page = client.get("/map?store=conf&q=speech+codecs").text
    offered = re.search(r'<select class="map-colour".*?</select>', page, re.S)
    assert offered is not None
    names = re.findall(r'<option value="(\w+)"', offered[0])
    # No paper but one has a venue, a year and a status.
    assert names == ["topic", "score", "list"]
    for name in (*names[1:], "year", "venue", "status"):
        given = client.get(f"{asked['colours']}&by={name}").json()
        assert len(given["codes"]) == 31
        counted = [given["codes"].count(code) for code in range(len(given["legend"]))]
        assert counted == [one["papers"] for one in given["legend"]]
    score = client.get(f"{asked['colours']}&by=score").json()["codes"]
    best = marks(page)["point"][0]
    assert score[best] == max(score)
    assert client.get(f"{asked['colours']}&by=password").status_code == 400
    assert client.get("/map/colours?store=conf&by=score").status_code == 400


def test_what_is_selected_goes_on_the_reading_list(
    client: TestClient, asked: dict[str, str]
) -> None:
    same = {"sec-fetch-site": "same-origin"}
    said = client.post(asked["keep"], data={"points": "1,2,3"}, headers=same)
    assert said.text == "3 papers added to the reading list."
    said = client.post(asked["keep"], data={"points": "3,4"}, headers=same)
    assert said.text == "1 paper added to the reading list. 1 was on it already."
    assert client.get("/list").text.count('<li class="hit"') == 4
    listed = client.get(f"{asked['colours']}&by=list").json()
    assert [n for n, code in enumerate(listed["codes"]) if code] == [1, 2, 3, 4]
    assert client.post(asked["keep"], data={"points": "1"}).status_code == 403
    wrong = client.post(asked["keep"], data={"points": "1,900"}, headers=same)
    assert wrong.status_code == 400
    changed = client.post("/map/keep?store=conf&v=old", data={"points": "1"}, headers=same)
    assert changed.status_code == 409 and "has changed" in changed.text


def test_a_page_for_many_visitors_keeps_nothing(store: Path) -> None:
    paper_map(open_store(store))
    with TestClient(create_app([store], read_only=True), base_url="http://127.0.0.1") as client:
        page = client.get("/map?store=conf").text
        assert "Add to reading list" not in page and 'value="list"' not in page
        asked = addresses(page)
        same = {"sec-fetch-site": "same-origin"}
        kept = client.post(asked["keep"], data={"points": "1"}, headers=same)
        assert kept.status_code in (403, 404)
        assert client.get(f"{asked['colours']}&by=list").status_code == 400


def test_two_stores_are_on_one_map_each_with_its_papers(home: Path, store: Path) -> None:
    more = [Paper(f"{WORDS[i % 8]} of another year {i}", "Text.", id=f"p{i}") for i in range(12)]
    build_store(more, home / "older").close()
    with TestClient(create_app([store, home / "older"]), base_url="http://127.0.0.1") as client:
        client.get("/map?store=conf&with=older")
        for _ in range(600):
            page = client.get("/map?store=conf&with=older&q=speech").text
            if "data-points" in page:
                break
            time.sleep(0.1)
        asked = addresses(page)
        assert client.get(asked["points"]).json()["papers"] == 43
        given = client.get(f"{asked['colours']}&by=store").json()
        assert given["codes"] == [0] * 31 + [1] * 12
        assert [one["label"] for one in given["legend"]] == ["conf", "older"]
        papers = client.get(f"{asked['papers']}&points=42,0").json()
        assert "another year" in papers["title"][0]
        assert "store=older" in papers["page"][0] and "store=conf" in papers["page"][1]
        assert client.get(papers["page"][0]).status_code == 200
        found = client.get(f"{asked['find']}&text=another+year").json()["points"]
        assert found == list(range(31, 43))
        hits = marks(page)
        assert hits["point"] and all(0 <= point < 43 for point in hits["point"])
        assert client.get("/map?store=conf&with=nowhere").status_code == 404


def test_a_topic_leads_to_the_list_of_its_papers_without_a_script(
    client: TestClient, asked: dict[str, str], store: Path
) -> None:
    drawn = paper_map(open_store(store))
    page = client.get("/map?store=conf").text
    links = [html.unescape(one) for one in re.findall(r'href="(/search\?[^"]*topic=[^"]*)"', page)]
    assert len(links) == len(drawn.topics)
    for link, topic in zip(links, drawn.topics, strict=True):
        listed = client.get(link)
        assert listed.status_code == 200
        assert listed.text.count('<li class="hit"') == min(topic.papers, 50)
