"""Titles looked up: which paper of a store has the title that a query is, exactly or nearly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from swimmer.store import near_titles
from swimmer.text import TITLE_LIMIT, title_key

if TYPE_CHECKING:
    from swimmer.store import PaperStore

CLOSE_TITLE = 0.9
"""Levenshtein similarity of title keys from which a query is taken as a title of the store."""

SHORTEST_CLOSE_TITLE = 8
"""Characters of a title key below which only the exact title is taken."""

_FEW = 64
"""Titles that are looked at first without `rapidfuzz`: to load it takes longer."""


def exact_titles(store: PaperStore, queries: Sequence[str]) -> list[int | None]:
    """Return the row of the paper whose title each query is, or None.

    Equal after folding case, punctuation, spacing, LaTeX and Unicode.
    """
    if not queries:
        return []
    keys = ["" if len(query) > TITLE_LIMIT else title_key(query) for query in queries]
    rows = store.database.rows_of_keys(keys)
    return [rows.get(key) for key in keys]


def close_title(store: PaperStore, query: str) -> int | None:
    """Return the row of the title that is nearest to a query in edit distance, or None.

    All its numbers must be the query's too (part II is not part I).
    """
    if len(query) > TITLE_LIMIT:
        return None
    return _close_title(store, query, title_key(query))


def find_title(store: PaperStore, query: str) -> tuple[int, bool] | None:
    """Return (row, exact) of the paper whose title a query is, or None; see `find_titles`."""
    return find_titles(store, [query])[0]


def find_titles(store: PaperStore, queries: Sequence[str]) -> list[tuple[int, bool] | None]:
    """Return (row, exact) of the paper whose title each query is, or None.

    Exact after folding case, punctuation, spacing, LaTeX and Unicode; else the nearest title in
    the sense of edit distance, when all its numbers are the query's too (part II is not part I).
    """
    found: list[tuple[int, bool] | None] = []
    for query, row in zip(queries, exact_titles(store, queries), strict=True):
        close = close_title(store, query) if row is None else None
        found.append((row, True) if row is not None else None if close is None else (close, False))
    return found


def _close_title(store: PaperStore, query: str, key: str) -> int | None:
    if len(key) < SHORTEST_CLOSE_TITLE:
        return None
    lengths = CLOSE_TITLE * len(key), len(key) / CLOSE_TITLE
    candidates = near_titles(store.database, query, lengths)
    if len(candidates) <= _FEW:
        letters = Counter(key)
        candidates = [(row, other) for row, other in candidates if may_be_close(letters, other)]
    if not candidates:
        return None
    from rapidfuzz.distance import Levenshtein

    digits = _digits(key)
    scored = [
        (near, -row)
        for row, other in candidates
        if (near := Levenshtein.normalized_similarity(key, other, score_cutoff=CLOSE_TITLE))
        and _digits(other) == digits
    ]
    return -max(scored)[1] if scored else None


def may_be_close(letters: Counter[str], other: str) -> bool:
    """Return whether a title may be as close as CLOSE_TITLE to one of such letters.

    No fewer edits make one of the other than there are letters of the one that the other lacks
    (the bag distance of Bartolini, Ciaccia and Patella, 2002).
    """
    length = letters.total()
    lacking = (letters - Counter(other)).total()
    fewest = max(lacking, lacking + len(other) - length)
    return fewest <= (1 - CLOSE_TITLE) * max(length, len(other)) + 1e-6


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))
