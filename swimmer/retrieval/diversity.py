"""Diverse hits by maximal marginal relevance, and versions of one work grouped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from swimmer.store import Vectors

NEAR_DUPLICATE = 0.95
"""Cosine from which two papers may be versions of one work."""

SAME_TITLE = 0.8
"""Levenshtein similarity of title keys that two versions of one work have at least."""


def select_diverse(
    relevance: Sequence[float], vectors: Vectors, k: int, diversity: float
) -> list[int]:
    """Return the positions of k candidates, chosen by maximal marginal relevance.

    The next one chosen is the one with the largest
    (1 - diversity) x relevance - diversity x (largest cosine to one already chosen);
    the first one is the most relevant (Carbonell and Goldstein, 1998). Of equals, the earlier.

    Args:
        relevance: of each candidate, on the scale of cosines.
        vectors: float32 (n, dimension), unit length.
        k: how many to choose.
        diversity: 0 keeps the order of relevance, 1 counts difference only.
    """
    wanted = np.asarray(relevance, np.float64)
    left = np.ones(len(wanted), bool)
    nearest = np.zeros(len(wanted))
    chosen: list[int] = []
    while len(chosen) < min(k, len(wanted)):
        gain = (1 - diversity) * wanted - diversity * nearest if chosen else wanted
        best = int(np.argmax(np.where(left, gain, -np.inf)))
        likeness = (vectors @ vectors[best]).astype(np.float64)
        nearest = np.maximum(nearest, likeness) if chosen else likeness
        left[best] = False
        chosen.append(best)
    return chosen


def versions(vectors: Vectors, keys: Sequence[str]) -> list[list[int]]:
    """Return groups of positions that are versions of one work, each led by its first.

    Two papers are versions of one work when their cosine is at least NEAR_DUPLICATE and their
    title keys are as alike as SAME_TITLE says, or one begins with the other.
    """
    groups: list[list[int]] = []
    leads: list[int] = []
    for position, key in enumerate(keys):
        near = np.flatnonzero(vectors[leads] @ vectors[position] >= NEAR_DUPLICATE)
        for group in near.tolist():
            if _one_title(keys[leads[group]], key):
                groups[group].append(position)
                break
        else:
            groups.append([position])
            leads.append(position)
    return groups


def _one_title(a: str, b: str) -> bool:
    if a == b or (min(len(a), len(b)) >= 12 and (a.startswith(b) or b.startswith(a))):
        return True
    from rapidfuzz.distance import Levenshtein

    return Levenshtein.normalized_similarity(a, b) >= SAME_TITLE
