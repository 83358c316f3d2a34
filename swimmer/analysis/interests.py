"""The interests of a library: groups of its papers that are near to one another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.store import Vectors

    Labels = NDArray[np.int64]

MOST = 50
"""Interests of one library, at most."""

APART = 67
"""Percentile of the cosines between a library and a store below which two groups stay apart."""

SPREAD = 1.0
"""How much more two single papers must be near: standard deviations of these cosines, over the
square root of the papers of the library."""

_COMPARED = 1_000
"""Papers that are compared each with each; those of a larger library join the nearest group."""

_SAMPLE = 300
_SEED = 1


@dataclass(frozen=True)
class Apart:
    """The mean cosine below which two groups of a library are two interests.

    Attributes:
        cosine: that of two very large groups.
        spread: by how much it is higher for two single papers. The mean of few cosines is high
            by chance more often than that of many.
    """

    cosine: float
    spread: float = 0.0

    def of(self, size: Any, sizes: Any) -> Any:
        """Return it for groups of so many papers: it falls as the error of their mean does."""
        return self.cosine + self.spread * np.sqrt((1 / size + 1 / sizes) / 2)


def apart_for(own: Vectors, others: Vectors) -> Apart:
    """Return the mean cosine below which two groups of a library are two interests.

    It is one that a third of all pairs of a paper of the library and one of the store exceed, so
    that it is right for every model. So many single papers of another interest would exceed it by
    chance: for small groups it is higher, the more so the smaller the library is, where one paper
    has a large share of the places.

    Args:
        own: vectors of the library, float32 (n, dimension).
        others: vectors of papers of a store that were drawn from all of it.
    """
    drawn = own[:: -(-len(own) // _SAMPLE)]
    pairs = (drawn @ others.T).ravel()
    if not len(pairs):
        return Apart(0.0)
    last = len(pairs) - 1
    places = [last * percentile // 100 for percentile in (16, 50, APART)]
    low, middle, high = np.partition(pairs, places)[places].tolist()
    # A standard deviation of what is not alike: what is alike is above the middle.
    return Apart(high, SPREAD * (middle - low) / math.sqrt(len(own)))


def find_interests(vectors: Vectors, apart: Apart) -> Labels:
    """Return the interest of each paper, (n,), numbered from 0, the largest first.

    Groups are merged while the mean cosine between their papers is at least `apart`, those first
    which exceed it most (average linkage; Sokal and Michener, 1958). How many remain is found.

    Args:
        vectors: float32 (n, dimension), of unit length.
        apart: what `apart_for` gives.
    """
    count = len(vectors)
    compared = np.linspace(0, count - 1, min(count, _COMPARED)).round().astype(np.int64)
    labels = np.full(count, -1, np.int64)
    labels[compared] = _linked(vectors[compared], apart)
    sizes = np.bincount(labels[compared])
    labels = _renumbered(labels, np.argsort(-sizes, kind="stable"))
    # Of very many groups the smallest join the nearest of the others, as do papers not compared.
    labels[labels >= MOST] = -1
    rest = np.flatnonzero(labels < 0)
    if len(rest):
        means = _means(vectors, labels)
        labels[rest] = (vectors[rest] @ means.T).argmax(axis=1)
    order = np.argsort(-np.bincount(labels), kind="stable")
    return _renumbered(labels, order)


def _renumbered(labels: Labels, order: Labels) -> Labels:
    place = np.full(len(order) + 1, -1, np.int64)
    place[order] = np.arange(len(order))
    renumbered: Labels = place[labels]
    return renumbered


def _means(vectors: Vectors, labels: Labels) -> Vectors:
    """Return the unit mean vector of each group: float32 (groups, dimension)."""
    means = np.stack([vectors[labels == one].mean(axis=0) for one in range(labels.max() + 1)])
    lengths = np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    unit: Vectors = (means / lengths).astype(np.float32)
    return unit


def _linked(vectors: Vectors, apart: Apart) -> Labels:
    """Return the groups of average linkage, (n,)."""
    count = len(vectors)
    near = (vectors @ vectors.T).astype(np.float32)
    sizes = np.ones(count, np.float32)
    labels = np.arange(count)
    # By how much the cosine of two groups exceeds that of two interests.
    excess = near - apart.of(sizes[:, None], sizes)
    np.fill_diagonal(excess, -np.inf)
    # The nearest of each group: it changes for the few groups that were nearest to a merged one.
    nearest = excess.argmax(axis=1)
    best = excess[labels, nearest]
    for _ in range(count - 1):
        one = int(best.argmax())
        other = int(nearest[one])
        if best[one] < 0:
            break
        merged = (sizes[one] * near[one] + sizes[other] * near[other]) / (sizes[one] + sizes[other])
        near[one], near[:, one] = merged, merged
        sizes[one] += sizes[other]
        labels[labels == other] = one
        gone = ~np.isfinite(best)
        best[other] = -np.inf
        gone[other] = True
        now = merged - apart.of(sizes[one], sizes)
        now[gone], now[one] = -np.inf, -np.inf
        excess[one], excess[:, one] = now, now
        excess[other], excess[:, other] = -np.inf, -np.inf
        again = ((nearest == one) | (nearest == other)) & np.isfinite(best)
        again[one] = True
        stale = np.flatnonzero(again)
        nearest[stale] = excess[stale].argmax(axis=1)
        best[stale] = excess[stale, nearest[stale]]
        closer = now > best
        nearest[closer], best[closer] = one, now[closer]
    groups: Labels = np.unique(labels, return_inverse=True)[1].reshape(-1)
    return groups


def in_turns(shares: Sequence[float], available: Sequence[int], places: int) -> list[int]:
    """Return which interest each place belongs to, so that any beginning is shared out fairly.

    By the highest averages of Webster and Sainte-Laguë; an interest without papers left gives its
    places to the others.

    Args:
        shares: of each interest.
        available: papers that can be shown for each.
        places: how many are given out.
    """
    given = [0] * len(shares)
    order: list[int] = []
    for _ in range(min(places, sum(available))):
        open_ = [one for one in range(len(shares)) if given[one] < available[one]]
        chosen = max(open_, key=lambda one: (shares[one] / (2 * given[one] + 1), -one))
        given[chosen] += 1
        order.append(chosen)
    return order
