"""The nearest papers that a store keeps: the same answers as a search, without numpy."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Answer, Paper, PaperStore, ask, build_store, open_store, search
from swimmer.errors import StoreDamagedError
from swimmer.store import kept_nearest
from swimmer.store.kept_nearest import RECALL, unpacked
from swimmer.store.manifest import DataFile, Manifest
from swimmer.store.nearest import find_nearest, scored

from .models import HashEmbeddings

TOPICS = ("graphs", "robots", "proteins", "privacy", "speech", "bandits", "vision")
WORDS = ("sample", "kernel", "sparse", "latent", "causal", "robust", "convex", "neural", "bound")


NAMES = ("Ruiz", "Park", "Levi", "Laurent", "Amin", "Rao", "Berg", "Wolf", "Ito")


def paper(n: int, version: int = 0) -> Paper:
    """One of many papers; every eleventh has no abstract, every seventh the text of another."""
    topic, word, other = TOPICS[n % 7], WORDS[n % 9], WORDS[(n * 7 + 3) % 9]
    same = n - n % 7 if n % 7 == 6 else n
    body = f"We study {TOPICS[same % 7]} by {WORDS[same % 9]} methods{', ' + other * (n % 2)}."
    return Paper(
        f"{word.capitalize()} {topic} of kind {n}",
        "" if n % 11 == 10 else body + " Again and in depth." * version,
        id=f"p{n}",
        url=f"https://example.org/{n}",
        authors=(f"Ana {NAMES[n % 9]}", "Bo Chen"),
        year=2020 + n % 5,
    )


ODD = [
    Paper("The Of And", "It is what it is.", id="stop"),
    Paper("???", "", id="signs"),
    Paper("!!!", "", id="other signs"),
    Paper("扩散模型的文本到图像生成", "我们研究扩散模型。", id="zh"),
    Paper("Position", "One text of robots and graphs.", id="same title 1"),
    Paper("Position", "Another text of speech and privacy.", id="same title 2"),
    Paper("Robots and Graphs", "The very same text.", id="twin 1"),
    Paper("Robots and Graphs (Extended)", "The very same text.", id="twin 2"),
    Paper("Robots and Graphs (Extended", "The very same text.", id="twin 3"),
    Paper("Long", "kernel " * 4000, id="long"),
]
"""Papers without a word, without a word that counts, with one title, copies, and a long one."""


def two_stores(papers: list[Paper], folder: Path, **options: Any) -> tuple[PaperStore, PaperStore]:
    """The same papers in a store that keeps the nearest of each, and in one that does not."""
    return (
        build_store(papers, folder / "with/conf", neighbours=True, **options),
        build_store(papers, folder / "without/conf", neighbours=False, **options),
    )


def kept_rows(store: PaperStore) -> list[int]:
    return [row for row in range(len(store)) if kept_nearest(store.database, row) is not None]


def assert_same(one: Answer, other: Answer) -> None:
    """Compare two answers, to the last digit."""
    pairs = zip(one.hits, other.hits, strict=True)
    assert [a.to_dict() for a, _ in pairs] == [b.to_dict() for b in other.hits]
    assert [a.cosine for a in one.hits] == [b.cosine for b in other.hits]
    assert one == other


# ---------------------------------------------------------------------- the same answers


@pytest.mark.parametrize("model", ["static", "hash"])
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 91, 92, 93, 220])
def test_the_answer_is_that_of_a_search(
    tmp_path: Path, model: str, plain: bool, count: int
) -> None:
    """With 91 to 93 and the ten others there are about as many papers as are kept."""
    papers = [*ODD, *(paper(n) for n in range(count))]
    chosen = HashEmbeddings(24) if model == "hash" else model
    kept, searched = two_stores(papers, tmp_path, model=chosen, plain=plain)
    assert "nearest" not in searched.database.tables
    assert len(kept_rows(kept)) >= 0.6 * len(kept)
    for one in papers[:: 1 + count // 40]:
        for k in (1, 10, 100):
            assert_same(ask(kept, [one], k)[0], ask(searched, [one], k)[0])
    assert kept.verify() == searched.verify() == []


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[PaperStore, PaperStore]:
    papers = [*ODD, *(paper(n) for n in range(220))]
    return two_stores(papers, tmp_path_factory.mktemp("both"), model="static")


@pytest.mark.parametrize("k", [1, 10, 100, 101, 400])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"group": True},
        {"explain": True},
        {"include_self": True},
        {"diversity": 0.4},
        {"mode": "hybrid"},
        {"mode": "keyword"},
        {"lexical": False},
        {"lookup": False},
        {"lookup": "title"},
        {"lookup": "author"},
        {"sort": "year"},
        {"filter": {"year": {"$gt": 2021}}},
        {"like": ["Position"]},
        {"unlike": ["Position"]},
        {"rerank": lambda query, papers: [len(one.title) for one in papers]},
    ],
)
def test_other_questions_are_answered_as_ever(
    both: tuple[PaperStore, PaperStore], options: dict[str, Any], k: int
) -> None:
    query = "Bo Chen" if options.get("lookup") == "author" else paper(20).title
    one, other = (ask(store, [query], k, **options)[0] for store in both)
    assert_same(one, other)


@pytest.mark.parametrize(
    "query",
    [
        paper(30).title.upper(),
        "kind 30 kernel",
        "https://example.org/30",
        "example.org/30/?page=2",
        "Ana Park",
        "Position",
        "robots that walk",
        "扩散模型的文本到图像生成",
        "Sparse proteins of kindd 40",
    ],
)
def test_whatever_is_typed_has_one_answer(both: tuple[PaperStore, PaperStore], query: str) -> None:
    assert_same(*(ask(store, [query], 10)[0] for store in both))


def test_scores_agree_with_those_of_more_and_of_filtered_hits(
    both: tuple[PaperStore, PaperStore],
) -> None:
    """More than are kept, or with a condition that all papers meet, are searched."""
    for one in (paper(n) for n in range(0, 220, 9)):
        few = search(both[0], one.title, 100)
        many = search(both[0], one.title, 229)
        where = search(both[0], one.title, 100, filter={"url": {"$ne": "of none"}})
        assert [(hit.paper.id, hit.score, hit.cosine) for hit in few] == [
            (hit.paper.id, hit.score, hit.cosine) for hit in where
        ]
        scores = {hit.paper.id: (hit.score, hit.cosine) for hit in many}
        assert all(scores[hit.paper.id] == (hit.score, hit.cosine) for hit in few)


def test_many_queries_are_answered_in_their_order(both: tuple[PaperStore, PaperStore]) -> None:
    queries = ["private speech", paper(4).title, "Bo Chen", "Position", "kernel", paper(77).title]
    for one, other in zip(*(ask(store, queries, 7) for store in both), strict=True):
        assert_same(one, other)


def test_real_papers_have_the_same_answers(tmp_path: Path, shared: Path) -> None:
    source = shared / "corpora/iclr2025_downloads.json"
    kept = build_store(source, tmp_path / "with/conf")
    searched = build_store(source, tmp_path / "without/conf", neighbours=False)
    assert len(kept_rows(kept)) > 0.99 * len(kept)
    for one in list(kept)[::18]:
        assert_same(ask(kept, [one.title], 20)[0], ask(searched, [one.title], 20)[0])


# ---------------------------------------------------------------------- updates


def recomputed(store: PaperStore) -> dict[int, list[tuple[int, float, float]]]:
    """The nearest papers of every paper, found anew."""
    nearest = find_nearest(store.vectors())
    return {
        row: list(zip(near, scores, cosines, strict=True))
        for parts in scored(store.database, nearest, store.similarity)
        for row, near, scores, cosines in zip(*(part.tolist() for part in parts), strict=True)
    }


def assert_up_to_date(store: PaperStore) -> None:
    wanted = recomputed(store)
    assert "nearest" in store.database.tables
    for row in range(len(store)):
        assert kept_nearest(store.database, row) == wanted.get(row)


CHANGES = st.lists(
    st.tuples(st.sampled_from(["add", "change", "remove"]), st.integers(0, 160)), max_size=6
)


@settings(max_examples=25, deadline=None)
@given(st.lists(CHANGES, min_size=1, max_size=3), st.sampled_from([True, False]), st.booleans())
def test_an_update_is_as_good_as_a_new_build(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[Any], plain: bool, by_hand: bool
) -> None:
    folder = tmp_path_factory.mktemp("update") / "conf"
    now = {n: paper(n) for n in range(125)}
    store = build_store(now.values(), folder, model=HashEmbeddings(12), plain=plain)
    for number, changes in enumerate(rounds):
        for kind, n in changes:
            if kind == "remove":
                now.pop(n, None)
            else:
                # A paper that is added may be a copy of another.
                now[n] = paper(n) if kind == "add" else paper(n, number + 1)
        if by_hand:
            gone = [one.id for one in store if int(one.id[1:]) not in now]
            store.delete(gone)
            store.model(HashEmbeddings(12))
            store.add(list(now.values()), replace=True)
            store.commit()
        else:
            store.close()
            store = build_store(now.values(), folder, model=HashEmbeddings(12), prune=True)
        assert_up_to_date(store)
    assert store.verify() == []
    store.close()


def test_only_what_lies_near_a_change_is_searched_again(tmp_path: Path) -> None:
    papers = [paper(n) for n in range(700)]
    build_store(papers, tmp_path / "conf", model=HashEmbeddings(24), plain=True).close()
    searched: dict[str, int | None] = {}

    def progress(stage: str, done: int, total: int | None) -> None:
        searched[stage] = total

    changed = [*papers[:650], Paper("Robust speech of kind 1000", "Of speech.", id="p1000")]
    store = build_store(
        changed, tmp_path / "conf", model=HashEmbeddings(24), prune=False, progress=progress
    )
    assert len(store) == 701
    assert 0 < (searched["neighbours"] or 0) < 300
    assert_up_to_date(store)


def test_a_store_of_an_earlier_release_goes_on_and_gains_them(tmp_path: Path) -> None:
    papers = [paper(n) for n in range(120)]
    store = build_store(papers, tmp_path / "conf", model="static")
    (before,) = ask(store, [papers[5].title])
    store.close()
    change(tmp_path / "conf", "DROP TABLE nearest", f"DELETE FROM meta WHERE name = '{RECALL}'")
    with open_store(tmp_path / "conf") as old:
        assert kept_nearest(old.database, 5) is None
        assert_same(ask(old, [papers[5].title])[0], before)
        assert old.verify() == []
    with build_store([*papers, paper(500)], tmp_path / "conf") as renewed:
        assert_up_to_date(renewed)


def test_a_store_that_was_told_to_keep_none_goes_on_so(tmp_path: Path) -> None:
    papers = [paper(n) for n in range(120)]
    build_store(papers, tmp_path / "conf", neighbours=False).close()
    with build_store([*papers, paper(500)], tmp_path / "conf") as store:
        assert "nearest" not in store.database.tables
    with build_store([*papers, paper(500)], tmp_path / "conf", neighbours=True) as store:
        assert_up_to_date(store)
    with build_store([*papers, paper(501)], tmp_path / "conf") as store:
        assert_up_to_date(store)


def test_a_changed_store_answers_from_what_it_is_now(tmp_path: Path) -> None:
    store = build_store([paper(n) for n in range(120)], tmp_path / "conf", model="static")
    store.add([replace(paper(5), title="Neural bandits of a kind 5", id="copy")])
    (changed,) = ask(store, [paper(5).title], 100)
    assert "copy" in [hit.paper.id for hit in changed.hits]
    store.commit()
    (kept,) = ask(store, [paper(5).title], 100)
    assert kept_nearest(store.database, 5) is not None
    assert [hit.to_dict() for hit in kept.hits] == [hit.to_dict() for hit in changed.hits]
    assert_up_to_date(store)


# ---------------------------------------------------------------------- large stores


def test_a_large_store_keeps_them_where_it_is_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("swimmer.store.nearest.EXACT_LIMIT", 500)
    papers = [paper(n) for n in range(900)]
    with build_store(papers, tmp_path / "one", model=HashEmbeddings(24)) as store:
        assert "nearest" not in store.database.tables
    store = build_store(papers, tmp_path / "two", model=HashEmbeddings(24), neighbours=True)
    assert float(store.database.meta(RECALL)) >= 0.97
    exact = build_store(papers, tmp_path / "three", model=HashEmbeddings(24), neighbours=False)
    shares = []
    for row in kept_rows(store)[::30]:
        title = papers[row].title
        found = {hit.paper.id: hit.score for hit in search(store, title, 100)}
        wanted = {hit.paper.id: hit.score for hit in search(exact, title, 100)}
        shares.append(len(found.keys() & wanted.keys()) / 100)
        assert all(found[one] == wanted[one] for one in found.keys() & wanted.keys())
    assert np.mean(shares) >= 0.97
    assert store.verify() == []
    # An update of it finds as many.
    store = build_store([*papers, paper(2000)], tmp_path / "two", model=HashEmbeddings(24))
    assert len(kept_rows(store)) > 0.5 * len(store)
    assert store.verify() == []


# ---------------------------------------------------------------------- damage


def change(folder: Path, *statements: str, parameters: tuple[Any, ...] = ()) -> None:
    """Change the database of a store, and its manifest so that the file is taken for whole."""
    manifest = Manifest.read(folder)
    path = folder / manifest.database.name
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement, parameters if "?" in statement else ())
    connection.close()
    replace(manifest, database=DataFile.of(path)).write(folder)


def packed(rows: list[int], scores: list[float], cosines: list[float]) -> bytes:
    """Pack the nearest of one paper, as `swimmer.store.kept_nearest` says, by hand."""
    numbers = np.stack(
        [
            np.array(rows, np.uint32),
            np.array(scores, np.float32).view(np.uint32),
            np.array(cosines, np.float32).view(np.uint32),
        ]
    )
    numbers[2] -= numbers[1]
    numbers[1, 1:] -= numbers[1, :-1].copy()
    return zlib.compress(
        numbers.astype("<u4").reshape(-1).view(np.uint8).reshape(-1, 4).T.tobytes()
    )


ROWS = [*range(3), *range(4, 101)]
SCORES = [0.9 - i / 200 for i in range(100)]
NOT_PACKED = {
    "nothing": b"",
    "other bytes": b"\x00" * 700,
    "too few": packed(ROWS[:99], SCORES[:99], SCORES[:99]),
    "too many": packed([*ROWS, 101], [*SCORES, 0.1], [*SCORES, 0.1]),
    "a little more": packed(ROWS, SCORES, SCORES) + b"x",
    "cut": packed(ROWS, SCORES, SCORES)[:-4],
    "a bomb": zlib.compress(b"\0" * (64 << 20)),
    "itself": packed([3, *ROWS[1:]], SCORES, SCORES),
    "one twice": packed([1, *ROWS[1:]], SCORES, SCORES),
    "none of the store": packed([120, *ROWS[1:]], SCORES, SCORES),
    "a negative row": packed([(1 << 32) - 1, *ROWS[1:]], SCORES, SCORES),
    "no number": packed(ROWS, [*SCORES[:99], float("nan")], SCORES),
    "infinite": packed(ROWS, [float("inf"), *SCORES[1:]], SCORES),
    "a cosine of two": packed(ROWS, SCORES, [2.0, *SCORES[1:]]),
    "out of order": packed(ROWS, SCORES[::-1], SCORES),
    "equal scores out of order": packed([*ROWS[::-1]], [0.5] * 100, SCORES),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    build_store([paper(n) for n in range(120)], tmp_path / "conf", model="static").close()
    return tmp_path / "conf"


@pytest.mark.parametrize("kind", NOT_PACKED)
def test_a_value_that_was_made_up_is_refused(folder: Path, kind: str, swimmer: Any) -> None:
    change(folder, "UPDATE nearest SET packed = ? WHERE row = 3", parameters=(NOT_PACKED[kind],))
    with open_store(folder) as store:
        with pytest.raises(
            StoreDamagedError, match=r"nearest papers of row 3 are .*\nhint: .*build it again"
        ):
            search(store, paper(3).title)
        assert search(store, paper(4).title)
        assert search(store, paper(3).title, 101), "a search does not read them"
        assert any("row 3" in line for line in store.verify())
    outcome = swimmer("search", paper(3).title, "--store", str(folder))
    assert outcome.code == 2
    assert outcome.err.startswith("error: ") and "Traceback" not in outcome.err


@pytest.mark.parametrize("kind", ["cut", "a bomb", "itself", "one twice", "none of the store"])
def test_an_update_does_not_carry_it_on(folder: Path, kind: str) -> None:
    change(folder, "UPDATE nearest SET packed = ? WHERE row = 3", parameters=(NOT_PACKED[kind],))
    with pytest.raises(StoreDamagedError, match="nearest papers cannot be read"):
        build_store([paper(200)], folder)
    assert open_store(folder).verify() != []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE nearest SET packed = 'text' WHERE row = 3",
        "UPDATE nearest SET packed = 7 WHERE row = 3",
        "CREATE TABLE other (row INTEGER PRIMARY KEY)",
        "CREATE TRIGGER t AFTER INSERT ON nearest BEGIN SELECT 1; END",
        "DROP TABLE nearest; ",
    ],
)
def test_another_table_is_refused(folder: Path, statement: str) -> None:
    extra = ["CREATE TABLE nearest (row, packed)"] if "DROP" in statement else []
    change(folder, statement, *extra)
    with open_store(folder) as store, pytest.raises(StoreDamagedError):
        search(store, paper(3).title)


@pytest.mark.parametrize("row", [-1, 120, 1 << 40])
def test_rows_that_are_not_there_are_found(folder: Path, row: int) -> None:
    change(folder, f"UPDATE nearest SET row = {row} WHERE row = 3")
    with open_store(folder) as store:
        assert search(store, paper(3).title), "without them, it is searched"
        assert any("nearest papers" in line for line in store.verify())
    with pytest.raises(StoreDamagedError, match="nearest papers cannot be read"):
        build_store([paper(200)], folder)


@pytest.mark.parametrize("kind", ["rows", "scores"])
def test_verify_finds_wrong_values_that_are_in_order(folder: Path, kind: str) -> None:
    with open_store(folder) as store:
        near = kept_nearest(store.database, 0)
        assert near is not None
        others = [row for row in range(1, 120) if row not in {one for one, *_ in near}]
    rows, scores, cosines = map(list, zip(*near, strict=True))
    if kind == "rows":
        rows[:10] = others[:10]
    else:
        scores = [score - 0.01 for score in scores]
    made = packed(rows, scores, cosines)
    assert unpacked(made, 0, 120)
    change(folder, "UPDATE nearest SET packed = ? WHERE row = 0", parameters=(made,))
    with open_store(folder) as store:
        assert any("nearest papers" in line for line in store.verify())


@given(st.binary(max_size=900))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    for one in (content, zlib.compress(content), zlib.compress((content * 10)[:1200].ljust(1200))):
        with pytest.raises(ValueError):
            unpacked(one, 3, 120)


# ---------------------------------------------------------------------- without numpy


ASK = """
import sys
HEAVY = "numpy faiss torch tokenizers safetensors sentence_transformers".split()
loaded = lambda: sorted({{m.split(".")[0] for m in sys.modules}} & {{*HEAVY}})
known = [{title!r}, "simper", "https://example.org/30", "Ana Park", "Park, Ana"]
"""
TERMINAL = """
from contextlib import suppress
from swimmer.cli import main
def ask(query):
    sys.argv = ["swimmer", "search", query, "--store", {folder!r}]
    with suppress(SystemExit):
        main()
