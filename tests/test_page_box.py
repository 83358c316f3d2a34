"""The one box on the page, and for agents: what was typed is read, said and offered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette")

from starlette.testclient import TestClient

from swimmer import Paper, PaperStore, build_store
from swimmer.toolkit import answer_data, ask_for_tool, find_paper
from swimmer.web.app import create_app

PAPERS = [
    Paper(
        "SimPER: Simple Preference Alignment by Perplexity",
        "We align a language model with preference data.",
        url="https://iclr.cc/virtual/2025/poster/29259",
        authors=("Yoshua <b>Bengio</b>",),
        year=2025,
    ),
    Paper("Robots that walk", "Locomotion of legged robots on ice.", year=2023),
    *[Paper(f"Robots, part {i}", "Locomotion of legged robots.", year=2020) for i in range(25)],
]


@pytest.fixture
def folder(home: Path) -> Path:
    """The folder of a store that is found by its name."""
    folder = home / "vectorstores" / "box"
    build_store(PAPERS, folder, model="static").close()
    return folder


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    """A browser that asks the page of this store."""
    with TestClient(create_app([folder]), base_url="http://127.0.0.1:8000") as client:
        yield client


def test_the_page_says_what_it_took(client: TestClient) -> None:
    author = client.get("/search", params={"q": "bengio, yoshua"}).text
    assert "the author Yoshua Bengio (1 paper)" in author
    assert "as=text" in author
    assert "cosine similarity" not in author
    name = client.get("/search", params={"q": "sim-per"}).text
    assert "the name sim-per" in name
    typed = client.get("/search", params={"q": "lokomotion of robtos"}).text
    assert "locomotion of robots" in typed
    forced = client.get("/search", params={"q": "simper", "as": "text"}).text
    assert "the name" not in forced
    missing = client.get("/search", params={"q": "arxiv:2999.99999"})
    assert missing.status_code == 200
    assert "has the address arxiv:2999.99999" in missing.text


def test_the_page_browses_by_a_filter_alone(client: TestClient) -> None:
    found = client.get("/search", params={"where": "year>=2023", "sort": "year:asc"}).text
    assert "a filter that 2 papers meet" in found
    assert found.index("Robots that walk") < found.index("SimPER: Simple")
    for wrong in ({"where": "year>abc"}, {"q": "x", "as": "person"}, {"q": "x", "sort": "hue"}):
        assert client.get("/search", params=wrong).status_code == 400


def test_the_page_completes_every_kind(client: TestClient) -> None:
    shown = client.get("/complete", params={"q": "beng"}).text
    assert 'data-text="Yoshua Bengio"' in shown
    assert "author" in shown
    assert "<b>" not in shown


def test_agents_get_the_reading_and_the_flag(folder: Path) -> None:
    with PaperStore.open(folder) as store:
        author = answer_data(ask_for_tool([store], "Y. Bengio", 5, lookup="text"))
        assert author["taken_as"] == "the author Yoshua Bengio (1 paper)"
        assert author["related"]
        noise = answer_data(ask_for_tool([store], "a chocolate cake recipe", 5, lookup="text"))
        assert not noise["related"]
        assert find_paper(store, "iclr.cc/virtual/2025/poster/29259/").title.startswith("SimPER")
