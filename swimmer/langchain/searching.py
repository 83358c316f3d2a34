"""Searches for LangChain: many queries together, an outcome for each, also without a thread."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from langchain_core.embeddings import Embeddings
from langchain_core.runnables import run_in_executor

from swimmer.errors import QueryError, UnreadableQueryError
from swimmer.langchain.documents import paper_document
from swimmer.retrieval import Answer, EmbeddedText, SearchOptions, ask, texts_to_embed
from swimmer.store import Filter, PaperStore

if TYPE_CHECKING:
    from swimmer.embeddings import Embeddings as EmbeddingsProtocol, Model

MetadataTest = Callable[[dict[str, Any]], bool]
"""A filter as LangChain's FAISS takes it too: from metadata to whether a document is wanted."""

INLINE_PAPERS = 20_000
"""Papers up to which an asynchronous search runs in the event loop: it takes a few milliseconds."""


def search_each(
    store: PaperStore, queries: Sequence[Any], k: int, options: SearchOptions
) -> list[Answer | Exception]:
    """Return, for each query, its answer or why there is none; all are searched together.

    A query that is blank, or holds nothing that the model can read, has an answer without hits
    and with a warning.
    """
    texts = _distinct(queries)
    found: dict[str, Answer | Exception] = {}
    if len(texts) > 1:
        # Where one query fails, each is searched by itself, and fails by itself.
        with contextlib.suppress(Exception):
            found = dict(zip(texts, ask(store, texts, k, options), strict=True))
    for text in texts:
        if text not in found:
            found[text] = _outcome(store, text, options, lambda one: ask(store, [one], k, options))
    return [found[one] if isinstance(one, str) else _not_text(one) for one in queries]


async def asearch_each(
    store: PaperStore, queries: Sequence[Any], k: int, options: SearchOptions
) -> list[Answer | Exception]:
    """Return what `search_each` does.

    The coroutines of an embedding model that has its own are awaited. No thread is used for a
    small store where no model is needed, or where it has been awaited; else the search runs in
    one.
    """
    if store.remote:
        return await run_in_executor(None, search_each, store, queries, k, options)
    texts = _distinct(queries)
    model = await own_async_model(store, options.embeddings)
    inline = len(store) <= INLINE_PAPERS and not options.reranks
    if model is None or options.like or options.unlike:
        if not (inline and _needs_no_model(store, texts, options)):
            return await run_in_executor(None, search_each, store, queries, k, options)
        return search_each(store, queries, k, options)
    given: dict[str, str | EmbeddedText] = {}
    failed: dict[str, Answer | Exception] = {}
    for text in texts:
        try:
            given[text] = await _embedded(store, model, text, options)
        except Exception as error:  # noqa: BLE001 (the user's model may raise anything)
            failed[text] = _failed(store, text, options, error)

    def search() -> dict[str, Answer | Exception]:
        ready = list(given)
        found: dict[str, Answer | Exception] = {}
        with contextlib.suppress(Exception):
            answers = ask(store, [given[text] for text in ready], k, options)
            found = dict(zip(ready, answers, strict=True))
        return found or {
            text: _outcome(store, text, options, lambda one: ask(store, [given[one]], k, options))
            for text in ready
        }

    outcomes = failed | (search() if inline else await run_in_executor(None, search))
    return [outcomes[one] if isinstance(one, str) else _not_text(one) for one in queries]


def conditions_of(store: PaperStore, filter: Filter | MetadataTest | None) -> Filter | None:
    """Return a filter as conditions: a function is called with every document's metadata."""
    if not callable(filter):
        return filter
    with store.reading():
        wanted = [paper.id for paper in store if filter(paper_document(paper).metadata)]
    return {"id": {"$in": wanted}}


def warn_of(answer: Answer, stacklevel: int = 2) -> None:
    """Issue the warnings of an answer as Python warnings."""
    for warning in answer.warnings:
        warnings.warn(warning, stacklevel=stacklevel + 1)


def answered(outcome: Answer | Exception) -> Answer:
    """Return the answer of an outcome, or raise why there is none."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


async def own_async_model(
    store: PaperStore, embeddings: str | EmbeddingsProtocol | Model | None
) -> Model | None:
    """Return the model of a search if its object has coroutines of its own, else None.

    LangChain's base class has some that call the synchronous methods in a thread.
    """
    loaded = store.loaded_model
    candidate = embeddings if embeddings is not None else getattr(loaded, "embeddings", None)
    own = getattr(type(candidate), "aembed_query", None)
    if own is None or own is Embeddings.aembed_query:
        return None
    if loaded is not None and loaded.embeddings is candidate:
        return loaded
    return await run_in_executor(None, store.model, embeddings)


async def _embedded(
    store: PaperStore, model: Model, text: str, options: SearchOptions
) -> str | EmbeddedText:
    if options.mode == "keyword":
        return text
    (to_embed,) = texts_to_embed(store, [text], options.lookup)
    return EmbeddedText(text, await model.aembed_query(to_embed)) if to_embed else text


def _needs_no_model(store: PaperStore, texts: list[str], options: SearchOptions) -> bool:
    if options.mode == "keyword":
        return True
    queries = [*texts, *_texts(options.like), *_texts(options.unlike)]
    try:
        return not any(texts_to_embed(store, queries, options.lookup))
    except QueryError:
        return False


def _texts(examples: Iterable[object]) -> list[str]:
    # A paper may have to be embedded; it counts as a text that no title is.
    return [one if isinstance(one, str) else "\N{REPLACEMENT CHARACTER}" for one in examples]


def _distinct(queries: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(query for query in queries if isinstance(query, str)))


def _outcome(
    store: PaperStore, text: str, options: SearchOptions, search: Callable[[str], list[Answer]]
) -> Answer | Exception:
    try:
        (answer,) = search(text)
    except Exception as error:  # noqa: BLE001 (the user's model may raise anything)
        return _failed(store, text, options, error)
    return answer


def _failed(
    store: PaperStore, text: str, options: SearchOptions, error: Exception
) -> Answer | Exception:
    # With examples, it may be one of them that cannot be read: that is a fault of the caller.
    if not isinstance(error, UnreadableQueryError) or options.like or options.unlike:
        return error
    model = store.identity.name
    return Answer(text, store.name, model, None, False, warnings=[error.full_text], related=False)


def _not_text(query: object) -> QueryError:
    return QueryError(f"a query is text, got {query!r:.60}")
