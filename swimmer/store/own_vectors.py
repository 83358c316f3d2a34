"""The vectors of papers before smoothing, kept in the database with the neighbours of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from swimmer.errors import REBUILD, StoreDamagedError
from swimmer.store.database import PaperDatabase
from swimmer.store.schema import VECTOR_TABLES
from swimmer.store.smoothing import Neighbours

if TYPE_CHECKING:
    from swimmer.store.index import Vectors

_BATCH = 4096


def keep_own_vectors(database: PaperDatabase, vectors: Vectors, near: Neighbours) -> None:
    """Write vectors, rounded to float16, and their neighbours; those that were there are gone."""
    database.run("DROP TABLE IF EXISTS own_vectors;" + VECTOR_TABLES)
    for start in range(0, len(vectors), _BATCH):
        parts = (
            vectors[start : start + _BATCH].astype("<f2"),
            near.rows[start : start + _BATCH].astype("<i4"),
            near.scores[start : start + _BATCH].astype("<f4"),
        )
        database.write(
            "INSERT INTO own_vectors VALUES (?, ?, ?, ?)",
            (
                (start + i, vector.tobytes(), rows.tobytes(), scores.tobytes())
                for i, (vector, rows, scores) in enumerate(zip(*parts, strict=True))
            ),
        )


def drop_own_vectors(database: PaperDatabase) -> None:
    """Remove what `keep_own_vectors` has written."""
    database.run("DROP TABLE IF EXISTS own_vectors")


def read_own_vectors(
    database: PaperDatabase, papers: int, dimension: int
) -> tuple[Vectors, Neighbours] | None:
    """Return the vectors before smoothing and their neighbours, None where none are kept.

    Raises:
        StoreDamagedError: there are more or fewer than the papers, or they have another length.
    """
    if "own_vectors" not in database.tables:
        return None
    found = database.query(
        "SELECT vector, near, scores FROM own_vectors ORDER BY row", (), (bytes, bytes, bytes)
    )
    try:
        vectors, rows, scores = (
            np.frombuffer(b"".join(column), kind).reshape(papers, width)
            for column, kind, width in zip(
                zip(*found, strict=True), ("<f2", "<i4", "<f4"), (dimension, -1, -1), strict=True
            )
        )
        if rows.shape != scores.shape or (
            rows.size
            and not (rows.min() >= -1 and rows.max() < papers and np.isfinite(scores).all())
        ):
            raise ValueError("neighbours that are no papers")
    except (TypeError, ValueError):
        raise StoreDamagedError(
            f"{database.path or 'the papers in memory'}: its vectors before smoothing are not "
            "those of its papers",
            hint=REBUILD,
        ) from None
    own = vectors.astype(np.float32)
    if not np.isfinite(own).all():
        raise StoreDamagedError(f"{database.path}: holds vectors that are not finite", hint=REBUILD)
    return own, Neighbours(rows.astype(np.int32), scores.astype(np.float32))
