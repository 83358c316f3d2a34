"""Embedding models: named ones and any object with LangChain's `Embeddings` methods."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from swimmer.errors import ModelError, ModelMismatchError, QueryError
from swimmer.manifest import ModelIdentity
from swimmer.paper import Paper
from swimmer.text import compatible, fold
from swimmer.trust import check_trusted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

PROBES = (
    "Attention is all you need",
    "Variance reduction for policy gradient methods in reinforcement learning",
    "A large dataset of images labelled by experts",
)
"""The sentences whose vectors are a model's fingerprint."""

SAME_MODEL = 0.97
"""Cosine above which two fingerprints are one model's; half precision moves it by 0.001."""

GIVEN = "python:"
"""What the name of a model starts with that was given as an object and has no name of its own."""

QUERY_LIMIT = 20_000
"""Characters of a query that a model gets to see."""


TITLE_SHARE = 0.25
"""Share of a text that a title may have and still be said again; in a short text it says enough."""


def title_twice(text: str) -> str:
    """Return a paper's text with its first line, the title, said twice, unless the text is short.

    A static model cannot see which words are the title's; a transformer gives them more weight.
    """
    title, newline, _ = text.partition("\n")
    return f"{title}\n{text}" if newline and len(title) <= TITLE_SHARE * len(text) else text


RECIPES: dict[str, Callable[[Paper], str]] = {
    "page_content": lambda paper: paper.page_content,
    "title_abstract": lambda paper: paper.embedding_text,
    "title_title_abstract": lambda paper: title_twice(paper.embedding_text),
}
"""How a paper becomes the text that is embedded; the name stands in the manifest."""


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
    ) -> None:
        self.embeddings = embeddings
        self.name = name
        self.revision = revision
        self.text = text
        self.query_prompt = query_prompt
        self.document_prompt = document_prompt
        self.languages = tuple(languages)
        self.pads = pads
        self._embed = embed_array or embeddings.embed_documents
        self._embed_queries = embed_queries
        self._identity: ModelIdentity | None = None

    def __repr__(self) -> str:
        return f"Model({self.name!r})"

    def text_of(self, paper: Paper) -> str:
        """Return the text of a paper that this model embeds: of a plain document, its own."""
        if (document := paper.document) is not None:
            return compatible(document[0])
        return RECIPES[self.text](paper)

    def with_text(self, recipe: str) -> Model:
        """Return the same model reading papers by another recipe, a key of RECIPES.

        Raises:
            ModelError: no recipe has that name.
        """
        if recipe == self.text:
            return self
        if recipe not in RECIPES:
            raise ModelError(
                f"no way to make a paper into text is called {recipe!r:.40}; this swimmer knows "
                f"{', '.join(RECIPES)}. Upgrade with: pip install -U swimmer"
            )
        twin = copy(self)
        twin.text = recipe
        twin._identity = replace(self.identity, text=recipe)
        return twin

    @property
    def identity(self) -> ModelIdentity:
        """What a manifest keeps of the model; the first call embeds the probes."""
        if self._identity is None:
            vectors = self.embed_documents(list(PROBES))
            self._identity = ModelIdentity(
                name=self.name,
                revision=self.revision,
                dimension=vectors.shape[1],
                query_prompt=self.query_prompt,
                document_prompt=self.document_prompt,
                text=self.text,
                languages=self.languages,
                fingerprint=base64.b64encode(vectors.astype("<f2").tobytes()).decode(),
            )
        return self._identity

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors of texts, float32 (n, dimension), of unit length or zero.

        Raises:
            ModelError: the model answers with another number of vectors, with several lengths,
                or with values that are not finite numbers.
        """
        return self._checked(self._embed(list(texts)), len(texts))

    def embed_query(self, text: str) -> Vectors:
        """Return the vector of a query, float32 (dimension,), of unit length.

        Raises:
            QueryError: the query is blank, or holds nothing that the model knows.
            ModelError: as for `embed_documents`.
        """
        text = fold(text[:QUERY_LIMIT])
        if not text:
            raise QueryError("the query is blank; give a title or some words")
        vector: Vectors = self._checked([self.embeddings.embed_query(text)], 1)[0]
        if not vector.any():
            raise QueryError(
                f"the model {self.name} knows no word of {text[:60]!r}; "
                "ask in its language, or in other words"
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
                f"shape {vectors.shape}; expected ({count}, dimension)"
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


def check_same(store: ModelIdentity, model: ModelIdentity, where: str) -> None:
    """Raise ModelMismatchError unless `model` makes the vectors that a store was built with."""
    if store.dimension == model.dimension:
        kept, now = (_probe_vectors(identity) for identity in (store, model))
        if kept.shape == now.shape and float((kept * now).sum(axis=1).min()) >= SAME_MODEL:
            return
    how = "" if model.name.startswith(GIVEN) else f": swimmer build ITS_FOLDER --model {model.name}"
    raise ModelMismatchError(
        f"{where} was built with the model {describe(store)}; {describe(model)} makes other "
        "vectors. Ask with the store's own model, or build the store again with this one, from its "
        f"list or from the papers it holds{how}"
    )


def describe(identity: ModelIdentity) -> str:
    """Return a model's name, revision and dimension in words."""
    revision = f" @ {identity.revision[:12]}" if identity.revision else ""
    return f"{identity.name}{revision} ({identity.dimension} dimensions)"


