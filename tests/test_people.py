"""Who works nearest to a topic, a paper or a library, with their papers, places and times."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mcp import Client

from swimmer import Paper, PaperStore, build_store
from swimmer.analysis import people_near
from swimmer.errors import QueryError
from swimmer.export import to_bibtex
from swimmer.mcp_server import build_server

from .conftest import Outcome

Run = Callable[..., Outcome]

TOPIC = "robots that walk on frozen lakes and climb stairs"

EVENT = {
    "kind": "Poster",
    "session": "Session 2",
    "room_name": "Hall 1",
    "poster_position": "#12",
    "starttime": "2031-04-25T10:00:00+08:00",
    "endtime": "2031-04-25T12:30:00+08:00",
}
PAPERS = [
    Paper(
        "Walking Robots on Frozen Lakes",
        "Legged robots learn to walk on ice.",
        id="lakes",
        url="https://papers.example/lakes",
        authors=("Ann Fox", "Cy van der Lee"),
        extra={"institutions": ["University of Ice", "Lake College"], "events": [EVENT]},
    ),
    Paper(
        "Legged Robots That Climb Stairs",
        "Walking robots climb stairs.",
        id="stairs",
        authors=("Fox, Ann", "Dee Orr", "Eve Ray"),
        extra={"institutions": ["University of Ice", "", "Lake College"]},
    ),
    # Here the list names the institutions, each once: whose they are is not known.
    Paper(
        "Robots Walk on Rough Terrain",
        "Walking over terrain with legged robots.",
        id="terrain",
        authors=("Dee Orr", "Gus Birch"),
        extra={"institutions": ["Terrain Institute"]},
    ),
    *(
        Paper(
            f"Protein Folding with Networks, Part {n}",
            "Proteins fold into structures.",
            id=f"protein{n}",
            authors=("Hal Cedar", "Ida Dogwood"),
        )
        for n in range(4)
    ),
    *(
        Paper(f"Privacy of Tables {n}", "Noise for tables.", id=f"noise{n}", authors=("Jo Elm",))
        for n in range(30)
    ),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaperStore]:
    folder = tmp_path_factory.mktemp("stores") / "conf"
    with build_store(PAPERS, folder, model="static") as store:
        yield store


def test_who_has_more_near_papers_comes_first(store: PaperStore) -> None:
    found = people_near([store], TOPIC, 4)
    assert [one.name for one in found[:2]] == ["Ann Fox", "Dee Orr"]
    ann = found[0]
    # Two spellings of a name are one person.
    assert {hit.paper.id for hit in ann.near} == {"lakes", "stairs"}
    assert (ann.papers, ann.institution, ann.store) == (2, "University of Ice", "conf")
    assert found[1].institution == ""
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert not {"Hal Cedar", "Jo Elm"} & {one.name for one in found}


def test_people_are_near_to_a_library_of_which_no_paper_counts(store: PaperStore) -> None:
    found = people_near([store], k=5, library=["Walking Robots on Frozen Lakes"])
    assert "lakes" not in {hit.paper.id for one in found for hit in one.near}
    assert found[0].name == "Dee Orr"
    none = people_near([store], k=5, library=["Medieval charters of the abbey"])
    assert none == [] and people_near([store], "medieval charters of the abbey", 5) == []


def test_a_person_of_two_stores_is_there_twice(store: PaperStore, tmp_path: Path) -> None:
    with build_store(PAPERS[:2], tmp_path / "other", model="static") as other:
        found = people_near([store, other], TOPIC, 10)
    assert sorted(one.store for one in found if one.name == "Ann Fox") == ["conf", "other"]


def test_a_query_and_a_library_are_refused(store: PaperStore) -> None:
    for options in ({}, {"query": "robots", "library": ["robots"]}):
        with pytest.raises(QueryError, match="a query or to a library"):
            people_near([store], **options)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match="no store"):
        people_near([], "robots")
    with pytest.raises(QueryError, match="blank"):
        people_near([store], " ")


def test_the_command_says_where_they_stand(swimmer: Run, store: PaperStore, tmp_path: Path) -> None:
    name = str(store.folder)
    shown = swimmer("people", TOPIC, "--store", name, "-k", "8")
    assert shown.code == 0 and not shown.err
    assert "a person is a name within one store" in shown.out
    assert "1  Ann Fox · University of Ice · 2 of 2 papers near" in shown.out
    assert "Poster, Session 2, Hall 1, #12, 2031-04-25 10:00–12:30" in shown.out
    listed = swimmer("people", "protein folding", "--store", name, "-k", "2").out
    # Of two who wrote the same papers, these are shown once.
    assert "Hal Cedar" in listed and "Ida Dogwood" in listed
    assert listed.count("Protein Folding with Networks, Part 0") == 1
    lines = swimmer("people", TOPIC, "-s", name, "--json", "-k", "2").out.splitlines()
    first = json.loads(lines[0])
    assert len(lines) == 2 and first["near"] == 2 and first["institution"] == "University of Ice"
    refs = tmp_path / "refs.bib"
    refs.write_text(to_bibtex([PAPERS[3]]), encoding="utf-8")
    assert "Hal Cedar" in swimmer("people", "--library", refs, "--store", name).out
    assert swimmer("people", "--store", name).code == 2
    assert swimmer("people", "robots", "--library", refs, "--store", name).code == 2
    far = swimmer("people", "medieval charters of the abbey", "--store", name)
    assert far.code == 0 and "Nobody" in far.out


async def test_an_agent_finds_who_works_on_something(store: PaperStore) -> None:
    async with Client(build_server(str(store.folder))) as client:
        call = {"query": TOPIC, "k": 2}
        found = (await client.call_tool("people_near", call)).structured_content
        assert found is not None
        assert [one["name"] for one in found["people"]] == ["Ann Fox", "Dee Orr"]
        told = [line for one in found["people"][0]["nearest"] for line in one["events"]]
        assert told == ["Poster, Session 2, Hall 1, #12, 2031-04-25 10:00–12:30"]
        titles = {"titles": [PAPERS[3].title]}
        near = (await client.call_tool("people_near", titles)).structured_content
        assert near is not None and near["people"][0]["name"] == "Hal Cedar"
        refused = await client.call_tool("people_near", {})
        assert refused.is_error
