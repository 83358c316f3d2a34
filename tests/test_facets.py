"""The facets of the page: their counts, what they narrow, and that no value is markup."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

pytest.importorskip("starlette")

from markupsafe import escape
from starlette.testclient import TestClient

from swimmer import Paper, PaperStore, build_store, open_store
from swimmer.retrieval import FACETS, Facet, complete, count_facets, facet_filter, search
from swimmer.store import MAP, KeptMap
from swimmer.web.app import create_app

VENUES = ("ICLR", "'><svg onload=y> & friends", "")
STATUSES = ("Oral", "Poster")
PEOPLE = ("Ana Ruiz", "Bo Chen", '"><svg onload=x> Mallory', "שלום עולם")
SESSIONS = ("Posters 1", "<b>Posters</b> & 2")
TOPICS = ("robots", "language", "graphs")
PAPERS = [
    Paper(
        f"Study {n} of {TOPICS[n % 3]}",
        f"We measure {TOPICS[n % 3]}, {n} times over.",
        id=f"p{n}",
        venue=VENUES[n % 3],
        year=2020 + n % 4 if n % 5 else None,
        status=STATUSES[n % 2],
        authors=(PEOPLE[n % 4], PEOPLE[(n + 1) % 4]),
        keywords=(TOPICS[n % 3],),
        extra={"session": SESSIONS[n % 2]} if n % 3 else {},
    )
    for n in range(60)
]
OWN: dict[str, Callable[[Paper], list[str]]] = {
    "venue": lambda paper: [paper.venue],
    "year": lambda paper: [] if paper.year is None else [str(paper.year)],
    "status": lambda paper: [paper.status],
    "topic": lambda paper: list(paper.keywords),
    "session": lambda paper: [str(paper.extra["session"])] if "session" in paper.extra else [],
    "author": lambda paper: list(paper.authors),
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that no test changes."""
    folder = tmp_path_factory.mktemp("facets") / "studies"
    build_store(PAPERS, folder, model="static").close()
    return folder


@pytest.fixture
def client(built: Path, home: Path) -> Iterator[TestClient]:
    with TestClient(create_app([built]), base_url="http://127.0.0.1") as client:
        yield client


def shown(page: str) -> dict[str, dict[str, int]]:
    """Return the facets of a page: the counts of their values."""
    nav = re.search(r'<nav class="facets".*?</nav>', page, re.DOTALL)
    if nav is None:
        return {}
    found = {}
    for part in nav[0].split("<summary>")[1:]:
        name = part.partition("<")[0].lower()
        values = re.findall(
            r"<li><a [^>]*>(?:<span.*?✓ </span>)?(.*?) <span class=\"count\">([\d,]+)", part
        )
        found[name] = {html.unescape(text): int(n.replace(",", "")) for text, n in values}
    return found


def links(page: str, value: str) -> list[str]:
    """Return the addresses of the links of a facet's value."""
    found = re.findall(
        rf'<li><a href="([^"]*)"[^>]*>(?:<span.*?✓ </span>)?{re.escape(str(escape(value)))} ', page
    )
    return [html.unescape(one) for one in found]


def expected(
    chosen: dict[str, tuple[str, ...]], years: tuple[int, int] | None = None
) -> dict[str, Counter[str]]:
    """Count the facets in the plainest way."""
    counts: dict[str, Counter[str]] = {}
    for name in FACETS:
        admitted = [
            paper
            for paper in PAPERS
            if (years is None or (paper.year or 0) in range(years[0], years[1] + 1))
            and all(
                set(OWN[other](paper)) & set(values)
                for other, values in chosen.items()
                if other != name and values
            )
        ]
        counts[name] = Counter(v for paper in admitted for v in OWN[name](paper) if v)
    return counts


def as_counts(facets: list[Facet]) -> dict[str, dict[str, int]]:
    return {
        facet.name: {one.text: one.papers for one in facet.values if one.papers} for facet in facets
    }


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    venue=st.lists(st.sampled_from(["ICLR", VENUES[1], "no such"]), max_size=2, unique=True),
    year=st.lists(st.sampled_from(["2020", "2022", "1066"]), max_size=2, unique=True),
    status=st.lists(st.sampled_from(STATUSES), max_size=2, unique=True),
    topic=st.lists(st.sampled_from(TOPICS), max_size=2, unique=True),
    author=st.lists(st.sampled_from(PEOPLE), max_size=2, unique=True),
    filtered=st.booleans(),
)
def test_a_count_is_the_number_of_papers_that_a_choice_leaves(
    built: Path,
    venue: list[str],
    year: list[str],
    status: list[str],
    topic: list[str],
    author: list[str],
    filtered: bool,
) -> None:
    drawn = {"venue": venue, "year": year, "status": status, "topic": topic, "author": author}
    chosen = {name: tuple(values) for name, values in drawn.items() if values}
    filter = {"year": {"$gte": 2021, "$lte": 2023}} if filtered else None
    with open_store(built) as store:
        facets = count_facets(store, chosen, filter)
    wanted = expected(chosen, (2021, 2023) if filtered else None)
    assert as_counts(facets) == {name: dict(c) for name, c in wanted.items() if c or name in chosen}
    for facet in facets:
        found = {one.text for one in facet.values if one.chosen}
        assert found == set(chosen.get(facet.name, ()))


