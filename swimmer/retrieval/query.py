"""Queries to answers: resolve them, filter, rank, and explain the hits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING

from swimmer.errors import QueryError
from swimmer.papers import Paper
from swimmer.retrieval.answers import kept_answer, ranked_answers
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
from swimmer.retrieval.words import rows_by_words
from swimmer.store import PaperStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from swimmer.retrieval.options import RerankFunction, SearchArguments
    from swimmer.store import Filter, Rows, SearchableStore, Vectors


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
    if store.remote:
        from swimmer.retrieval.remote import ask_remote

        return ask_remote(_searchable(store), queries, k, options, store.thresholds)
    reranker = None
    if options.reranks:
        from swimmer.retrieval.reranking import load_reranker

        reranker = load_reranker(options.rerank)
    with store.reading():
        allowed, empty = _admitted(store, options.filter)
        inputs = resolve_inputs(store, [*queries, *like, *unlike], options.lookup)
        own, examples = inputs[: len(queries)], inputs[len(queries) :]
        known: list[Answer | None] = [None] * max(1, len(own))
        if not examples:
            known = [_known(store, one, k, allowed, empty, options) for one in own]
        rest = [one for one, answer in zip(own, known, strict=False) if answer is None]
        found: Iterator[Answer] = iter(())
        if rest or not own:
            found = iter(_searched(store, rest, examples, k, allowed, options, reranker, empty))
        return [answer or next(found) for answer in known]


def _searchable(store: PaperStore) -> SearchableStore:
    from swimmer.store import MilvusStore

    assert isinstance(store, MilvusStore)
    return store


def _admitted(store: PaperStore, filter: Filter | None) -> tuple[NDArray[np.bool_] | None, str]:
    """Return which rows a filter admits, None for all, and what to say where it admits none."""
    if filter is None:
        return None, ""
    from swimmer.store import admitted, why_empty

    allowed = admitted(store.database, filter)
    return allowed, "" if allowed.any() else why_empty(store.database, filter)


def _known(
    store: PaperStore,
    one: QueryInput,
    k: int,
    allowed: NDArray[np.bool_] | None,
    empty: str,
    options: SearchOptions,
) -> Answer | None:
    """Return the answer to a query for which nothing has to be searched, None for any other."""
    if one.resolution is not None and one.resolution.listed:
        return _listing(store, one, k, allowed, empty, options.sort)
    answer = kept_answer(store, one, k, options)
    return None if answer is None else _finished(store, [answer], [[one]], options)[0]


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
    if store.remote:
        from swimmer.retrieval.remote import browse_remote

        return browse_remote(_searchable(store), k, options)
    with store.reading():
        allowed, empty = _admitted(store, options.filter)
        assert allowed is not None
        rows = allowed.nonzero()[0].tolist()
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
    answers = ranked_answers(store, prepared, rankings, firsts, options, empty)
    return _finished(store, answers, [positive for positive, _ in prepared], options)


def _finished(
    store: PaperStore,
    answers: list[Answer],
    inputs: list[list[QueryInput]],
    options: SearchOptions,
) -> list[Answer]:
    """Return answers explained and sorted, where the options say so."""
    if options.explain:
        from swimmer.retrieval.explanations import explained

        answers = explained(store, answers, inputs)
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
    from swimmer.retrieval.rescoring import rescored
    from swimmer.store import RESCORED

    rows = None if allowed is None else np.flatnonzero(allowed)
    vectors = np.stack([query.vector for query in queries])
    # So many also where no words count: of equally near papers, the same ones are then found.
    found = nearest(store, vectors, max(k, RESCORED), rows, [query.excluded for query in queries])
    return [ranking[:k] for ranking in rescored(store, queries, found)]


def checked_k(k: object) -> int:
    """Return k, or raise QueryError when it is not a whole number of at least 1."""
    # numpy's whole numbers count among them.
    if isinstance(k, bool) or not isinstance(k, Integral) or k < 1:
        raise QueryError(f"k is the number of papers wanted, a whole number from 1; got {k!r:.40}")
    return int(k)


def check_filter(store: PaperStore, filter: Filter) -> None:
    """Raise QueryError where a filter is wrong."""
    if store.remote:
        from swimmer.store import compile_filter

        compile_filter(filter, store.fields())
    else:
        allowed_rows(store, filter)


def allowed_rows(store: PaperStore, filter: Filter | None) -> Rows | None:
    """Return the rows that a filter admits, ascending, or None for all."""
    if filter is None:
        return None
    import numpy as np

    from swimmer.store import admitted

    return np.flatnonzero(admitted(store.database, filter))
