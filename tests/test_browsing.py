"""A filter alone, sorting, completion of every kind, and reasons."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from swimmer import Paper, PaperStore, ask, build_store, search
from swimmer.errors import QueryError
from swimmer.retrieval import SearchOptions, browse, complete, parse_where

from .conftest import Outcome
from .models import HashEmbeddings

PAPERS = [
    Paper(
        f"Name{letter}: a study of 3D Gaussian splatting, part {number}",
        "We study 3D Gaussian splatting of dynamic scenes with language models.",
        authors=("Yoshua Bengio",) if number % 2 else ("Ann Lee", "Yoshua Bengio"),
        year=2020 + number,
        status="Oral" if number < 3 else "Poster",
        keywords=("rendering", "Gaussian splatting"),
        extra={"citations": 10 * number, "rating": [number, 5]} if number else {},
    )
    for number, letter in enumerate("ABCDE")
]


@pytest.fixture
def store(tmp_path: Path) -> PaperStore:
    """Five papers of five years."""
    return build_store(PAPERS, tmp_path / "browsed", model=HashEmbeddings())


def years(store: PaperStore, where: str, sort: str = "") -> list[int | None]:
    answer = browse(store, 10, SearchOptions(filter=parse_where(where), sort=sort))
    assert answer.listed
    return [hit.paper.year for hit in answer.hits]


def test_a_filter_alone_lists_papers_newest_first(store: PaperStore) -> None:
    assert years(store, "status=Oral") == [2022, 2021, 2020]
    assert years(store, 'status=Oral and authors="Ann Lee" and year>2020') == [2022]
    assert years(store, "year>2030") == []
    assert [hit.paper.year for hit in search(store, None, 1, filter={"year": 2021})] == [2021]


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("year", 2024),
        ("year:asc", 2020),
        ("title", 2020),
        ("title:desc", 2024),
        ("citations", 2024),
        ("citations:asc", 2021),
        ("rating:desc", 2024),
    ],
)
def test_papers_are_sorted_by_a_field(store: PaperStore, sort: str, first: int) -> None:
    found = years(store, "year>=2020", sort)
    assert found[0] == first
    if "title" not in sort and "year" not in sort:
        # A paper without the field comes last, whatever the direction.
        assert found[-1] == 2020
    (answer,) = ask(store, ["Gaussian splatting of scenes"], 10, sort=sort)
    assert answer.hits[0].paper.year == first
    assert [hit.rank for hit in answer.hits] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("sort", ["colour", "year:up", "year:", ":asc"])
def test_what_cannot_be_sorted_by_is_an_error(store: PaperStore, sort: str) -> None:
    with pytest.raises(QueryError, match="cannot sort"):
        years(store, "year>2000", sort)
    with pytest.raises(QueryError, match="no paper of the store"):
        years(store, "year>2000", "upvotes")


@pytest.mark.parametrize("where", ["year>abc", "year=new", "venue>3", "year<none", "title<=7"])
def test_a_value_that_cannot_be_compared_is_an_error(where: str) -> None:
    with pytest.raises(QueryError, match="condition"):
        parse_where(where)


def test_errors_of_sorting_say_what_to_do(store: PaperStore) -> None:
    for sort in ("hue", "year:up", "upvotes"):
        with pytest.raises(QueryError) as caught:
            browse(store, 10, SearchOptions(filter={"year": 2020}, sort=sort))
        assert "sort by" in caught.value.hint and "year" in caught.value.hint


def test_the_terminal_browses(
    store: PaperStore, swimmer: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.folder is not None
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    found = swimmer(
        "search", "--store", store.folder, "--where", "status=Oral", "--sort", "title", "--json"
    )
    answer = json.loads(found.out)
    assert [hit["year"] for hit in answer["hits"]] == [2020, 2021, 2022]
    shown = swimmer("search", "--store", store.folder, "--where", "status=Oral", "--brief")
    assert "papers that match the filter: 3\n" in shown.out
    assert swimmer("search", "--store", store.folder, "--where", "year>abc").code == 2
    assert swimmer("search", "--store", store.folder).code == 2


def test_every_kind_is_completed_and_marked(store: PaperStore) -> None:
    def kinds(typed: str) -> set[tuple[str, str]]:
        return {(one.kind, one.text) for one in complete(store, typed)}

    assert ("author", "Yoshua Bengio") in kinds("yoshua ben")
    assert ("author", "Yoshua Bengio") in kinds("Beng")
    assert ("name", "NameC") in kinds("namec")
    assert ("topic", "Gaussian splatting") in kinds("gauss")
    assert any(kind == "paper" for kind, _ in kinds("study of 3d"))
    for typed in ("", "a", '"', "x" * 5_000, "'; DROP TABLE people; --", "\x00"):
        assert isinstance(complete(store, typed), list)


def test_reasons_are_whole_terms(store: PaperStore) -> None:
    (answer,) = ask(store, ["3D Gaussian splatting with D and s"], 3, explain=True)
    terms = [term for hit in answer.hits if hit.reasons for term in hit.reasons.terms]
    assert "3D Gaussian splatting" in terms
    assert all(len(term) > 1 for term in terms)
    assert not {"D Gaussian", "D", "s"} & set(terms)
    (same,) = ask(store, ["Gaussian splatting"], 3, explain=True)
    assert all(not hit.reasons.terms for hit in same.hits if hit.reasons)
