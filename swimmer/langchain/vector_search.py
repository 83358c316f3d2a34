"""The searches of LangChain's vector store over a store of papers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.documents import Document
from langchain_core.runnables import run_in_executor
from langchain_core.vectorstores import VectorStore

from swimmer.errors import QueryError, UnreadableQueryError
from swimmer.langchain.arguments import checked_count, checked_number, refuse_unknown
from swimmer.langchain.documents import paper_document
from swimmer.langchain.searching import (
    MetadataTest,
    answered,
    asearch_each,
    conditions_of,
    own_async_model,
    search_each,
    warn_of,
)
from swimmer.retrieval import (
    Answer,
    SearchOptions,
    allowed_rows,
    checked_k,
    nearest,
    select_diverse,
)
from swimmer.store import Filter, PaperStore

if TYPE_CHECKING:
    from swimmer.store import Vectors


class VectorSearch(VectorStore):
    """A store of papers that LangChain can search, by a text or by a vector.

    Queries are embedded with the store's model. Scores are cosine similarities: higher is nearer.
    """

    store: PaperStore

    def similarity_search(
        self,
        query: str,
        k: int = 4,
        filter: Filter | MetadataTest | None = None,
        fetch_k: int | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Return the k documents nearest to a query, best first.

        A query that is blank, or that the model cannot read, gives none and a warning.

        Args:
            query: any text.
            k: documents wanted.
            filter: conditions as `store.compile_filter` takes them, or a function from a
                document's metadata to whether it is wanted; applied before the search.
            fetch_k: taken for the sake of LangChain's FAISS, which filters afterwards; not used.
            kwargs: `score_threshold`, the lowest cosine similarity wanted; `lookup=True` answers a
                known title from its stored vector; nothing else.

        Raises:
            QueryError: k is not a whole number above 0, the filter is wrong, or an argument is
                not known.
        """
        found = self.similarity_search_with_score(query, k, filter, fetch_k, **kwargs)
        return [document for document, _ in found]

    def similarity_search_with_score(
        self,
        query: str,
        k: int = 4,
        filter: Filter | MetadataTest | None = None,
        fetch_k: int | None = None,
        *,
        lookup: bool | str = False,
        score_threshold: float | None = None,
        **unknown: Any,
    ) -> list[tuple[Document, float]]:
        """Return (document, cosine similarity) pairs; as `similarity_search` otherwise."""
        refuse_unknown(unknown, *_SEARCH_ARGUMENTS)
        k, options = self._search_options(k, filter, lookup)
        (outcome,) = search_each(self.store, [query], k, options)
        return _pairs(answered(outcome), score_threshold)

    async def asimilarity_search(
        self,
        query: str,
        k: int = 4,
        filter: Filter | MetadataTest | None = None,
        fetch_k: int | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Return what `similarity_search` does; the model's own coroutines are awaited."""
        found = await self.asimilarity_search_with_score(query, k, filter, fetch_k, **kwargs)
        return [document for document, _ in found]

    async def asimilarity_search_with_score(
        self,
        query: str,
        k: int = 4,
        filter: Filter | MetadataTest | None = None,
        fetch_k: int | None = None,
        *,
        lookup: bool | str = False,
        score_threshold: float | None = None,
        **unknown: Any,
    ) -> list[tuple[Document, float]]:
        """Return what `similarity_search_with_score` does; see `asimilarity_search`."""
        refuse_unknown(unknown, *_SEARCH_ARGUMENTS)
        k, options = self._search_options(k, filter, lookup)
        (outcome,) = await asearch_each(self.store, [query], k, options)
        return _pairs(answered(outcome), score_threshold)

    def _search_options(
        self, k: int, filter: Filter | MetadataTest | None, lookup: bool | str
    ) -> tuple[int, SearchOptions]:
        conditions = conditions_of(self.store, filter)
        return checked_k(k), SearchOptions(
            filter=conditions, include_self=True, lookup=lookup, lexical=False
        )

    def similarity_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        filter: Filter | MetadataTest | None = None,
        fetch_k: int | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Return the k documents nearest to a vector of any length above 0, best first."""
        found = self.similarity_search_with_score_by_vector(embedding, k, filter, fetch_k, **kwargs)
        return [document for document, _ in found]

    def similarity_search_with_score_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        filter: Filter | MetadataTest | None = None,
        fetch_k: int | None = None,
        *,
        score_threshold: float | None = None,
        **unknown: Any,
    ) -> list[tuple[Document, float]]:
        """Return (document, cosine similarity) pairs for a vector.

        Raises:
            QueryError: the vector is not one of this store's dimension, or not of finite numbers.
        """
        refuse_unknown(unknown, *_VECTOR_ARGUMENTS)
        with self.store.reading():
            hits = self._nearest(self.checked_vector(embedding), checked_k(k), filter)
            papers = self.store.papers([row for row, _ in hits])
        pairs = [(paper_document(p), score) for p, (_, score) in zip(papers, hits, strict=True)]
        return _above(pairs, score_threshold)

    def max_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | MetadataTest | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Return k documents that are near to a query and different from each other.

        Args:
            query: any text.
            k: documents wanted.
            fetch_k: how many of the nearest to choose from.
            lambda_mult: 1 for similarity only, 0 for the greatest diversity.
            filter: conditions as in `similarity_search`.
            kwargs: nothing else.

        Raises:
            QueryError: as for `similarity_search`, or `lambda_mult` is not between 0 and 1.
        """
        refuse_unknown(kwargs, "k", "fetch_k", "lambda_mult", "filter")
        try:
            vector = self.store.model().embed_query(_text(query))
        except UnreadableQueryError as error:
            warnings.warn(error.full_text, stacklevel=2)
            return []
        return self._varied(vector, k, fetch_k, lambda_mult, filter)

    async def amax_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | MetadataTest | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Return what `max_marginal_relevance_search` does; see `asimilarity_search`."""
        refuse_unknown(kwargs, "k", "fetch_k", "lambda_mult", "filter")
        model = await own_async_model(self.store, None)
        if model is None:
            return await run_in_executor(
                None, self.max_marginal_relevance_search, query, k, fetch_k, lambda_mult, filter
            )
        try:
            vector = await model.aembed_query(_text(query))
        except UnreadableQueryError as error:
            warnings.warn(error.full_text, stacklevel=2)
            return []
        return self._varied(vector, k, fetch_k, lambda_mult, filter)

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | MetadataTest | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Return k documents that are near to a vector and different from each other."""
        refuse_unknown(kwargs, "k", "fetch_k", "lambda_mult", "filter")
        return self._varied(self.checked_vector(embedding), k, fetch_k, lambda_mult, filter)

    def _varied(
        self,
        vector: Vectors,
        k: int,
        fetch_k: int,
        lambda_mult: float,
        filter: Filter | MetadataTest | None,
    ) -> list[Document]:
        checked_number("lambda_mult", lambda_mult, 0, 1)
        wanted = max(checked_k(k), checked_count("fetch_k", fetch_k))
        with self.store.reading():
            hits = self._nearest(vector, wanted, filter)
            rows, relevance = [row for row, _ in hits], [score for _, score in hits]
            vectors = self.store.index.vectors(np.asarray(rows, np.int64))
            chosen = select_diverse(relevance, vectors, k, 1 - lambda_mult)
            papers = self.store.papers([rows[i] for i in chosen])
        return [paper_document(paper) for paper in papers]

    def _nearest(
        self, vector: Vectors, k: int, filter: Filter | MetadataTest | None
    ) -> list[tuple[int, float]]:
        allowed = allowed_rows(self.store, conditions_of(self.store, filter))
        (hits,) = nearest(self.store, vector[None, :], k, allowed, [None])
        return hits

    def checked_vector(self, embedding: Sequence[float]) -> Vectors:
        """Return a vector of the store's dimension, at unit length; QueryError if it is none."""
        dimension = self.store.identity.dimension
        try:
            vector = np.asarray(embedding, np.float32)
        except (TypeError, ValueError):
            raise QueryError(f"a vector is a list of numbers, got {embedding!r:.60}") from None
        if vector.shape != (dimension,):
            raise QueryError(
                f"this store holds vectors of {dimension} dimensions, the query has the "
                f"shape {vector.shape}",
                hint=f"embed it with the store's model {self.store.identity.name}",
            )
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or not length:
            raise QueryError("a query vector holds finite numbers, not all of them 0")
        unit: Vectors = vector / np.float32(length)
        return unit

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return lambda score: min(1.0, max(0.0, score))


_SEARCH_ARGUMENTS = ("k", "filter", "fetch_k", "lookup", "score_threshold")
_VECTOR_ARGUMENTS = ("k", "filter", "fetch_k", "score_threshold")


def _text(query: object) -> str:
    if isinstance(query, str):
        return query
    raise QueryError(f"a query is text, got {query!r:.60}")


def _pairs(answer: Answer, threshold: float | None) -> list[tuple[Document, float]]:
    warn_of(answer, stacklevel=3)
    return _above([(paper_document(hit.paper), hit.score) for hit in answer.hits], threshold)


def _above(
    pairs: list[tuple[Document, float]], threshold: float | None
) -> list[tuple[Document, float]]:
    if threshold is None:
        return pairs
    checked_number("score_threshold", threshold)
    return [(document, score) for document, score in pairs if score >= threshold]
