"""A library as a store sees it: the row, the vector and the words of each of its papers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from swimmer.analysis.known_papers import known_rows
from swimmer.papers import Paper
from swimmer.retrieval import one_model_of
from swimmer.store import SPARSE, pack_tokens, pack_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.store import PaperStore, Rows, Vectors


@dataclass(frozen=True)
class EmbeddedLibrary:
    """The papers of a library for one store.

    Attributes:
        papers: the papers.
        rows: the row of each in the store, -1 where it is not there: (n,).
        vectors: float32 (n, dimension); zeros where the model knows no word.
        packed: the words of each, as the store compares them; "" in one that compares none.
        weights: what the words of each count for beside its vector: (n,).
    """

    papers: list[Paper]
    rows: Rows
    vectors: Vectors
    packed: list[bytes]
    weights: Vectors

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which papers the store has."""
        known: NDArray[np.bool_] = self.rows >= 0
        return known

    @property
    def rows_known(self) -> frozenset[int]:
        """The rows of the papers that the store has."""
        return frozenset(self.rows[self.known].tolist())

    def words(self, places: Rows | None = None) -> list[bytes]:
        """Return the words of some papers, of all without an argument."""
        chosen = range(len(self.papers)) if places is None else places.tolist()
        return [self.packed[place] for place in chosen if self.packed[place]]

    def word_weight(self, places: Rows) -> float:
        """Return what the words of some papers together count for beside their vectors."""
        return float(self.weights[places].mean())


def embedded_libraries(
    stores: Sequence[PaperStore], papers: Sequence[Paper]
) -> list[EmbeddedLibrary]:
    """Return a library as each of some stores sees it.

    A paper that a store knows has its stored vector, any other is embedded as the store's papers
    were; of one that another store knows, its abstract is used too.

    Raises:
        ModelError: a paper has to be embedded and the model cannot be loaded, or is another one.
    """
    known = [
        np.asarray([-1 if row is None else row for row in known_rows(store, papers)], np.int64)
        for store in stores
    ]
    filled = _filled(stores, papers, known)
    together = len(stores) > 1 and one_model_of(stores)
    made: list[EmbeddedLibrary] = []
    shared: Vectors | None = None
    for store, rows in zip(stores, known, strict=True):
        vectors = np.zeros((len(papers), store.identity.dimension), np.float32)
        if shared is not None:
            vectors[:] = shared
        here = np.flatnonzero(rows >= 0)
        vectors[here] = store.index.vectors(rows[here])
        if together and shared is None:
            shared = vectors = _from_all(stores, known, vectors)
        tokens = _embed_missing(store, filled, rows, vectors, embedded=bool(together and made))
        made.append(_with_words(store, filled, rows, vectors, tokens))
    return made


def _embed_missing(
    store: PaperStore, papers: list[Paper], rows: Rows, vectors: Vectors, *, embedded: bool
) -> dict[int, bytes]:
    """Embed the papers that have no vector; return the packed tokens of those from outside.

    Nothing is returned by a store that does not compare tokens.

    Args:
        store: the store.
        papers: the papers.
        rows: the row of each in the store, -1 where it is not there.
        vectors: those of the papers, changed in place.
        embedded: whether it was tried already, for another store of the same model.
    """
    missing = np.flatnonzero(~vectors.any(axis=1))
    weighing = store.lexical_kind == SPARSE
    wanted = missing[:0] if embedded else missing
    if weighing:
        wanted = np.union1d(wanted, np.flatnonzero(rows < 0))
    if not len(wanted):
        return {}
    model = store.model()
    if not (weighing and model.gives_weights):
        vectors[missing] = model.embed_papers([model.text_of(papers[i]) for i in missing.tolist()])
        return {}
    weighed = model.weigh_papers([model.text_of(papers[i]) for i in wanted.tolist()])
    new = np.isin(wanted, missing)
    vectors[wanted[new]] = weighed.vectors[new]
    return dict(zip(wanted.tolist(), pack_tokens(weighed.weights), strict=True))


def _from_all(stores: Sequence[PaperStore], known: Sequence[Rows], vectors: Vectors) -> Vectors:
    """Return vectors, those that are missing taken from other stores of the same model."""
    for store, rows in zip(stores[1:], known[1:], strict=True):
        here = np.flatnonzero((rows >= 0) & ~vectors.any(axis=1))
        vectors[here] = store.index.vectors(rows[here])
    return vectors


def _filled(
    stores: Sequence[PaperStore], papers: Sequence[Paper], known: Sequence[Rows]
) -> list[Paper]:
    """Return the papers with abstracts that one of several stores has and they have not."""
    filled = list(papers)
    if len(stores) < 2:
        return filled
    for store, rows in zip(stores, known, strict=True):
        places = [
            place for place in np.flatnonzero(rows >= 0).tolist() if not filled[place].abstract
        ]
        for place, stored in zip(places, store.papers(rows[places].tolist()), strict=True):
            filled[place] = replace(filled[place], abstract=stored.abstract)
    return filled


def _with_words(
    store: PaperStore,
    papers: list[Paper],
    rows: Rows,
    vectors: Vectors,
    tokens: dict[int, bytes],
) -> EmbeddedLibrary:
    weights = np.full(len(papers), store.similarity.paper, np.float32)
    packed = [b""] * len(papers)
    if store.lexical is not None:
        known = store.database.packed_words(rows[rows >= 0].tolist())
        outside = np.flatnonzero(rows < 0).tolist()
        if store.lexical_kind == SPARSE:
            of_texts = [tokens.get(one, b"") for one in outside]
        else:
            of_texts = pack_words(
                [(papers[one].display_title, papers[one].abstract) for one in outside]
            )
        for place, words in zip(outside, of_texts, strict=True):
            packed[place] = words
            if not papers[place].abstract:
                weights[place] = store.similarity.text
        for place, row in enumerate(rows.tolist()):
            if row >= 0:
                packed[place] = known.get(row, b"")
    return EmbeddedLibrary(papers, rows, vectors, packed, weights)
