"""LangChain's retriever: the title of a paper to the papers most like it."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig
from pydantic import ConfigDict, Field

from swimmer.embeddings import Embeddings, Model
from swimmer.errors import QueryError, SwimmerError
from swimmer.langchain.documents import hit_document
from swimmer.langchain.vectorstore import PaperVectorStore, refuse_unknown
from swimmer.papers import Paper
from swimmer.retrieval import (
    Answer,
    allowed_rows,
    ask,
    checked_examples,
    checked_k,
    checked_manner,
)
from swimmer.store import Filter, PaperStore, open_store

_AT_CALL = (
    "k",
    "filter",
    "include_self",
    "lookup",
    "like",
    "unlike",
    "mode",
    "diversity",
    "group",
    "rerank",
    "explain",
)


class PaperRetriever(BaseRetriever):
    """The papers of a store most like a title, as LangChain documents; see `load_retriever`.

    Every way of asking that is a field here but `store` and `embeddings` may be given to `invoke`
    and `batch` too, for that one call. `batch` asks the engine once for all its queries.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    store: PaperStore = Field(exclude=True)
    k: int = Field(default=10, strict=True, ge=1)
    embeddings: Any = Field(default=None, exclude=True)
    filter: dict[str, Any] | None = None
    include_self: bool = False
    lookup: bool = True
    like: tuple[str | Paper, ...] = ()
    unlike: tuple[str | Paper, ...] = ()
    mode: str = "dense"
    diversity: float = 0.0
    group: bool = False
    rerank: Any = Field(default=None, exclude=True)
    explain: bool = False

    @property
    def vectorstore(self) -> PaperVectorStore:
        """The same store as a LangChain vector store; changes are seen by both."""
        return PaperVectorStore(self.embeddings, store=self.store)

    def batch(
        self,
        inputs: list[str],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[list[Document]]:
        """Return the documents of each query, found together; as every runnable's otherwise."""
        found: dict[str, Answer] = {}
        # Where one query is refused, each is asked by itself and says so for itself.
        with contextlib.suppress(SwimmerError):
            queries = list(dict.fromkeys(query for query in inputs if isinstance(query, str)))
            found = dict(zip(queries, self._ask(queries, kwargs), strict=True))
        return super().batch(
            inputs, config, return_exceptions=return_exceptions, found=found, **kwargs
        )

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        found: dict[str, Answer] | None = None,
        **options: Any,
    ) -> list[Document]:
        answer = found.get(query) if found and isinstance(query, str) else None
        answer = answer or self._ask([query], options)[0]
        for warning in answer.warnings:
            warnings.warn(warning, stacklevel=2)
        return [hit_document(hit) for hit in answer.hits]

    def _ask(self, queries: list[str], options: dict[str, Any]) -> list[Answer]:
        refuse_unknown({k: v for k, v in options.items() if k not in _AT_CALL}, *_AT_CALL)
        asked = {name: getattr(self, name) for name in _AT_CALL} | options
        return ask(self.store, queries, asked.pop("k"), embeddings=self.embeddings, **asked)


def load_retriever(
    store: PaperStore | str | Path | None = None,
    *,
    k: int = 10,
    embeddings: str | Embeddings | Model | None = None,
    filter: Filter | None = None,
    include_self: bool = False,
    lookup: bool = True,
    like: Sequence[str | Paper] = (),
    unlike: Sequence[str | Paper] = (),
    mode: str = "dense",
    diversity: float = 0.0,
    group: bool = False,
    rerank: Any = None,
    explain: bool = False,
    trust_model: bool = False,
    tags: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
) -> PaperRetriever:
    """Return a LangChain retriever over a store.

    Each document it answers with has the paper's id, `page_content` of title, first 500 characters
    of the abstract and URL, a line each, and in its metadata every field of the paper with `score`
    (cosine similarity) and `rank` (from 1).

    Args:
        store: a name, a path or an open store; by default the only or newest store, else the
            bundled sample.
        k: papers wanted.
        embeddings: the model for queries that are not a title of the store; by default the
            store's own, loaded when first needed.
        filter: conditions as `filters.compile_filter` takes them, applied before the search.
        include_self: whether the paper asked about may be among its own answers.
        lookup: False embeds a query even when it is a title of the store.
        like: further examples of what is wanted, titles or papers; this and the next six as for
            `swimmer.ask`.
        unlike: examples of what is not wanted.
        mode: `dense` (vectors), `keyword` (words) or `hybrid` (both).
        diversity: from 0 (by relevance alone) to 1 (by difference alone).
        group: whether versions of one work become one document.
        rerank: a second look at the first 50: `True`, a name, or a function.
        explain: whether each document says in its metadata why it was found (`reasons`).
        trust_model: load the model that the store names, as `open_store` has it; an open store
            has settled that itself.
        tags: labels that tracing shows, as for every LangChain retriever.
        metadata: what else tracing shows.

    Raises:
        StoreNotFoundError: there is no such store; the message lists those there are.
        QueryError: k is not a whole number above 0, or the filter is wrong.
    """
    opened = store if isinstance(store, PaperStore) else open_store(store, trust_model=trust_model)
    checked_k(k)
    checked_manner(mode, diversity, group, None)
    if filter is not None:
        allowed_rows(opened, filter)
    for name, value in (("include_self", include_self), ("lookup", lookup)):
        if not isinstance(value, bool):
            raise QueryError(f"{name} is True or False, got {value!r:.40}")
    return PaperRetriever(
        store=opened,
        k=int(k),
        embeddings=embeddings,
        filter=None if filter is None else dict(filter),
        include_self=include_self,
        lookup=lookup,
        like=checked_examples("like", like),
        unlike=checked_examples("unlike", unlike),
        mode=mode,
        diversity=diversity,
        group=group,
        rerank=rerank,
        explain=explain,
        tags=tags,
        metadata=metadata,
    )
