"""Papers from outside that a store knows: the row of each, by its identifiers or its title."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from swimmer.papers import Paper, identifiers, same_numbers, same_work
from swimmer.retrieval import CLOSE_TITLE, checked_query, exact_titles, find_title
from swimmer.store import rows_of_identifier

if TYPE_CHECKING:
    from swimmer.store import PaperStore

PREFIXED = ("arxiv", "doi", "openreview")
"""The kinds of identifiers that are looked up with their kind before them."""

_SHORT_TITLE = 20


def papers_meant(stores: Sequence[PaperStore], given: Sequence[str | Paper]) -> list[Paper]:
    """Return papers, each text as the paper that it names in a store, else as a title alone.

    Of several with one title, as a preprint and its publication often are, the first is returned,
    with the abstract of another where it has none.

    Raises:
        QueryError: a text is blank.
    """
    found = []
    for one in given:
        if isinstance(one, Paper):
            found.append(one)
            continue
        text = checked_query(one)
        named = (paper for store in stores if (paper := _named(store, text)) is not None)
        found.append(next(named, None) or Paper(text))
    return _each_once(found)


def _each_once(papers: Sequence[Paper]) -> list[Paper]:
    """Return papers without those that have the title of an earlier one."""
    once: dict[str, Paper] = {}
    for paper in papers:
        # A title in a script of which no letter is left is told apart by its id.
        key = paper.key or paper.id
        kept = once.setdefault(key, paper)
        if paper.abstract and not kept.abstract:
            once[key] = replace(kept, abstract=paper.abstract)
    return list(once.values())


def _named(store: PaperStore, text: str) -> Paper | None:
    """Return the paper that a title, an identifier or an address names in a store."""
    title = find_title(store, text)
    rows = rows_of_identifier(store.database, text) if title is None else [title[0]]
    return store.papers(rows[:1])[0] if rows else None


def rows_of_identifiers(store: PaperStore, paper: Paper) -> list[int]:
    """Return the rows of the papers that have an identifier or the address of a paper."""
    rows: list[int] = []
    for kind, value in sorted(identifiers(paper)):
        prefix = f"{kind}:" if kind in PREFIXED else ""
        rows += rows_of_identifier(store.database, prefix + value)[:1]
    return rows


def known_rows(store: PaperStore, papers: Sequence[Paper]) -> list[int | None]:
    """Return the row of each paper in a store, None where the store does not know it.

    By the title but for case, punctuation and LaTeX, else by an identifier. A short title may be
    another paper's: there the papers must be one work.
    """
    rows = exact_titles(store, [paper.title for paper in papers])
    short = [
        place
        for place, (row, paper) in enumerate(zip(rows, papers, strict=True))
        if row is not None and len(paper.key) < _SHORT_TITLE
    ]
    stored = store.papers([row for place in short if (row := rows[place]) is not None])
    for place, other in zip(short, stored, strict=True):
        if not same_work(papers[place], other):
            rows[place] = None
    for place, paper in enumerate(papers):
        if rows[place] is None:
            rows[place] = next(iter(rows_of_identifiers(store, paper)), None)
    return rows


def is_same_paper(own: Paper, other: Paper) -> bool:
    """Whether two papers are one work, or have nearly the same title: a typing error apart."""
    if same_work(own, other):
        return True
    if min(len(own.key), len(other.key)) < _SHORT_TITLE or not same_numbers(own, other):
        return False
    from rapidfuzz.distance import Levenshtein

    likeness = Levenshtein.normalized_similarity(own.key, other.key, score_cutoff=CLOSE_TITLE)
    return bool(likeness >= CLOSE_TITLE)
