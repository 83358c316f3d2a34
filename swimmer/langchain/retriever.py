"""LangChain's retriever: the title of a paper to the papers most like it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForRetrieverRun,
    CallbackManager,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever, LangSmithRetrieverParams
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import get_config_list
from pydantic import ConfigDict, Field, field_validator

from swimmer.embeddings import GIVEN
from swimmer.errors import SwimmerError
from swimmer.langchain.arguments import (
    OF_SEARCH_TYPES,
    of_search_type,
    refuse_unknown,
)
from swimmer.langchain.documents import hit_document
from swimmer.langchain.searching import asearch_each, conditions_of, search_each, warn_of
from swimmer.papers import Paper
from swimmer.retrieval import (
    OPTION_NAMES,
    Answer,
    SearchOptions,
    check_filter,
    checked_k,
)
from swimmer.store import PaperStore, open_store

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from swimmer.langchain.vectorstore import PaperVectorStore
    from swimmer.retrieval import SearchArguments

_AT_CALL = ("k", *(name for name in OPTION_NAMES if name != "embeddings"), *OF_SEARCH_TYPES)


_Outcome = list[Document] | Exception


class PaperRetriever(BaseRetriever):
    """The papers of a store most like a title, as LangChain documents; see `load_retriever`.

    The fields are `k` and those of `SearchOptions`; all but `embeddings` may be given to `invoke`
    and `batch` too, for that one call. `batch` searches for all its queries together. A query
    that is blank, or that the model cannot read, gives no documents and a warning.

    `search_type` and `search_kwargs` are those of LangChain's own `as_retriever`. Every field can
    be made configurable (`configurable_fields`), the store too: by its name.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, extra="forbid")

    store: PaperStore = Field(exclude=True)
    k: int = Field(default=10, strict=True, ge=1)
    embeddings: Any = Field(default=None, exclude=True)
    filter: Any = None
    include_self: bool = False
    lookup: bool | str = True
    like: tuple[str | Paper, ...] = ()
    unlike: tuple[str | Paper, ...] = ()
    mode: str = "dense"
    diversity: float = 0.0
    group: bool = False
    sort: str = ""
    rerank: Any = Field(default=None, exclude=True)
    explain: bool = False
    lexical: bool = True
    search_type: str = "similarity"
    search_kwargs: dict[str, Any] = Field(default_factory=dict)

    @field_validator("store", mode="before")
    @classmethod
    def _opened(cls, store: object) -> object:
        # A configuration of LangChain names it.
        return open_store(store) if isinstance(store, (str, Path)) else store

    @property
    def vectorstore(self) -> PaperVectorStore:
        """The same store as a LangChain vector store; changes are seen by both."""
        from swimmer.langchain.vectorstore import PaperVectorStore

        return PaperVectorStore(self.embeddings, store=self.store)

    def batch(
        self,
        inputs: list[str],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[list[Document]]:
        """Return the documents of each query, found together; as every runnable's otherwise.

        Each query is a run of its own for callbacks and tracing, begun before the search.
        """
        if not inputs:
            return []
        runs = []
        for query, one in zip(inputs, get_config_list(config, len(inputs)), strict=True):
            manager = CallbackManager.configure(**self._callbacks(one, kwargs))
            runs.append(manager.on_retriever_start(None, query, **self._run(one)))
        try:
            results = self._outcomes(inputs, kwargs)
        except BaseException as error:
            for run in runs:
                run.on_retriever_error(error)
            raise
        for run, result in zip(runs, results, strict=True):
            if isinstance(result, Exception):
                run.on_retriever_error(result)
            else:
                run.on_retriever_end(result)
        return _returned(results, return_exceptions)

    async def abatch(
        self,
        inputs: list[str],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[list[Document]]:
        """Return what `batch` does; the model's own coroutines are awaited."""
        if not inputs:
            return []
        runs = []
        for query, one in zip(inputs, get_config_list(config, len(inputs)), strict=True):
            manager = AsyncCallbackManager.configure(**self._callbacks(one, kwargs))
            runs.append(await manager.on_retriever_start(None, query, **self._run(one)))
        try:
            results = await self._aoutcomes(inputs, kwargs)
        except BaseException as error:
            for run in runs:
                await run.on_retriever_error(error)
            raise
        for run, result in zip(runs, results, strict=True):
            if isinstance(result, Exception):
                await run.on_retriever_error(result)
            else:
                await run.on_retriever_end(result)
        return _returned(results, return_exceptions)

    def _callbacks(self, config: RunnableConfig, options: dict[str, Any]) -> dict[str, Any]:
        """Return what BaseRetriever.invoke gives to a callback manager."""
        return {
            "inheritable_callbacks": config.get("callbacks"),
            "verbose": options.get("verbose", False),
            "inheritable_tags": config.get("tags"),
            "local_tags": self.tags,
            "inheritable_metadata": {
                **(config.get("metadata") or {}),
                **self._get_ls_params(**options),
            },
            "local_metadata": self.metadata,
        }

    def _run(self, config: RunnableConfig) -> dict[str, Any]:
        return {
            "name": config.get("run_name") or self.get_name(),
            "run_id": config.pop("run_id", None),
        }

    def _get_ls_params(self, **kwargs: Any) -> LangSmithRetrieverParams:
        """Return what tracing shows of the retriever: provider, embedding model, store."""
        params: dict[str, Any] = dict(super()._get_ls_params(**kwargs))
        name = self.store.identity.name
        if self.embeddings is not None and not isinstance(self.embeddings, str):
            maker = type(self.embeddings).__name__
        elif name.startswith(GIVEN):
            maker = name.rpartition(".")[2]
        else:
            maker = "SwimmerEmbeddings" if name == "static" else "HuggingFaceEmbeddings"
        params |= {
            "ls_vector_store_provider": "swimmer",
            "ls_embedding_provider": maker,
            "ls_embedding_model": name,
            "swimmer_store": self.store.name,
        }
        return cast("LangSmithRetrieverParams", params)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, **options: Any
    ) -> list[Document]:
        return _returned(self._outcomes([query], options), False)[0]

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **options: Any
    ) -> list[Document]:
        return _returned(await self._aoutcomes([query], options), False)[0]

    def _outcomes(self, queries: list[str], given: dict[str, Any]) -> list[_Outcome]:
        try:
            k, options, threshold = self.checked_options(given)
        except SwimmerError as error:
            return [error] * len(queries)
        found = search_each(self.store, queries, k, options)
        return [_documents(outcome, threshold) for outcome in found]

    async def _aoutcomes(self, queries: list[str], given: dict[str, Any]) -> list[_Outcome]:
        try:
            k, options, threshold = self.checked_options(given)
        except SwimmerError as error:
            return [error] * len(queries)
        found = await asearch_each(self.store, queries, k, options)
        return [_documents(outcome, threshold) for outcome in found]

    def checked_options(self, given: dict[str, Any]) -> tuple[int, SearchOptions, float | None]:
        """Return k, the options and the lowest score wanted, for what `invoke` was given."""
        # `verbose` is LangChain's own, for its callbacks.
        arguments = self.search_kwargs | {k: v for k, v in given.items() if k != "verbose"}
        refuse_unknown({k: v for k, v in arguments.items() if k not in _AT_CALL}, *_AT_CALL)
        chosen, threshold = of_search_type(self.search_type, arguments, self.diversity)
        fields = {name: getattr(self, name) for name in OPTION_NAMES} | chosen
        k = checked_k(fields.pop("k", self.k))
        fields["filter"] = conditions_of(self.store, fields["filter"])
        return k, SearchOptions(**fields), threshold


