"""The score of every paper of a store to one query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from swimmer.retrieval.inputs import input_vectors, resolve_inputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.papers import Paper
    from swimmer.store import PaperStore

_BLOCK = 50_000


def all_scores(store: PaperStore, query: str | Paper) -> NDArray[np.float32]:
    """Return the cosine similarity of every paper to a query, float32 (n,), by row.

    Raises:
        QueryError: the query is blank, or the model knows no word of it.
        ModelError: the query has to be embedded and the model cannot be loaded.
    """
    with store.reading():
        vectors, _ = input_vectors(store, resolve_inputs(store, [query], True), None)
        scores = np.empty(len(store), np.float32)
        for start in range(0, len(store), _BLOCK):
            rows = np.arange(start, min(start + _BLOCK, len(store)))
            scores[rows] = store.vectors(rows) @ vectors[0]
    return scores
