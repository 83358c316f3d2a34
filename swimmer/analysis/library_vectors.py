"""A library as a store sees it: the row, the vector and the words of each of its papers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from swimmer.analysis.known_papers import known_rows
from swimmer.papers import Paper
from swimmer.retrieval import one_model_of
from swimmer.store import pack_words

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
        missing = np.flatnonzero(~vectors.any(axis=1))
        if len(missing) and not (together and made):
            model = store.model()
            texts = [model.text_of(filled[place]) for place in missing.tolist()]
            vectors[missing] = model.embed_papers(texts)
        made.append(_with_words(store, filled, rows, vectors))
    return made


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
    store: PaperStore, papers: list[Paper], rows: Rows, vectors: Vectors
) -> EmbeddedLibrary:
    weights = np.full(len(papers), store.similarity.paper, np.float32)
    packed = [b""] * len(papers)
    if store.lexical is not None:
        known = store.database.packed_words(rows[rows >= 0].tolist())
        outside = np.flatnonzero(rows < 0).tolist()
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
