"""The vectors of a store, by the papers' row numbers: what every kind of index can do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from swimmer.errors import REBUILD, StoreDamagedError

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy as np
    from numpy.typing import NDArray

Vectors: TypeAlias = "NDArray[np.float32]"
Rows: TypeAlias = "NDArray[np.int64]"

EXACT_LIMIT = 300_000
"""Vectors up to which a flat scan (about 10 ms per 100,000 × 256) is the fastest right answer."""

SMALL = 1 << 23
"""Components of all vectors together up to which an index is read whole: 32 MiB of float32."""


class VectorIndex(Protocol):
    """Unit vectors by row number, ranked by inner product (cosine similarity)."""

    @property
    def rows(self) -> int:
        """The number of vectors."""

    @property
    def dimension(self) -> int:
        """The number of components of a vector."""

    @property
    def exact(self) -> bool:
        """Whether a search looks at every vector."""

    @property
    def form(self) -> str:
        """How the vectors are kept: one of `vector_formats.FORMATS`."""

    def vectors(self, rows: Rows | None = None) -> Vectors:
        """Return the vectors of `rows`, or of all rows, as float32 (n, dimension), a copy.

        Raises:
            StoreDamagedError: a row is not there.
        """

    def decoded(self, rows: Rows | None = None) -> Vectors:
        """Return vectors as `vectors` does, but as they are kept: of nearly unit length.

        An index that is made of them `like` this one has the same codes.
        """

    def codes(self, rows: Rows) -> list[bytes]:
        """Return what is kept of the vectors of `rows`, each as bytes."""

    def search(self, queries: Vectors, k: int, allowed: Rows | None = None) -> tuple[Vectors, Rows]:
        """Return the k best rows of each query, best first; equal scores in row order.

        Args:
            queries: float32 (n, dimension), unit vectors.
            k: answers wanted; fewer come back where there are fewer rows.
            allowed: the rows that may be answered, ascending; None for all.

        Returns:
            scores and rows, both (n, min(k, rows that may be answered)).

        Raises:
            StoreDamagedError: an allowed row is not there, or a vector holds no numbers.
        """

    def search_exactly(self, queries: Vectors, k: int) -> tuple[Vectors, Rows]:
        """Return the k best rows of each query by comparing it with every vector, in blocks.

        Args and returned arrays are those of `search`.
        """

    def spread_scores(self, query: Vectors, most: int = 20_000) -> tuple[Vectors, Rows]:
        """Return the scores of one query with at most `most` evenly spread rows, and the rows."""

    def recall(self, vectors: Vectors, k: int = 10) -> float:
        """Return the recall@k of this index against exact search, over a sample of its rows.

        Args:
            vectors: what the index was made of, float32 (n, dimension).
            k: the nearest that are looked for.
        """

    def save(self, path: Path) -> None:
        """Write the index to `path` as FAISS does; OSError when the disk refuses."""

    def close(self) -> None:
        """Let go of the vectors and of the file that they are mapped from."""


def is_small(rows: int, dimension: int) -> bool:
    """Return whether so many vectors are compared by numpy, one for one, and not by FAISS.

    The two add up in another order, and what a store keeps must equal what it finds.
    """
    return rows * dimension <= SMALL


def unreadable(path: Path, error: OSError) -> StoreDamagedError:
    """Return the error of an index that the system cannot read."""
    return StoreDamagedError(f"{path}: cannot be read ({error.strerror or error})", hint=REBUILD)
