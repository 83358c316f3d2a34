"""LangChain's vector store over a folder of papers: searched, changed, saved without a pickle."""

from __future__ import annotations

import difflib
import uuid
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore

from swimmer.embeddings import Embeddings as EmbeddingsProtocol, Model, load_model
from swimmer.errors import InputError, QueryError, StoreNotFoundError
from swimmer.langchain.documents import document_paper, paper_document
from swimmer.papers import Paper
from swimmer.retrieval import allowed_rows, ask, checked_k, nearest, select_diverse
from swimmer.store import Filter, PaperStore, open_store

if TYPE_CHECKING:
    from langchain_community.vectorstores import FAISS

    from swimmer.store import Vectors


class SwimmerEmbeddings(Embeddings):
    """A model of swimmer as LangChain `Embeddings`: unit vectors, checked, as lists of floats.

    Args:
        model: what `load_model` takes, `static` (no torch, no download) by default; loaded when
            it is first asked.
        options: further arguments of `load_model`, such as `device`.
    """

    def __init__(self, model: str | EmbeddingsProtocol | Model = "static", **options: Any) -> None:
        self._load: Callable[[], Model] = lambda: load_model(model, **options)
        self._loaded: Model | None = None

    @classmethod
    def of_store(cls, store: PaperStore) -> SwimmerEmbeddings:
        """Return the embeddings of a store's own model."""
        embeddings = cls()
        embeddings._load = store.model
        return embeddings

    @property
    def swimmer_model(self) -> Model:
        """The model itself; raises `ModelError` when it cannot be loaded."""
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector for each text; raises `ModelError`."""
        vectors: list[list[float]] = self.swimmer_model.embed_documents(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a query; raises `QueryError` for a blank one."""
        vector: list[float] = self.swimmer_model.embed_query(text).tolist()
        return vector


