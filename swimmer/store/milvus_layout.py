"""How a collection on Milvus is laid out for its size: the index of its vectors, its partitions.

The options are those of https://milvus.io/docs/index.md and
https://milvus.io/docs/use-partition-key.md.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from swimmer.errors import InputError
from swimmer.store.filters import Condition, Filter, Leaf, compile_filter
from swimmer.store.milvus_filters import FIELDS, among

INDEXES = {"flat": "FLAT", "hnsw": "HNSW", "ivf-sq8": "IVF_SQ8", "diskann": "DISKANN"}
"""The kinds of indexes, by the names that a person gives them."""

MEMORY = 32 << 30
"""Bytes of memory in which the index of a collection should fit, over all query nodes."""

EXACT = 50_000
"""Papers up to which a search looks at each vector."""

PART = "part"
"""The field by which a collection is parted: of a venue and a year."""

_HNSW_LINKS = 270
_IVF_EXTRA = 8
_PARTS = ((100_000_000, 256), (10_000_000, 64), (1_000_000, 16))
_MOST_YEARS = 50
_MOST_PARTS = 200


@dataclass(frozen=True)
class Layout:
    """The kind of index of a collection, its options, and the number of partitions, 0 for none."""

    index: str
    options: dict[str, int] = field(default_factory=dict)
    partitions: int = 0


def layout_of(papers: int, dimension: int, index: str = "", *, local: bool = False) -> Layout:
    """Return how a collection is laid out for its size.

    Exact up to EXACT papers; then HNSW while it fits in MEMORY, IVF_SQ8 while that does, which
    keeps a byte for each component, and DISKANN beyond. Partitions from a million papers on.

    Args:
        papers: how many it is made for.
        dimension: components of a vector.
        index: one of INDEXES, "" for what the size asks for.
        local: whether it is one of milvus-lite, which is for trying: exact, in one part.

    Raises:
        InputError: there is no such kind of index.
    """
    if index and index.lower() not in INDEXES:
        raise InputError(
            f"there is no index {index[:40]!r}", hint=f"choose one of {', '.join(INDEXES)}"
        )
    kind = INDEXES[index.lower()] if index else _fitting(papers, dimension, local)
    parts = 0 if local else next((count for least, count in _PARTS if papers >= least), 0)
    return Layout(kind, _options(kind, papers), parts)


def _fitting(papers: int, dimension: int, local: bool) -> str:
    if local or papers <= EXACT:
        return "FLAT"
    if papers * (4 * dimension + _HNSW_LINKS) <= MEMORY:
        return "HNSW"
    return "IVF_SQ8" if papers * (dimension + _IVF_EXTRA) <= MEMORY else "DISKANN"


def _options(kind: str, papers: int) -> dict[str, int]:
    if kind == "HNSW":
        return {"M": 32, "efConstruction": 200}
    if kind == "IVF_SQ8":
        # Milvus' own advice, 4 * sqrt(n), within what it accepts.
        return {"nlist": min(65_536, max(16, 4 * math.isqrt(papers)))}
    return {}


def search_options(kind: str, k: int) -> dict[str, Any]:
    """Return the options of a search for k vectors by a kind of index."""
    deep = {
        "HNSW": {"ef": max(128, 2 * k)},
        "DISKANN": {"search_list": max(128, 2 * k)},
        "IVF_SQ8": {"nprobe": 256},
    }
    return {"metric_type": "IP", "params": deep.get(kind, {})}


def part_of(venue: str, year: int | None) -> str:
    """Return the value of PART of a paper: a digest of its venue and year."""
    text = f"{venue}\n{'' if year is None else year}"
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def parts_admitted(filter: Filter) -> str:
    """Return the condition on PART that follows from a filter, "" for none.

    It follows where venues and years must hold: the server then looks in their partitions only.

    Raises:
        QueryError: the filter is wrong.
    """
    leaves = list(_required(compile_filter(filter, FIELDS)))
    venues, years = _venues(leaves), _years(leaves)
    if not venues or not years or len(venues) * len(years) > _MOST_PARTS:
        return ""
    pairs = itertools.product(sorted(venues), sorted(years, key=lambda one: one or 0))
    return among(PART, [part_of(venue, year) for venue, year in pairs])


def _required(condition: Condition) -> Iterator[Leaf]:
    """Yield the conditions that every paper must meet."""
    if isinstance(condition, Leaf):
        if not condition.negated:
            yield condition
    elif condition.word == "and" or (condition.word == "or" and len(condition.parts) == 1):
        for part in condition.parts:
            yield from _required(part)


def _venues(leaves: list[Leaf]) -> set[str]:
    """Return the venues of which one must hold, none where that is not said."""
    for leaf in leaves:
        if leaf.field == "venue" and leaf.operator in ("$eq", "$in"):
            values = leaf.operand if leaf.operator == "$in" else [leaf.operand]
            return {one for one in values if isinstance(one, str)}
    return set()


def _years(leaves: list[Leaf]) -> set[int | None]:
    """Return the years of which one must hold, none where that is not said."""
    low, high = -math.inf, math.inf
    for leaf in leaves:
        if leaf.field != "year":
            continue
        if leaf.operator in ("$eq", "$in"):
            values = leaf.operand if leaf.operator == "$in" else [leaf.operand]
            return {one if one is None else int(one) for one in values if _may_be_year(one)}
        if isinstance(leaf.operand, (int, float)):
            if leaf.operator in ("$gt", "$gte"):
                low = max(low, leaf.operand)
            elif leaf.operator in ("$lt", "$lte"):
                high = min(high, leaf.operand)
    if not 0 <= high - low <= _MOST_YEARS:
        return set()
    return set(range(math.floor(low), math.ceil(high) + 1))


def _may_be_year(value: object) -> bool:
    return value is None or (isinstance(value, (int, float)) and float(value).is_integer())
