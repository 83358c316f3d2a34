"""LangChain's retriever: the title of a paper to the papers most like it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict, Field

from swimmer.documents import hit_document
from swimmer.embedding import Embeddings, Model
from swimmer.errors import QueryError
from swimmer.filters import Filter
from swimmer.query import allowed_rows, ask, checked_k
from swimmer.store import PaperStore, open_store
from swimmer.vectorstore import PaperVectorStore, refuse_unknown

_AT_CALL = ("k", "filter", "include_self", "lookup")


class PaperRetriever(BaseRetriever):
    """The papers of a store most like a title, as LangChain documents; see `load_retriever`.

    `k`, `filter`, `include_self` and `lookup` may be given to `invoke` too, for that one call.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    store: PaperStore = Field(exclude=True)
    k: int = Field(default=10, strict=True, ge=1)
    embeddings: Any = Field(default=None, exclude=True)
    filter: dict[str, Any] | None = None
    include_self: bool = False
    lookup: bool = True

    @property
    def vectorstore(self) -> PaperVectorStore:
        """The same store as a LangChain vector store; changes are seen by both."""
        return PaperVectorStore(self.embeddings, store=self.store)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **options: Any
    ) -> list[Document]:
        if options:
            refuse_unknown({k: v for k, v in options.items() if k not in _AT_CALL}, *_AT_CALL)
        (answer,) = ask(
            self.store,
            [query],
            options.get("k", self.k),
            filter=options.get("filter", self.filter),
            include_self=options.get("include_self", self.include_self),
            lookup=options.get("lookup", self.lookup),
            embeddings=self.embeddings,
        )
        for warning in answer.warnings:
            warnings.warn(warning, stacklevel=2)
        return [hit_document(hit) for hit in answer.hits]


def load_retriever(
    store: PaperStore | str | Path | None = None,
    *,
    k: int = 10,
    embeddings: str | Embeddings | Model | None = None,
    filter: Filter | None = None,
    include_self: bool = False,
    lookup: bool = True,
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
        tags, metadata: what tracing shows, as for every LangChain retriever.

    Raises:
        StoreNotFoundError: there is no such store; the message lists those there are.
        QueryError: k is not a whole number above 0, or the filter is wrong.
    """
    opened = store if isinstance(store, PaperStore) else open_store(store)
    checked_k(k)
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
        tags=tags,
        metadata=metadata,
    )