def _documents(outcome: Answer | Exception, threshold: float | None) -> _Outcome:
    """Return the documents of an outcome with the lowest score or a higher one."""
    if isinstance(outcome, Exception):
        return outcome
    try:
        warn_of(outcome, stacklevel=3)
    except Warning as error:
        # Where Python was told to raise warnings.
        return error
    hits = outcome.hits
    return [hit_document(hit) for hit in hits if threshold is None or hit.score >= threshold]


def _returned(results: list[Any], return_exceptions: bool) -> list[list[Document]]:
    if not return_exceptions:
        for result in results:
            if isinstance(result, Exception):
                raise result
    return results


def load_retriever(
    store: PaperStore | str | Path | None = None,
    *,
    k: int = 10,
    trust_model: bool = False,
    refresh: bool = True,
    search_type: str = "similarity",
    search_kwargs: dict[str, Any] | None = None,
    tags: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
    **arguments: Unpack[SearchArguments],
) -> PaperRetriever:
    """Return a LangChain retriever over a store.

    Each document has the paper's id, a `page_content` of title, first 500 characters of the
    abstract and URL, a line each, and in its metadata every field of the paper with `score`
    (cosine similarity) and `rank` (from 1).

    Args:
        store: a name, a path or an open store; by default that of `swimmer default`, else
            the newest, else the bundled sample.
        k: papers wanted.
        trust_model: load the model that the store names, as in `open_store`; not used for an
            open store.
        refresh: follow what other processes commit, as in `open_store`; not used for an open
            store.
        search_type: `similarity`, `mmr` or `similarity_score_threshold`, as LangChain's own
            `as_retriever` has them; `mmr` is a search with `diversity`.
        search_kwargs: arguments of the search: `k`, `filter`, `lambda_mult` (for `mmr`: 1 for
            relevance only, 0 for difference only), `score_threshold` (the lowest `score` wanted),
            `fetch_k` (taken and not used: filters run before the search), or any field of
            `SearchOptions`. They count before the arguments of the same name here.
        tags: labels that tracing shows, as for every LangChain retriever.
        metadata: what else tracing shows.
        arguments: the fields of `SearchOptions` by name: `filter`, `include_self`, `lookup`,
            `embeddings`, `like`, `unlike`, `mode`, `diversity`, `group`,
            `sort`, `rerank`, `explain`, `lexical`. A filter may be a function too, from a
            document's metadata to whether it is wanted.

    Raises:
        StoreNotFoundError: there is no such store; the message lists those there are.
        QueryError: k is not a whole number above 0, the filter is wrong, or an option is.
    """
    opened = (
        store
        if isinstance(store, PaperStore)
        else open_store(store, trust_model=trust_model, refresh=refresh)
    )
    options = SearchOptions(**arguments)
    fields = {name: getattr(options, name) for name in OPTION_NAMES}
    if isinstance(options.filter, Mapping):
        fields["filter"] = dict(options.filter)
    given = {} if search_kwargs is None else search_kwargs
    of_search_type(search_type, given, options.diversity)
    retriever = PaperRetriever(
        store=opened,
        k=checked_k(k),
        tags=tags,
        metadata=metadata,
        search_type=search_type,
        search_kwargs=dict(given),
        **fields,
    )
    # What is wrong is said here, not at the first query.
    _, checked, _ = retriever.checked_options({})
    if checked.filter is not None:
        check_filter(opened, checked.filter)
    return retriever
