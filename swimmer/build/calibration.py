"""From which score on a store has something to say: learnt from its own titles and from others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from swimmer.embeddings import Model

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.store import PaperDatabase, Vectors

FEWEST = 20
"""Papers below which nothing can be learnt."""

SAMPLE = 100
"""Titles of the store that are asked, at most."""

MISSED = 0.02
"""The share of the store's own titles that may be taken for unrelated."""

_BLOCK = 50_000

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


def learnt_thresholds(database: PaperDatabase, vectors: Vectors, model: Model) -> dict[str, float]:
    """Return `{"related": t}`: the cosine of the best hit from which a text is related to a store.

    It lies halfway between what the store's own titles reach (each asked as text, without its own
    paper) and what texts about something else reach, but never so high that more than MISSED of
    the titles would fall below it. Empty when there is too little to learn from.

    Args:
        database: the papers.
        vectors: their vectors, float32 (papers, dimension).
        model: what made them.
    """
    count = len(vectors)
    if count < FEWEST:
        return {}
    # What a store learns of a transformer must not show in the time of building it. Asked one by
    # one, a title costs about what a paper does; in a batch, what its words cost: an eighth.
    most = max(8, count // (10 if model.batches_queries else 40)) if model.pads else count
    sample = min(count, SAMPLE, most)
    rows = np.unique(np.linspace(0, count - 1, sample).astype(np.int64)).tolist()
    titles = [paper.title for paper in database.papers(rows)]
    foreign = UNRELATED[:most]
    # One call for both: a large model reads its weights once for each.
    asked = model.embed_queries([*titles, *foreign])
    own = _best(vectors, asked[: len(titles)], rows)
    other = _best(vectors, asked[len(titles) :], [-1] * len(foreign))
    if not len(own) or not len(other):
        return {}
    low, high = float(np.quantile(own, MISSED)), float(np.quantile(other, 0.95))
    return {"related": round(min(low, (low + high) / 2), 4)}


def _best(vectors: Vectors, queries: Vectors, own: Sequence[int]) -> NDArray[np.float32]:
    """Return each query's best score but that of its own row; queries of zeros are left out."""
    best = np.full(len(queries), -1.0, np.float32)
    for start in range(0, len(vectors), _BLOCK):
        scores = queries @ vectors[start : start + _BLOCK].T
        for i, row in enumerate(own):
            if start <= row < start + _BLOCK:
                scores[i, row - start] = -1.0
        best = np.maximum(best, scores.max(axis=1))
    return best[queries.any(axis=1)]
