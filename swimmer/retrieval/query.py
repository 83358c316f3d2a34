"""Queries to answers: resolve them, filter, rank, and explain the hits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING

from swimmer.errors import QueryError
from swimmer.papers import Paper
from swimmer.retrieval.candidates import Candidate, Query
from swimmer.retrieval.hits import Answer, Hit, Reading
from swimmer.retrieval.inputs import (
    EmbeddedPaper,
    EmbeddedText,
    QueryInput,
    input_vectors,
    resolve_inputs,
)
from swimmer.retrieval.options import SearchOptions
from swimmer.retrieval.sorting import sorted_papers, sorted_rows
from swimmer.retrieval.words import CLEAR, are_foreign, rows_by_words
from swimmer.store import Filter, PaperStore, admitted, why_empty

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from swimmer.retrieval.options import RerankFunction, SearchArguments
    from swimmer.store import Rows, Vectors


def search(
    store: PaperStore,
    query: str | Paper | None = None,
    k: int = 10,
    options: SearchOptions | None = None,
    **arguments: Unpack[SearchArguments],
) -> list[Hit]:
    """Return the k papers of a store that are most like a query, best first.

    Args:
        store: an open store.
        query: a title, any text, or a `Paper` that the store need not know; None to search by
            examples (`like`) or a filter alone.
        k: hits wanted; fewer come back only where fewer papers match.
        options: the search options, by default those of a plain search.
        arguments: fields of `SearchOptions` by name, in place of those of `options`.

    Raises:
        QueryError, ModelError: as `ask` does.
    """
    options = SearchOptions.of(options, arguments)
    if query is None and not options.like and options.filter is None:
        raise QueryError(
            "no query",
            hint="give a title, some words or a paper, examples as like=[…], or a filter",
        )
    if query is None and not options.like:
        return browse(store, k, options).hits
    return ask(store, [] if query is None else [query], k, options)[0].hits


def ask(
    store: PaperStore,
    queries: Sequence[str | Paper | EmbeddedPaper | EmbeddedText],
    k: int = 10,
    options: SearchOptions | None = None,
    **arguments: Unpack[SearchArguments],
) -> list[Answer]:
    """Return one answer for each query, found together.

    Args:
        store: an open store.
        queries: titles, any texts, or papers from outside (title and abstract). For a title that
            the store knows, its stored vector is used, which carries its abstract too; anything
            else is embedded. With none, the positive examples alone are one query.
        k: hits wanted; fewer come back only where fewer papers match.
        options: the search options, by default those of a plain search.
        arguments: fields of `SearchOptions` by name, in place of those of `options`: `filter`,
            `include_self`, `lookup`, `embeddings`, `like`, `unlike`, `mode`, `diversity`,
            `group`, `rerank`, `explain`, `lexical`.

    Raises:
        QueryError: a query is blank, k is not a whole number above 0, the filter is wrong, an
            option is not one of those above, or one paper is both a positive and a negative
            example.
        ModelError: a query has to be embedded and the model cannot be loaded or is another one.
    """
    if isinstance(queries, str):
        raise QueryError(
            "ask takes a list of queries, got one text", hint="use search for one query"
        )
    k = checked_k(k)
    options = SearchOptions.of(options, arguments)
    like, unlike = options.like, options.unlike
    if unlike and not (queries or like):
        raise QueryError(
            "there are only negative examples (unlike)",
            hint="give a query or positive examples (like) too",
        )
    if not (queries or like):
        return []
    reranker = None
    if options.reranks:
        from swimmer.retrieval.reranking import load_reranker

        reranker = load_reranker(options.rerank)
    with store.reading():
        allowed = None if options.filter is None else admitted(store.database, options.filter)
        empty = ""
        if options.filter is not None and allowed is not None and not allowed.any():
            empty = why_empty(store.database, options.filter)
        inputs = resolve_inputs(store, [*queries, *like, *unlike], options.lookup)
        alone = not (like or unlike)
        listed = [alone and _is_listed(one) for one in inputs[: len(queries)]]
        rest = [one for one, done in zip(inputs, listed, strict=False) if not done]
        found: Iterator[Answer] = iter(())
        if rest or not queries:
            examples = inputs[len(queries) :]
            found = iter(_searched(store, rest, examples, k, allowed, options, reranker, empty))
        return [
            _listing(store, one, k, allowed, empty, options.sort) if done else next(found)
            for one, done in zip(inputs, listed or [False], strict=False)
        ]


def _is_listed(one: QueryInput) -> bool:
    return one.resolution is not None and one.resolution.listed


def _listing(
    store: PaperStore,
    one: QueryInput,
    k: int,
    allowed: NDArray[np.bool_] | None,
    empty: str,
    sort: str,
) -> Answer:
    """Return the answer to a query that names papers: these papers, in their order."""
    resolution = one.resolution
    assert resolution is not None
    rows = [row for row in resolution.rows if allowed is None or allowed[row]]
    if sort:
        rows = sorted_rows(store, rows, sort)
    warnings = [*one.warnings, *([empty] if empty else [])]
    return Answer(
        query=resolution.typed,
        store=store.name,
        model=store.identity.name,
        matched=None,
        exact=False,
        hits=[Hit(paper, 1.0, place) for place, paper in enumerate(store.papers(rows[:k]), 1)],
        warnings=warnings,
        related=bool(resolution.rows),
        reading=resolution.reading,
        others=resolution.others,
        listed=True,
    )


def browse(store: PaperStore, k: int, options: SearchOptions) -> Answer:
    """Return the papers that a filter admits, in the order of a field, by default the newest.

    Args:
        store: an open store.
        k: papers wanted.
        options: of which `filter` and `sort` count.

    Raises:
        QueryError: there is no filter or it is wrong, or no paper has the field.
    """
    if options.filter is None:
        raise QueryError(
            "no query",
            hint="give a title, some words or a paper, examples as like=[…], or a filter",
        )
    k = checked_k(k)
    with store.reading():
        allowed = admitted(store.database, options.filter)
        rows = allowed.nonzero()[0].tolist()
        empty = "" if rows else why_empty(store.database, options.filter)
        ordered = sorted_rows(store, rows, options.sort or "year")[:k]
        papers = store.papers(ordered)
    return Answer(
        query="",
        store=store.name,
        model=store.identity.name,
        matched=None,
        exact=False,
        hits=[Hit(paper, 1.0, place) for place, paper in enumerate(papers, 1)],
        warnings=[empty] if empty else [],
        related=bool(rows),
        reading=Reading("filter", "", len(rows)),
        listed=True,
    )


def _in_order(answer: Answer, sort: str) -> Answer:
    """Return an answer whose hits stand in the order of a field."""
    places = sorted_papers([hit.paper for hit in answer.hits], sort)
    hits = [replace(answer.hits[place], rank=rank) for rank, place in enumerate(places, 1)]
    return replace(answer, hits=hits)


def _searched(
    store: PaperStore,
    queries: list[QueryInput],
    examples: list[QueryInput],
    k: int,
    allowed: NDArray[np.bool_] | None,
    options: SearchOptions,
    reranker: RerankFunction | None,
    empty: str,
) -> list[Answer]:
    """Return the answers to queries for which papers have to be ranked."""
    import numpy as np

    from swimmer.retrieval.ranking import rank

    inputs = [*queries, *examples]
    vectors = np.zeros((len(inputs), store.identity.dimension), np.float32)
    if options.mode != "keyword":
        vectors, inputs = input_vectors(store, inputs, options.embeddings)
    prepared = _prepared(inputs, vectors, len(queries), len(options.like), options.include_self)
    if options.lexical and options.mode != "keyword":
        from swimmer.retrieval.rescoring import query_words

        unliked = inputs[len(queries) + len(options.like) :]
        prepared = [
            (positive, replace(query, lexical=words, weight=weight))
            for positive, query in prepared
            for words, weight in [query_words(store, positive, unliked)]
        ]
    made = [query for _, query in prepared]
    if options.mode == "dense" and options.keeps_ranking:
        rankings = _nearest(store, made, k, allowed)
        # By vectors alone, as LangChain has it, the scores are in order.
        by_words = options.lookup is not False
        firsts = [
            _named_first(store, positive, query, allowed) if by_words else []
            for positive, query in prepared
        ]
        rankings = [
            _with_first(ranking, first, k) if first else ranking
            for ranking, first in zip(rankings, firsts, strict=True)
        ]
    else:
        rankings = [rank(store, query, k, allowed, options, reranker) for query in made]
        firsts = [[] for _ in made]
    answers = _answers(store, prepared, rankings, firsts, options, empty)
    if options.explain:
        from swimmer.retrieval.explanations import explained

        answers = explained(store, answers, [positive for positive, _ in prepared])
    return [_in_order(answer, options.sort) for answer in answers] if options.sort else answers


def _named_first(
    store: PaperStore,
    positive: list[QueryInput],
    query: Query,
    allowed: NDArray[np.bool_] | None,
) -> list[Candidate]:
    """Return what a text names by its words, to stand before what is like it."""
    own = positive[0]
    if len(positive) > 1 or own.resolution is None or own.resolution.matched:
        return []
    from swimmer.retrieval.ranking import cosines
    from swimmer.retrieval.rescoring import rescored

    reading = own.resolution.reading
    named: Sequence[int] = own.resolution.rows
    rows = named
    if not named and reading.kind == "text" and not (reading.typed or own.resolution.by_meaning):
        rows = rows_by_words(store, own.text)
    rows = [row for row in rows if (allowed is None or allowed[row]) and row not in query.excluded]
    if not rows:
        return []
    near = cosines(store, query.vector, rows)
    (found,) = rescored(store, [query], [list(zip(rows, near, strict=True))])
    # Titles that hold the same words stand in the order of their scores; a word that the model
    # does not know leaves it nothing to order.
    if named:
        return sorted(found, key=lambda one: -one.score)
    place = {row: i for i, row in enumerate(rows)}
    return sorted(found, key=lambda one: place[one.row])


def _with_first(ranking: list[Candidate], first: list[Candidate], k: int) -> list[Candidate]:
    """Return a ranking with some candidates before all others; at most k."""
    taken = {one.row for one in first}
    return [*first, *(one for one in ranking if one.row not in taken)][:k]


def _prepared(
    inputs: list[QueryInput],
    vectors: Vectors,
    queries: int,
    likes: int,
    include_self: bool,
) -> list[tuple[list[QueryInput], Query]]:
    """Return, for each query, its positive inputs (its own first) and what a ranking needs."""
    import numpy as np

    from swimmer.retrieval.ranking import combined

    liked, unliked = inputs[queries : queries + likes], inputs[queries + likes :]
    like_vectors, unlike_vectors = vectors[queries : queries + likes], vectors[queries + likes :]
    if _rows([*inputs[:queries], *liked]) & _rows(unliked):
        raise QueryError(
            "one paper is a positive and a negative example", hint="leave one of the two out"
        )
    negative_rows = _rows(unliked)
    prepared = []
    for i in range(queries) if queries else [None]:
        positive = [*([] if i is None else [inputs[i]]), *liked]
        vector = vectors[i] if i is not None else like_vectors[0]
        if len(positive) > 1 or unliked:
            own = like_vectors if i is None else np.vstack([vectors[[i]], like_vectors])
            vector = combined(own, unlike_vectors)
        rows = _rows(positive)
        excluded = frozenset(negative_rows if include_self else rows | negative_rows)
        text = " ".join(one.text for one in positive)
        # Quotes in a title are part of it; in words that somebody types they mean a phrase.
        words = " ".join(
            one.text if one.row is None and one.outside is None else one.text.replace('"', " ")
            for one in positive
        )
        prepared.append((positive, Query(vector, words, text, excluded)))
    return prepared


def _rows(inputs: Sequence[QueryInput]) -> frozenset[int]:
    return frozenset(row for one in inputs for row in one.rows)


def _nearest(
    store: PaperStore, queries: list[Query], k: int, allowed: NDArray[np.bool_] | None
) -> list[list[Candidate]]:
    """Return the nearest rows of each query, all found in one pass over the vectors."""
    import numpy as np

    from swimmer.retrieval.ranking import nearest
    from swimmer.retrieval.rescoring import RESCORED, rescored

    rows = None if allowed is None else np.flatnonzero(allowed)
    vectors = np.stack([query.vector for query in queries])
    depth = max(k, RESCORED) if any(query.weight for query in queries) else k
    found = nearest(store, vectors, depth, rows, [query.excluded for query in queries])
    return [ranking[:k] for ranking in rescored(store, queries, found)]


def _answers(
    store: PaperStore,
    prepared: list[tuple[list[QueryInput], Query]],
    rankings: list[list[Candidate]],
    firsts: list[list[Candidate]],
    options: SearchOptions,
    empty: str,
) -> list[Answer]:
    rows = {one.row for ranking in rankings for one in ranking}
    rows |= {row for ranking in rankings for one in ranking for row in one.versions}
    rows |= {one.row for inputs, _ in prepared for one in inputs if one.row is not None}
    ordered = sorted(rows)
    papers = dict(zip(ordered, store.papers(ordered), strict=True))
    # Read once here, not once for each of ten thousand queries.
    name, model, size = store.name, store.identity.name, len(store)
    thresholds = store.thresholds
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
        if near and not known and options.mode == "dense" and best < threshold + CLEAR:
            # What lies just above the threshold is told by its words, in a language that the
            # papers are written in.
            near = "en" not in store.identity.languages or not are_foreign(store.database, own.text)
        answers.append(
            Answer(
                query=" + ".join(one.typed for one in inputs),
                store=name,
                model=model,
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
                    )
                    for place, (one, percentile) in enumerate(
                        zip(ranking, percentiles, strict=True), 1
                    )
                ],
                warnings=warnings,
                related=known or near,
                reading=own.resolution.reading if own.resolution is not None else None,
                others=own.resolution.others if own.resolution is not None else (),
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


def checked_k(k: object) -> int:
    """Return k, or raise QueryError when it is not a whole number of at least 1."""
    # numpy's whole numbers count among them.
    if isinstance(k, bool) or not isinstance(k, Integral) or k < 1:
        raise QueryError(f"k is the number of papers wanted, a whole number from 1; got {k!r:.40}")
    return int(k)


def allowed_rows(store: PaperStore, filter: Filter | None) -> Rows | None:
    """Return the rows that a filter admits, ascending, or None for all."""
    if filter is None:
        return None
    import numpy as np

    return np.flatnonzero(admitted(store.database, filter))
