"""The layout of a map: vectors to points on a plane (t-SNE); new papers join their neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

from swimmer.errors import MissingExtraError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.store import Rows, Vectors

    Points = NDArray[np.float32]

LAID_OUT = 20_000
"""Papers that t-SNE places; of a larger store a sample, and the rest join their neighbours."""

PERPLEXITY = 30
EXAGGERATED, REFINED = 100, 250
"""Iterations of t-SNE; three times as many keep no more neighbours (docs/map.md)."""

_TOO_FEW = 20
_JOIN = 5
_SEED = 1
_BATCH = 4_096
_EXACT = 256
_SPARE = 8


def placed(vectors: Vectors, progress: Callable[[int, int], None] | None = None) -> Points:
    """Return a point for every vector, float32 (n, 2), centred, the same for the same vectors.

    Args:
        vectors: float32 unit vectors (n, dimension), n at least 5.
        progress: called with the iterations done and their number.

    Raises:
        MissingExtraError: openTSNE is not installed.
    """
    if len(vectors) <= LAID_OUT:
        return _laid_out(vectors, progress)
    chosen = np.sort(np.random.default_rng(_SEED).choice(len(vectors), LAID_OUT, replace=False))
    points = np.full((len(vectors), 2), np.nan, np.float32)
    points[chosen] = _laid_out(vectors[chosen], progress)
    return joined(vectors, points)


def joined(vectors: Vectors, points: Points) -> Points:
    """Return the points; those that are NaN are placed among their nearest that are not."""
    there = np.isfinite(points).all(axis=1)
    anchors, newcomers = np.flatnonzero(there), np.flatnonzero(~there)
    out: Points = points.copy()
    for start in range(0, len(newcomers), _BATCH):
        rows = newcomers[start : start + _BATCH]
        # The median, not the mean: the place between two clusters is like neither.
        out[rows] = np.median(points[nearest_of(vectors, anchors, rows, _JOIN)], axis=1)
    return out


def nearest_of(vectors: Vectors, anchors: Rows, rows: Rows, k: int) -> Rows:
    """Return for each of some rows its k nearest among the anchors, as rows, best first."""
    found = faiss.knn(
        np.ascontiguousarray(vectors[rows]),
        np.ascontiguousarray(vectors[anchors]),
        min(k, len(anchors)),
        metric=faiss.METRIC_INNER_PRODUCT,
    )[1]
    picked: Rows = anchors[found]
    return picked


def _laid_out(vectors: Vectors, progress: Callable[[int, int], None] | None) -> Points:
    try:
        from openTSNE import TSNEEmbedding, affinity, initialization, nearest_neighbors
    except ImportError:
        raise MissingExtraError("the map", "map") from None
    rounds = EXAGGERATED + REFINED

    def told(done: int) -> Callable[[int, float, Any], bool]:
        def tell(iteration: int, error: float, points: Any) -> bool:
            if progress is not None:
                progress(done + iteration, rounds)
            return False

        return tell

    start = initialization.rescale(_first_axes(vectors))
    # So few papers are all neighbours of each other; t-SNE would place them in one point.
    if len(vectors) < _TOO_FEW:
        return _centred(start)
    if progress is not None:
        progress(0, rounds)
    rows, distances = _neighbours(vectors)
    near = affinity.PerplexityBasedNN(
        perplexity=min(PERPLEXITY, rows.shape[1] / 3),
        knn_index=nearest_neighbors.PrecomputedNeighbors(rows, distances),
        n_jobs=-1,
    )
    # Interpolation is faster than Barnes and Hut's tree from a few thousand points on.
    method = "fft" if len(vectors) >= 2_000 else "bh"
    points = TSNEEmbedding(
        start, near, negative_gradient_method=method, n_jobs=-1, random_state=_SEED
    )
    settings = {"inplace": True, "learning_rate": "auto", "callbacks_every_iters": 10}
    points.optimize(EXAGGERATED, exaggeration=12, momentum=0.5, callbacks=[told(0)], **settings)
    points.optimize(REFINED, momentum=0.8, callbacks=[told(EXAGGERATED)], **settings)
    laid_out = np.asarray(points)
    # If all vectors are equal, so are the points.
    return _centred(laid_out if laid_out.std() > 1e-3 else start)


def _centred(points: NDArray[np.float64]) -> Points:
    """Return points around the origin whose coordinates have a standard deviation of 1."""
    centred = points - points.mean(axis=0)
    scaled: Points = (centred / max(float(centred.std()), 1e-12)).astype(np.float32)
    return scaled


def _neighbours(vectors: Vectors) -> tuple[Rows, NDArray[np.float64]]:
    """Return the nearest rows of every row and their distances, without the row itself."""
    count = len(vectors)
    k = min(count - 1, 3 * PERPLEXITY)
    near = faiss.knn(vectors, vectors, min(count, k + _SPARE), metric=faiss.METRIC_INNER_PRODUCT)[1]
    rows = np.empty((count, k), np.int64)
    distances = np.empty((count, k))
    for start in range(0, count, _EXACT):
        own = np.arange(start, min(start + _EXACT, count))
        found = near[own]
        # FAISS' sums depend on its threads: computed again here, the map is the same everywhere.
        scores = np.einsum("id,ijd->ij", vectors[own].astype(np.float64), vectors[found])
        scores = np.round(scores, 9)
        scores[found == own[:, None]] = -np.inf
        order = np.lexsort((found, -scores), axis=1)[:, :k]
        rows[own] = np.take_along_axis(found, order, 1)
        distances[own] = np.sqrt(np.maximum(0, 2 - 2 * np.take_along_axis(scores, order, 1)))
    return rows, distances


def _first_axes(vectors: Vectors) -> NDArray[np.float64]:
    """Return the two principal components, with a little noise where vectors are equal."""
    centred = vectors.astype(np.float64) - vectors.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, :-3:-1]
    # The sign of an axis is arbitrary; fixed here, so that the map is not mirrored elsewhere.
    axes = axes * np.where(axes[np.abs(axes).argmax(axis=0), [0, 1]] < 0, -1, 1)
    first = centred @ axes
    first /= max(float(first.std()), 1e-9)
    # The last digits depend on the threads of the linear algebra, and would change the map.
    first = np.round(first, 5)
    noise = np.random.default_rng(_SEED).normal(0, 1e-3, first.shape)
    jittered: NDArray[np.float64] = first + noise
    return jittered