def test_counts_are_the_same_by_every_way_of_counting(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(built) as store:
        whole = count_facets(store, {})
        by_papers = count_facets(store, {}, {"title": {"$contains": "study"}})
        monkeypatch.setattr("swimmer.retrieval.faceting._FEW_ROWS", 0)
        by_field = count_facets(store, {}, {"title": {"$contains": "study"}})
        listed = count_facets(store, {}, None, range(len(store)))
    assert whole == by_papers == by_field == listed


def test_a_value_narrows_and_widens_and_is_kept_in_the_address(client: TestClient) -> None:
    page = client.get("/search", params={"q": "robots", "k": 60}).text
    (address,) = links(page, "Oral")
    assert address == "/search?store=studies&q=robots&k=60&status=Oral"
    narrowed = client.get(address).text
    assert shown(page)["status"] == {"Oral": 30, "Poster": 30}
    assert narrowed.count('<li class="hit"') == 30
    assert '<input type="hidden" name="status" value="Oral" form="ask">' in narrowed
    assert shown(narrowed)["venue"]["ICLR"] == 10
    both = client.get(links(narrowed, "Poster")[0]).text
    assert "60 papers, page 1 of 2" in both
    again = client.get(links(narrowed, "Oral")[0]).text
    assert shown(again) == shown(page)
    saved = client.get(address.replace("/search", "/export") + "&format=json").json()
    assert {hit["status"] for hit in saved["hits"]} == {"Oral"}


def test_facets_alone_browse_the_store(client: TestClient) -> None:
    start = client.get("/").text
    page = client.get(links(start, "graphs")[0]).text
    assert "a filter that 20 papers meet" in page
    assert shown(page)["topic"] == {"robots": 20, "language": 20, "graphs": 20}
    assert shown(page)["status"] == {"Oral": 10, "Poster": 10}
    # The last choice taken away leads back to the form.
    remove = re.search(r'<a href="([^"]+)" aria-label="Remove the topic graphs"', page)
    assert remove is not None and remove[1] == "/?store=studies&amp;why=1"


def test_a_store_without_topics_says_how_to_have_them(home: Path) -> None:
    build_store([Paper("A title", "A text.", venue="X")], home / "bare", model="static").close()
    with TestClient(create_app([home / "bare"]), base_url="http://127.0.0.1") as client:
        page = client.get("/search", params={"q": "text"}).text
    assert '<a href="/map?store=bare">Make the map to have topics</a>' in page
    assert list(shown(page)) == ["venue"]


def test_of_an_author_only_their_papers_are_counted(client: TestClient) -> None:
    page = client.get("/search", params={"q": "Ana Ruiz", "status": "Oral", "k": 60}).text
    own = [paper for paper in PAPERS if "Ana Ruiz" in paper.authors]
    oral = [paper for paper in own if paper.status == "Oral"]
    assert page.count('<li class="hit"') == len(oral)
    assert shown(page)["status"] == dict(Counter(paper.status for paper in own))
    assert shown(page)["year"] == dict(Counter(str(p.year) for p in oral if p.year is not None))


def test_hostile_values_are_text(client: TestClient) -> None:
    page = client.get("/search", params={"q": "robots"}).text
    assert "<svg" not in page
    for value in (PEOPLE[2], VENUES[1], "שלום עולם"):
        narrowed = client.get(links(page, value)[0])
        assert narrowed.status_code == 200 and 'class="chip"' in narrowed.text
        assert "<svg" not in narrowed.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"year": "abc"}, "whole number"),
        ({"year": "-1"}, "whole number"),
        ({"year": "٢٠٢٤"}, "whole number"),
        ({"author": "x" * 201}, "At most 20 values of author"),
        ({"topic": [str(i) for i in range(21)]}, "At most 20 values of topic"),
    ],
)
def test_a_value_that_cannot_be_one_is_said(
    client: TestClient, fields: dict[str, str], said: str
) -> None:
    answer = client.get("/search", params={"q": "robots", **fields})
    assert answer.status_code == 400
    assert said in html.unescape(answer.text)
    assert client.get("/export", params={"q": "x", "format": "csv", **fields}).status_code == 400