class PaperVectorStore(VectorStore):
    """Papers, or any documents, as a LangChain vector store.

    A query is embedded as text, as LangChain has it; `load_retriever` is the face that looks a
    known title up. Scores are cosine similarities: higher is nearer. Any number of threads may
    ask while one changes it. Changes live in memory until `save_local`.

    Args:
        embedding: the model of a new store (`static` by default), or the model that a given
            store must have been built with.
        store: an open store, its name or its path; None for a new one in memory.
        trust_model: load the model that the store names, as `open_store` has it.

    Raises:
        StoreNotFoundError: there is no such store.
        ModelMismatchError: the store was built with another model.
    """

    def __init__(
        self,
        embedding: str | EmbeddingsProtocol | Model | None = None,
        *,
        store: PaperStore | str | Path | None = None,
        trust_model: bool = False,
    ) -> None:
        if store is None:
            self.store = PaperStore.create("static" if embedding is None else embedding)
        else:
            self.store = (
                store
                if isinstance(store, PaperStore)
                else open_store(store, trust_model=trust_model)
            )
            if embedding is not None:
                self.store.model(embedding)
        self._embedding = embedding

    def __repr__(self) -> str:
        return f"PaperVectorStore({self.store!r})"

    @property
    def embeddings(self) -> Embeddings:
        """The model as LangChain `Embeddings`: the object given, else that of the store."""
        if isinstance(self._embedding, Embeddings):
            return self._embedding
        return SwimmerEmbeddings.of_store(self.store)

    # ------------------------------------------------------------------ asking

    def similarity_search(
        self, query: str, k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        """Return the k documents nearest to a query, best first.

        Args:
            query: any text.
            k: documents wanted.
            filter: conditions as `filters.compile_filter` takes them, applied before the search.
            kwargs: `lookup=True` answers a known title from its stored vector; nothing else.

        Raises:
            QueryError: the query is blank, k is not a whole number above 0, the filter is wrong,
                or an argument is not known.
        """
        return [
            document
            for document, _ in self.similarity_search_with_score(query, k, filter, **kwargs)
        ]

    def similarity_search_with_score(
        self,
        query: str,
        k: int = 4,
        filter: Filter | None = None,
        *,
        lookup: bool = False,
        **unknown: Any,
    ) -> list[tuple[Document, float]]:
        """Return (document, cosine similarity) pairs; as `similarity_search` otherwise."""
        refuse_unknown(unknown, "k", "filter", "lookup")
        (answer,) = ask(self.store, [query], k, filter=filter, include_self=True, lookup=lookup)
        return [(paper_document(hit.paper), hit.score) for hit in answer.hits]

    def similarity_search_by_vector(
        self, embedding: list[float], k: int = 4, filter: Filter | None = None, **kwargs: Any
    ) -> list[Document]:
        """Return the k documents nearest to a vector of any length above 0, best first."""
        refuse_unknown(kwargs, "k", "filter")
        found = self.similarity_search_with_score_by_vector(embedding, k, filter)
        return [document for document, _ in found]

    def similarity_search_with_score_by_vector(
        self, embedding: list[float], k: int = 4, filter: Filter | None = None
    ) -> list[tuple[Document, float]]:
        """Return (document, cosine similarity) pairs for a vector.

        Raises:
            QueryError: the vector is not one of this store's dimension, or not of finite numbers.
        """
        with self.store.reading():
            hits = self._nearest(self._checked_vector(embedding), checked_k(k), filter)
            papers = self.store.papers([row for row, _ in hits])
        return [(paper_document(p), score) for p, (_, score) in zip(papers, hits, strict=True)]

    def max_marginal_relevance_search(
        self,
        query: str,
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Return k documents near to a query and unlike each other.

        Args:
            query: any text.
            k: documents wanted.
            fetch_k: how many of the nearest they are chosen from.
            lambda_mult: 1 for nearness alone, 0 for the greatest variety.
            filter: conditions as in `similarity_search`.
            kwargs: nothing else.

        Raises:
            QueryError: as for `similarity_search`, or `lambda_mult` is not between 0 and 1.
        """
        refuse_unknown(kwargs, "k", "fetch_k", "lambda_mult", "filter")
        vector = self.store.model().embed_query(_text(query))
        return self._varied(vector, k, fetch_k, lambda_mult, filter)

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        filter: Filter | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """Return k documents near to a vector and unlike each other."""
        refuse_unknown(kwargs, "k", "fetch_k", "lambda_mult", "filter")
        return self._varied(self._checked_vector(embedding), k, fetch_k, lambda_mult, filter)

    def _varied(
        self, vector: Vectors, k: int, fetch_k: int, lambda_mult: float, filter: Filter | None
    ) -> list[Document]:
        if (
            isinstance(lambda_mult, bool)
            or not isinstance(lambda_mult, (int, float))
            or (not 0 <= lambda_mult <= 1)
        ):
            raise QueryError(f"lambda_mult is a number from 0 to 1, got {lambda_mult!r:.40}")
        wanted = max(checked_k(k), checked_k(fetch_k))
        with self.store.reading():
            rows = [row for row, _ in self._nearest(vector, wanted, filter)]
            vectors = self.store.index.vectors(np.asarray(rows, np.int64))
            relevance = (vectors @ vector).tolist()
            chosen = select_diverse(relevance, vectors, k, 1 - lambda_mult)
            papers = self.store.papers([rows[i] for i in chosen])
        return [paper_document(paper) for paper in papers]

    def _nearest(self, vector: Vectors, k: int, filter: Filter | None) -> list[tuple[int, float]]:
        allowed = allowed_rows(self.store, filter)
        (hits,) = nearest(self.store, vector[None, :], k, allowed, [None])
        return hits

    def _checked_vector(self, embedding: Sequence[float]) -> Vectors:
        dimension = self.store.identity.dimension
        try:
            vector = np.asarray(embedding, np.float32)
        except (TypeError, ValueError):
            raise QueryError(f"a vector is a list of numbers, got {embedding!r:.60}") from None
        if vector.shape != (dimension,):
            raise QueryError(
                f"this store holds vectors of {dimension} dimensions, the query has the shape "
                f"{vector.shape}; embed it with the store's model {self.store.identity.name}"
            )
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or not length:
            raise QueryError("a query vector holds finite numbers, not all of them 0")
        unit: Vectors = vector / np.float32(length)
        return unit

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return lambda score: min(1.0, max(0.0, score))

    # ------------------------------------------------------------------ changing

    def add_documents(
        self, documents: list[Document], *, ids: list[str] | None = None, **kwargs: Any
    ) -> list[str]:
        """Add documents, and return their ids: those in `ids`, else their own, else new ones.

        A document whose id is there already takes the place of the old one; of two with one id
        the later counts.

        Raises:
            InputError: there are more or fewer ids than documents, a document is blank, or its
                metadata are not JSON; nothing is added then.
            ModelError: the model answers wrongly; nothing is added then.
        """
        refuse_unknown(kwargs, "ids")
        documents = list(documents)
        if ids is not None and len(ids) != len(documents):
            raise InputError(f"{len(documents)} documents came with {len(ids)} ids; one each")
        given = ids if ids is not None else [document.id for document in documents]
        papers = []
        for position, (document, identifier) in enumerate(zip(documents, given, strict=True)):
            try:
                papers.append(
                    document_paper(
                        document.page_content,
                        document.metadata,
                        str(uuid.uuid4()) if identifier is None else identifier,
                    )
                )
            except InputError as error:
                raise InputError(f"document {position + 1}: {error}") from None
        if not papers:
            return []
        return self.store.add(papers, self._embed(papers))

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Add texts with their metadata; as `add_documents` otherwise."""
        return self.add_documents(_documents(texts, metadatas), ids=ids, **kwargs)

    def _embed(self, papers: list[Paper]) -> Vectors:
        model = self.store.model()
        return model.embed_papers([model.text_of(paper) for paper in papers])

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:
        """Delete documents by id, all without an argument; ids that are not there do no harm."""
        refuse_unknown(kwargs, "ids")
        if isinstance(ids, str):
            raise InputError(f"delete takes a list of ids, got the text {ids!r:.60}")
        self.store.delete([paper.id for paper in self.store] if ids is None else ids)
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the documents of ids, in that order; ids that are not there are left out."""
        with self.store.reading():
            return [paper_document(paper) for paper in self.store.get(ids)]

    # ------------------------------------------------------------------ making, keeping

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: EmbeddingsProtocol | str | Model | None = None,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> PaperVectorStore:
        """Return a new store in memory that holds texts."""
        store = cls(embedding)
        store.add_texts(texts, metadatas, ids=ids, **kwargs)
        return store

    @classmethod
    def from_documents(
        cls,
        documents: list[Document],
        embedding: EmbeddingsProtocol | str | Model | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> PaperVectorStore:
        """Return a new store in memory that holds documents."""
        store = cls(embedding)
        store.add_documents(documents, ids=ids, **kwargs)
        return store

    def save_local(self, folder_path: str | Path) -> None:
        """Write the store to a folder, all at once or not at all.

        Raises:
            StoreError: the folder cannot be written, or another process writes to it.
        """
        self.store.commit(folder_path)

    @classmethod
    def load_local(
        cls,
        folder_path: str | Path,
        embeddings: str | EmbeddingsProtocol | Model | None = None,
        *,
        trust_model: bool = False,
        **kwargs: Any,
    ) -> PaperVectorStore:
        """Open the store in a folder; nothing in it is ever unpickled.

        Args:
            folder_path: the folder that `save_local` or `swimmer build` wrote.
            embeddings: the model it was built with; found by its name when left out.
            trust_model: load the model that the store names, as `open_store` has it.
            kwargs: nothing else.

        Raises:
            StoreNotFoundError: the folder is no store.
            ModelMismatchError: the store was built with another model.
        """
        refuse_unknown(kwargs, "folder_path", "embeddings", "trust_model")
        folder = Path(folder_path)
        try:
            store = PaperStore.open(folder, trust_model=trust_model)
        except StoreNotFoundError:
            if not (folder / "index.pkl").exists():
                raise
            raise StoreNotFoundError(
                f"{folder}: was saved by LangChain's FAISS, not by swimmer; import it once with "
                "PaperVectorStore.from_langchain_faiss(folder, embeddings), then save_local"
            ) from None
        return cls(embeddings, store=store)

    @classmethod
    def from_langchain_faiss(
        cls,
        folder_path: str | Path,
        embedding: str | EmbeddingsProtocol | Model,
        index_name: str = "index",
    ) -> PaperVectorStore:
        """Return a store in memory with what LangChain's FAISS saved; see `community`."""
        from swimmer.langchain.community import import_langchain_faiss

        return cls(store=import_langchain_faiss(folder_path, embedding, index_name))

    def to_langchain_faiss(self) -> FAISS:
        """Return a copy as `langchain_community`'s FAISS; MissingExtraError without it."""
        from swimmer.langchain.community import to_langchain_faiss

        copy: FAISS = to_langchain_faiss(self.store, self.embeddings)
        return copy


def _documents(texts: Iterable[str], metadatas: list[dict[str, Any]] | None) -> list[Document]:
    if isinstance(texts, str):
        raise InputError(f"texts is a list of texts, got one text {texts!r:.60}")
    listed = list(texts)
    for text in listed:
        if not isinstance(text, str):
            raise InputError(f"texts is a list of texts, got the element {text!r:.60}")
    if metadatas is not None and len(metadatas) != len(listed):
        raise InputError(f"{len(listed)} texts came with {len(metadatas)} metadata; one each")
    return [
        Document(page_content=text, metadata=metadata or {})
        for text, metadata in zip(listed, metadatas or [{}] * len(listed), strict=True)
    ]


def _text(query: object) -> str:
    if isinstance(query, str):
        return query
    raise QueryError(f"a query is text, got {query!r:.60}")


def refuse_unknown(unknown: dict[str, Any], *known: str) -> None:
    """Raise QueryError for a misspelt argument, which LangChain's own stores ignore."""
    for name in unknown:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there is {', '.join(known)}"
        raise QueryError(f"unknown argument {name!r:.60}; {hint}")
