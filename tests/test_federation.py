"""Several stores asked as one: merged by score or by rank, each work once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from swimmer.build.builder import build_store
from swimmer.errors import QueryError, StoreNotFoundError
from swimmer.papers.deduplication import duplicates, same_work, shared_phrases
from swimmer.papers.paper import Paper
from swimmer.retrieval.federation import ask_stores, open_stores
from swimmer.retrieval.query import ask
from swimmer.store.store import PaperStore

from .models import HashEmbeddings

TOPICS = ("salmon in rivers", "trout in lakes", "sharks at sea", "eels in mud", "carp in ponds")


def paper(number: int, venue: str, **more: Any) -> Paper:
    topic = TOPICS[number % 5]
    words = " ".join(f"{topic.split()[0]}{number}word{i}" for i in range(40))
    fields: dict[str, Any] = {
        "title": f"On {topic}, report {number}",
        "abstract": f"We watch {topic}. {words}.",
        "venue": venue,
        "year": 2024,
        "id": f"{venue}-{number}",
        "authors": (f"Ada Number{number}", "Grace Second"),
    }
    return Paper(**{**fields, **more})


def build(
    tmp_path: Path, name: str, papers: list[Paper], model: Any = None, plain: bool | None = None
) -> PaperStore:
    return build_store(papers, tmp_path / name, model=model or HashEmbeddings(), plain=plain)


HALVES = {"A": range(15), "B": range(10, 30)}


@pytest.fixture
def two(tmp_path: Path) -> list[PaperStore]:
    """Two stores of one model; papers 10 to 14 stand in both."""
    first = [paper(n, "A") for n in range(15)]
    second = [paper(n, "B") for n in range(10, 30)]
    return [build(tmp_path, "a2024", first), build(tmp_path, "b2024", second)]


def test_hits_are_those_of_one_store_with_all_papers(tmp_path: Path) -> None:
    first, second = ([paper(n, name) for n in part] for name, part in HALVES.items())
    every = first + second[5:]
    # Two stores know other neighbours and other rare words than one: cosines alone are compared.
    whole = build(tmp_path, "whole", every, plain=True)
    two = [build(tmp_path, f"part{i}", part, plain=True) for i, part in enumerate((first, second))]
    for query in ("On sharks at sea, report 2", "On eels in mud, report 23", "watching trout"):
        (merged,) = ask_stores(two, [query], k=8, lexical=False)
        (wanted,) = ask(whole, [query], k=8)
        assert [h.paper.title for h in merged.hits] == [h.paper.title for h in wanted.hits]
        np.testing.assert_allclose(
            [h.score for h in merged.hits], [h.score for h in wanted.hits], atol=1e-5
        )
        assert [h.rank for h in merged.hits] == list(range(1, 9))
        assert (merged.matched is None) == (wanted.matched is None)


def test_a_work_is_shown_once_with_where_else_it_is(two: list[PaperStore]) -> None:
    (answer,) = ask_stores(two, ["On trout in lakes, report 1"], k=25)
    titles = [hit.paper.title for hit in answer.hits]
    assert len(set(titles)) == len(titles)
    shared = next(h for h in answer.hits if h.paper.title == "On trout in lakes, report 11")
    places = {shared.paper.venue, *(copy.venue for copy in shared.copies)}
    assert places == {"A", "B"}
    assert shared.paper.extra["store"] in ("a2024", "b2024")
    alone = next(h for h in answer.hits if h.paper.title == "On trout in lakes, report 6")
    assert alone.copies == ()


def test_the_paper_asked_about_is_left_out_of_every_store(two: list[PaperStore]) -> None:
    title = "On salmon in rivers, report 10"
    (answer,) = ask_stores(two, [title], k=29)
    assert title not in {hit.paper.title for hit in answer.hits}
    assert len(answer.hits) == 29
    (answer,) = ask_stores(two, [title], k=3, include_self=True)
    assert answer.hits[0].paper.title == title
    assert len(answer.hits[0].copies) == 1


def test_k_hits_come_back_though_many_are_copies(tmp_path: Path) -> None:
    many = [paper(n, "A") for n in range(60)]
    stores = [
        build(tmp_path, "one", many),
        build(tmp_path, "two", [paper(n, "B") for n in range(60)]),
    ]
    (answer,) = ask_stores(stores, ["salmon"], k=60)
    assert len(answer.hits) == 60
    assert all(len(hit.copies) == 1 for hit in answer.hits)
    (answer,) = ask_stores(stores, ["salmon"], k=70)
    assert len(answer.hits) == 60


def test_a_known_title_needs_no_model(two: list[PaperStore], monkeypatch: Any) -> None:
    monkeypatch.setattr(
        "swimmer.embeddings.load_own", lambda *_, **__: pytest.fail("a model is loaded")
    )
    for store in two:
        store._model = None
    with pytest.raises(pytest.fail.Exception, match="a model is loaded"):
        ask_stores(two, ["eels and their parasites"], k=5)
    (answer,) = ask_stores(two, ["On eels in mud, report 3"], k=5)
    assert {hit.paper.extra["store"] for hit in answer.hits} <= {"a2024", "b2024"}
    assert answer.matched is not None


def test_different_models_are_merged_by_rank_and_say_so(tmp_path: Path) -> None:
    stores = [
        build(tmp_path, "a", [paper(n, "A") for n in range(12)], HashEmbeddings(64)),
        build(tmp_path, "b", [paper(n, "B") for n in range(6, 18)], HashEmbeddings(32)),
    ]
    (answer,) = ask_stores(stores, ["sharks at sea"], k=8)
    assert any("merged by rank" in warning for warning in answer.warnings)
    assert len(answer.hits) == 8
    # What both stores found is worth more than what one found at the same rank.
    singles = [ask(store, ["sharks at sea"], k=18)[0].hits for store in stores]
    both = {h.paper.title for h in singles[0]} & {h.paper.title for h in singles[1]}
    assert answer.hits[0].paper.title in both
    with pytest.raises(QueryError, match="different models"):
        ask_stores(stores, ["sharks"], embeddings=HashEmbeddings(64))


def test_nothing_to_ask(two: list[PaperStore]) -> None:
    with pytest.raises(QueryError, match="--store"):
        ask_stores([], ["x"])
    with pytest.raises(QueryError, match="whole number"):
        ask_stores(two, ["x"], k=0)
    assert ask_stores(two[:1], ["salmon"], k=2) == ask(two[0], ["salmon"], k=2)


def test_stores_are_opened_once(two: list[PaperStore], monkeypatch: Any, tmp_path: Path) -> None:
    paths = [str(store.folder) for store in two]
    with open_stores([*paths, paths[0]]) as stores:
        assert [store.name for store in stores] == ["a2024", "b2024"]
    with pytest.raises(StoreNotFoundError), open_stores(["nothing2024"]):
        pass
    with pytest.raises(QueryError, match="no store yet"), open_stores([], every=True):
        pass
    monkeypatch.setenv("SWIMMER_HOME", str(tmp_path / "home2"))
    (tmp_path / "home2").mkdir()
    (tmp_path / "home2" / "vectorstores").mkdir()
    for store in two:
        assert store.folder is not None
        (tmp_path / "home2" / "vectorstores" / store.name).symlink_to(store.folder)
    with open_stores([], every=True) as stores:
        assert [store.name for store in stores] == ["a2024", "b2024"]


# -------------------------------------------------------------------- one work


ABSTRACT = (
    "Cold fish move slowly because their muscles stiffen below ten degrees. We measure forty "
    "fish in two rivers over one winter, model the loss of speed, and show that a warm meal "
    "restores half of it within an hour."
)
OTHER = (
    "Migrating birds read the magnetic field of the earth with proteins in their eyes. We raise "
    "robins under red light, turn the field by ninety degrees, and find that they follow it "
    "until the light goes out completely."
)


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        (
            {"title": "Cold Fish", "url": "https://arxiv.org/abs/2401.00001v1"},
            {"title": "Slow Swimmers", "extra": {"arxiv": "2401.00001"}},
            "id",
        ),
        (
            {"title": "Cold Fish", "extra": {"openreview": "abc"}},
            {"title": "Cool Fish", "url": "https://openreview.net/forum?id=abc"},
            "id",
        ),
        (
            {"title": "Cold Fish", "extra": {"doi": "10.1234/X"}},
            {"title": "X", "url": "https://doi.org/10.1234/x"},
            "id",
        ),
        (
            {"title": "Cold fish move slowly in winter"},
            {"title": "Cold Fish Move Slowly in Winter!"},
            "title",
        ),
        (
            {"title": "Cold fish move slowly in winter", "authors": ("Ada L",)},
            {"title": "Cold fish move slowly in winter", "authors": ("Bob M",)},
            "",
        ),
        (
            {"title": "Introduction", "abstract": ABSTRACT},
            {"title": "Introduction", "abstract": OTHER},
            "",
        ),
        ({"title": "Introduction"}, {"title": "Introduction"}, ""),
        (
            {"title": "How cold fish lose their speed", "abstract": ABSTRACT},
            {"title": "How cold fish lose speed in winter", "abstract": ABSTRACT + " Code is out."},
            "near",
        ),
        (
            {"title": "Cold winters", "abstract": ABSTRACT, "authors": ("Ada L",)},
            {"title": "Swimming", "abstract": ABSTRACT, "authors": ("A. L", "Bo M")},
            "near",
        ),
        (
            {"title": "Cold winters", "abstract": ABSTRACT, "authors": ("Ada L",)},
            {"title": "Cold winters again", "abstract": ABSTRACT, "authors": ("Bo M",)},
            "",
        ),
        (
            {"title": "Cold winters", "abstract": ABSTRACT},
            {"title": "Swim", "abstract": ABSTRACT},
            "",
        ),
        (
            {"title": "Fish: part I", "abstract": ABSTRACT},
            {"title": "Fish: part II", "abstract": ABSTRACT},
            "",
        ),
        (
            {"title": "How cold fish lose their speed", "abstract": ABSTRACT},
            {"title": "How cold fish lose speed in winter", "abstract": OTHER},
            "",
        ),
        (
            {"title": "Cold Fish", "abstract": ABSTRACT, "url": "https://arxiv.org/abs/2401.00001"},
            {"title": "Cold Fish", "abstract": ABSTRACT, "url": "https://arxiv.org/abs/2401.00002"},
            "",
        ),
    ],
)
def test_same_work(a: dict[str, Any], b: dict[str, Any], why: str) -> None:
    assert same_work(Paper(**a), Paper(**b)) == why
    assert same_work(Paper(**b), Paper(**a)) == why


def test_shared_phrases() -> None:
    assert shared_phrases(ABSTRACT, ABSTRACT[:120].rpartition(" ")[0]) == 1.0
    assert shared_phrases(ABSTRACT, OTHER) < 0.05
    assert shared_phrases("few words", "few words") == 0.0
    assert shared_phrases("", ABSTRACT) == 0.0


def test_duplicates_find_what_comparing_all_pairs_finds() -> None:
    papers = [paper(n, "A") for n in range(40)] + [paper(n, "B") for n in range(20, 50)]
    papers[45] = Paper(title="A new name for old sharks", abstract=papers[22].abstract)
    wanted = {
        (i, j) for j in range(len(papers)) for i in range(j) if same_work(papers[i], papers[j])
    }
    assert {(i, j) for i, j, _ in duplicates(papers)} == wanted
    assert len(wanted) >= 19
