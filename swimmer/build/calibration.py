"""From which score on a store has something to say: learnt from its own titles and from others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from swimmer.store import combined_score, pack_queries

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
    titles would fall below it. `related_cosine` is the same where words do not count. Empty when
    there is too little to learn from.

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
    vectors = model.embed_queries(texts)
    own = np.concatenate([rows, np.full(len(foreign), -1)])
    cosines, scores = _best(store, texts, vectors, own)
    known = vectors.any(axis=1)
    mine, other = known & (own >= 0), known & (own < 0)
    if not mine.any() or not other.any():
        return {}
    learnt = {"related": _halfway(scores[mine], scores[other])}
    if store.lexical is not None:
        learnt["related_cosine"] = _halfway(cosines[mine], cosines[other])
    return learnt


def _halfway(own: Vectors, other: Vectors) -> float:
    low, high = float(np.quantile(own, MISSED)), float(np.quantile(other, 0.95))
    return round(min(low, (low + high) / 2), 4)


def _best(
    store: PaperStore, texts: Sequence[str], vectors: Vectors, own: Rows
) -> tuple[Vectors, Vectors]:
    """Return the best cosine and the best score of each text, its own row left out: (n,) each."""
    found, rows = store.index.search(vectors, DEPTH + 1)
    found[rows == own[:, None]] = -1
    best = found.max(axis=1)
    index = store.lexical
    if index is None:
        return best, best
    packed = store.database.packed_words(np.unique(rows).tolist())
    scores = np.empty_like(best)
    for i, (asked, near) in enumerate(zip(pack_queries(texts), rows.tolist(), strict=True)):
        lexical = index.scores(index.vector([asked]), [packed.get(row, b"") for row in near])
        scores[i] = combined_score(found[i], lexical, store.similarity.text).max()
    return best, scores
