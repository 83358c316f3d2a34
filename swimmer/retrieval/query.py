"""Questions to answers: find what is asked about in the store, filter, rank, say why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from swimmer.embeddings import Embeddings, Model
from swimmer.errors import QueryError
from swimmer.papers import Paper
from swimmer.retrieval.hits import Answer, Hit
from swimmer.retrieval.ranking import Found, Manner, Question, Rerank, combined, nearest, ranked
from swimmer.retrieval.seeds import (
    KnownPaper,
    Seed,
    find_seeds,
    seed_vectors,
)
from swimmer.store import Filter, PaperStore, admitted, why_empty

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from swimmer.store import Rows, Vectors

MODES = ("dense", "keyword", "hybrid")


class Options(TypedDict, total=False):
    """The keyword arguments of `ask`, by name."""

    filter: Filter | None
    include_self: bool
    lookup: bool
    embeddings: str | Embeddings | Model | None
    like: Sequence[str | Paper]
    unlike: Sequence[str | Paper]
    mode: str
    diversity: float
    group: bool
    rerank: bool | str | Rerank | None
    explain: bool


def search(
    store: PaperStore,
    query: str | Paper | None = None,
    k: int = 10,
    **options: Unpack[Options],
) -> list[Hit]:
    """Return the k papers of a store that are most like a query, best first.

    Args:
        store: an open store.
        query: a title, any text, or a `Paper` that the store need not know; None to ask by
            examples (`like`) alone.
        k: hits wanted; fewer come back only where fewer papers match.
        options: `filter`, `like`, `unlike`, `mode`, `diversity` …, all described at `ask`.

    Raises:
        QueryError, ModelError: as `ask` does.
    """
    if query is None and not options.get("like"):
        raise QueryError(
            "nothing is asked; give a title, some words or a paper, or examples as like=[…]"
        )
    return ask(store, [] if query is None else [query], k, **options)[0].hits


def ask(
    store: PaperStore,
    queries: Sequence[str | Paper | KnownPaper],
    k: int = 10,
    *,
    filter: Filter | None = None,
    include_self: bool = False,
    lookup: bool = True,
    embeddings: str | Embeddings | Model | None = None,
    like: Sequence[str | Paper] = (),
    unlike: Sequence[str | Paper] = (),
    mode: str = "dense",
    diversity: float = 0.0,
    group: bool = False,
    rerank: bool | str | Rerank | None = None,
    explain: bool = False,
) -> list[Answer]:
    """Return one answer for each query, found together.

    Args:
        store: an open store.
        queries: titles, any texts, or papers from outside (title and abstract). A title that the
            store knows is answered from its stored vector, which carries its abstract too;
            anything else is embedded. With none, the examples are asked for by themselves.
        k: hits wanted; fewer come back only where fewer papers match.
        filter: conditions as `filters.compile_filter` takes them, applied before the search.
        include_self: whether the papers asked about may be among the answers.
        lookup: False embeds a query even when it is a known title.
        embeddings: the model for text; the store's own by default.
        like: further examples of what is wanted, asked for together with each query.
        unlike: examples of what is not wanted.
        mode: `dense` (vectors), `keyword` (BM25 over title, abstract, keywords and authors; a
            phrase in double quotes must occur; no model is loaded) or `hybrid` (both, fused).
        diversity: from 0 (by relevance alone) to 1 (by difference alone): how much each further
            answer is to differ from those before it.
        group: whether versions of one work become one hit, the others its `copies`.
        rerank: a second look at the first 50: `True` or the name of a cross-encoder, or a
            function of the query's text and a list of papers to their scores.
        explain: whether each hit says its `reasons`.

    Raises:
        QueryError: a query is blank, k is not a whole number above 0, the filter is wrong, an
            option is not one of those above, or one paper is both liked and not.
        ModelError: a query has to be embedded and the model cannot be loaded or is another one.
    """
    if isinstance(queries, str):
        raise QueryError("ask takes a list of queries; use search for one")
    k = checked_k(k)
    manner = checked_manner(mode, diversity, group, rerank)
    counts = (
        len(queries),
        len(checked_examples("like", like)),
        len(checked_examples("unlike", unlike)),
    )
    if counts[2] and not (counts[0] or counts[1]):
        raise QueryError("unlike says what is not wanted; say with a query or like what is")
    if counts[2] and mode == "keyword":
        raise QueryError("unlike compares vectors; ask in the mode dense or hybrid")
    with store.reading():
        allowed = None if filter is None else admitted(store.database, filter)
        seeds = find_seeds(store, [*queries, *like, *unlike], lookup)
        vectors = np.zeros((len(seeds), store.identity.dimension), np.float32)
        if mode != "keyword":
            vectors, seeds = seed_vectors(store, seeds, embeddings)
        asked = _questions(seeds, vectors, counts, include_self)
        found = _found(store, [one for _, one in asked], k, allowed, manner)
        empty = ""
        if filter is not None and allowed is not None and not allowed.any():
            empty = why_empty(store.database, filter)
        answers = _answers(store, asked, found, manner, filter is not None, empty)
        if explain:
            from swimmer.retrieval.explanations import explained

            answers = explained(store, answers, [group for group, _ in asked])
    return answers


def checked_examples(name: str, examples: Sequence[str | Paper]) -> tuple[str | Paper, ...]:
    """Return examples as a tuple, or raise QueryError when they are one text, not a list."""
    if isinstance(examples, (str, Paper)):
        raise QueryError(f"{name} takes a list of titles or papers, got {examples!r:.60}")
    return tuple(examples)


def checked_manner(mode: object, diversity: object, group: bool, rerank: object) -> Manner:
    """Return how a question is answered, or raise QueryError for an option that is not one."""
    if mode not in MODES:
        raise QueryError(f"unknown mode {mode!r:.40}; there is {', '.join(MODES)}")
    number = isinstance(diversity, (int, float)) and not isinstance(diversity, bool)
    if not number or not 0 <= diversity <= 1:  # type: ignore[operator]
        raise QueryError(f"diversity is a number from 0 to 1, got {diversity!r:.40}")
    judge: Rerank | None = None
    if rerank is not None and rerank is not False:
        from swimmer.retrieval.reranking import load_reranker

        judge = load_reranker(rerank)
    return Manner(str(mode), float(diversity), group, judge)  # type: ignore[arg-type]


def _questions(
    seeds: list[Seed], vectors: Vectors, counts: tuple[int, int, int], include_self: bool
) -> list[tuple[list[Seed], Question]]:
    """Return, for each query, the seeds that it wants (its own first) and the question made."""
    queries, likes, _ = counts
    liked, unliked = seeds[queries : queries + likes], seeds[queries + likes :]
    like_vectors, unlike_vectors = vectors[queries : queries + likes], vectors[queries + likes :]
    if {seed.row for seed in [*seeds[:queries], *liked]} & {seed.row for seed in unliked} - {None}:
        raise QueryError("one paper is both wanted and unlike what is wanted; leave one out")
    unwanted = {seed.row for seed in unliked if seed.row is not None}
    asked = []
    for i in range(queries) if queries else [None]:
        wanted = [*([] if i is None else [seeds[i]]), *liked]
        vector = vectors[i] if i is not None else like_vectors[0]
        if len(wanted) > 1 or unliked:
            own = like_vectors if i is None else np.vstack([vectors[[i]], like_vectors])
            vector = combined(own, unlike_vectors)
        rows = {seed.row for seed in wanted if seed.row is not None}
        without = frozenset(unwanted if include_self else rows | unwanted)
        text = " ".join(seed.text for seed in wanted)
        # Quotes in a title are part of it; in words that somebody types they mean a phrase.
        words = " ".join(
            seed.text if seed.row is None and seed.outside is None else seed.text.replace('"', " ")
            for seed in wanted
        )
        asked.append((wanted, Question(vector, words, text, without)))
    return asked


def _found(
    store: PaperStore,
    questions: list[Question],
    k: int,
    allowed: NDArray[np.bool_] | None,
    manner: Manner,
) -> list[list[Found]]:
    if manner.mode != "dense" or not manner.as_ranked:
        return [ranked(store, question, k, allowed, manner) for question in questions]
    rows = None if allowed is None else np.flatnonzero(allowed)
    vectors = np.stack([question.vector for question in questions])
    hits = nearest(store, vectors, k, rows, [question.without for question in questions])
    return [[Found(row, score) for row, score in pairs] for pairs in hits]


def _answers(
    store: PaperStore,
    asked: list[tuple[list[Seed], Question]],
    found: list[list[Found]],
    manner: Manner,
    filtered: bool,
    empty: str,
) -> list[Answer]:
    rows = {one.row for hits in found for one in hits}
    rows |= {row for hits in found for one in hits for row in one.versions}
    rows |= {seed.row for seeds, _ in asked for seed in seeds if seed.row is not None}
    ordered = sorted(rows)
    papers = dict(zip(ordered, store.papers(ordered), strict=True))
    # What is asked for once here would be asked for by each of ten thousand queries.
    name, model, size = store.name, store.identity.name, len(store)
    threshold = store.thresholds.get("related", -1.0)
    whole = manner.mode == "dense" and manner.as_ranked and not filtered
    answers = []
    for (seeds, question), hits in zip(asked, found, strict=True):
        own = seeds[0]
        if whole:
            percentiles: Sequence[float | None] = _percentiles_by_place(
                size - len(question.without), hits
            )
        else:
            percentiles = _percentiles(store, question, hits, manner.mode)
        warnings = [warning for seed in seeds for warning in seed.warnings]
        warnings += [
            f"the example {seed.text[:80]!r} was taken as {papers[seed.row].display_title!r}"
            for seed in seeds[1:]
            if seed.row is not None and not seed.exact
        ]
        if empty and not hits:
            warnings.append(f"the filter admits no paper: {empty}")
        known = any(seed.row is not None for seed in seeds)
        best = max((one.score for one in hits), default=-1.0)
        answers.append(
            Answer(
                query=own.text if len(seeds) == 1 else " + ".join(seed.text for seed in seeds),
                store=name,
                model=model,
                matched=None if own.row is None else papers[own.row],
                exact=own.exact,
                hits=[
                    Hit(
                        papers[one.row],
                        one.score,
                        rank,
                        percentile,
                        one.relevance,
                        tuple([papers[row] for row in one.versions]) if one.versions else (),
                    )
                    for rank, (one, percentile) in enumerate(zip(hits, percentiles, strict=True), 1)
                ],
                warnings=warnings,
                related=known or (bool(hits) and (manner.mode == "keyword" or best >= threshold)),
            )
        )
    return answers


def _percentiles_by_place(others: int, hits: list[Found]) -> list[float]:
    """Return percentiles of the nearest of all: how many score higher is their place."""
    percentiles: list[float] = []
    last = 2.0
    for above, one in enumerate(hits):
        if one.score < last:
            place, last = 100.0 * (others - above) / others, one.score
        percentiles.append(place)
    return percentiles


def _percentiles(
    store: PaperStore, question: Question, hits: list[Found], mode: str
) -> Sequence[float | None]:
    """Return, for each hit, the percentage of the store's other papers that score no higher.

    In a store of more than 20,000 papers, of so many that are evenly spread over it.
    """
    if mode == "keyword" or not hits:
        return [None] * len(hits)
    scores, rows = store.index.spread_scores(question.vector)
    if question.without:
        scores = scores[~np.isin(rows, list(question.without))]
    # The last digit of a cosine depends on the order of the sum.
    own = np.asarray([one.score + 1e-6 for one in hits], np.float32)
    shares: list[float | None] = (100.0 * (scores <= own[:, None]).mean(axis=1)).tolist()
    return shares if len(scores) else [100.0] * len(hits)


def checked_k(k: object) -> int:
    """Return k, or raise QueryError when it is not a whole number of at least 1."""
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise QueryError(f"k is the number of papers wanted, a whole number from 1; got {k!r:.40}")
    return int(k)


def allowed_rows(store: PaperStore, filter: Filter | None) -> Rows | None:
    """Return the rows that a filter admits, ascending, or None for all."""
    if filter is None:
        return None
    return np.flatnonzero(admitted(store.database, filter))
