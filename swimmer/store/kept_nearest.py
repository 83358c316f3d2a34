"""The nearest papers of a paper, as a store keeps them: read without numpy, FAISS and a model."""

from __future__ import annotations

import struct
from itertools import pairwise

from swimmer.errors import REBUILD, StoreDamagedError
from swimmer.store.database import PaperDatabase
from swimmer.store.similarity import RESCORED

VALUE_SIZE = 12
"""Bytes for each paper that is kept: its row, its score and its cosine, four each."""

RECALL = "nearest_recall"
"""Under which name the measured recall is kept: "1" where all were compared; "none" for none."""


def count_kept(papers: int) -> int:
    """Return how many of the nearest are kept for each paper of a store."""
    return max(0, min(RESCORED, papers - 1))


def kept_nearest(database: PaperDatabase, row: int) -> list[tuple[int, float, float]] | None:
    """Return (row, score, cosine) of the papers nearest to one of the store, best first.

    None where none are kept: in a store without them, in one that was changed since it was read,
    and for a paper of which the hundredth and the next are equally near.

    Raises:
        StoreDamagedError: what is kept is not in order.
    """
    if database.writable or "nearest" not in database.tables:
        return None
    found = database.query("SELECT packed FROM nearest WHERE row = ?", (row,), (bytes,))
    if not found:
        return None
    try:
        return unpacked(found[0][0], row, len(database))
    except ValueError as error:
        raise StoreDamagedError(
            f"{database.path}: the nearest papers of row {row} are {error}; {REBUILD}"
        ) from None


def unpacked(packed: bytes, row: int, papers: int) -> list[tuple[int, float, float]]:
    """Return (row, score, cosine) of the papers that are kept for one paper.

    Args:
        packed: int32 rows, then float32 scores, then float32 cosines, little-endian.
        row: the paper's own row.
        papers: how many the store has.

    Raises:
        ValueError: they are too few or too many, are no other papers, stand twice, have values
            that are no cosines, or are not in order.
    """
    count = count_kept(papers)
    if len(packed) != VALUE_SIZE * count:
        raise ValueError(f"{len(packed)} bytes, not {VALUE_SIZE * count}")
    values = struct.unpack(f"<{count}i{2 * count}f", packed)
    rows, scores, cosines = values[:count], values[count : 2 * count], values[2 * count :]
    if len({*rows, row}) != count + 1 or min(rows) < 0 or max(rows) >= papers:
        raise ValueError("not other papers of the store")
    # A value that is no number is not between two numbers.
    if not all(-1 <= value <= 1 for value in values[count:]):
        raise ValueError("scored by other values than cosines")
    ordered = all(
        a[0] > b[0] or (a[0] == b[0] and a[1] < b[1])
        for a, b in pairwise(zip(scores, rows, strict=True))
    )
    if not ordered:
        raise ValueError("not in the order of their scores")
    return list(zip(rows, scores, cosines, strict=True))
