"""The nearest papers of a paper, as a store keeps them: read without numpy, FAISS and a model.

For each paper of `count` others: uint32 rows, the differences of their scores (each to the one
before, as the bits of float32), and the differences of the cosines from the scores. Of these
numbers first all lowest bytes, then all next ones, so that zlib finds the high ones alike; in a
large store a third is saved, and no digit lost. In a smaller one they are stored uncompressed.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from itertools import accumulate
from operator import neg

from swimmer.errors import REBUILD, StoreDamagedError
from swimmer.store.database import PaperDatabase
from swimmer.store.similarity import RESCORED

_ALL_BITS = 0xFFFFFFFF
VALUE_SIZE = 12
"""Bytes for each paper before they are compressed: its row, its score and its cosine, four each."""

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
            f"{database.path}: the nearest papers of row {row} are {error}", hint=REBUILD
        ) from None


def unpacked(packed: bytes, row: int, papers: int) -> list[tuple[int, float, float]]:
    """Return (row, score, cosine) of the papers that are kept for one paper.

    Args:
        packed: what is kept.
        row: the paper's own row.
        papers: how many the store has.

    Raises:
        ValueError: they are too few or too many, are no other papers, stand twice, have values
            that are no cosines, or are not in order.
    """
    count = count_kept(papers)
    size = VALUE_SIZE * count
    planes = inflated(packed, size)
    whole = bytearray(size)
    for place in range(4):
        whole[place::4] = planes[place * size // 4 : (place + 1) * size // 4]
    numbers = struct.unpack(f"<{3 * count}I", whole)
    rows, steps, differences = numbers[:count], numbers[count : 2 * count], numbers[2 * count :]
    bits = [number & _ALL_BITS for number in accumulate(steps)]
    bits += [(one + other) & _ALL_BITS for one, other in zip(bits, differences, strict=True)]
    values = struct.unpack(f"<{2 * count}f", struct.pack(f"<{2 * count}I", *bits))
    scores, cosines = values[:count], values[count:]
    if len({*rows, row}) != count + 1 or max(rows, default=0) >= papers:
        raise ValueError("not other papers of the store")
    # With one value that is no number, the sum is none either.
    if math.isnan(sum(values)) or min(values, default=0) < -1 or max(values, default=0) > 1:
        raise ValueError("scored by other values than cosines")
    if list(scores) != sorted(scores, reverse=True) or not _are_ties_ordered(scores, rows):
        raise ValueError("not in the order of their scores")
    return list(zip(rows, scores, cosines, strict=True))


def _are_ties_ordered(scores: Sequence[float], rows: Sequence[int]) -> bool:
    """Return whether rows of equal scores, which stand together, are ascending."""
    if len(set(scores)) == len(scores):
        return True
    order = list(zip(map(neg, scores), rows, strict=True))
    return order == sorted(order)


def inflated(packed: bytes, size: int) -> bytes:
    """Return what zlib made of `size` bytes.

    Raises:
        ValueError: it is not of so many.
    """
    inflate = zlib.decompressobj()
    try:
        # Not more than one byte too many: a stranger's few bytes may become gigabytes.
        found = inflate.decompress(packed, size + 1)
    except zlib.error:
        raise ValueError("not as they were compressed") from None
    if len(found) != size or not inflate.eof or inflate.unused_data:
        raise ValueError(f"not {size} bytes")
    return found
