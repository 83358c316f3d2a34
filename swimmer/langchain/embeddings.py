"""A model of swimmer as LangChain embeddings."""

from __future__ import annotations

from typing import Any

from langchain_core.embeddings import Embeddings

from swimmer.embeddings import Embeddings as EmbeddingsProtocol, Model, load_model
from swimmer.store import PaperStore


class SwimmerEmbeddings(Embeddings):
    """A model of swimmer as LangChain `Embeddings`: unit vectors, checked, as lists of floats.

    Args:
        model: what `load_model` takes, `static` (no torch, no download) by default; loaded when
            it is first asked.
        options: further arguments of `load_model`, such as `device`.
    """

    def __init__(self, model: str | EmbeddingsProtocol | Model = "static", **options: Any) -> None:
        self._source: str | EmbeddingsProtocol | Model | PaperStore = model
        self._options = options
        self._loaded: Model | None = None

    @classmethod
    def of_store(cls, store: PaperStore) -> SwimmerEmbeddings:
        """Return the embeddings of a store's own model."""
        embeddings = cls()
        embeddings._source = store
        return embeddings

    def __getstate__(self) -> dict[str, Any]:
        # A model that a name leads to is loaded again where it is needed.
        named = isinstance(self._source, (str, PaperStore))
        return {**self.__dict__, "_loaded": None if named else self._loaded}

    @property
    def swimmer_model(self) -> Model:
        """The model itself; raises `ModelError` when it cannot be loaded."""
        if self._loaded is None:
            source = self._source
            self._loaded = (
                source.model()
                if isinstance(source, PaperStore)
                else load_model(source, **self._options)
            )
        return self._loaded

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return one vector for each text; raises `ModelError`."""
        vectors: list[list[float]] = self.swimmer_model.embed_documents(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """Return the vector of a query; raises `QueryError` for a blank one."""
        vector: list[float] = self.swimmer_model.embed_query(text).tolist()
        return vector
