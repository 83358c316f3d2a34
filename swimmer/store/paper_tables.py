"""The papers of a database, read: by row, id, URL and title, and the values of their fields."""

from __future__ import annotations

import json
import sqlite3
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from swimmer.papers import DOCUMENT_RECORD, Paper
from swimmer.store.database_file import DatabaseFile
from swimmer.store.schema import COLUMNS, PAPER, paper_of

if TYPE_CHECKING:
    from swimmer.store.lexical import LexicalIndex

LISTS = ("authors", "keywords")
"""The columns that hold lists."""

_T = TypeVar("_T")


class PaperTables(DatabaseFile):
    """The tables of a paper database, for reading."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None, writable: bool) -> None:
        super().__init__(connection, path, writable)
        self._derived: dict[str, Any] = {}
        # SQLite's own lower() and LIKE know ASCII only.
        connection.create_function("contains", 2, contains, deterministic=True)

    def forget_derived(self) -> None:
        """Drop what was computed from the papers, after a change."""
        self._derived.clear()

    @property
    def has_lookups(self) -> bool:
        """Whether identifiers, names and people can be looked up; not in a store of schema 1."""
        return "people" in self.tables

    def __len__(self) -> int:
        # Rows have no gaps, so the last one tells; counting them would read every page.
        if self.writable:
            return int(self.query("SELECT ifnull(max(row), -1) + 1 FROM papers")[0][0])
        return self._rows

    def fields(self) -> list[str]:
        """Return the names of all fields that a filter may use, sorted."""
        return sorted({*COLUMNS, *self.other_fields} - {DOCUMENT_RECORD})

    @property
    def other_fields(self) -> frozenset[str]:
        """The names of the fields that are no columns of their own, or not for every paper."""

        def read() -> frozenset[str]:
            found = self.query("SELECT name FROM fields", (), (str,))
            return frozenset(name for (name,) in found)

        return self.kept("other fields", read)

    @property
    def holds_documents(self) -> bool:
        """Whether some of the papers are documents that were not a paper's."""
        return DOCUMENT_RECORD in self.other_fields

    def documents_among(self, rows: Sequence[int]) -> list[int]:
        """Return those of some rows that are documents which were not a paper's."""
        if not rows or not self.holds_documents:
            return []
        sql = (
            "SELECT row FROM papers WHERE row IN (SELECT value FROM json_each(?)) "
            "AND json_type(extra, ?) IS NOT NULL"
        )
        path = f'$."{DOCUMENT_RECORD}"'
        return [row for (row,) in self.query(sql, (json.dumps(list(rows)), path), (int,))]

    def kept(self, name: str, make: Callable[[], _T]) -> _T:
        """Return a value computed from the papers; it is kept until a paper changes."""
        with self._lock:
            if name not in self._derived:
                self._derived[name] = make()
            value: _T = self._derived[name]
            return value

    def values(self, field: str) -> list[tuple[int, Any]]:
        """Return (row, value) for each value of a field; a list gives each of its elements.

        Papers without the field are left out, except where it is one of the columns.
        """
        if field not in COLUMNS:
            return self._other_values(field)
        own = self._own_values(field)
        if field not in self.other_fields:
            return own
        # A value that the column cannot hold stands among the other fields, and counts instead.
        others = self._other_values(field)
        replaced = {row for row, _ in others}
        return [pair for pair in own if pair[0] not in replaced] + others

    def value_counts(self, field: str) -> dict[Any, int]:
        """Return the values of a field and how many papers have each, kept until one changes.

        An empty text and nothing are no values; of a list, each element counts.
        """
        return self.kept(f"counts of {field}", lambda: self._value_counts(field))

    def _value_counts(self, field: str) -> dict[Any, int]:
        if field in self.other_fields or field not in COLUMNS:
            pairs = dict.fromkeys(self.values(field))
            return Counter(value for _, value in pairs if value not in ("", None))
        if field in LISTS:
            lists = self.query(
                f"SELECT row, {field} FROM papers WHERE {field} != '[]'", (), (int, str)
            )
            counts: Counter[Any] = Counter()
            for pair in lists:
                # A list may hold a value twice.
                counts.update({value for _, value in self._leaves([pair])} - {""})
            return counts
        kinds = (None if field == "year" else str, int)
        found = self.query(f"SELECT {field}, count(*) FROM papers GROUP BY {field}", (), kinds)
        return {value: count for value, count in found if value not in ("", None)}

    def ids_of_rows(self, rows: Sequence[int]) -> list[str]:
        """Return the ids of some rows, in row order."""
        sql = "SELECT id FROM papers WHERE row IN (SELECT value FROM json_each(?)) ORDER BY row"
        return [one for (one,) in self.query(sql, (json.dumps(list(rows)),), (str,))]

    def _own_values(self, field: str) -> list[tuple[int, Any]]:
        if field not in LISTS:
            kinds = (int, None if field == "year" else str)
            return [
                (row, value)
                for row, value in self.query(f"SELECT row, {field} FROM papers", (), kinds)
            ]
        pairs = self.query(f"SELECT row, {field} FROM papers WHERE {field} != '[]'", (), (int, str))
        return self._leaves(pairs)

    def _other_values(self, field: str) -> list[tuple[int, Any]]:
        # The name is a parameter, never part of the statement: it came from outside.
        stored = self.query(
            "SELECT papers.row, CASE WHEN found.type IN ('array', 'object') "
            "THEN found.value ELSE json_quote(found.value) END "
            "FROM papers, json_each(papers.extra) AS found WHERE found.key = ?",
            (field,),
            (int, str),
        )
        return self._leaves(stored)

    def _leaves(self, pairs: list[tuple[Any, ...]]) -> list[tuple[int, Any]]:
        try:
            return [(row, leaf) for row, text in pairs for leaf in _scalars(json.loads(text))]
        except (ValueError, RecursionError) as error:
            raise self.damaged(f"a field is no JSON: {error}") from None

    def rows_by_length(self) -> list[int]:
        """Return all rows, the papers with the longest text first."""
        sql = (
            "SELECT row FROM papers "
            "ORDER BY length(display_title) + min(length(abstract), 500) DESC"
        )
        return [row for (row,) in self.query(sql, (), (int,))]

    def ids(self) -> list[str]:
        """Return the ids of all papers, in row order."""
        found = self.query("SELECT id FROM papers ORDER BY row", (), (str,))
        return [identifier for (identifier,) in found]

    def titles(self) -> list[tuple[int, str]]:
        """Return (row, display title) of all papers."""
        found = self.query("SELECT row, display_title FROM papers", (), (int, str))
        return [(row, title) for row, title in found]

    def matching_titles(self, match: str, limit: int) -> list[str]:
        """Return display titles that meet an FTS5 expression, in row order."""
        rows = self.query(
            "SELECT papers.display_title FROM titles_fts "
            "JOIN papers ON papers.row = titles_fts.rowid WHERE titles_fts MATCH ? LIMIT ?",
            (match, limit),
            (str,),
        )
        return [title for (title,) in rows]

    def papers(self, rows: Sequence[int]) -> list[Paper]:
        """Return the papers of `rows`, in that order.

        Raises:
            StoreDamagedError: a row is not there, or what it holds is no paper.
        """
        found: dict[int, Paper] = {}
        wanted = [int(row) for row in rows]
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            marks = ",".join("?" * len(part))
            for record in self.query(f"SELECT {PAPER} FROM papers WHERE row IN ({marks})", part):
                found[record[0]] = self._paper(record)
        try:
            return [found[row] for row in wanted]
        except KeyError as error:
            raise self.damaged(f"there is no row {error}") from None

    def _paper(self, record: tuple[Any, ...]) -> Paper:
        try:
            return paper_of(record)
        except ValueError as error:
            raise self.damaged(f"the paper of row {record[0]}: {error!s:.200}") from None

    def all_papers(self) -> Iterator[Paper]:
        """Yield every paper in row order, without holding them all."""
        last = -1
        while True:
            batch = self.query(
                f"SELECT {PAPER} FROM papers WHERE row > ? ORDER BY row LIMIT 1000", (last,)
            )
            if not batch:
                return
            for record in batch:
                # In a tree of pages that is not in order, rows may come again without an end.
                if record[0] <= last:
                    raise self.damaged("its rows are not in order")
                last = record[0]
                yield self._paper(record)

    def row_of_id(self, identifier: str) -> int | None:
        """Return the row of an id, or None."""
        return self._one("id = ?", identifier)

    def row_of_url(self, url: str) -> int | None:
        """Return the first row of a URL, or None."""
        return self._one("url = ? AND url != ''", url)

    def rows_of_key(self, key: str) -> list[int]:
        """Return the rows of a title key, ascending."""
        sql = "SELECT row FROM papers WHERE title_key = ? ORDER BY row"
        return [row for (row,) in self.query(sql, (key,), (int,))]

    def rows_of_key_start(self, start: str, limit: int) -> list[int]:
        """Return rows of papers whose title key begins so, in the order of the keys."""
        sql = (
            "SELECT row FROM papers WHERE title_key >= ? AND title_key < ? "
            "ORDER BY title_key LIMIT ?"
        )
        found = self.query(sql, (start, start + "\U0010ffff", limit), (int,))
        return [row for (row,) in found]

    def keys_of_rows(self, rows: Sequence[int]) -> list[str]:
        """Return the title keys of rows, in that order."""
        sql = "SELECT row, title_key FROM papers WHERE row IN (SELECT value FROM json_each(?))"
        pairs = self.query(sql, (json.dumps(list(rows)),), (int, str))
        found: dict[int, str] = dict(pairs)
        try:
            return [found[row] for row in rows]
        except KeyError as error:
            raise self.damaged(f"there is no row {error}") from None

    def rows_of_keys(self, keys: Sequence[str]) -> dict[str, int]:
        """Return the first row of each title key that is there, found together."""
        sql = (
            "SELECT title_key, min(row) FROM papers "
            "WHERE title_key IN (SELECT value FROM json_each(?)) GROUP BY title_key"
        )
        found = self.query(sql, (json.dumps(list(keys)),), (str, int))
        return dict(found)

    def rows_of_ids(self, identifiers: Iterable[str]) -> dict[str, int]:
        """Return the rows of those ids that are there, found together."""
        sql = "SELECT id, row FROM papers WHERE id IN (SELECT value FROM json_each(?))"
        return dict(self.query(sql, (json.dumps(list(identifiers)),), (str, int)))

    def _one(self, condition: str, value: str) -> int | None:
        sql = f"SELECT row FROM papers WHERE {condition} ORDER BY row LIMIT 1"
        found = self.query(sql, (value,), (int,))
        return int(found[0][0]) if found else None

    def text_hash_of(self, row: int) -> bytes:
        """Return the digest of the text that the vector of `row` was made from."""
        found = self.query("SELECT text_hash FROM papers WHERE row = ?", (row,), (bytes,))
        if not found:
            raise self.damaged(f"there is no row {row}")
        return bytes(found[0][0])

    def rows_where(self, column: str, condition: str, parameters: Sequence[Any]) -> list[int]:
        """Return the rows whose `column`, called `value`, meets an SQL condition of `filters`."""
        assert column in COLUMNS
        sql = f"SELECT row FROM (SELECT row, {column} AS value FROM papers) WHERE {condition}"
        return [row for (row,) in self.query(sql, parameters, (int,))]

    def title_lengths(self) -> array[int] | None:
        """Return how many characters the title key of each row has; None where it is not kept."""
        if self.writable or "title_lengths" not in self.tables:
            return None
        return self.kept("title lengths", self._title_lengths)

    def _title_lengths(self) -> array[int] | None:
        found = self.query("SELECT packed FROM title_lengths", (), (bytes,))
        if not found:
            return None
        if len(found) != 1 or len(found[0][0]) != 2 * len(self):
            raise self.damaged("its lengths of titles are not those of its papers")
        lengths = array("H")
        lengths.frombytes(found[0][0])
        if sys.byteorder == "big":
            lengths.byteswap()
        return lengths

    def title_counts(self, words: Iterable[str]) -> dict[str, int]:
        """Return in how many titles each lower-case word stands; words of no title are left out."""
        sql = "SELECT term, doc FROM title_terms WHERE term IN (SELECT value FROM json_each(?))"
        found = self.query(sql, (json.dumps(list(words)),), (str, int))
        return dict(found)

    @property
    def counts_words(self) -> bool:
        """Whether the words of each paper are kept."""
        return "words" in self.tables

    @property
    def has_token_weights(self) -> bool:
        """Whether the weights that a model gives tokens are kept, in place of words."""
        return "token_weights" in self.tables

    def packed_words(self, rows: Sequence[int]) -> dict[int, bytes]:
        """Return the packed words (or tokens) of rows, by row; rows without any are left out."""
        table = "token_weights" if self.has_token_weights else "words"
        sql = f"SELECT row, packed FROM {table} WHERE row IN (SELECT value FROM json_each(?))"
        found = dict(self.query(sql, (json.dumps(list(rows)),), (int, bytes)))
        self._check_words(found.values())
        return found

    def _check_words(self, rows: Iterable[bytes]) -> None:
        if any(len(packed) % 4 for packed in rows):
            raise self.damaged("its words are not those of a paper")

    def lexical_index(self) -> LexicalIndex | None:
        """Return what compares the papers by their words or tokens; None where none are kept.

        Raises:
            ValueError: the counts of words are not those of a store.
        """
        from swimmer.store.lexical import LexicalIndex, TokenIndex

        if self.has_token_weights:
            return TokenIndex()
        return LexicalIndex(*self.word_counts()) if self.counts_words else None

    def word_counts(self) -> tuple[int, bytes]:
        """Return the number of papers, and in how many of them each word stands, as packed."""
        kept = self.query("SELECT papers, counts FROM word_counts", (), (int, bytes))
        if kept and not self.writable:
            return kept[0][0], kept[0][1]
        from swimmer.store.lexical import count_papers

        packed = [words for (words,) in self.query("SELECT packed FROM words", (), (bytes,))]
        self._check_words(packed)
        return len(self), count_papers(packed)


def contains(value: object, part: str) -> bool:
    """Return whether a text holds a part, given casefolded, whatever the text's case."""
    return isinstance(value, str) and part in value.casefold()


def _scalars(value: Any) -> list[Any]:
    """Return what a filter can compare of a JSON value: itself, or the elements of a list.

    Of an object, and of anything inside a list that is no scalar, the scalars within.
    """
    if isinstance(value, list):
        return [scalar for item in value for scalar in _scalars(item)]
    if isinstance(value, dict):
        return [scalar for item in value.values() for scalar in _scalars(item)]
    if isinstance(value, int):
        # SQLite compares whole numbers of 64 bits.
        return [int(value) if -(2**63) <= value < 2**63 else str(value)]
    if isinstance(value, str):
        return [value.encode("utf-8", "replace").decode()]
    return [] if value is None else [value]
