"""From which score on a store has something to say: learnt from its own titles and from others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from swimmer.store import (
    CLOSENESS,
    SPARSE,
    closeness_key,
    combined_score,
    pack_queries,
    pack_tokens,
)

if TYPE_CHECKING:
    from swimmer.store import PaperStore, Rows, Vectors

FEWEST = 20
"""Papers below which nothing can be learnt."""

SAMPLE = 100
"""Titles of the store that are asked, at most."""

MISSED = 0.02
"""The share of the store's own titles that may be taken for unrelated."""

DEPTH = 100
"""Candidates whose words are compared, as in a search."""

PLACES = dict(zip(CLOSENESS, (1, 10, 50), strict=True))
"""A hit is, say, related where it scores as the tenth hit of the store's own papers does.

The tenth is the median over the sample. In a store of fewer papers than FULL, in which the tenth
hit says less, the places are nearer. `docs/asking.md` has what this gives on judged sets.
"""

FULL = 1_000
"""Papers from which on PLACES are as they stand."""

UNRELATED = (
    "How to bake a sourdough bread with a crisp crust",
    "Slow-cooked beef stew with carrots, onions and red wine",
    "Whisk the eggs with sugar, fold in the flour and bake for forty minutes",
    "The best hiking trails in the Alps for families",
    "Results of the football world cup final and the penalty shoot-out",
    "A short history of the Roman empire and its emperors",
    "How to prune roses in early spring",
    "Tips for choosing a mortgage with a fixed interest rate",
    "The life of Mozart and the operas he wrote in Vienna",
    "Home remedies against the common cold",
    "Divorce law and the custody of children",
    "A guide to knitting a woollen scarf",
    "Train timetable from Paris to Lyon on Sundays",
    "Which dog breed is right for a small flat",
    "Medieval castles along the river Rhine",
    "How to repair a leaking kitchen tap",
    "The plot of Hamlet told in one page",
    "Tax deductions for people who work from home",
    "Growing tomatoes on a balcony",
    "Wedding speeches that make guests laugh",
    "Volcanoes of Iceland and their eruptions",
    "The rules of cricket explained to beginners",
    "Vintage cars and how to restore them",
    "Yoga exercises against back pain",
    "How cheese is made from raw milk",
    "Elections in Brazil and the parties that took part",
    "A museum guide to impressionist painting",
    "Packing list for a sailing holiday",
    "The price of gold over the last century",
    "Folk songs of the Scottish islands",
)
"""What no conference of machine learning has papers on."""


def learnt_thresholds(store: PaperStore) -> dict[str, float]:
    """Return from which score on a hit means something in a store, by name.

    `related` is the score of the best hit from which a text is related to the store. It lies
    halfway between what the store's own titles reach (each asked as text, without its own paper)
    and what texts about something else reach, but never so high that more than MISSED of the
    titles would fall below it. `related_cosine` is the same where words do not count. Beside them
    are the least scores of CLOSENESS, for papers and for texts. Empty when there is too little to
    learn from.

    Args:
        store: a store whose vectors and words can be searched.
    """
    count, model = len(store), store.model()
    if count < FEWEST:
        return {}
    # What a store learns of a transformer must not show in the time of building it. Asked one by
    # one, a title costs about what a paper does; in a batch, what its words cost: an eighth.
    most = max(8, count // (10 if model.batches_queries else 40)) if model.pads else count
    sample = min(count, SAMPLE, most)
    rows = np.unique(np.linspace(0, count - 1, sample).astype(np.int64))
    titles = [paper.title for paper in store.papers(rows.tolist())]
    foreign = UNRELATED[:most]
    # One call for both: a large model reads its weights once for each.
    texts = [*titles, *foreign]
    if store.lexical_kind == SPARSE:
        weighed = model.weigh_queries(texts)
        vectors, asked = weighed.vectors, pack_tokens(weighed.weights)
    else:
        vectors, asked = model.embed_queries(texts), pack_queries(texts)
    own = np.concatenate([rows, np.full(len(foreign), -1)])
    cosines, scores = _scores(store, asked, vectors, own, store.similarity.text)
    known = vectors.any(axis=1)
    mine, other = known & (own >= 0), known & (own < 0)
    if not mine.any() or not other.any():
        return {}
    best, best_cosine = scores[:, 0], cosines.max(axis=1)
    learnt = {"related": _halfway(best[mine], best[other])}
    if store.lexical is not None:
        learnt["related_cosine"] = _halfway(best_cosine[mine], best_cosine[other])
    # A text that is not related to the store is not loosely related to one of its papers.
    learnt |= {
        name: max(least, learnt["related"])
        for name, least in _closeness("text", scores[mine], count).items()
    }
    # Half of them tell the median of papers as well.
    rows = rows[::2]
    vectors = store.index.vectors(rows)
    words = store.database.packed_words(rows.tolist()) if store.lexical is not None else {}
    packed = [words.get(row, b"") for row in rows.tolist()]
    worded = vectors.any(axis=1) & (np.array([bool(one) for one in packed]) | (not words))
    if worded.any():
        scores = _scores(store, packed, vectors, rows, store.similarity.paper)[1]
        learnt |= _closeness("paper", scores[worded], count)
    return learnt


def _closeness(kind: str, scores: Vectors, papers: int) -> dict[str, float]:
    """Return the least score of each word, by name, from scores of hits, best first."""
    found = {}
    for first, (word, place) in enumerate(PLACES.items(), 1):
        place = max(first, round(place * min(1.0, papers / FULL)))
        reached = scores[:, min(place, scores.shape[1]) - 1]
        found[closeness_key(kind, word)] = round(float(np.median(reached)), 4)
    return found


def _halfway(own: Vectors, other: Vectors) -> float:
    low, high = float(np.quantile(own, MISSED)), float(np.quantile(other, 0.95))
    return round(min(low, (low + high) / 2), 4)


def _scores(
    store: PaperStore, words: Sequence[bytes], vectors: Vectors, own: Rows, weight: float
) -> tuple[Vectors, Vectors]:
    """Return cosines and scores of the hits of queries, the scores best first: (n, hits) each.

    Args:
        store: the store.
        words: the packed words of each query.
        vectors: the vector of each query, float32 (n, dimension).
        own: the row of each query's paper, which is no hit; -1 for none.
        weight: what words count for.
    """
    found, rows = store.index.search(vectors, DEPTH + 1)
    # The query's own paper, or else the last hit, is left out: all have equally many.
    found[rows == own[:, None]] = -1
    order = np.argsort(-found, axis=1, kind="stable")[:, : max(1, found.shape[1] - 1)]
    found, rows = np.take_along_axis(found, order, 1), np.take_along_axis(rows, order, 1)
    index = store.lexical
    if index is None:
        return found, found
    packed = store.database.packed_words(np.unique(rows).tolist())
    scores = np.empty_like(found)
    for i, (asked, near) in enumerate(zip(words, rows.tolist(), strict=True)):
        lexical = index.scores(index.vector([asked]), [packed.get(row, b"") for row in near])
        scores[i] = combined_score(found[i], lexical, weight)
    return found, -np.sort(-scores, axis=1)
