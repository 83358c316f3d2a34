"""Targets better than the teacher's own vectors: each drawn towards what lies near it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
BLOCK = 4096


def smoothed(
    vectors: Floats,
    folder: Path,
    *,
    neighbours: int,
    power: float,
    share: float,
    log: Callable[[str], None] = print,
) -> Floats:
    """Unit rows (n, dimension) plus ``share`` of the weighted mean of their nearest others.

    A neighbour weighs its cosine to the ``power``. One reading of a paper is noisy; what it shares
    with its neighbours is its topic. Known from image retrieval as database-side feature
    augmentation (Turcot and Lowe 2009; Arandjelović and Zisserman 2012), with the weights of
    alpha query expansion (Radenović et al. 2018). The nearest are kept in ``folder``.
    """
    places, cosines = nearest(vectors, folder, neighbours, log)
    result = np.empty_like(vectors)
    for first in range(0, len(vectors), BLOCK):
        block = slice(first, first + BLOCK)
        weights = np.maximum(cosines[block], 0) ** power
        weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
        drawn = vectors[block] + share * np.einsum("nk,nkd->nd", weights, vectors[places[block]])
        result[block] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return result


def nearest(
    vectors: Floats, folder: Path, count: int, log: Callable[[str], None]
) -> tuple[NDArray[np.int32], Floats]:
    """Places and cosines (n, count) of each row's nearest other rows, descending."""
    import faiss

    count = min(count, len(vectors) - 1)
    digest = hashlib.blake2b(np.ascontiguousarray(vectors).data, digest_size=6).hexdigest()
    path = folder / f"nearest-{count}-{digest}.npz"
    if not path.exists():
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        places = np.empty((len(vectors), count), np.int32)
        cosines = np.empty((len(vectors), count), np.float32)
        for first in range(0, len(vectors), BLOCK):
            found, near = index.search(vectors[first : first + BLOCK], count + 1)
            for row, (values, ids) in enumerate(zip(found, near, strict=True), first):
                others = np.flatnonzero(ids != row)[:count]
                places[row], cosines[row] = ids[others], values[others]
            if first % (8 * BLOCK) == 0:
                log(f"nearest of {min(first + BLOCK, len(vectors))} of {len(vectors)} papers")
        part = path.with_suffix(".part")
        with part.open("wb") as out:
            np.savez(out, places=places, cosines=cosines)
        part.replace(path)
    with np.load(path, allow_pickle=False) as kept:
        return kept["places"], kept["cosines"]
