"""Search by words: BM25 over the full-text index, any text taken as text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from swimmer.errors import REBUILD, QueryError, StoreDamagedError
from swimmer.store.database import PaperDatabase
from swimmer.text import folded, segments, words_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WEIGHTS = {"display_title": 3.0, "abstract": 1.0, "keywords": 2.0, "authors": 2.0}
"""What a word counts for by where it stands, as factors of BM25."""

TERMS = 32
"""Words of a query that are searched, the rarest first."""

POSTINGS = 0.03
"""Occurrences that a query reads, as a share of the papers; the commonest words go over it."""

_MOST_SEGMENTS = 64
_LEAST_POSTINGS = 4_000
_SEARCHED = 2_000
_TEXTS = "{display_title abstract keywords}"
_PHRASE = re.compile(r'"([^"]{2,200})"')


def split_query(text: str) -> tuple[list[str], list[list[str]]]:
    """Return the distinct words of a query, and the words of each phrase in double quotes.

    A quote without its pair is a character like any other: it is no part of a word.
    """
    text = _plain(text)
    phrases = [words for found in _PHRASE.findall(text) if len(words := words_of(found)) > 1]
    return list(dict.fromkeys(words_of(text))), phrases


def keyword_search(
    database: PaperDatabase, text: str, limit: int, allowed: NDArray[np.bool_] | None = None
) -> list[tuple[int, float]]:
    """Return (row, BM25 score) of the papers that share words with a text, best first.

    A phrase in double quotes must occur as it stands. The commonest words of a longer text only
    count where the rarer ones leave the work small; FTS5's operators are words like any other.

    Args:
        database: the papers.
        text: any text.
        limit: rows wanted.
        allowed: which rows may be answered, bool (papers,); None for all.
    """
    words, phrases = split_query(text)
    match = _match(words, phrases, database)
    if not match:
        return []
    weights = ", ".join(map(str, WEIGHTS.values()))
    sql = (
        f"SELECT rowid, -bm25(papers_fts, {weights}) AS score FROM papers_fts "
        "WHERE papers_fts MATCH ? ORDER BY score DESC, rowid"
    )
    if allowed is None:
        return _scored(database, database.query(f"{sql} LIMIT ?", (match, limit), (int, float)))
    found = _scored(database, database.query(sql, (match,), (int, float)))
    return [pair for pair in found if allowed[pair[0]]][:limit]


def _scored(database: PaperDatabase, pairs: list[tuple[Any, ...]]) -> list[tuple[int, float]]:
    _check_rows(database, [row for row, _ in pairs])
    return [(row, score) for row, score in pairs]


def _check_rows(database: PaperDatabase, rows: list[int]) -> None:
    """Check rows of the full-text index, which in a file from outside may be any number."""
    if rows and not 0 <= min(rows) <= max(rows) < len(database):
        raise StoreDamagedError(
            f"{database.path or 'the papers in memory'}: its full-text index names rows that "
            "are not there",
            hint=REBUILD,
        )


def _match(words: list[str], phrases: list[list[str]], database: PaperDatabase) -> str:
    chosen = rarest(database, words)
    if not chosen:
        return ""
    any_word = " OR ".join(map(_quoted, chosen))
    must = [_quoted(" ".join(phrase)) for phrase in phrases[:8]]
    return " AND ".join([*must, f"({any_word})"])


def rarest(database: PaperDatabase, words: Iterable[str]) -> list[str]:
    """Return the rarest of the words that occur at all, within the limits of a query."""
    budget = max(_LEAST_POSTINGS, int(POSTINGS * len(database)))
    counted = sorted(
        (count, word) for word in words if (count := frequency(database, word, budget + 1))
    )
    chosen: list[str] = []
    for count, word in counted[:TERMS]:
        budget -= count
        if budget < 0 and chosen:
            break
        chosen.append(word)
    return chosen


def frequency(database: PaperDatabase, words: str, cap: int) -> int:
    """Return in how many papers a word or phrase occurs, counted up to `cap`."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM papers_fts WHERE papers_fts MATCH ? LIMIT ?)"
    return int(database.query(sql, (_quoted(words), cap))[0][0])


