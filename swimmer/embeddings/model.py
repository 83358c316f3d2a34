"""An embedding model whose vectors are checked: float32, finite, of unit length."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from swimmer.embeddings.identity import PROBES, ModelIdentity
from swimmer.embeddings.recipes import RECIPES
from swimmer.embeddings.token_weights import NO_TOKENS, TokenWeights, Weighed
from swimmer.errors import UPGRADE, ModelError, QueryError, UnreadableQueryError
from swimmer.papers import Paper
from swimmer.text import compatible, fold

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

QUERY_LIMIT = 20_000
"""Characters of a query that a model gets to see."""


@runtime_checkable
class Embeddings(Protocol):
    """What a model must do: LangChain's `Embeddings`, by its methods."""

    def embed_documents(self, texts: list[str]) -> Any:
        """Return one vector for each text."""
        ...

    def embed_query(self, text: str) -> Any:
        """Return the vector of a query."""
        ...


class Model:
    """A model whose vectors are checked, float32 and of unit length, and whose identity is known.

    Args:
        embeddings: an object with `embed_documents` and `embed_query`.
        name: the name by which `load_model` finds it again, or a description.
        revision: what pins its weights, or "".
        text: the recipe that makes a paper into text, a key of RECIPES.
        query_prompt: what the model itself puts before a query, for the record.
        document_prompt: the same of a document.
        languages: ISO 639-1 codes of what it reads; empty for no limit.
        pads: whether a batch costs as much as its longest text, as in a transformer.
        embed_array: embeds documents as an array; spares a list of Python floats ten times its
            size.
        embed_queries: the same for queries; without it they are asked one by one.
        embed_apart: embeds texts whose first line is a title, which it reads apart from the rest;
            None where the model has no such way.
        weigh: embeds texts and weighs their tokens in one pass, as queries or not; raises
            ModelError where the model's files have no weights. None for a model of another kind.
    """

    def __init__(
        self,
        embeddings: Embeddings,
        name: str,
        *,
        revision: str = "",
        text: str = "title_abstract",
        query_prompt: str = "",
        document_prompt: str = "",
        languages: Sequence[str] = (),
        pads: bool = True,
        embed_array: Callable[[list[str]], Vectors] | None = None,
        embed_queries: Callable[[list[str]], Vectors] | None = None,
        embed_apart: Callable[[list[str]], Vectors] | None = None,
        weigh: Callable[[list[str], bool], Weighed] | None = None,
    ) -> None:
        self.embeddings = embeddings
        self.name = name
        self.revision = revision
        self.text = self.own_text = text
        self.query_prompt = query_prompt
        self.document_prompt = document_prompt
        self.languages = tuple(languages)
        self.pads = pads
        self._embed = embed_array or embeddings.embed_documents
        self._embed_queries = embed_queries
        self._embed_apart = embed_apart
        self._weigh = weigh
        self._probe_weights: list[TokenWeights] | ModelError | None = None
        self._identity: ModelIdentity | None = None

    def __repr__(self) -> str:
        return f"Model({self.name!r})"

    def text_of(self, paper: Paper) -> str:
        """Return the text of a paper for `embed_papers`: of a plain document, its own."""
        if (text := paper.document_text) is not None:
            return compatible(text)
        return RECIPES[self.text].text_of(paper)

    def follows(self, recipe: str) -> bool:
        """Whether the model can read papers by a recipe, a key of RECIPES."""
        return self._embed_apart is not None or not RECIPES[recipe].apart

    def knows(self, word: str) -> bool:
        """Return whether a word is one token of the model; False where that cannot be told.

        A word that a model reads in pieces is a name, an acronym or misspelt: it has learnt little
        of it.
        """
        count = getattr(self.embeddings, "known_tokens", None)
        return callable(count) and count(word) == 1

    def with_text(self, recipe: str) -> Model:
        """Return the same model reading papers by another recipe, a key of RECIPES.

        Raises:
            ModelError: no recipe has that name, or the model cannot follow it.
        """
        if recipe == self.text:
            return self
        if recipe not in RECIPES:
            raise ModelError(
                f"unknown text recipe {recipe!r:.40}; this version knows {', '.join(RECIPES)}",
                hint=UPGRADE,
            )
        if not self.follows(recipe):
            raise ModelError(f"the model {self.name} cannot read a title apart from its abstract")
        twin = copy(self)
        twin.text = recipe
        twin._identity = replace(self.identity, text=recipe)  # noqa: SLF001  same class
        return twin

    @property
    def identity(self) -> ModelIdentity:
        """What a manifest keeps of the model; the first call embeds the probes."""
        if self._identity is None:
            self._identity = self._identified(self.embed_documents(list(PROBES)))
        return self._identity

    def _identified(self, vectors: Vectors) -> ModelIdentity:
        return ModelIdentity(
            name=self.name,
            revision=self.revision,
            dimension=vectors.shape[1],
            query_prompt=self.query_prompt,
            document_prompt=self.document_prompt,
            text=self.text,
            languages=self.languages,
            fingerprint=base64.b64encode(vectors.astype("<f2").tobytes()).decode(),
        )

    @property
    def probe_weights(self) -> list[TokenWeights]:
        """What the tokens of the probes count for: by it the weights of a model are recognised.

        Raises:
            ModelError: the model gives no weights of tokens; the message says why.
        """
        if self._probe_weights is None:
            try:
                probed = self._weighed(list(PROBES), query=False)
            except ModelError as error:
                self._probe_weights = error
            else:
                self._probe_weights = probed.weights
                self._identity = self._identity or self._identified(probed.vectors)
        if isinstance(self._probe_weights, ModelError):
            raise self._probe_weights
        return self._probe_weights

    @property
    def gives_weights(self) -> bool:
        """Whether the model weighs the tokens of a text; the first call embeds the probes."""
        try:
            return bool(self.probe_weights)
        except ModelError:
            return False

    def weigh_papers(self, texts: Sequence[str]) -> Weighed:
        """Return what `embed_papers` does, and what the tokens of each text count for.

        Raises:
            ModelError: as for `embed_documents`, or the model gives no weights of tokens.
        """
        return self._weighed(list(texts), query=False)

    def weigh_query(self, text: str) -> tuple[Vectors, TokenWeights]:
        """Return what `embed_query` does, and what the tokens of the query count for.

        Raises:
            QueryError: as for `embed_query`.
            ModelError: as for `weigh_papers`.
        """
        text = self._query_text(text)
        made = self._weighed([text], query=True)
        return self._query_vector(made.vectors[0], text), made.weights[0]

    def weigh_queries(self, texts: Sequence[str]) -> Weighed:
        """Return what `embed_queries` does, and what the tokens of each query count for.

        Raises:
            ModelError: as for `weigh_papers`.
        """
        folded = [fold(text[:QUERY_LIMIT]) for text in texts]
        rows = [i for i, text in enumerate(folded) if text]
        vectors = np.zeros((len(texts), self.identity.dimension), np.float32)
        weights = [NO_TOKENS] * len(texts)
        if rows:
            made = self._weighed([folded[i] for i in rows], query=True)
            vectors[rows] = made.vectors
            for i, one in zip(rows, made.weights, strict=True):
                weights[i] = one
        return Weighed(vectors, weights)

    def _weighed(self, texts: list[str], *, query: bool) -> Weighed:
        if self._weigh is None:
            raise ModelError(
                f"the model {self.name} gives no weights of tokens",
                hint="build the store with --lexical tfidf, or with a model that has "
                "sparse_linear.pt, such as bge-m3",
            )
        if not texts:
            return Weighed(np.empty((0, self.identity.dimension), np.float32), [])
        made = self._weigh(texts, query)
        return Weighed(self._checked(made.vectors, len(texts)), made.weights)

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts, float32 (n, dimension), of unit length or zero.

        Raises:
            ModelError: the model answers with another number of vectors, with several lengths,
                or with values that are not finite numbers.
        """
        return self._checked(self._embed(list(texts)), len(texts))

    def embed_papers(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of papers by their texts, as `text_of` gives them.

        As `embed_documents` otherwise; a model whose recipe says so reads the first line, the
        title, apart from the rest.
        """
        if self._embed_apart is not None and RECIPES[self.text].apart:
            return self._checked(self._embed_apart(list(texts)), len(texts))
        return self.embed_documents(texts)

    def embed_query(self, text: str) -> Vectors:
        """Return the vector of a query, float32 (dimension,), of unit length.

        Raises:
            QueryError: the query is blank, or holds nothing that the model knows.
            ModelError: as for `embed_documents`.
        """
        text = self._query_text(text)
        return self._query_vector(self.embeddings.embed_query(text), text)

    async def aembed_query(self, text: str) -> Vectors:
        """Return what `embed_query` does, from the coroutine of an object that has its own."""
        text = self._query_text(text)
        own: Any = self.embeddings
        return self._query_vector(await own.aembed_query(text), text)

    async def aembed_papers(self, texts: Sequence[str]) -> Vectors:
        """Return what `embed_papers` does, from the coroutine of an object that has its own."""
        if self._embed_apart is not None and RECIPES[self.text].apart:
            return self.embed_papers(texts)
        own: Any = self.embeddings
        return self._checked(await own.aembed_documents(list(texts)), len(texts))

    @staticmethod
    def _query_text(text: str) -> str:
        folded = fold(text[:QUERY_LIMIT])
        if not folded:
            raise UnreadableQueryError("the query is blank", hint="give a title or some words")
        return folded

    def _query_vector(self, raw: Any, text: str) -> Vectors:
        vector: Vectors = self._checked([raw], 1)[0]
        if not vector.any():
            raise UnreadableQueryError(
                f"the model {self.name} knows no word of {text[:60]!r}",
                hint="write the query in the model's language, or in other words",
            )
        return vector

    @property
    def batches_queries(self) -> bool:
        """Whether many queries cost less together than one by one."""
        return self._embed_queries is not None

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of queries, float32 (n, dimension), zeros for one it cannot read.

        Raises:
            ModelError: as for `embed_documents`.
        """
        vectors = np.zeros((len(texts), self.identity.dimension), np.float32)
        folded = [fold(text[:QUERY_LIMIT]) for text in texts]
        rows = [i for i, text in enumerate(folded) if text]
        if self._embed_queries is None:
            for i in rows:
                with contextlib.suppress(QueryError):
                    vectors[i] = self.embed_query(texts[i])
        elif rows:
            made = self._embed_queries([folded[i] for i in rows])
            vectors[rows] = self._checked(made, len(rows))
        return vectors

    def _checked(self, raw: Any, count: int) -> Vectors:
        try:
            vectors = np.asarray(raw, dtype=np.float32)
        except (TypeError, ValueError):
            raise ModelError(
                f"the model {self.name} answered with vectors of several lengths, or not with "
                "numbers"
            ) from None
        if vectors.ndim != 2 or len(vectors) != count or vectors.shape[1] < 1:
            raise ModelError(
                f"the model {self.name} was given {count} texts and answered with an array of "
                f"shape {vectors.shape}, expected ({count}, dimension)",
            )
        if self._identity and vectors.shape[1] != self._identity.dimension:
            raise ModelError(
                f"the model {self.name} answered with {vectors.shape[1]} dimensions, before with "
                f"{self._identity.dimension}"
            )
        # One sum finds NaN and infinity without a pass of its own over the array.
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
        if not np.isfinite(lengths).all():
            raise ModelError(f"the model {self.name} answered with values that are not finite")
        units: Vectors = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)
        return units
