"""Several rankings fused into one by reciprocal rank."""

from __future__ import annotations

from collections.abc import Sequence

RRF_K = 60
"""The constant of reciprocal rank fusion; the usual value."""


def fused(rankings: Sequence[Sequence[int]], weights: Sequence[float]) -> list[tuple[int, float]]:
    """Return (row, score) of every row in any ranking, best first.

    A row's score is the sum of weight / (RRF_K + rank) over the rankings that hold it, rank
    counted from 1 (Cormack, Clarke and Büttcher, 2009). Equal scores are in row order.
    """
    scores: dict[int, float] = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        for rank, row in enumerate(ranking, 1):
            scores[row] = scores.get(row, 0.0) + weight / (RRF_K + rank)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
