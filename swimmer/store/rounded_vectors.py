"""A copy of vectors in bytes, which says which of them can be among the best of a search.

A scan of many vectors takes as long as their bytes take to be read. So a copy of eight bits a
component is scanned first; how far its scores can be from those of the vectors themselves is known,
and whatever may be among the k best is scored again. The answer is that of the whole scan.

Each component j of a vector x is rounded to centre_j + step_j c_j, where c_j is a whole number from
-127 to 127. The rounding error is at most step_j / 2, so that by the inequality of Cauchy and
Schwarz the inner product with a query q is wrong by at most |q| |step| / 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

if TYPE_CHECKING:
    from swimmer.store.index import Rows, Vectors

ALIGNED = 16
"""The number of components must be a multiple of this: FAISS reads others one by one."""

_BLOCK = 2048
_LEVELS = 127
_LARGEST = 2.0
"""A component of a unit vector, with room for one whose length is not quite 1."""

_SPARE, _WIDER = 100, 8
"""Candidates looked for beyond twice those wanted, and how many times as many if they are few."""


class RoundedVectors:
    """Vectors by row number, each component rounded to one of 255 equal steps of its own."""

    def __init__(self, codes: Any, step: Vectors, length: float) -> None:
        self._codes, self._step = codes, step
        # Sums of float32 differ in their last digits by the order of adding, here and in the
        # scores that the candidates are given afterwards.
        rounding = 2 * len(step) * float(np.finfo(np.float32).eps) * length
        self._error = float(np.linalg.norm(step.astype(np.float64))) / 2 + rounding

    @classmethod
    def of(
        cls, blocks: Callable[[], Iterable[Vectors]], rows: int, dimension: int
    ) -> RoundedVectors | None:
        """Return the copy of vectors, None where they are no unit vectors or hold no numbers.

        Args:
            blocks: what yields all vectors, float32 (n, dimension), in order; called twice.
            rows: how many they are.
            dimension: the components of each, a multiple of `ALIGNED`.
        """
        low = np.full(dimension, np.inf, np.float32)
        high = -low
        for block in blocks():
            for part in _parts(block):
                np.minimum(low, part.min(axis=0), out=low)
                np.maximum(high, part.max(axis=0), out=high)
        largest = np.maximum(-low, high)
        if not (largest <= _LARGEST).all():
            return None
        step = np.maximum(high - low, np.float32(1e-6)) / np.float32(2 * _LEVELS)
        centre = low + np.float32(_LEVELS) * step
        codes = _levels_index(dimension, rows)
        kept = faiss.rev_swig_ptr(codes.codes.data(), rows * dimension).reshape(rows, dimension)
        inverse, start = 1 / step, 0
        for block in blocks():
            for part in _parts(block):
                levels = np.subtract(part, centre)
                levels *= inverse
                np.rint(levels, out=levels)
                np.clip(levels, -_LEVELS, _LEVELS, out=levels)
                levels += 128
                kept[start : start + len(levels)] = levels
                start += len(levels)
        return cls(codes, step, float(np.linalg.norm(largest)))

    def candidates(self, query: Vectors, k: int, parameters: Any = None) -> Rows | None:
        """Return rows, in any order, among which the k best of one query are.

        Args:
            query: float32 (dimension,).
            k: at least 1 and at most the rows that may be answered.
            parameters: FAISS' search parameters, which choose those rows.

        Returns:
            None where they are so many that a scan of the vectors themselves is no slower.
        """
        scaled = (query * self._step)[None, :]
        tolerance = 2 * self._error * float(np.linalg.norm(query))
        wanted = 2 * k + _SPARE
        for count in (wanted, _WIDER * wanted):
            scores, rows = self._search(scaled, min(count, self._codes.ntotal), parameters)
            found = int(np.count_nonzero(rows >= 0))
            # The centre adds the same to each score, so that it is left out.
            if found >= k:
                near = scores >= scores[k - 1] - tolerance
                if found < count or not near[-1]:
                    picked: Rows = rows[near & (rows >= 0)]
                    return picked
        return None

    def _search(self, query: Vectors, count: int, parameters: Any) -> tuple[Vectors, Rows]:
        # FAISS would start a second thread, which waits by spinning: one query is never shared.
        threads = faiss.omp_get_max_threads()
        faiss.omp_set_num_threads(1)
        try:
            scores, rows = self._codes.search(query, count, params=parameters)
        finally:
            faiss.omp_set_num_threads(threads)
        return scores[0], rows[0]


def _levels_index(dimension: int, rows: int) -> Any:
    """Return an index of bytes, which are not set yet; each stands for itself less 128.

    Not FAISS' kind of this name (`QT_8bit_direct_signed`): some processors read the query as bytes
    there.
    """
    index = faiss.IndexScalarQuantizer(
        dimension, faiss.ScalarQuantizer.QT_8bit_uniform, faiss.METRIC_INNER_PRODUCT
    )
    # A code c is read as least + (c + 1/2) / 255 x range.
    faiss.copy_array_to_vector(np.array([-128.5, 255], np.float32), index.sq.trained)
    index.is_trained = True
    # One piece of memory from the start is read twice as fast as one that grew.
    index.codes.resize(rows * dimension)
    index.ntotal = rows
    return index


def _parts(block: Vectors) -> Iterable[Vectors]:
    return (block[start : start + _BLOCK] for start in range(0, len(block), _BLOCK))
