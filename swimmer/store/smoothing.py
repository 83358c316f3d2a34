"""Vectors drawn towards their nearest neighbours: what like papers say counts a little for each.

In image retrieval this is known as database-side feature augmentation (Turcot and Lowe, 2009).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.store.index import Rows, Vectors

MOST = 5
"""Neighbours that a vector is drawn towards, at most."""

PAPERS_PER_NEIGHBOUR = 20
"""Papers that a store has for each neighbour used: in a few papers, all are neighbours of all."""

EXACT_LIMIT = 50_000
"""Papers up to which neighbours are found exactly; above, by an inverted file."""

COPY = 0.98
"""Cosine from which a neighbour is taken for a copy of the paper, which adds nothing to it."""

_SPARE = 6
_PROBES = 16
_BLOCK = 2_048
_CELLS = 2 << 20


@dataclass(frozen=True)
class Neighbours:
    """The nearest others of each vector, best first.

    Attributes:
        rows: int32 (n, count), -1 where there are fewer.
        scores: cosines, float32 (n, count), 0 where there is no neighbour.
    """

    rows: NDArray[np.int32]
    scores: Vectors

    @property
    def count(self) -> int:
        """How many neighbours each vector has at most."""
        return int(self.rows.shape[1])

    @classmethod
    def none(cls, papers: int, count: int) -> Neighbours:
        """Return neighbours that are not known yet."""
        return cls(np.full((papers, count), -1, np.int32), np.zeros((papers, count), np.float32))


def neighbour_count(papers: int) -> int:
    """Return how many neighbours are used in a store of so many papers: none below 20."""
    return min(MOST, papers // PAPERS_PER_NEIGHBOUR)


def rounded(vectors: Vectors) -> Vectors:
    """Return vectors in the precision in which a store keeps them beside the smoothed ones."""
    kept: Vectors = vectors.astype(np.float16).astype(np.float32)
    return kept


def find_neighbours(vectors: Vectors) -> Neighbours:
    """Return the neighbours that smoothing uses, of every vector; copies of it are left out.

    Exact up to EXACT_LIMIT vectors, by an inverted file above.

    Args:
        vectors: float32 (n, dimension), of unit length or zero.
    """
    near = Neighbours.none(len(vectors), neighbour_count(len(vectors)))
    if near.count:
        _find(vectors, np.arange(len(vectors)), near)
    return near


def update_neighbours(vectors: Vectors, old: Neighbours, origin: Rows) -> Neighbours:
    """Return what `find_neighbours` would, searching only where something has changed.

    That is, for vectors that are new, that have lost a neighbour, or that a new vector has come
    nearer to than the last of their neighbours.

    Args:
        vectors: float32 (n, dimension), all of them.
        old: the neighbours before.
        origin: for each vector its row before, -1 for one that is new or has changed: (n,).
    """
    count = neighbour_count(len(vectors))
    kept = np.flatnonzero(origin >= 0)
    if not count or count != old.count or 2 * len(kept) < len(vectors):
        return find_neighbours(vectors)
    place = np.full(len(old.rows) + 1, -1, np.int32)
    place[origin[kept]] = kept
    near = Neighbours.none(len(vectors), count)
    # A row of -1 reads the last place, which is -1 again.
    near.rows[kept] = place[old.rows[origin[kept]]]
    near.scores[kept] = old.scores[origin[kept]]
    again = np.any(near.rows < 0, axis=1)
    fresh = np.flatnonzero(origin < 0)
    last = near.scores[:, -1]
    for start in range(0, len(kept), _BLOCK):
        rows = kept[start : start + _BLOCK]
        scores = vectors[rows] @ vectors[fresh].T
        scores[scores >= COPY] = -1
        again[rows] |= scores.max(axis=1, initial=-1) > last[rows] - 1e-6
    _find(vectors, np.flatnonzero(again), near)
    return near


def smoothed(vectors: Vectors, near: Neighbours, weight: float) -> Vectors:
    """Return each vector plus `weight` times the mean of its neighbours, float32, unit length.

    The mean is weighted by the cube of the cosine. A vector of zeros stays one.
    """
    out = np.array(vectors, np.float32)
    if near.count:
        for start in range(0, len(out), _BLOCK):
            rows, scores = (part[start : start + _BLOCK] for part in (near.rows, near.scores))
            weights = np.where(rows >= 0, np.maximum(scores, 0) ** 3, 0).astype(np.float32)
            total = weights.sum(axis=1, keepdims=True)
            weights *= np.float32(weight) / np.maximum(total, np.float32(1e-30))
            out[start : start + _BLOCK] += np.einsum("ij,ijk->ik", weights, vectors[rows])
    lengths = np.sqrt(np.einsum("ij,ij->i", out, out))[:, None]
    out /= np.maximum(lengths, np.float32(1e-30))
    return out


def nearest_rows(queries: Vectors, vectors: Vectors, k: int) -> tuple[Vectors, Rows]:
    """Return the k best of all vectors for each query, exactly: scores and rows, best first.

    For a block of queries that is small enough for one matrix of all their scores; half the time
    of FAISS' search, which keeps a heap for each query.
    """
    scores = queries @ vectors.T
    rows = np.argpartition(scores, scores.shape[1] - k, axis=1)[:, scores.shape[1] - k :]
    best = np.take_along_axis(scores, rows, 1)
    order = np.lexsort((rows, -best), axis=1)
    return np.take_along_axis(best, order, 1), np.take_along_axis(rows, order, 1)


def _find(vectors: Vectors, wanted: Rows, near: Neighbours) -> None:
    """Write the neighbours of the wanted rows into `near`."""
    # Rows without a vector have none, and are none's.
    wanted = wanted[vectors[wanted].any(axis=1)]
    index = None
    if len(vectors) > EXACT_LIMIT and len(wanted) > EXACT_LIMIT // 10:
        from swimmer.store.faiss_index import inverted_file

        index = inverted_file(vectors)
        index.nprobe = _PROBES
    depth = near.count + 1 + _SPARE
    while len(wanted):
        depth = min(depth, len(vectors))
        short = []
        block = max(16, _CELLS // len(vectors)) if index is None else _BLOCK
        for start in range(0, len(wanted), block):
            rows = wanted[start : start + block]
            if index is not None:
                scores, found = index.search(vectors[rows], depth)
            else:
                scores, found = nearest_rows(vectors[rows], vectors, depth)
            enough = _without_copies(rows, scores, found, near)
            short.append(rows[~enough])
        if depth == len(vectors):
            return
        # Copies have taken the places: as many as it takes are looked through, exactly.
        wanted, depth, index = np.concatenate(short), 8 * depth, None


def _without_copies(
    rows: Rows, scores: Vectors, found: Rows, near: Neighbours
) -> NDArray[np.bool_]:
    """Keep the first that are neither the row nor its copies; say for which there are enough."""
    useful = (found >= 0) & (found != rows[:, None]) & (scores < COPY) & (scores > 0)
    # The useful ones first, in their order; the sort is stable.
    order = np.argsort(~useful, axis=1, kind="stable")[:, : near.count]
    ok = np.take_along_axis(useful, order, 1)
    near.rows[rows] = np.where(ok, np.take_along_axis(found, order, 1), -1)
    near.scores[rows] = np.where(ok, np.take_along_axis(scores, order, 1), 0)
    # What scores nothing says that no further one scores more.
    exhausted = np.any(scores <= 0, axis=1)
    enough: NDArray[np.bool_] = np.all(ok, axis=1) | exhausted
    return enough
