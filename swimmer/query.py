"""Query to hits: find the query's own paper, else embed the text; filter; rank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from swimmer.embedding import Embeddings, Model
from swimmer.errors import QueryError
from swimmer.filters import Filter, admitted
from swimmer.language import foreign_language
from swimmer.paper import Paper
from swimmer.store import PaperStore
from swimmer.text import TITLE_LIMIT, clean, title_key

if TYPE_CHECKING:
    from swimmer.index import Rows, Vectors

CLOSE_TITLE = 0.9
"""Levenshtein similarity of title keys from which a query is taken as a title of the store."""

SHORTEST_CLOSE_TITLE = 8
"""Characters of a title key below which only the exact title is taken."""


@dataclass(frozen=True)
class Hit:
    """A paper that was found: `score` is the cosine similarity, `rank` counts from 1."""

    paper: Paper
    score: float
    rank: int


@dataclass(frozen=True)
class Answer:
    """What one query gave.

    `matched` is the paper of the store that the query was taken as, or None for free text;
    `exact` whether its title is the query's but for case, punctuation, spacing and LaTeX.
    `warnings` are sentences for the user.
    """

    query: str
    store: str
    model: str
    matched: Paper | None
    exact: bool
    hits: list[Hit] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def search(
    store: PaperStore,
    query: str,
    k: int = 10,
    *,
    filter: Filter | None = None,
    include_self: bool = False,
    lookup: bool = True,
    embeddings: str | Embeddings | Model | None = None,
) -> list[Hit]:
    """Return the k papers of a store that are most like a query, best first.

    Args:
        store: an open store.
        query: a title; one that the store knows is answered from its stored vector, which carries
            its abstract too. Anything else is embedded as text.
        k: hits wanted; fewer come back only where fewer papers match.
        filter: conditions as `filters.compile_filter` takes them, applied before the search.
        include_self: whether the paper asked about may be among its own answers.
        lookup: False embeds the query even when it is a known title.
        embeddings: the model for text; the store's own by default.

    Raises:
        QueryError: the query is blank, k is not a whole number above 0, or the filter is wrong.
        ModelError: the query has to be embedded and the model cannot be loaded or is another one.
    """
    (answer,) = ask(
        store, [query], k, filter=filter, include_self=include_self, lookup=lookup,
        embeddings=embeddings,
    )  # fmt: skip
    return answer.hits


def ask(
    store: PaperStore,
    queries: Sequence[str],
    k: int = 10,
    *,
    filter: Filter | None = None,
    include_self: bool = False,
    lookup: bool = True,
    embeddings: str | Embeddings | Model | None = None,
) -> list[Answer]:
    """Return one answer for each query, found together; arguments and errors as for `search`."""
    if isinstance(queries, str):
        raise QueryError("ask takes a list of queries; use search for one")
    k = checked_k(k)
    cleaned = [checked_query(query) for query in queries]
    with store.reading():
        allowed = allowed_rows(store, filter)
        matches = [find_title(store, query) if lookup else None for query in cleaned]
        vectors, warnings = _query_vectors(store, cleaned, matches, embeddings)
        known = [match[0] if match else None for match in matches]
        found = nearest(store, vectors, k, allowed, [None] * len(known) if include_self else known)
        papers = iter(store.papers([row for hits in found for row, _ in hits]))
        own = iter(store.papers([row for row in known if row is not None]))
        answers = []
        for query, match, hits, notes in zip(cleaned, matches, found, warnings, strict=True):
            answers.append(
                Answer(
                    query=query,
                    store=store.name,
                    model=store.identity.name,
                    matched=next(own) if match else None,
                    exact=bool(match and match[1]),
                    hits=[
                        Hit(next(papers), score, rank) for rank, (_, score) in enumerate(hits, 1)
                    ],
                    warnings=notes,
                )
            )
    return answers


def checked_k(k: object) -> int:
    """Return k, or raise QueryError when it is not a whole number of at least 1."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise QueryError(f"k is the number of papers wanted, a whole number from 1; got {k!r:.40}")
    return int(k)


def checked_query(query: object) -> str:
    """Return a query cleaned, or raise QueryError when it is not text or blank."""
    if not isinstance(query, str):
        raise QueryError(f"a query is text, got {query!r:.60}")
    cleaned = clean(query)
    if not cleaned:
        raise QueryError("the query is blank; give a title or some words")
    return cleaned


def allowed_rows(store: PaperStore, filter: Filter | None) -> Rows | None:
    """Return the rows that a filter admits, ascending, or None for all."""
    if filter is None:
        return None
    return np.flatnonzero(admitted(store.database, filter))


def find_title(store: PaperStore, query: str) -> tuple[int, bool] | None:
    """Return (row, exact) of the paper whose title a query is, or None.

    Exact after folding case, punctuation, spacing, LaTeX and Unicode; else the nearest title in
    the sense of edit distance, when all its numbers are the query's too (part II is not part I).
    """
    if len(query) > TITLE_LIMIT:
        return None
    key = title_key(query)
    if rows := store.database.rows_of_key(key):
        return rows[0], True
    if len(key) < SHORTEST_CLOSE_TITLE:
        return None
    candidates = store.database.near_titles(query)
    if not candidates:
        return None
    from rapidfuzz.distance import Levenshtein

    scored = [
        (Levenshtein.normalized_similarity(key, other, score_cutoff=CLOSE_TITLE), -row)
        for row, other in candidates
        if _digits(other) == _digits(key)
    ]
    best = max(scored, default=(0.0, 0))
    return (-best[1], False) if best[0] >= CLOSE_TITLE else None


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdigit())


def _query_vectors(
    store: PaperStore,
    queries: list[str],
    matches: list[tuple[int, bool] | None],
    embeddings: str | Embeddings | Model | None,
) -> tuple[Vectors, list[list[str]]]:
    vectors = np.zeros((len(queries), store.identity.dimension), np.float32)
    known = [i for i, match in enumerate(matches) if match]
    rows = np.asarray([match[0] for match in matches if match], np.int64)
    if known:
        vectors[known] = store.index.vectors(rows)
    warnings: list[list[str]] = [[] for _ in queries]
    for i, query in enumerate(queries):
        if matches[i] and vectors[i].any():
            continue
        model = store.model(embeddings)
        language = foreign_language(query) if "en" in model.languages else ""
        if language:
            warnings[i].append(
                f"this query looks like {language}; the model {model.name} of this store reads "
                "English, so the answer may be noise. A store built with --model bge-m3 reads it"
            )
        try:
            vectors[i] = model.embed_query(query)
        except QueryError:
            if not language:
                raise
    return vectors, warnings


def nearest(
    store: PaperStore,
    vectors: Vectors,
    k: int,
    allowed: Rows | None,
    without: Sequence[int | None],
) -> list[list[tuple[int, float]]]:
    """Return, for each vector, the (row, score) of its k nearest rows but for one left out."""
    extra = any(row is not None for row in without)
    scores, rows = store.index.search(vectors, k + extra, allowed)
    answers: list[list[tuple[int, float]]] = []
    for i, own in enumerate(without):
        if not vectors[i].any():
            answers.append([])
            continue
        pairs = zip(rows[i].tolist(), scores[i].tolist(), strict=True)
        answers.append([(row, score) for row, score in pairs if row >= 0 and row != own][:k])
    return answers


def hit_to_dict(hit: Hit) -> dict[str, Any]:
    """Return a hit as JSON-able values: rank, score and the fields of the paper."""
    fields = hit.paper.to_dict()
    return {"rank": hit.rank, "score": round(hit.score, 6), **fields}
