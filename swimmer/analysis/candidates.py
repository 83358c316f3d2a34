"""The candidates of an interest: what a paper of a store is worth to it, and how old it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from swimmer.analysis.library_vectors import EmbeddedLibrary
from swimmer.papers import Paper
from swimmer.store import combined_score

if TYPE_CHECKING:
    from swimmer.store import PaperStore, Rows, Vectors

NEAREST = 5
"""Papers of an interest, the nearest to a candidate, whose mean cosine counts half of its own."""

SHOWN = 3
"""Papers of the library that a recommendation names, at most."""


@dataclass(frozen=True)
class Candidate:
    """A paper of a store for an interest: what it is worth against those of other stores."""

    store: int
    row: int
    score: float
    cosine: float
    worth: float
    near: tuple[int, ...]
    related: bool


@dataclass(frozen=True)
class Scored:
    """Candidates of one interest: scores, cosines to its mean, the nearest papers of it."""

    rows: list[int]
    scores: Vectors
    cosines: Vectors
    nearest: Vectors
    near: Rows


def scored_candidates(
    store: PaperStore,
    own: EmbeddedLibrary,
    negative: EmbeddedLibrary,
    places: Rows,
    bad: Vectors,
    ranking: list[tuple[int, float]],
    packed: dict[int, bytes],
) -> Scored:
    """Return what the papers of a ranking are worth to an interest.

    Args:
        store: the store of the papers.
        own: the library as the store sees it.
        negative: the negative examples as it sees them.
        places: the places of the interest's papers in the library.
        bad: the vectors of the negative examples that count.
        ranking: rows with their cosines to the interest's mean, the nearest first.
        packed: the words of each row.
    """
    rows = np.asarray([row for row, _ in ranking], np.int64)
    cosines = np.asarray([cosine for _, cosine in ranking], np.float32)
    vectors = store.index.vectors(rows)
    to_own = vectors @ own.vectors[places].T
    if len(bad) and len(rows):
        kept = (vectors @ bad.T).max(axis=1) < to_own.max(axis=1)
        rows, cosines, to_own = rows[kept], cosines[kept], to_own[kept]
    count = min(NEAREST, len(places))
    near = np.argsort(-to_own, axis=1, kind="stable")[:, :count]
    nearest_cosines = np.take_along_axis(to_own, near, axis=1)
    both = (cosines + nearest_cosines.mean(axis=1)) / 2 if len(rows) else cosines
    index = store.lexical
    if index is not None and len(rows):
        words = index.vector(own.words(places), negative.words())
        if len(words.words):
            lexical = index.scores(words, [packed.get(row, b"") for row in rows.tolist()])
            both = combined_score(both, lexical, own.word_weight(places))
    first = nearest_cosines[:, 0] if len(rows) else cosines
    return Scored(rows.tolist(), both, cosines, first, near[:, :SHOWN])


def each_once(found: list[list[Candidate]]) -> list[list[Candidate]]:
    """Return the candidates of each interest, each only in that which it scores highest in."""
    best: dict[tuple[int, int], tuple[float, int]] = {}
    for number, some in enumerate(found):
        for one in some:
            key = one.store, one.row
            if key not in best or one.score > best[key][0]:
                best[key] = one.score, number
    return [
        [one for one in some if best[one.store, one.row][1] == number]
        for number, some in enumerate(found)
    ]


def weights_by_age(papers: Sequence[Paper], half_life: float) -> Vectors:
    """Return 1 for the newest paper, half for one that is older by half_life; (n,).

    A paper without a date counts as one of middle age.
    """
    dates = np.asarray([date_of(paper) or np.nan for paper in papers], np.float64)
    if np.isnan(dates).all():
        return np.ones(len(papers), np.float32)
    ages = np.nanmax(dates) - dates
    ages[np.isnan(ages)] = np.nanmedian(ages)
    return (0.5 ** np.minimum(ages / half_life, 60)).astype(np.float32)


def date_of(paper: Paper) -> float | None:
    """Return when a paper was published, in years; None where that is not known."""
    published = str(paper.extra.get("published") or "")
    year, month = published[:4], published[5:7]
    if year.isdecimal() and len(year) == 4:
        return int(year) + (int(month) - 1) / 12 if month.isdecimal() and month else float(year)
    return None if paper.year is None else float(paper.year)
