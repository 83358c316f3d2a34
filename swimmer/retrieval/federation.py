"""Several stores searched as one: merged by score where one model made them, else by rank."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from swimmer.embeddings import check_same
from swimmer.errors import ModelMismatchError, QueryError, StoreError
from swimmer.papers import Paper, duplicates, same_work
from swimmer.retrieval.hits import Answer, Hit, Reading
from swimmer.retrieval.inputs import EmbeddedPaper, checked_query
from swimmer.retrieval.options import SearchOptions
from swimmer.retrieval.query import ask, browse, checked_k
from swimmer.retrieval.remote import known_title, reads_as_title
from swimmer.retrieval.resolver import resolve
from swimmer.retrieval.sorting import sorted_papers
from swimmer.store import SAMPLE, SPARSE, PaperStore, open_store, readable_stores

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from swimmer.retrieval.options import SearchArguments
    from swimmer.store import Filter

_log = logging.getLogger(__name__)

MORE = 10
"""Further hits taken from each store, since copies of one work become one hit."""

RRF = 60
"""The constant of reciprocal rank fusion, for stores of several models."""


@contextlib.contextmanager
def open_stores(
    names: Sequence[str | Path], every: bool = False, *, trust_model: bool = False
) -> Iterator[list[PaperStore]]:
    """Open stores by name or path, each once; `every` opens all but the sample.

    `trust_model` is that of `open_store`.

    Raises:
        StoreNotFoundError, StoreDamagedError: as `open_store` does.
        QueryError: `every` is given and there is no store.
    """
    named = len(names)
    wanted: list[str | Path] = list(names)
    if every:
        wanted += [info.folder for info in readable_stores() if info.name != SAMPLE]
        if not wanted:
            raise QueryError("there is no store yet", hint="build one: swimmer build iclr2025")
    with contextlib.ExitStack() as stack:
        opened: dict[Path | str, PaperStore] = {}
        for position, name in enumerate(wanted):
            try:
                store = open_store(name, trust_model=trust_model)
            except StoreError as error:
                # One that was named must answer; of all there are, a bad one stops no other.
                if position < named:
                    raise
                _log.warning("the store %s is left out: %s", Path(name).name, error)
                continue
            place = _place_of(store)
            if place in opened:
                store.close()
            else:
                opened[place] = stack.enter_context(store)
        yield list(opened.values())


def _place_of(store: PaperStore) -> Path | str:
    if store.remote:
        return store.place
    assert store.folder is not None
    return store.folder.resolve()


def ask_stores(
    stores: Sequence[PaperStore],
    queries: Sequence[str | Paper],
    k: int = 10,
    options: SearchOptions | None = None,
    *,
    filters: Sequence[Filter | None] | None = None,
    **arguments: Unpack[SearchArguments],
) -> list[Answer]:
    """Return one answer for each query over several stores.

    A paper that one store knows is searched in the others as that paper, title and abstract.
    Stores of one model are merged by score. Stores of several models are merged by rank, and so
    are stores on a server and the modes keyword and hybrid, whose scores cannot be compared. Copies
    of one work are one hit, the others its `copies`; `extra["store"]` names the store of a paper.

    Args:
        stores: open stores.
        queries: as `ask` takes them.
        k: hits wanted.
        options: the search options; `embeddings` only where all stores have one model.
        filters: for each store a filter of its own, that holds besides that of the options.
        arguments: fields of `SearchOptions` by name, in place of those of `options`.

    Raises:
        QueryError: no store is given, or as `ask` does.
        ModelError: as `ask` does.
    """
    _check_given(stores)
    options = SearchOptions.of(options, arguments)
    narrowed = _narrowed(stores, options, filters)
    if len(stores) == 1:
        return ask(stores[0], queries, k, narrowed[0])
    k = checked_k(k)
    one_model = one_model_of(stores)
    if options.embeddings is not None and not one_model:
        raise QueryError(
            "these stores were built with different models, so one model cannot "
            "embed the query for all of them",
            hint="leave the embeddings out; each store then uses its own model",
        )
    remote = any(store.remote for store in stores)
    by_score = one_model and options.mode == "dense" and not (options.reranks or remote)
    want = k + MORE
    while True:
        each = _ask_each(stores, queries, want, one_model, narrowed)
        merged = [
            _merged(stores, list(answers), k, by_score, one_model, options.include_self)
            for answers in zip(*each, strict=True)
        ]
        # There may be more copies than MORE allows for; a store that gave all its hits has no more.
        short = any(len(answer.hits) < k for answer in merged)
        more = any(len(answer.hits) >= want for answers in each for answer in answers)
        if not (short and more):
            return merged
        want *= 4


def browse_stores(
    stores: Sequence[PaperStore],
    k: int,
    options: SearchOptions,
    filters: Sequence[Filter | None] | None = None,
) -> Answer:
    """Return the papers of several stores that a filter admits, in the order of a field.

    Copies of one work are one hit; `filters` hold besides, one for each store; see `ask_stores`.

    Raises:
        QueryError: no store is given, or as `browse` does.
    """
    _check_given(stores)
    narrowed = _narrowed(stores, options, filters)
    if len(stores) == 1:
        return browse(stores[0], k, narrowed[0])
    k = checked_k(k)
    each = [browse(store, k + MORE, own) for store, own in zip(stores, narrowed, strict=True)]
    merged = _merged(stores, each, sum(len(one.hits) for one in each), True, True, True)
    places = sorted_papers([hit.paper for hit in merged.hits], options.sort or "year")[:k]
    admitted = sum(one.reading.papers for one in each if one.reading is not None)
    return replace(
        merged,
        hits=[replace(merged.hits[place], rank=rank) for rank, place in enumerate(places, 1)],
        reading=Reading("filter", "", admitted),
    )


def _narrowed(
    stores: Sequence[PaperStore], options: SearchOptions, filters: Sequence[Filter | None] | None
) -> list[SearchOptions]:
    """Return the options of each store, with its own filter beside that of all."""
    if filters is None:
        return [options] * len(stores)
    found = []
    for _, own in zip(stores, filters, strict=True):
        parts = [one for one in (options.filter, own) if one is not None]
        both: Filter | None = {"$and": parts} if len(parts) > 1 else next(iter(parts), None)
        found.append(replace(options, filter=both))
    return found


def _check_given(stores: Sequence[PaperStore]) -> None:
    if not stores:
        raise QueryError("no store is given", hint="name one with --store NAME, or give --all")


def one_model_of(stores: Sequence[PaperStore]) -> bool:
    """Return whether one model made the vectors of all stores, in one way."""
    first = stores[0].identity
    try:
        for store in stores[1:]:
            check_same(first, store.identity, store.name)
    except ModelMismatchError:
        return False
    return all(store.identity.text == first.text for store in stores)


def _ask_each(
    stores: Sequence[PaperStore],
    queries: Sequence[str | Paper],
    want: int,
    one_model: bool,
    narrowed: Sequence[SearchOptions],
) -> list[list[Answer]]:
    """Return the answers of each store; a paper that one store knows is searched in the others."""
    known: list[_Known | None] = [None] * len(queries)
    if narrowed[0].lookup in (True, "title"):
        known = [_known_by(stores, query, one_model) for query in queries]
    each = []
    for store, options in zip(stores, narrowed, strict=True):
        asked = [
            query
            if one is None or one.store is store or not one.better_than(store, query)
            else one.as_query
            for query, one in zip(queries, known, strict=True)
        ]
        each.append(ask(store, asked, want, options))
    return each


@dataclass(frozen=True)
class _Known:
    """A paper that a store knows, and the query for the other stores."""

    store: PaperStore
    exact: bool
    as_query: Paper | EmbeddedPaper

    def better_than(self, store: PaperStore, query: str | Paper) -> bool:
        if not isinstance(query, str):
            return True
        if store.remote:
            return not reads_as_title(store, query)
        own = resolve(store, checked_query(query))
        return not own.matched or (self.exact and not own.exact)


def _known_by(stores: Sequence[PaperStore], query: str | Paper, one_model: bool) -> _Known | None:
    """Return the paper that a query names in one of the stores: exactly, else nearly."""
    if not isinstance(query, str):
        return None
    text = checked_query(query)
    in_folders = [store for store in stores if not store.remote]
    found = [(store, one) for store in in_folders if (one := resolve(store, text)).matched]
    if not found:
        return _known_by_remote(stores, text, one_model)
    store, best = max(found, key=lambda pair: pair[1].exact)
    row, exact = best.rows[0], best.exact
    (paper,) = store.papers([row])
    if not one_model:
        return _Known(store, exact, paper)
    import numpy as np

    vector = store.vectors(np.asarray([row], np.int64))[0]
    tokens = None
    if store.lexical_kind == SPARSE and len({one.lexical_probes for one in stores} - {""}) == 1:
        tokens = store.database.packed_words([row]).get(row, b"")
    return _Known(store, exact, EmbeddedPaper(paper, vector, tokens) if vector.any() else paper)


def _known_by_remote(stores: Sequence[PaperStore], text: str, one_model: bool) -> _Known | None:
    for store in stores:
        if store.remote and (known := known_title(store, text)) is not None:
            return _Known(store, True, known if one_model else known.paper)
    return None


def _merged(
    stores: Sequence[PaperStore],
    answers: list[Answer],
    k: int,
    by_score: bool,
    one_model: bool,
    include_self: bool,
) -> Answer:
    if any(answer.listed and answer.hits for answer in answers):
        # An author of one store is no words for the others.
        kept = [(s, a) for s, a in zip(stores, answers, strict=True) if a.listed and a.hits]
        stores, answers = [s for s, _ in kept], [a for _, a in kept]
    asked = [answer.matched for answer in answers if answer.matched is not None]
    entries: list[tuple[Hit, float]] = []
    for store, answer in zip(stores, answers, strict=True):
        for hit in answer.hits:
            if not include_self and any(same_work(paper, hit.paper) for paper in asked):
                continue
            worth = hit.score if by_score else 1.0 / (RRF + hit.rank)
            paper = replace(hit.paper, extra={**hit.paper.extra, "store": store.name})
            entries.append((replace(hit, paper=paper), worth))
    entries.sort(key=lambda entry: -entry[1])
    hits = without_copies(entries, by_score)[:k]
    best = next((a for a in answers if a.matched and a.exact), None) or next(
        (a for a in answers if a.matched), answers[0]
    )
    # Why a store has nothing is of interest only where none has anything.
    telling = [answer for answer in answers if answer.hits] or answers
    warnings = list(dict.fromkeys(w for answer in telling for w in answer.warnings))
    if not one_model:
        models = ", ".join(dict.fromkeys(store.identity.name for store in stores))
        warnings.append(
            f"these stores were built with different models ({models}): hits are merged by rank; "
            "scores of different models cannot be compared"
        )
    return replace(
        best,
        store=", ".join(answer.store for answer in answers),
        model=", ".join(dict.fromkeys(answer.model for answer in answers)),
        hits=[replace(hit, rank=rank) for rank, hit in enumerate(hits, 1)],
        warnings=warnings,
        related=any(answer.related for answer in answers),
    )


def without_copies(entries: list[tuple[Hit, float]], by_score: bool) -> list[Hit]:
    """Return hits best first, each work once; by rank, a work of several stores scores higher.

    Args:
        entries: hits and what each is worth, best first.
        by_score: whether a work is worth what its best copy is, and not the sum of its copies.
    """
    leader: dict[int, int] = {}
    for i, j, _ in duplicates([hit.paper for hit, _ in entries]):
        leader[j] = leader.get(i, i)
    worth: dict[int, float] = {}
    copies: dict[int, tuple[Paper, ...]] = {}
    for j, (hit, value) in enumerate(entries):
        first = leader.get(j, j)
        worth[first] = worth.get(first, 0.0) + (value if not by_score or first == j else 0.0)
        own = hit.copies if first == j else (hit.paper, *hit.copies)
        copies[first] = copies.get(first, ()) + own
    order = sorted(worth, key=lambda first: (-worth[first], first))
    return [replace(entries[first][0], copies=copies[first]) for first in order]