"""
RETRIEVER = """
from swimmer import load_retriever
retriever = load_retriever({folder!r})
def ask(query):
    assert retriever.invoke(query), query
"""
PAGE = """
from pathlib import Path
from starlette.testclient import TestClient
from swimmer.web import create_app
client = TestClient(create_app([Path({folder!r})]), base_url="http://127.0.0.1:8000")
def ask(query):
    said = client.get("/search", params={{"q": query}})
    assert said.status_code == 200 and "example.org/" in said.text, query
"""
MCP = """
import anyio
from mcp import Client
from swimmer.mcp_server import build_server
async def call(query):
    async with Client(build_server()) as client:
        tool = "search_papers" if query.startswith(("Ana", "Park", "robots")) else ""
        arguments = {{"query": query}} if tool else {{"title": query}}
        said = await client.call_tool(tool or "find_similar_papers", arguments)
        assert not said.is_error and "example.org/" in str(said.structured_content), query
def ask(query):
    anyio.run(call, query)
"""


@pytest.mark.parametrize(
    ("front_end", "needs"),
    [
        (TERMINAL, "click"),
        (RETRIEVER, "langchain_core"),
        (PAGE, "starlette"),
        (MCP, "mcp.server.mcpserver"),
    ],
    ids=["terminal", "retriever", "page", "mcp"],
)
def test_known_title_in_a_fresh_process_no_numpy_before_the_first_free_text(
    front_end: str, needs: str
) -> None:
    pytest.importorskip(needs)
    named = Paper(
        "SimPER: Simple Preference Alignment by Perplexity",
        "Perplexity alone aligns a language model.",
        url="https://example.org/1000",
    )
    build_store([named, *(paper(n) for n in range(120))], "conf").close()
    folder = str(Path("vectorstores/conf").resolve())
    code = (ASK + front_end).format(folder=folder, title=named.title)
    code += (
        "for query in known:\n"
        "    ask(query)\n"
        "    assert not loaded(), (query, loaded())\n"
        "ask('robots that walk in the dark')\n"
        "assert 'numpy' in loaded()\n"
        "print('done')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.endswith("done\n")
