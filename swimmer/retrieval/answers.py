"""Ranked candidates to answers: hits with their percentiles, and warnings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from swimmer.retrieval.candidates import Candidate, Query
from swimmer.retrieval.closeness import closeness_of
from swimmer.retrieval.hits import Answer, Hit
from swimmer.retrieval.words import CLEAR, are_foreign, holds_content
from swimmer.store import RESCORED, kept_nearest

if TYPE_CHECKING:
    from swimmer.papers import Paper
    from swimmer.retrieval.inputs import QueryInput
    from swimmer.retrieval.options import SearchOptions
    from swimmer.store import PaperStore


def kept_answer(
    store: PaperStore, one: QueryInput, k: int, options: SearchOptions
) -> Answer | None:
    """Return the answer to a plain query by a paper of the store, from what the store keeps.

    The same as `ranked_answers` gives, without numpy, FAISS and a model; None where the store
    does not keep it, or the query asks for something else.
    """
    plain = (
        options.mode == "dense"
        and options.keeps_ranking
        and options.lexical
        and options.filter is None
        and not options.include_self
    )
    if not plain or k > RESCORED or one.row is None:
        return None
    near = kept_nearest(store.database, one.row)
    if near is None:
        return None
    ranking = [Candidate(*found) for found in near[:k]]
    papers = _papers(store, [[one]], [ranking])
    percentiles = _percentiles_by_rank(len(store) - 1, ranking)
    # Of a paper without words, the cosine is the score.
    worded = any(found.score != found.cosine for found in ranking)
    closeness = closeness_of(store, [one], store.similarity.paper if worded else 0.0, options)
    return _answer(
        store, [one], papers, ranking, percentiles, [*one.warnings], closeness, related=True
    )


def ranked_answers(
    store: PaperStore,
    prepared: list[tuple[list[QueryInput], Query]],
    rankings: list[list[Candidate]],
    firsts: list[list[Candidate]],
    options: SearchOptions,
    empty: str,
) -> list[Answer]:
    """Return the answers to queries whose candidates have been ranked.

    Args:
        store: the store that was searched.
        prepared: for each query, its positive inputs (its own first) and what was searched.
        rankings: the candidates of each, best first.
        firsts: those of them that it names by its words.
        options: the search options.
        empty: what to say where the filter admits nothing.
    """
    papers = _papers(store, [inputs for inputs, _ in prepared], rankings)
    size, thresholds = len(store), store.thresholds
    whole = options.mode == "dense" and options.keeps_ranking and options.filter is None
    answers = []
    for (inputs, query), ranking, first in zip(prepared, rankings, firsts, strict=True):
        own = inputs[0]
        if whole and not first:
            percentiles: Sequence[float | None] = _percentiles_by_rank(
                size - len(query.excluded), ranking
            )
        else:
            percentiles = _percentiles(store, query, ranking, options.mode)
        warnings = [warning for one in inputs for warning in one.warnings]
        warnings += [
            f"the example {one.text[:80]!r} was taken as {papers[one.row].display_title!r}"
            for one in inputs[1:]
            if one.row is not None and not one.exact
        ]
        if empty and not ranking:
            warnings.append(empty)
        known = bool(first) or any(one.rows for one in inputs)
        best = max((one.score for one in ranking), default=-1.0)
        threshold = thresholds.get("related", -1.0)
        if not query.weight:
            threshold = thresholds.get("related_cosine", threshold)
        near = bool(ranking) and (options.mode == "keyword" or best >= threshold)
        if near and not known and options.mode == "dense" and own.outside is None:
            near = holds_content(own.text)
        if near and not known and options.mode == "dense" and best < threshold + CLEAR:
            # What lies just above the threshold is told by its words, in a language that the
            # papers are written in.
            nearest = papers[ranking[0].row].title
            near = "en" not in store.identity.languages or not are_foreign(
                store.database, own.text, nearest
            )
        closeness = closeness_of(store, inputs, query.weight, options)
        related = known or near
        answers.append(
            _answer(
                store, inputs, papers, ranking, percentiles, warnings, closeness, related=related
            )
        )
    return answers


def _percentiles_by_rank(others: int, ranking: list[Candidate]) -> list[float]:
    """Return percentiles of the nearest of all papers, from the number that score higher."""
    percentiles: list[float] = []
    last = 2.0
    for above, one in enumerate(ranking):
        if one.score < last:
            percentile, last = 100.0 * (others - above) / others, one.score
        percentiles.append(percentile)
    return percentiles


def _percentiles(
    store: PaperStore, query: Query, ranking: list[Candidate], mode: str
) -> Sequence[float | None]:
    """Return, for each candidate, the percentage of the other papers whose cosine is no higher.

    In a store of more than 20,000 papers, of so many that are evenly spread over it.
    """
    if mode == "keyword" or not ranking:
        return [None] * len(ranking)
    import numpy as np

    scores, rows = store.index.spread_scores(query.vector)
    if query.excluded:
        scores = scores[~np.isin(rows, list(query.excluded))]
    # The last digit of a cosine depends on the order of the sum.
    own = np.asarray([(one.cosine or 0.0) + 1e-6 for one in ranking], np.float32)
    shares: list[float | None] = (100.0 * (scores <= own[:, None]).mean(axis=1)).tolist()
    return shares if len(scores) else [100.0] * len(ranking)


def _papers(
    store: PaperStore,
    inputs: Sequence[Sequence[QueryInput]],
    rankings: Sequence[Sequence[Candidate]],
) -> dict[int, Paper]:
    rows = {one.row for ranking in rankings for one in ranking}
    rows |= {row for ranking in rankings for one in ranking for row in one.versions}
    rows |= {one.row for some in inputs for one in some if one.row is not None}
    ordered = sorted(rows)
    return dict(zip(ordered, store.papers(ordered), strict=True))


def _answer(
    store: PaperStore,
    inputs: Sequence[QueryInput],
    papers: Mapping[int, Paper],
    ranking: Sequence[Candidate],
    percentiles: Sequence[float | None],
    warnings: list[str],
    closeness: Callable[[float], str],
    *,
    related: bool,
) -> Answer:
    own = inputs[0]
    return Answer(
        query=" + ".join(one.typed for one in inputs),
        store=store.name,
        model=store.identity.name,
        matched=None if own.row is None else papers[own.row],
        exact=own.exact,
        hits=[
            Hit(
                papers[one.row],
                one.score,
                place,
                percentile,
                one.relevance,
                tuple([papers[row] for row in one.versions]) if one.versions else (),
                cosine=one.cosine,
                closeness=closeness(one.score),
            )
            for place, (one, percentile) in enumerate(zip(ranking, percentiles, strict=True), 1)
        ],
        warnings=warnings,
        related=related,
        reading=own.resolution.reading if own.resolution is not None else None,
        others=own.resolution.others if own.resolution is not None else (),
    )
