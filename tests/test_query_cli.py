"""Ways of asking at the terminal, graphs of neighbours, and trends."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from swimmer import Paper, build_store
from swimmer.analysis.neighbours import neighbours, to_networkx, write_neighbours
from swimmer.analysis.topic_trends import trends
from swimmer.errors import QueryError
from tests.conftest import Outcome
from tests.query_fixtures import RandomEmbeddings, small_papers, store_of

Run = Callable[..., Outcome]
TITLES = [paper.title for paper in small_papers()]


@pytest.fixture(autouse=True)
def small_store(home: Path) -> Path:
    build_store(small_papers(), home / "vectorstores" / "small").close()
    return home


def titles_of(done: Outcome) -> list[list[str]]:
    assert done.code == 0, done.err
    return [[hit["title"] for hit in json.loads(line)["hits"]] for line in done.out.splitlines()]


def test_where_filters_and_composes(swimmer: Run) -> None:
    done = swimmer(
        "search", "graphs", "-k", "40", "--json", "-w", "year>=2022", "--where", 'area=~"GRAPH"'
    )
    expected = [p.title for p in small_papers() if (p.year or 0) >= 2022 and "graph" in p.title]
    assert sorted(titles_of(done)[0]) == sorted(expected)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--where", "yaer>1"],
            "unknown field 'yaer'\nhint: did you mean year? this store has abstract",
        ),
        (["--where", "year>>1"], "needs a value here"),
        (["--where", "year=='"], "cannot be read"),
        (["--mode", "best"], "dense"),
        (["--diversity", "2"], "0<=x<=1"),
        (["--unlike", "GRAPHS?!"], ""),
        (["--rerank", "./no-such-model"], "cross-encoder"),
    ],
)
def test_wrong_options_end_with_2_and_what_to_do(
    swimmer: Run, arguments: list[str], said: str
) -> None:
    done = swimmer("search", "graphs", *arguments)
    assert done.code == (2 if said else 0)
    assert said in done.err and "Traceback" not in done.err


def test_contradicting_conditions_say_which_emptied_the_answer(swimmer: Run) -> None:
    done = swimmer("search", "graphs", "--where", "year>2020 and year<2020")
    assert done.code == 0
    flat = " ".join(done.out.split())
    assert "no papers from after 2020 are also from before 2020 in this store" in flat


def test_examples_are_one_question(swimmer: Run) -> None:
    apart = titles_of(swimmer("search", TITLES[0], TITLES[4], "--json"))
    together = titles_of(swimmer("search", TITLES[0], TITLES[4], "--like-all", "--json"))
    other = titles_of(swimmer("search", TITLES[0], "--like", TITLES[4], "--json"))
    assert len(apart) == 2 and len(together) == 1 and together == other
    alone = titles_of(swimmer("search", "--like", TITLES[0], "--like", TITLES[4], "--json"))
    assert alone == together
    away = titles_of(
        swimmer("search", TITLES[0], "--like", TITLES[4], "--unlike", TITLES[8], "--json")
    )
    assert TITLES[8] not in away[0]


def test_every_mode_answers(swimmer: Run) -> None:
    for mode in ("dense", "keyword", "hybrid"):
        (found,) = titles_of(
            swimmer(
                "search",
                'graph "message passing"',
                "--mode",
                mode,
                "--group",
                "--diversity",
                "0.2",
                "-k",
                "4",
                "--json",
            )
        )
        assert len(found) == 4


def test_reasons_are_shown_at_a_terminal_and_on_request_in_json(swimmer: Run) -> None:
    plain = swimmer("search", TITLES[1], "-k", "2")
    assert "shares " in plain.out
    assert "shares " not in swimmer("search", TITLES[1], "-k", "2", "--no-why").out
    why = swimmer("search", TITLES[1], "-k", "1", "--why", "--json")
    hit = json.loads(why.out)["hits"][0]
    assert set(hit["reasons"]) == {"terms", "sentence", "facet"}
    assert hit["percentile"] == 100.0
    assert "reasons" not in json.loads(swimmer("search", TITLES[1], "--json").out)["hits"][0]


def test_what_is_unrelated_is_said_plainly(swimmer: Run) -> None:
    done = swimmer("search", "Melt the butter, add sugar and bake the cake", "-k", "1")
    assert "No close match. Nearest papers:" in done.out
    assert (
        "No close match. Nearest papers:" not in swimmer("search", "graph networks", "-k", "1").out
    )


# ---------------------------------------------------------------------- neighbours


def test_neighbours_are_the_nearest_of_each_paper() -> None:
    store = store_of(small_papers(), RandomEmbeddings())
    scores = store.vectors() @ store.vectors().T
    np.fill_diagonal(scores, -np.inf)
    for rows, found, values in neighbours(store, 5):
        for row, near, given in zip(rows, found, values, strict=True):
            assert near.tolist() == np.argsort(-scores[row], kind="stable")[:5].tolist()
            assert given == pytest.approx(scores[row][near], abs=1e-6)


def test_twins_do_not_hide_a_paper_from_itself() -> None:
    store = store_of([Paper(f"T{i}") for i in range(4)], RandomEmbeddings())
    store.add(list(store), np.tile(np.eye(8, dtype=np.float32)[0], (4, 1)))
    for rows, found, _ in neighbours(store, 10):
        for row, near in zip(rows.tolist(), found.tolist(), strict=True):
            assert sorted(near[:3]) == [i for i in range(4) if i != row]
            assert near[3:] == [-1] * 7


def test_the_graph_in_every_format_is_one_graph() -> None:
    networkx = pytest.importorskip("networkx", reason="the extra graph is not installed")
    papers = [Paper('=<&>"quoted" title\x0b', id='a"& b<1'), *small_papers()[:6]]
    store = store_of(papers, RandomEmbeddings())
    graph = to_networkx(store, 3)
    edges = {(a, b, round(d["score"], 5)) for a, b, d in graph.edges(data=True)}
    assert len(edges) == 7 * 3

    out = io.StringIO()
    assert write_neighbours(store, out, 3, "csv") == 21
    lines = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert {(r["source"], r["target"], round(float(r["score"]), 5)) for r in lines} == edges

    out = io.StringIO()
    write_neighbours(store, out, 3, "json")
    loaded = networkx.node_link_graph(json.loads(out.getvalue()), edges="edges")
    assert {(a, b, round(d["score"], 5)) for a, b, d in loaded.edges(data=True)} == edges

    out = io.StringIO()
    write_neighbours(store, out, 3, "graphml")
    ElementTree.fromstring(out.getvalue())
    read = networkx.read_graphml(io.BytesIO(out.getvalue().encode()))
    assert {(a, b, round(d["score"], 5)) for a, b, d in read.edges(data=True)} == edges
    assert read.nodes[papers[0].id]["title"] == papers[0].title


def test_neighbours_at_the_terminal(swimmer: Run, home: Path) -> None:
    done = swimmer("neighbours", "small", "-k", "2")
    assert done.code == 0 and len(done.out.splitlines()) == 1 + 2 * 32
    assert "64 edges between 32 papers" in done.err
    assert swimmer("neighbours", "small", "-o", "g.graphml").code == 0
    ElementTree.parse(home / "g.graphml")
    assert swimmer("neighbours", "small", "-k", "0").code == 2
    with pytest.raises(QueryError, match="graphml, csv, json"):
        write_neighbours(store_of(small_papers()[:2]), io.StringIO(), 1, "dot")


# ---------------------------------------------------------------------- trends


def test_trends_count_topics_by_year() -> None:
    papers = small_papers()
    store = store_of(papers, RandomEmbeddings())
    found = trends([store], ["message passing", "graph"])
    years = {paper.year for paper in papers if paper.year}
    assert set(found.papers) == years and found.undated == 4
    assert found.topics[0].counts == dict.fromkeys(sorted(years), 1)
    (trend, *_) = trends([store], field="area", k=1).topics
    assert trend.topic.endswith(" methods") and sum(trend.counts.values()) == 7


def test_trends_add_stores_up_and_find_what_changed() -> None:
    old = [Paper(f"Kernel machines {i}", year=2020, keywords=("kernels",)) for i in range(4)]
    new = [Paper(f"Agents {i}", year=2024, keywords=("agents", "Agents")) for i in range(4)]
    stores = [store_of(old, RandomEmbeddings()), store_of(new, RandomEmbeddings())]
    by_keyword = trends(stores, field="keywords")
    assert {t.topic: (t.counts, t.change) for t in by_keyword.topics} == {
        "agents": ({2024: 4}, 100.0),
        "kernels": ({2020: 4}, -100.0),
    }
    assert by_keyword.papers == {2020: 4, 2024: 4}
    assert "agents" in {trend.topic for trend in trends(stores, field="titles").topics}
    with pytest.raises(QueryError, match="no store has the field"):
        trends(stores, field="colour")
    with pytest.raises(QueryError, match="no word"):
        trends(stores, ["?"])


def test_trends_join_endings_and_show_the_word_that_titles_use_most() -> None:
    titles = ("Images", "Topology of images", "Topological imaging", "An image")
    stores = [store_of([Paper(title, year=2020)], RandomEmbeddings()) for title in titles]
    found = {trend.topic: trend.counts for trend in trends(stores, field="titles").topics}
    assert found == {"images": {2020: 4}, "topological": {2020: 2}}
    ((asked),) = trends(stores, ["images"]).topics
    assert asked.counts == found["images"]


def test_trends_at_the_terminal(swimmer: Run) -> None:
    table = swimmer("trends", "small", "-t", "graph", "-t", "diffusion")
    assert table.code == 0 and "2019" in table.out and "diffusion" in table.out
    rows = list(csv.reader(io.StringIO(swimmer("trends", "small", "--csv").out)))
    assert rows[0][0] == "topic" and len(rows) > 1
    assert json.loads(swimmer("trends", "small", "--json").out)["field"] == "area"
    assert swimmer("trends", "small", "--field", "nothing").code == 2
