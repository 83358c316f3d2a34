"""Which kind of index holds the vectors of a store.

The file is always one of FAISS. A small index of float32 is read and compared with numpy, any
other is mapped and searched by FAISS.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from swimmer.store import flat_index, index
from swimmer.store.index_file import is_flat
from swimmer.store.vector_formats import FLOAT32

if TYPE_CHECKING:
    from swimmer.store.index import Rows, VectorIndex, Vectors


def index_of(
    vectors: Vectors, *, exact: bool = True, form: str = FLOAT32, like: VectorIndex | None = None
) -> VectorIndex:
    """Return an index of float32 unit vectors (n, dimension).

    Args:
        vectors: what it will hold.
        exact: False for an inverted file where there are too many for a flat scan.
        form: how the vectors are kept, one of `vector_formats.FORMATS`.
        like: an index of an earlier state, whose codes are kept where they can be.
    """
    flat = exact or len(vectors) <= index.EXACT_LIMIT
    if flat and form == FLOAT32 and index.is_small(*vectors.shape):
        return flat_index.FlatIndex(np.ascontiguousarray(vectors, np.float32))
    from swimmer.store.faiss_index import FaissIndex

    return FaissIndex.of(vectors, exact=exact, form=form, like=like)


def open_index(
    path: Path, rows: int, dimension: int, opened: BinaryIO | None = None, form: str = FLOAT32
) -> VectorIndex:
    """Open the index at `path`, which must hold `rows` vectors of `dimension`.

    `opened` is the file, where it is open already: it may have been replaced since. `form` is how
    the vectors must be kept.

    Raises:
        StoreDamagedError: it is not such an index, or not of that shape.
    """
    if form == FLOAT32 and index.is_small(rows, dimension):
        try:
            flat = is_flat(path, opened)
        except OSError as error:
            raise index.unreadable(path, error) from None
        if flat:
            return flat_index.FlatIndex.open(path, rows, dimension, opened)
    from swimmer.store.faiss_index import FaissIndex

    return FaissIndex.open(path, rows, dimension, opened, form)


def pair_cosines(vectors: Vectors, rows: Rows, others: Rows) -> Vectors:
    """Return the cosine of each row of `rows` with those of `others`: float32 (n, count).

    To the last digit what a search for one vector gives, which a product of matrices is not.

    Args:
        vectors: all vectors of an index, float32 (all, dimension), contiguous.
        rows: int64 (n,).
        others: int64 (n, count).
    """
    if index.is_small(*vectors.shape):
        return flat_index.pair_cosines(vectors, rows, others)
    from swimmer.store import faiss_index

    return faiss_index.pair_cosines(vectors, rows, others)