def test_a_value_that_no_paper_has_leaves_nothing_and_can_be_removed(client: TestClient) -> None:
    page = client.get("/search", params={"q": "robots", "venue": "ICML"}).text
    assert "No papers found." in page and "venue = &#39;ICML&#39;" in page
    assert links(page, "ICML") == ["/search?store=studies&q=robots"]


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(list(FACETS)),
    values=st.lists(st.text(max_size=30), max_size=3),
    q=st.sampled_from(["", "robots", "Ana Ruiz"]),
)
def test_no_value_breaks_the_page(client: TestClient, name: str, values: list[str], q: str) -> None:
    plain = [value.encode("utf-8", "replace").decode() for value in values]
    fields: dict[str, str | list[str]] = {name: plain, "q": q}
    assert client.get("/search", params=fields).status_code in (200, 400)


def keep_map(folder: Path, names: tuple[str, ...], labels: list[int]) -> None:
    """Keep a map with some topics in a store's folder."""
    with open_store(folder) as store:
        manifest, papers = store.manifest, len(store)
    KeptMap(
        points=np.zeros((papers, 2), np.float32),
        labels=np.asarray(labels, np.int32),
        digests=np.zeros((papers, 8), np.uint8),
        topics=[(name, ("word",)) for name in names],
        changed=0,
        generation=manifest.generation,
        index=manifest.index.sha256,
    ).write(folder / MAP)


def test_topics_are_those_of_the_kept_map(home: Path) -> None:
    folder = home / "mapped"
    build_store(PAPERS, folder, model="static").close()
    with open_store(folder) as store:
        before = as_counts(count_facets(store, {}))["topic"]
        assert before == dict.fromkeys(TOPICS, 20)
        # The map is made while the store is open.
        names, labels = ("Robots & < 3", "The rest"), [n % 4 // 3 for n in range(60)]
        keep_map(folder, names, labels)
        assert as_counts(count_facets(store, {}))["topic"] == {"Robots & < 3": 45, "The rest": 15}
        topics = [(one.text, one.papers) for one in complete(store, "re") if one.kind == "topic"]
        assert topics == [("The rest", 15)]
        assert [one.text for one in complete(store, "robot") if one.kind == "topic"] == [
            "Robots & < 3",
            "robots",
        ]
        wanted = facet_filter(store, {"topic": ("The rest",)})
        ids = {hit.paper.id for hit in search(store, None, 60, filter=wanted)}
        rows = {paper.id for row, paper in enumerate(store) if labels[row] == 1}
        assert ids == rows
        counted = as_counts(count_facets(store, {"topic": ("The rest",)}))
        assert sum(counted["status"].values()) == 15
        assert counted["topic"] == {"Robots & < 3": 45, "The rest": 15}
    # A map of an earlier state says nothing of this one.
    build_store([*PAPERS, Paper("One more", "Of robots.", id="more")], folder).close()
    with open_store(folder) as store:
        assert as_counts(count_facets(store, {}))["topic"] == before
    (folder / MAP).write_bytes(b"\xff" * 64)
    with open_store(folder) as store:
        assert as_counts(count_facets(store, {}))["topic"] == before


def test_facets_of_a_known_title_import_no_numpy(home: Path) -> None:
    folder = home / "light"
    build_store(PAPERS, folder, model="static").close()
    keep_map(folder, ("one", "two"), [n % 2 for n in range(60)])
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from starlette.testclient import TestClient\n"
        "from swimmer.web.app import create_app\n"
        f"with TestClient(create_app([Path({str(folder)!r})]), base_url='http://127.0.0.1') as c:\n"
        f"    page = c.get('/search', params={{'q': {PAPERS[0].title!r}}}).text\n"
        "assert page.count('<li class=\"hit\"') == 10, page\n"
        "assert '<summary>Topic' in page\n"
        "assert 'numpy' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def test_documents_with_other_kinds_of_values_have_facets(home: Path) -> None:
    store = PaperStore.create("static")
    papers = [
        Paper(
            "A title", "A text.", id="a", year=2024, extra={"year": "twenty", "venue": ["x", "x"]}
        ),
        Paper("Another title", "Another text.", id="b", year=2025, authors=("Bo", "Bo")),
    ]
    store.add(papers)
    found = as_counts(count_facets(store, {}))
    assert found["year"] == {"2025": 1}
    assert found["author"] == {"Bo": 1}
