"""Titles that are nearly a text: found by their rarer words, and by their lengths."""

from __future__ import annotations

import itertools
import sys
from array import array

from swimmer.store.database import PaperDatabase
from swimmer.text import folded, words_of

_RANKED = 64
"""Titles that are returned of those that BM25 ranks."""

_COMPARED = 800
"""Titles of the right length that are returned without being ranked."""

_NEAR_TITLES = 4_000
"""Titles that rarer words are looked up in."""

_FEW_WORDS = 3
_COMMON = 1_000


def near_titles(
    database: PaperDatabase, title: str, lengths: tuple[float, float] | None = None
) -> list[tuple[int, str]]:
    """Return (row, title key) of titles that share the rarer words of a text.

    Args:
        database: the papers.
        title: the text.
        lengths: the least and the most characters that the title key may have; None for any.
    """
    match = _match(database, title)
    if not match:
        return []
    kept = database.title_lengths() if lengths is not None else None
    if kept is not None and lengths is not None:
        least, most = lengths
        sql = "SELECT rowid FROM titles_fts WHERE titles_fts MATCH ?"
        rows = [row for (row,) in database.query(sql, (match,), (int,)) if 0 <= row < len(kept)]
        rows = [row for row in rows if least <= kept[row] <= most]
        # To rank a title takes longer than to read it, if there are not too many to read.
        if len(rows) <= _COMPARED:
            return list(zip(rows, database.keys_of_rows(rows), strict=True))
    sql = (
        "SELECT papers.row, papers.title_key FROM titles_fts "
        "JOIN papers ON papers.row = titles_fts.rowid "
        "WHERE titles_fts MATCH ? ORDER BY titles_fts.rank LIMIT ?"
    )
    found = database.query(sql, (match, _RANKED), (int, str))
    return [(row, key) for row, key in found]


def _match(database: PaperDatabase, title: str) -> str:
    """Return the FTS5 expression of the rarer words of a title, "" where it has none."""
    words = sorted(set(words_of(folded(title))), key=len, reverse=True)[:24]
    counts = _counts(database, words)
    # The rarest words find the title; the common ones only cost time. A near title shares
    # nearly all of its words, so that two of them are enough, and of common ones two together.
    ranked = sorted((count, word) for word, count in counts.items())[:6]
    left = _NEAR_TITLES
    rare: list[str] = []
    for count, word in ranked:
        left -= count
        if left < 0:
            break
        rare.append(f'"{word}"')
    if len(rare) < 2:
        common = [f'"{word}"' for _, word in ranked[len(rare) :][: 3 - len(rare)]]
        pairs = [f"({one} AND {other})" for one, other in itertools.pairwise(common)]
        # One common word alone is enough where there are hardly others.
        rare += pairs or (common if len(words) <= _FEW_WORDS else [])
    return " OR ".join(rare)


def _counts(database: PaperDatabase, words: list[str]) -> dict[str, int]:
    """Return in how many titles each of some words stands; those of no title are left out."""
    common: dict[str, int] = database.kept("titles with common words", dict)
    counts = {word: common[word] for word in words if word in common}
    for word in words:
        if word in counts:
            continue
        sql = "SELECT doc FROM title_terms WHERE term = ?"
        for (count,) in database.query(sql, (word,), (int,)):
            counts[word] = count
            # SQLite counts them one by one.
            if count >= _COMMON:
                common[word] = count
    return counts


def keep_title_lengths(database: PaperDatabase) -> None:
    """Write how many characters each title key has, two bytes a row, at most 65,535."""
    lengths = array("H", bytes(2 * len(database)))
    for row, length in database.query("SELECT row, length(title_key) FROM papers", (), (int, int)):
        lengths[row] = min(length, 65_535)
    if sys.byteorder == "big":
        lengths.byteswap()
    database.write("DELETE FROM title_lengths", [()])
    database.write("INSERT INTO title_lengths VALUES (?)", [(lengths.tobytes(),)])
