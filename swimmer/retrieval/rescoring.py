"""Candidates scored by their words too, beside the cosine by which they were found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from swimmer.retrieval.candidates import Candidate, Query
from swimmer.retrieval.inputs import QueryInput
from swimmer.store import SPARSE, PaperStore, combined_score, pack_query, pack_words

if TYPE_CHECKING:
    from swimmer.store import WordVector


def query_words(
    store: PaperStore, positive: Sequence[QueryInput], negative: Sequence[QueryInput]
) -> tuple[WordVector | None, float]:
    """Return the words of a query as a vector, and what they count for beside its own vector.

    None and 0 in a store that does not compare words, and for a query without any.
    """
    index = store.lexical
    if index is None:
        return None, 0.0
    words = index.vector(_packed(store, positive), _packed(store, negative))
    weights = [
        store.similarity.paper if one.is_paper else store.similarity.text for one in positive
    ]
    return (words, sum(weights) / len(weights)) if len(words.words) else (None, 0.0)


def _packed(store: PaperStore, inputs: Sequence[QueryInput]) -> list[bytes]:
    known = store.database.packed_words(sorted({row for one in inputs for row in one.rows}))
    packed = []
    for one in inputs:
        if one.rows:
            packed += [known.get(row, b"") for row in sorted(one.rows)]
        elif store.lexical_kind == SPARSE:
            # None where the model was an object that gives a vector and no weights.
            packed.append(one.tokens or b"")
        elif one.outside is not None:
            paper = one.outside
            packed += pack_words([(paper.display_title, paper.abstract)])
        else:
            packed.append(pack_query(one.text))
    return packed


def rescored(
    store: PaperStore, queries: Sequence[Query], rankings: Sequence[Sequence[tuple[int, float]]]
) -> list[list[Candidate]]:
    """Return the candidates of each query in the order of their scores, best first.

    Args:
        store: the store.
        queries: what was asked.
        rankings: for each query, (row, cosine) pairs.
    """
    index = store.lexical if any(query.weight for query in queries) else None
    packed: dict[int, bytes] = {}
    if index is not None:
        rows = {
            row
            for query, pairs in zip(queries, rankings, strict=True)
            if query.weight
            for row, _ in pairs
        }
        packed = store.database.packed_words(sorted(rows))
    found = []
    for query, pairs in zip(queries, rankings, strict=True):
        if index is None or query.lexical is None or not query.weight or not pairs:
            found.append([Candidate(row, cosine, cosine) for row, cosine in pairs])
            continue
        numbers = np.fromiter((row for row, _ in pairs), np.int64, len(pairs))
        cosines = np.fromiter((cosine for _, cosine in pairs), np.float32, len(pairs))
        lexical = index.scores(query.lexical, [packed.get(row, b"") for row, _ in pairs])
        scores = combined_score(cosines, lexical, query.weight)
        order = np.lexsort((numbers, -scores))
        found.append(
            [
                Candidate(row, score, cosine)
                for row, score, cosine in zip(
                    numbers[order].tolist(),
                    scores[order].tolist(),
                    cosines[order].tolist(),
                    strict=True,
                )
            ]
        )
    return found