def _probe_vectors(identity: ModelIdentity) -> Vectors:
    try:
        flat = np.frombuffer(base64.b64decode(identity.fingerprint), dtype="<f2")
        return flat.astype(np.float32).reshape(len(PROBES), identity.dimension)
    except ValueError:
        return np.empty((0, identity.dimension), np.float32)


def load_model(model: str | Embeddings | Model, **options: Any) -> Model:
    """Return a model by name, or wrap an object that has LangChain's `Embeddings` methods.

    Args:
        model: `static` (the embedded default), `bge-m3`, a Hugging Face id
            (`intfloat/e5-base-v2`), the folder of a model, or an object.
        options: of a Hugging Face model, as `load_huggingface` takes them: `device`, `revision`,
            `half`, `batch_size`, `max_tokens`, `query_prompt`, `document_prompt`. An object has
            its own settings and takes none.

    Raises:
        ModelError: the name is not known, the model cannot be loaded, or the object has not the
            two methods.
        MissingExtraError: the model needs a package that is not installed.
    """
    if not isinstance(model, (str, Path)):
        if options:
            raise ModelError(
                f"a model given as an object has its own settings, got {', '.join(options)}; set "
                "them on the object, or name the model"
            )
        return model if isinstance(model, Model) else _wrap(model)
    if model == "static":
        if options:
            raise ModelError(f"the model static takes no options, got {', '.join(options)}")
        from swimmer.static import StaticEmbeddings

        static = StaticEmbeddings()
        return Model(
            static,
            "static",
            revision=static.revision,
            text=static.paper_text,
            languages=("en",),
            pads=False,
            embed_array=partial(static.embed, on_unknown="zero"),
        )
    from swimmer.huggingface import load_huggingface

    return load_huggingface(str(model), **options)


def load_own(identity: ModelIdentity, where: str, *, trust: bool = False) -> Model:
    """Return the model that `where` was built with, loaded by its name and checked.

    Args:
        identity: the model, as a manifest names it.
        where: the store, in words.
        trust: load it though the user has not named it before; see `swimmer.trust`.

    Raises:
        UntrustedModelError: only the store names it, and `trust` is False.
        ModelError: it cannot be loaded, or was an object in Python, which has no name.
        ModelMismatchError: what has its name now makes other vectors.
    """
    if identity.name.startswith(GIVEN):
        raise ModelError(
            f"{where} was built with the model {identity.name.removeprefix(GIVEN)}, an object in "
            "Python; give it again with embeddings=, or build the store with a named model"
        )
    options: dict[str, Any] = {}
    if identity.name != "static":
        check_trusted(identity, where, trust=trust)
        options = {
            "named_by_store": True,
            "revision": identity.revision,
            "query_prompt": identity.query_prompt,
            "document_prompt": identity.document_prompt,
        }
    try:
        model = load_model(identity.name, **options)
    except ModelError as error:
        if type(error) is not ModelError:
            raise
        raise ModelError(
            f"{where} was built with the model {identity.name}, which cannot be loaded: {error}"
        ) from None
    check_same(identity, model.identity, where)
    return model.with_text(identity.text)


def _wrap(embeddings: object) -> Model:
    if not isinstance(embeddings, Embeddings) or isinstance(embeddings, type):
        raise ModelError(
            f"a model is a name or an object with embed_documents and embed_query; "
            f"got {embeddings!r:.80}"
        )
    kind = type(embeddings)
    inner = getattr(embeddings, "swimmer_model", None)
    if isinstance(inner, Model):
        return inner
    if kind.__module__.startswith("langchain_huggingface."):
        from swimmer.huggingface import wrap_huggingface

        return wrap_huggingface(embeddings)
    wanted = getattr(embeddings, "paper_text", None)
    recipe = wanted if isinstance(wanted, str) and wanted in RECIPES else "title_abstract"
    named = getattr(embeddings, "model_name", None) or getattr(embeddings, "model", None)
    if not isinstance(named, str) or not named:
        named = f"{GIVEN}{kind.__module__}.{kind.__qualname__}"
    return Model(embeddings, named, text=recipe)
