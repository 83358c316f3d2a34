"""The vectors of a small store, compared with numpy: one query needs no FAISS.

To import FAISS takes longer than the rest of a search by a new text. Its file is read all the
same: the vectors of a flat index are its last bytes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from swimmer.errors import REBUILD, StoreDamagedError
from swimmer.files import open_plain
from swimmer.store.index import unreadable
from swimmer.store.index_file import checked_index_file
from swimmer.store.vector_formats import FLOAT32

if TYPE_CHECKING:
    from swimmer.store.index import Rows, Vectors

_GATHERED = 1 << 22
_MANY, _TOGETHER = 16, 256
"""Queries from which a product of matrices finds candidates, and how many share one product."""
_ERROR = 1e-4
"""More than two ways of adding up the cosine of two unit vectors differ by."""


class FlatIndex:
    """Float32 unit vectors by row number, ranked by inner product (cosine similarity), exactly."""

    exact = True
    form = FLOAT32

    def __init__(self, vectors: Vectors, path: Path | None = None) -> None:
        self._vectors, self._path = vectors, path

    @classmethod
    def open(
        cls, path: Path, rows: int, dimension: int, opened: BinaryIO | None = None
    ) -> FlatIndex:
        """Read the index at `path`, which must hold `rows` vectors of `dimension`.

        `opened` is the file, where it is open already: it may have been replaced since.

        Raises:
            StoreDamagedError: it is not a flat index of that shape.
        """
        try:
            with contextlib.nullcontext(opened) if opened else open_plain(path) as stream:
                checked_index_file(path, rows, dimension, stream)
                content = stream.read(4 * rows * dimension)
        except OSError as error:
            raise unreadable(path, error) from None
        return cls(np.frombuffer(content, "<f4").reshape(rows, dimension), path)

    @property
    def rows(self) -> int:
        """The number of vectors."""
        return len(self._vectors)

    @property
    def dimension(self) -> int:
        """The number of components of a vector."""
        return int(self._vectors.shape[1])

    def vectors(self, rows: Rows | None = None) -> Vectors:
        """Return the vectors of `rows`, or of all rows, as float32 (n, dimension), a copy."""
        if rows is None:
            rows = np.arange(self.rows)
        picked: Vectors = self._vectors[self._checked_rows(np.asarray(rows, np.int64))]
        return picked

    def decoded(self, rows: Rows | None = None) -> Vectors:
        """Return what `vectors` does: each number is kept as it is."""
        return self.vectors(rows)

    def codes(self, rows: Rows) -> list[bytes]:
        """Return what is kept of the vectors of `rows`, each as bytes."""
        return [vector.astype("<f4").tobytes() for vector in self.vectors(rows)]

    def _checked_rows(self, rows: Rows) -> Rows:
        """Check row numbers, which may come from the database of a store that somebody sent."""
        if rows.size and not 0 <= int(rows.min()) <= int(rows.max()) < self.rows:
            raise StoreDamagedError(
                f"{self._path or 'the vectors in memory'}: row {int(rows.min())} or "
                f"{int(rows.max())} is not there",
                hint=REBUILD,
            )
        return rows

    def search(self, queries: Vectors, k: int, allowed: Rows | None = None) -> tuple[Vectors, Rows]:
        """Return the k best rows of each query; see `VectorIndex.search`."""
        queries = np.asarray(queries, np.float32)
        allowed = None if allowed is None else self._checked_rows(np.asarray(allowed, np.int64))
        k = max(0, min(k, self.rows if allowed is None else len(allowed)))
        scores = np.empty((len(queries), k), np.float32)
        rows = np.empty((len(queries), k), np.int64)
        for start in range(0, len(queries) if k else 0, _TOGETHER):
            block = queries[start : start + _TOGETHER]
            for place, (query, near) in enumerate(
                zip(block, self._candidates(block, k, allowed), strict=True)
            ):
                found = self._scores(query, near)
                scores[start + place], best = _best(found, k)
                rows[start + place] = best if near is None else near[best]
        return np.clip(scores, -1.0, 1.0, out=scores), rows

    def search_exactly(self, queries: Vectors, k: int) -> tuple[Vectors, Rows]:
        """Return what `search` does."""
        return self.search(queries, k)

    def _candidates(self, queries: Vectors, k: int, allowed: Rows | None) -> Iterator[Rows | None]:
        """Yield, for each query, the rows among which its k best are, ascending; None for all."""
        if len(queries) < _MANY:
            yield from [allowed] * len(queries)
            return
        # A product of matrices is the fastest, but gives other last digits than one query alone:
        # what is within its error of the k-th is compared again.
        vectors = self._vectors if allowed is None else self._vectors[allowed]
        for near in queries @ vectors.T:
            least = np.partition(near, len(near) - k)[len(near) - k]
            # A vector that holds no numbers is among them too.
            places = np.flatnonzero(~(near < least - _ERROR))
            yield places if allowed is None else allowed[places]

    def _scores(self, query: Vectors, rows: Rows | None = None) -> Vectors:
        vectors = self._vectors if rows is None else self._vectors[rows]
        scores: Vectors = np.vecdot(vectors, query)
        if not np.isfinite(scores).all():
            raise StoreDamagedError(
                f"{self._path or 'the vectors in memory'}: a vector holds no numbers", hint=REBUILD
            )
        return scores

    def spread_scores(self, query: Vectors, most: int = 20_000) -> tuple[Vectors, Rows]:
        """Return the scores of one query with at most `most` evenly spread rows, and the rows."""
        step = max(1, -(-self.rows // most))
        return self._scores(query)[::step], np.arange(0, self.rows, step)

    def recall(self, vectors: Vectors, k: int = 10) -> float:
        """Return 1: every vector is compared."""
        return 1.0

    def save(self, path: Path) -> None:
        """Write the index to `path` as FAISS does; OSError when the disk refuses."""
        from swimmer.store.faiss_index import FaissIndex

        FaissIndex.of(self._vectors).save(path)

    def close(self) -> None:
        """Let go of the vectors."""
        self._vectors = np.empty((0, self.dimension), np.float32)


def _best(scores: Vectors, k: int) -> tuple[Vectors, Rows]:
    """Return the k highest of some scores, best first and equal ones in order; their places too."""
    if k < len(scores):
        # All that are as high as the last: which of equal ones is answered is not left to chance.
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        places = np.flatnonzero(scores >= least)
    else:
        places = np.arange(len(scores))
    order = np.argsort(-scores[places], kind="stable")[:k]
    return scores[places[order]], places[order]


def pair_cosines(vectors: Vectors, rows: Rows, others: Rows) -> Vectors:
    """Return the cosine of each row of `rows` with those of `others`, as a search finds it."""
    found = np.empty(others.shape, np.float32)
    step = max(1, _GATHERED // max(1, others.shape[1] * vectors.shape[1]))
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        found[part] = np.vecdot(vectors[others[part]], vectors[rows[part], None])
    return np.clip(found, -1.0, 1.0, out=found)
