"""One query to a ranking of rows: by vectors, by words or by both, then grouped or reranked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np

from swimmer.retrieval.candidates import Candidate, Query
from swimmer.retrieval.diversity import select_diverse, versions
from swimmer.retrieval.fusion import fused
from swimmer.retrieval.rescoring import rescored
from swimmer.store import PaperStore, keyword_search

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.retrieval.options import RerankFunction, SearchOptions
    from swimmer.store import Rows, Vectors

UNLIKE = 0.5
"""Weight of a negative example against a positive one (Rocchio)."""

KEYWORD_WEIGHT = 0.25
"""Weight of a keyword rank in a hybrid ranking, against a rank by vectors."""

CANDIDATES = 100
"""Candidates at least for a fusion, a grouping or a diverse selection."""

RERANK_DEPTH = 50
"""Candidates that a reranker scores."""


def combined(positive: Vectors, negative: Vectors) -> Vectors:
    """Return the unit vector towards positive and away from negative examples: (dimension,)."""
    total = positive.mean(axis=0)
    if len(negative):
        total = total - np.float32(UNLIKE) * negative.mean(axis=0)
    length = np.linalg.norm(total)
    unit: Vectors = (total / length if length > 1e-6 else 0 * total).astype(np.float32)
    return unit


def nearest(
    store: PaperStore,
    vectors: Vectors,
    k: int,
    allowed: Rows | None,
    excluded: Sequence[int | Collection[int] | None],
) -> list[list[tuple[int, float]]]:
    """Return, for each vector, the (row, score) of its k nearest rows without those excluded."""
    left_out = [() if own is None else (own,) if isinstance(own, int) else own for own in excluded]
    extra = max(map(len, left_out), default=0)
    scores, rows = store.index.search(vectors, k + extra, allowed)
    known = np.any(vectors, axis=1)
    rankings: list[list[tuple[int, float]]] = []
    for own, some, row_list, score_list in zip(
        left_out, known, rows.tolist(), scores.tolist(), strict=True
    ):
        if not some:
            rankings.append([])
            continue
        pairs = zip(row_list, score_list, strict=True)
        rankings.append([(row, score) for row, score in pairs if row >= 0 and row not in own][:k])
    return rankings


def rank(
    store: PaperStore,
    query: Query,
    k: int,
    allowed: NDArray[np.bool_] | None,
    options: SearchOptions,
    reranker: RerankFunction | None = None,
) -> list[Candidate]:
    """Return the k best candidates for one query, best first."""
    rows = None if allowed is None else np.flatnonzero(allowed)
    available = len(store) if rows is None else len(rows)
    as_is = options.mode != "hybrid" and options.keeps_ranking
    depth = min(k if as_is else max(CANDIDATES, 5 * k), available)
    found = _by_mode(store, query, depth, rows, allowed, options.mode)
    if options.group:
        works = _grouped(store, found)
        # Versions of one work may fill the ranking: look deeper until there are k works.
        while len(works) < k and len(found) >= depth < available:
            depth = min(4 * depth, available)
            found = _by_mode(store, query, depth, rows, allowed, options.mode)
            works = _grouped(store, found)
        found = works
    if reranker is not None:
        found = _reranked(store, query, found, reranker)
    if options.diversity:
        found = _diverse(store, query, found, k, options)
    return found[:k]


def _by_mode(
    store: PaperStore,
    query: Query,
    depth: int,
    rows: Rows | None,
    allowed: NDArray[np.bool_] | None,
    mode: str,
) -> list[Candidate]:
    if mode == "keyword":
        by_words = _by_words(store, query, depth, allowed)
        return [Candidate(row, score) for row, score in by_words]
    by_vector = nearest(store, query.vector[None, :], depth, rows, [query.excluded])
    (found,) = rescored(store, [query], by_vector)
    if mode == "dense":
        return found
    by_words = _by_words(store, query, depth, allowed)
    order = fused(
        [[one.row for one in found], [row for row, _ in by_words]], [1.0, KEYWORD_WEIGHT]
    )[:depth]
    near = cosines(store, query.vector, [row for row, _ in order])
    pairs = [(row, cosine) for (row, _), cosine in zip(order, near, strict=True)]
    scored = {one.row: one for one in rescored(store, [query], [pairs])[0]}
    return [scored[row] for row, _ in order]


def _by_words(
    store: PaperStore, query: Query, depth: int, allowed: NDArray[np.bool_] | None
) -> list[tuple[int, float]]:
    limit = depth + len(query.excluded)
    found = keyword_search(store.database, query.words, limit, allowed)
    return [pair for pair in found if pair[0] not in query.excluded][:depth]


def cosines(store: PaperStore, vector: Vectors, rows: list[int]) -> list[float]:
    """Return the cosine similarity of a vector to each of some rows."""
    vectors = store.index.vectors(np.asarray(rows, np.int64))
    found: list[float] = np.clip(vectors @ vector, -1.0, 1.0).tolist()
    return found


def _reranked(
    store: PaperStore, query: Query, candidates: list[Candidate], reranker: RerankFunction
) -> list[Candidate]:
    """Return candidates with the first of them in the order of their rerank scores."""
    first, rest = candidates[:RERANK_DEPTH], candidates[RERANK_DEPTH:]
    papers = store.papers([one.row for one in first])
    scores = reranker(query.text, papers) if papers else []
    for one, score in zip(first, scores, strict=True):
        one.relevance = float(score)
    return sorted(first, key=lambda one: -(one.relevance or 0.0)) + rest


def _grouped(store: PaperStore, candidates: list[Candidate]) -> list[Candidate]:
    vectors = store.index.vectors(np.asarray([one.row for one in candidates], np.int64))
    keys = store.database.keys_of_rows([one.row for one in candidates])
    leads = []
    for lead, *others in versions(vectors, keys):
        candidates[lead].versions = tuple(candidates[other].row for other in others)
        leads.append(candidates[lead])
    return leads


def _diverse(
    store: PaperStore, query: Query, candidates: list[Candidate], k: int, options: SearchOptions
) -> list[Candidate]:
    vectors = store.index.vectors(np.asarray([one.row for one in candidates], np.int64))
    relevance = [one.score for one in candidates]
    if candidates and (options.mode != "dense" or options.reranks or query.weight):
        # The order does not come from cosines alone: it is spread evenly over the cosines of
        # the candidates, so that `diversity` means the same in every mode.
        centre = query.vector if query.vector.any() else vectors.mean(axis=0)
        near = vectors @ centre
        relevance = np.linspace(near.max(), near.min(), len(candidates)).tolist()
    return [candidates[i] for i in select_diverse(relevance, vectors, k, options.diversity)]
