"""LangChain's vector store over a folder of papers: searched, changed, saved without a pickle."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.runnables import run_in_executor

from swimmer.embeddings import Embeddings as EmbeddingsProtocol, Model, check_same
from swimmer.errors import InputError, QueryError, StoreNotFoundError
from swimmer.langchain.arguments import checked_batch_size, refuse_unknown
from swimmer.langchain.documents import document_paper, paper_document
from swimmer.langchain.embeddings import SwimmerEmbeddings
from swimmer.langchain.searching import (
    own_async_model,
)
from swimmer.langchain.vector_search import VectorSearch
from swimmer.papers import Paper
from swimmer.store import PaperStore, open_store

if TYPE_CHECKING:
    from langchain_community.vectorstores import FAISS


class PaperVectorStore(VectorSearch):
    """Papers, or any documents, as a LangChain vector store.

    A query is embedded as text, as in other LangChain stores; `load_retriever` also looks up known
    titles. Scores are cosine similarities: higher is nearer. Any number of threads may
    search while one changes the store. Changes are in memory only until `save_local`.

    Args:
        embedding: the model of a new store (`static` by default), or the model that a given
            store must have been built with.
        store: an open store, its name or its path; None for a new one in memory.
        trust_model: load the model that the store names, as in `open_store`.
        refresh: follow what other processes commit, as in `open_store`.

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
        refresh: bool = True,
    ) -> None:
        if store is None:
            self.store = PaperStore.create("static" if embedding is None else embedding)
        else:
            self.store = (
                store
                if isinstance(store, PaperStore)
                else open_store(store, trust_model=trust_model, refresh=refresh)
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

    # ------------------------------------------------------------------ changing

    def add_documents(
        self,
        documents: list[Document],
        *,
        ids: list[str] | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Add documents, and return their ids: those in `ids`, else their own, else new ones.

        A document whose id is there already takes the place of the old one; of two with one id
        the later counts.

        Args:
            documents: what to add.
            ids: their ids, one each.
            batch_size: documents that are given to the model at once, as LangChain's `index`
                says it; all by default.
            kwargs: nothing else.

        Raises:
            InputError: there are more or fewer ids than documents, a document is blank, or its
                metadata are not JSON; nothing is added then.
            ModelError: the model returns wrong vectors; nothing is added then.
        """
        refuse_unknown(kwargs, "ids", "batch_size")
        size = checked_batch_size(batch_size)
        papers = _papers(documents, ids)
        return self.store.add(papers, batch_size=size) if papers else []

    async def aadd_documents(
        self,
        documents: list[Document],
        *,
        ids: list[str] | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Add documents as `add_documents` does; the model's own coroutines are awaited."""
        refuse_unknown(kwargs, "ids", "batch_size")
        model = await own_async_model(self.store, self._own_embedding())
        if model is None:
            return await run_in_executor(
                None, partial(self.add_documents, documents, ids=ids, batch_size=batch_size)
            )
        size = checked_batch_size(batch_size)
        papers = await run_in_executor(None, _papers, documents, ids)
        if not papers:
            return []
        texts = [model.text_of(paper) for paper in papers]
        made = [await model.aembed_papers(part) for part in _parts(texts, size)]
        return await run_in_executor(None, self.store.add, papers, np.concatenate(made))

    def _own_embedding(self) -> EmbeddingsProtocol | None:
        embedding = self._embedding
        return None if isinstance(embedding, (str, Model)) else embedding

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

    async def aadd_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Add texts with their metadata; as `aadd_documents` otherwise."""
        return await self.aadd_documents(_documents(texts, metadatas), ids=ids, **kwargs)

    def add_embeddings(
        self,
        text_embeddings: Iterable[tuple[str, Sequence[float]]],
        metadatas: list[dict[str, Any]] | None = None,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Add texts with the vectors that the store's model made of them.

        Args:
            text_embeddings: pairs of a text and its vector, of any length above 0.
            metadatas: the metadata of each.
            ids: the id of each.
            kwargs: nothing else.

        Raises:
            InputError: as `add_documents` does.
            QueryError: a vector is not one of this store's dimension, or not of finite numbers.
        """
        refuse_unknown(kwargs, "metadatas", "ids")
        pairs = list(text_embeddings)
        papers = _papers(_documents([text for text, _ in pairs], metadatas), ids)
        if not papers:
            return []
        return self.store.add(papers, np.stack([self.checked_vector(one) for _, one in pairs]))

    def merge_from(self, target: PaperVectorStore) -> None:
        """Add what another store holds, with its vectors; of one id, the other's counts.

        Raises:
            ModelMismatchError: the other store was built with another model.
        """
        if not isinstance(target, PaperVectorStore):
            raise InputError(f"merge_from takes a PaperVectorStore, got {target!r:.60}")
        check_same(self.store.identity, target.store.identity, f"the store {self.store.name}")
        with target.store.reading():
            papers, vectors = list(target.store), target.store.vectors()
        if papers:
            self.store.add(papers, vectors)

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:
        """Delete documents by id, all without an argument; unknown ids are ignored."""
        refuse_unknown(kwargs, "ids")
        if isinstance(ids, str):
            raise InputError(f"delete takes a list of ids, got the text {ids!r:.60}")
        self.store.delete([paper.id for paper in self.store] if ids is None else ids)
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """Return the documents of ids, in that order; unknown ids are left out."""
        with self.store.reading():
            return [paper_document(paper) for paper in self.store.get(ids)]

    # ------------------------------------------------------------------ creating, saving

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
        store.add_texts(texts, metadatas, ids=ids, **_without_faiss(kwargs))
        return store

    @classmethod
    async def afrom_texts(
        cls,
        texts: list[str],
        embedding: EmbeddingsProtocol | str | Model | None = None,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> PaperVectorStore:
        """Return a new store in memory that holds texts; see `aadd_documents`."""
        store = await run_in_executor(None, cls, embedding)
        await store.aadd_texts(texts, metadatas, ids=ids, **_without_faiss(kwargs))
        return store

    @classmethod
    def from_embeddings(
        cls,
        text_embeddings: Iterable[tuple[str, Sequence[float]]],
        embedding: EmbeddingsProtocol | str | Model,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> PaperVectorStore:
        """Return a new store in memory of texts and the vectors that `embedding` made of them."""
        store = cls(embedding)
        store.add_embeddings(text_embeddings, metadatas, ids, **_without_faiss(kwargs))
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
        store.add_documents(documents, ids=ids, **_without_faiss(kwargs))
        return store

    @classmethod
    async def afrom_documents(
        cls,
        documents: list[Document],
        embedding: EmbeddingsProtocol | str | Model | None = None,
        *,
        ids: list[str] | None = None,
        **kwargs: Any,
    ) -> PaperVectorStore:
        """Return a new store in memory that holds documents; see `aadd_documents`."""
        store = await run_in_executor(None, cls, embedding)
        await store.aadd_documents(documents, ids=ids, **_without_faiss(kwargs))
        return store

    def save_local(self, folder_path: str | Path, index_name: str = "index", **kwargs: Any) -> None:
        """Write the store to a folder, all at once or not at all.

        Raises:
            QueryError: another `index_name` than LangChain's own is given.
            StoreError: the folder cannot be written, or another process writes to it.
        """
        refuse_unknown(kwargs, "folder_path", "index_name")
        _check_index_name(folder_path, index_name)
        self.store.commit(folder_path)

    @classmethod
    def load_local(
        cls,
        folder_path: str | Path,
        embeddings: str | EmbeddingsProtocol | Model | None = None,
        index_name: str = "index",
        *,
        allow_dangerous_deserialization: bool = False,
        trust_model: bool = False,
        refresh: bool = True,
        **kwargs: Any,
    ) -> PaperVectorStore:
        """Open the store in a folder; nothing in it is ever unpickled.

        Args:
            folder_path: the folder that `save_local` or `swimmer build` wrote.
            embeddings: the model it was built with; found by its name when left out.
            index_name: taken for the sake of LangChain's FAISS: a folder holds one store, so only
                its default is right.
            allow_dangerous_deserialization: taken for the same reason and not used: there is no
                pickle whose reading would have to be allowed.
            trust_model: load the model that the store names, as in `open_store`.
            refresh: follow what other processes commit, as in `open_store`.
            kwargs: arguments of LangChain's FAISS about distances, which are not used: scores are
                cosine similarities.

        Raises:
            StoreNotFoundError: the folder is no store.
            ModelMismatchError: the store was built with another model.
        """
        refuse_unknown(
            _without_faiss(kwargs), "folder_path", "embeddings", "trust_model", "refresh"
        )
        _check_index_name(folder_path, index_name)
        folder = Path(folder_path)
        try:
            store = PaperStore.open(folder, trust_model=trust_model, refresh=refresh)
        except StoreNotFoundError:
            if not (folder / "index.pkl").exists():
                raise
            raise StoreNotFoundError(
                f"{folder}: was saved by LangChain's FAISS, not by swimmer",
                hint=(
                    "import it once with PaperVectorStore.from_langchain_faiss(folder, "
                    "embeddings), then save_local"
                ),
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
        raise InputError(
            f"{len(listed)} texts came with {len(metadatas)} metadata",
            hint="give one for each text",
        )
    return [
        Document(page_content=text, metadata=metadata or {})
        for text, metadata in zip(listed, metadatas or [{}] * len(listed), strict=True)
    ]


_FAISS_ARGUMENTS = ("normalize_L2", "distance_strategy", "relevance_score_fn")


def _without_faiss(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments without those of LangChain's FAISS that choose a distance."""
    return {name: value for name, value in arguments.items() if name not in _FAISS_ARGUMENTS}


def _check_index_name(folder: str | Path, name: object) -> None:
    if name != "index":
        raise QueryError(
            "a folder holds one store, so it has no index_name",
            hint=(
                f"give the store {name!r:.60} a folder of its own: "
                f"{Path(folder) / str(name)[:60]!s}"
            ),
        )


def _papers(documents: Iterable[Document], ids: list[str] | None) -> list[Paper]:
    documents = list(documents)
    if ids is not None and len(ids) != len(documents):
        raise InputError(
            f"{len(documents)} documents came with {len(ids)} ids",
            hint="give one for each document",
        )
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
    return papers


def _parts(texts: list[str], size: int | None) -> list[list[str]]:
    size = size or len(texts)
    return [texts[start : start + size] for start in range(0, len(texts), size)]
