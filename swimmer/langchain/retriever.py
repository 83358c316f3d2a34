"""LangChain's retriever: the title of a paper to the papers most like it."""

from __future__ import annotations

import contextlib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig
from pydantic import ConfigDict, Field

from swimmer.errors import SwimmerError
from swimmer.langchain.documents import hit_document
from swimmer.langchain.vectorstore import PaperVectorStore, refuse_unknown
from swimmer.papers import Paper
from swimmer.retrieval import (
    OPTION_NAMES,
    Answer,
    SearchOptions,
    allowed_rows,
    ask,
    checked_k,
)
from swimmer.store import PaperStore, open_store

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from swimmer.retrieval import SearchArguments

_AT_CALL = ("k", *(name for name in OPTION_NAMES if name != "embeddings"))


class PaperRetriever(BaseRetriever):
    """The papers of a store most like a title, as LangChain documents; see `load_retriever`.

    The fields are `k` and those of `SearchOptions`; all but `embeddings` may be given to `invoke`
    and `batch` too, for that one call. `batch` searches for all its queries together.
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
        given = {name: getattr(self, name) for name in OPTION_NAMES} | options
        k = given.pop("k", self.k)
        return ask(self.store, queries, k, SearchOptions(**given))


def load_retriever(
    store: PaperStore | str | Path | None = None,
    *,
    k: int = 10,
    trust_model: bool = False,
    tags: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
    **arguments: Unpack[SearchArguments],
) -> PaperRetriever:
    """Return a LangChain retriever over a store.

    Each document has the paper's id, a `page_content` of title, first 500 characters of the
    abstract and URL, a line each, and in its metadata every field of the paper with `score`
    (cosine similarity) and `rank` (from 1).

    Args:
        store: a name, a path or an open store; by default the only or newest store, else the
            bundled sample.
        k: papers wanted.
        trust_model: load the model that the store names, as in `open_store`; not used for an
            open store.
        tags: labels that tracing shows, as for every LangChain retriever.
        metadata: what else tracing shows.
        arguments: the fields of `SearchOptions` by name: `filter`, `include_self`, `lookup`,
            `embeddings`, `like`, `unlike`, `mode`, `diversity`, `group`, `rerank`, `explain`.

    Raises:
        StoreNotFoundError: there is no such store; the message lists those there are.
        QueryError: k is not a whole number above 0, the filter is wrong, or an option is.
    """
    opened = store if isinstance(store, PaperStore) else open_store(store, trust_model=trust_model)
    options = SearchOptions(**arguments)
    if options.filter is not None:
        allowed_rows(opened, options.filter)
    fields = {name: getattr(options, name) for name in OPTION_NAMES}
    if options.filter is not None:
        fields["filter"] = dict(options.filter)
    return PaperRetriever(store=opened, k=checked_k(k), tags=tags, metadata=metadata, **fields)
