"""Queries and examples as given, resolved against a store: the row and the vector of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from swimmer.errors import QueryError, UnreadableQueryError
from swimmer.papers import Paper
from swimmer.retrieval.resolver import Resolution, resolve, resolve_all
from swimmer.retrieval.titles import find_titles
from swimmer.store import SPARSE, PaperStore
from swimmer.text import clean, foreign_language

if TYPE_CHECKING:
    from swimmer.embeddings import Embeddings, Model
    from swimmer.store import Vectors


_UNWEIGHED = (
    "the model gives no weights of tokens here, as it did when the store was built, so papers are "
    "compared by their vectors alone"
)


@dataclass(frozen=True)
class EmbeddedPaper:
    """A paper whose vector another store of the same model holds, float32 (dimension,).

    `tokens` are its packed tokens, where that store has the same weights of them.
    """

    paper: Paper
    vector: Vectors
    tokens: bytes | None = None


@dataclass(frozen=True)
class EmbeddedText:
    """A text as it was given, and its vector, float32 (dimension,); zeros where unreadable."""

    text: str
    vector: Vectors


@dataclass(frozen=True)
class QueryInput:
    """One query or example: its text, the paper it was given as, and its row in the store.

    `outside` is None for text, `row` is None where the store has no such paper. `vector` is the
    paper's own, where it is known without a model. `group` are the rows of an author whose papers
    are meant together. `resolution` says what a text was taken as. `warnings` are sentences for
    the user. `tokens` are its packed tokens, where the store compares these and they are not the
    store's own.
    """

    text: str
    outside: Paper | None = None
    vector: Vectors | None = None
    row: int | None = None
    exact: bool = False
    warnings: tuple[str, ...] = ()
    group: tuple[int, ...] = ()
    resolution: Resolution | None = None
    tokens: bytes | None = None

    @property
    def typed(self) -> str:
        """The text as it was given, before any correction."""
        return self.resolution.typed if self.resolution is not None else self.text

    @property
    def rows(self) -> frozenset[int]:
        """The rows of the store that this input is."""
        return frozenset(self.group if self.row is None else (self.row,))

    @property
    def is_paper(self) -> bool:
        """Whether its words are those of whole papers, not of a text alone."""
        return bool(self.rows) or (self.outside is not None and bool(self.outside.abstract))


def checked_query(query: object) -> str:
    """Return a query cleaned, or raise QueryError when it is not text or blank."""
    if not isinstance(query, str):
        raise QueryError(f"a query is text, got {query!r:.60}")
    cleaned = clean(query)
    if not cleaned:
        raise UnreadableQueryError("the query is blank", hint="give a title or some words")
    return cleaned


def resolve_inputs(
    store: PaperStore,
    given: Sequence[str | Paper | EmbeddedPaper | EmbeddedText],
    lookup: bool | str,
) -> list[QueryInput]:
    """Return an input for each text or paper, with its row where the store has it.

    Raises:
        QueryError: a text is blank, is neither a text nor a paper, or cannot be taken as `lookup`
            demands.
    """
    inputs = [_input(one) for one in given]
    if lookup in (False, "text"):
        return [_resolved(store, one, resolve(store, one.text, lookup)) for one in inputs]
    papers = [one for one in inputs if one.outside is not None]
    texts = [one.text for one in inputs if one.outside is None]
    matches = iter(find_titles(store, [one.text for one in papers]))
    if lookup is True:
        resolutions = iter(resolve_all(store, texts))
    else:
        resolutions = iter([resolve(store, text, lookup) for text in texts])
    return [
        _resolved(store, one, next(resolutions))
        if one.outside is None
        else _with_row(store, one, next(matches))
        for one in inputs
    ]


def _resolved(store: PaperStore, one: QueryInput, found: Resolution) -> QueryInput:
    if one.outside is not None:
        return one
    if store.database.documents_among(found.rows):
        # Only papers are looked up: a document is found by its text, also where that is the query.
        found = resolve(store, found.typed, "text")
    return replace(
        one,
        text=found.text,
        row=found.rows[0] if found.matched else None,
        exact=found.exact,
        group=found.rows if found.listed else (),
        warnings=found.warnings,
        resolution=found,
    )


def _with_row(store: PaperStore, one: QueryInput, match: tuple[int, bool] | None) -> QueryInput:
    """Return an input with its row: that of its title, or, of a paper of the store itself, its own.

    Several papers of a store may have one title ("Position paper", a title in two tracks).
    """
    if one.outside is not None:
        own = store.database.row_of_id(one.outside.id)
        if own is not None and store.database.keys_of_rows([own]) == [one.outside.key]:
            match = (own, True)
    return replace(one, row=match[0], exact=match[1]) if match else one


def _input(given: str | Paper | EmbeddedPaper | EmbeddedText) -> QueryInput:
    if isinstance(given, EmbeddedText):
        return QueryInput(checked_query(given.text), vector=given.vector)
    if isinstance(given, EmbeddedPaper):
        paper = given.paper
        return QueryInput(paper.title, outside=paper, vector=given.vector, tokens=given.tokens)
    if isinstance(given, Paper):
        return QueryInput(given.title, outside=given)
    return QueryInput(checked_query(given))


def texts_to_embed(store: PaperStore, texts: Sequence[str], lookup: bool | str) -> list[str]:
    """Return, for each query, the text that a model has to embed, "" where none is needed.

    Raises:
        QueryError: as `resolve_inputs` does.
    """
    with store.reading():
        inputs = resolve_inputs(store, texts, lookup)
        return ["" if one.rows else one.text for one in inputs]


def input_vectors(
    store: PaperStore, inputs: Sequence[QueryInput], embeddings: str | Embeddings | Model | None
) -> tuple[Vectors, list[QueryInput]]:
    """Return a vector for each input, float32 (n, dimension), and the inputs with their warnings.

    A paper of the store has its stored vector; a paper from outside is embedded as the store's
    papers were, a text as a query. A row of zeros stands for a text of which the model knows no
    word and that is in a language it does not read.

    Raises:
        QueryError: the model knows no word of an English text.
        ModelError: a model is needed and cannot be loaded, or is not the store's.
    """
    vectors = _stored_vectors(store, inputs)
    noted = _with_outside_embedded(store, inputs, vectors, embeddings)
    weighing = store.lexical_kind == SPARSE
    for i, one in enumerate(inputs):
        if one.outside is None and not (one.rows and vectors[i].any()):
            vectors[i], noted[i] = _embedded(store.model(embeddings), one, weighing)
            noted[i] = _warned(noted[i], _rebuild_hint(store))
        if weighing and not one.rows and noted[i].tokens is None:
            noted[i] = _warned(noted[i], _UNWEIGHED)
    return vectors, noted


def _warned(one: QueryInput, warning: str) -> QueryInput:
    return replace(one, warnings=(*one.warnings, warning)) if warning else one


def _stored_vectors(store: PaperStore, inputs: Sequence[QueryInput]) -> Vectors:
    """Return the vector of each input that is known without a model, zeros for others."""
    import numpy as np

    vectors = np.zeros((len(inputs), store.identity.dimension), np.float32)
    known = [i for i, one in enumerate(inputs) if one.row is not None]
    if known:
        vectors[known] = store.index.vectors(
            np.asarray([one.row for one in inputs if one.row is not None], np.int64)
        )
    for i, one in enumerate(inputs):
        if one.group:
            mean = store.index.vectors(np.asarray(one.group, np.int64)).mean(axis=0)
            vectors[i] = mean / max(float(np.linalg.norm(mean)), 1e-30)
        if one.vector is not None and not vectors[i].any():
            vectors[i] = one.vector
    return vectors


def _with_outside_embedded(
    store: PaperStore,
    inputs: Sequence[QueryInput],
    vectors: Vectors,
    embeddings: str | Embeddings | Model | None,
) -> list[QueryInput]:
    """Embed the papers from outside; return the inputs, with tokens where the store weighs them.

    Vectors that are there already are left as they are.
    """
    from swimmer.store import pack_tokens

    weighing = store.lexical_kind == SPARSE
    noted = list(inputs)
    outside = [
        i
        for i, one in enumerate(inputs)
        if one.outside is not None
        and not (vectors[i].any() and (one.rows or one.tokens is not None or not weighing))
    ]
    if not outside:
        return noted
    model = store.model(embeddings)
    papers = [paper for i in outside if (paper := inputs[i].outside) is not None]
    texts = [model.text_of(paper) for paper in papers]
    if not (weighing and model.gives_weights):
        missing = [i for i in outside if not vectors[i].any()]
        if missing:
            made = model.embed_papers([texts[outside.index(i)] for i in missing])
            vectors[missing] = made
        return noted
    weighed = model.weigh_papers(texts)
    for i, vector, tokens in zip(
        outside, weighed.vectors, pack_tokens(weighed.weights), strict=True
    ):
        if not vectors[i].any():
            vectors[i] = vector
        noted[i] = replace(noted[i], tokens=tokens)
    return noted


def _rebuild_hint(store: PaperStore) -> str:
    """Return how to build a store again that an older version built, "" for one of this version."""
    model = store.model()
    if model.text == model.own_text or store.folder is None:
        return ""
    return (
        f"the store {store.name} was built by an older version, which read papers in another way "
        f"({model.text}); known titles are answered as before, texts are answered better once it "
        f"is built again: swimmer build {store.folder} --model {model.name}"
    )


def _embedded(model: Model, one: QueryInput, weighing: bool) -> tuple[Vectors, QueryInput]:
    import numpy as np

    language = foreign_language(one.text) if "en" in model.languages else ""
    if language:
        warning = (
            f"this query looks like {language}; the model {model.name} of this store reads "
            "English, so the answer may be noise. A store built with --model bge-m3 reads it"
        )
        one = replace(one, warnings=(*one.warnings, warning))
    if one.vector is not None:
        return one.vector, one
    try:
        if weighing and model.gives_weights:
            from swimmer.store import pack_tokens

            vector, weights = model.weigh_query(one.text)
            return vector, replace(one, tokens=pack_tokens([weights])[0])
        return model.embed_query(one.text), one
    except QueryError:
        if not language:
            raise
        return np.zeros(model.identity.dimension, np.float32), one