def text_frequency(database: PaperDatabase, word: str, cap: int) -> int:
    """Return how many papers have a folded word in their texts, not as an author's name."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM papers_fts WHERE papers_fts MATCH ? LIMIT ?)"
    return int(database.query(sql, (f"{_TEXTS} : {_quoted(word)}", cap))[0][0])


def word_frequency(database: PaperDatabase, text: str, cap: int) -> int:
    """Return in how many papers the words of a text stand in a row, counted up to `cap`."""
    words = words_of(_plain(text))
    return frequency(database, " ".join(words), cap) if words else 0


def rows_with_words(database: PaperDatabase, words: list[str], limit: int) -> list[int]:
    """Return the rows of papers that hold all of some folded words, by BM25, best first."""
    weights = ", ".join(map(str, WEIGHTS.values()))
    sql = (
        "SELECT rowid FROM papers_fts WHERE papers_fts MATCH ? "
        f"ORDER BY bm25(papers_fts, {weights}), rowid LIMIT ?"
    )
    match = " AND ".join(map(_quoted, words))
    return [int(row) for (row,) in database.query(sql, (match, limit))]


def rows_with_segments(database: PaperDatabase, text: str, limit: int) -> list[int]:
    """Return the rows that hold most of a text in a script without spaces, by BM25, best first.

    At least half of its pairs of characters, and every word in another script, must be there.
    """
    words, pairs = segments(text)
    if not pairs or "segments_fts" not in database.tables:
        return []
    terms = list(dict.fromkeys([*words, *pairs]))[:_MOST_SEGMENTS]
    sql = (
        "SELECT rowid, terms FROM segments_fts WHERE segments_fts MATCH ? "
        "ORDER BY bm25(segments_fts), rowid LIMIT ?"
    )
    match = " OR ".join(map(_quoted, terms))
    rows = []
    for row, held in database.query(sql, (match, 4 * limit)):
        there = set(str(held).split())
        shared = sum(pair in there for pair in set(pairs))
        if 2 * shared >= len(set(pairs)) and there.issuperset(words):
            rows.append(int(row))
    return rows[:limit]


def is_written(database: PaperDatabase, word: str) -> bool:
    """Return whether a paper holds a folded word as it stands, not only another with its stem."""
    counted = database.prepare_vocabulary()
    if counted and database.query("SELECT 1 FROM vocabulary WHERE word = ?", (word,)):
        return True
    match = _quoted(word)
    if not (counted and word.isascii()):
        sql = "SELECT 1 FROM papers_fts WHERE papers_fts MATCH ? LIMIT 1"
        return bool(database.query(sql, (match,)))
    # Only one abstract may hold what the vocabulary does not: it is looked for, up to a limit.
    sql = (
        "SELECT 1 FROM (SELECT rowid FROM papers_fts WHERE papers_fts MATCH ? LIMIT ?) AS found "
        "JOIN papers ON papers.row = found.rowid "
        "WHERE instr(lower(papers.title || ' ' || papers.abstract || ' ' || papers.keywords), ?) "
        "LIMIT 1"
    )
    return bool(database.query(sql, (match, _SEARCHED, word)))


def titles_with_phrase(database: PaperDatabase, words: list[str], limit: int) -> list[int]:
    """Return rows whose titles hold folded words in a row, the shortest titles first."""
    return _title_rows(database, _quoted(" ".join(words)), limit)


def titles_with_words(database: PaperDatabase, words: list[str], limit: int) -> list[int]:
    """Return rows whose titles hold all of some folded words, the shortest titles first."""
    return _title_rows(database, " AND ".join(map(_quoted, words)), limit)


def _title_rows(database: PaperDatabase, match: str, limit: int) -> list[int]:
    sql = "SELECT rowid FROM titles_fts WHERE titles_fts MATCH ? LIMIT ?"
    rows = [row for (row,) in database.query(sql, (match, limit), (int,))]
    _check_rows(database, rows)
    if len(rows) < 2:
        return rows
    keys = database.keys_of_rows(rows)
    return [row for _, row in sorted(zip(map(len, keys), rows, strict=True))]


def phrase_rows(database: PaperDatabase, phrase: str) -> list[int]:
    """Return the rows of the papers that hold some words in a row, whatever their endings.

    Raises:
        QueryError: the phrase holds no word.
    """
    words = words_of(_plain(phrase))
    if not words:
        raise QueryError(f"{phrase[:60]!r} holds no word", hint="give a word or a phrase")
    sql = "SELECT rowid FROM papers_fts WHERE papers_fts MATCH ?"
    found = [row for (row,) in database.query(sql, (_quoted(" ".join(words)),), (int,))]
    _check_rows(database, found)
    return found


def _quoted(words: str) -> str:
    # Inside double quotes FTS5 knows no operator; the words hold letters and digits only.
    return f'"{words}"'


def _plain(text: str) -> str:
    return re.sub("[“”„«»]", '"', folded(text))
