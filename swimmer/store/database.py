"""The papers of a store in SQLite: rows numbered 0, 1, 2 … as in the index, titles, full text."""

from __future__ import annotations

import hashlib
import itertools
import json
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from swimmer.errors import REBUILD, StoreDamagedError, StoreError
from swimmer.papers import DOCUMENT_RECORD, Paper
from swimmer.store.lookup_tables import (
    LOOKUP_TABLES,
    SEGMENT_TABLE,
    Lookups,
    add_lookups,
    add_segments,
    forget_people,
    remove_lookups,
)
from swimmer.store.schema import (
    COLUMNS,
    FTS_COLUMNS,
    FTS_TABLES,
    INDEXES,
    PAPER,
    TABLES,
    WORD_TABLES,
    is_schema_of_ours,
    paper_of,
    row_of,
)
from swimmer.store.vocabulary import VOCABULARY_TABLE, Vocabulary
from swimmer.text import folded, pattern, words_of

LISTS = ("authors", "keywords")
"""The columns that hold lists."""

_T = TypeVar("_T")
_LATER = {"people": LOOKUP_TABLES, "segments_fts": SEGMENT_TABLE, "vocabulary": VOCABULARY_TABLE}
"""What a store of an earlier release lacks: one table of each group, and the statements."""

_BATCH = 1000
_NEAR_TITLES = 4_000
"""Titles that are ranked to find one that is nearly a query."""

_FEW_WORDS = 3

_PUT = "INSERT OR REPLACE INTO papers VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_TITLE, _ABSTRACT = 3, 5
"""Where the title for reading and the abstract stand in a row of `papers`."""
_PUT_FIELD = "INSERT OR IGNORE INTO fields VALUES (?)"
_READS_INDEX = pattern(r"_fts|title_terms|identifiers|short_names|people|authorships")
"""What a statement names that is to read what `_index_text` makes."""

# SQLITE_LIMIT_LENGTH, which Python names since 3.11.
_LENGTH = 0
_VALUE_LIMIT = 256 << 20
_STEPS = 1_000_000
_FREE_STEPS, _STEPS_A_ROW = 200_000_000, 10_000
"""What one statement over a file may take, in instructions of SQLite: ten times what any needs."""


def text_hash(text: str) -> bytes:
    """Return the digest by which a text already embedded is recognised, 16 bytes."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


class PaperDatabase:
    """The papers of one store, by row number, id, URL and title key.

    One connection serves all threads, one statement at a time. A database opened for reading is
    immutable: its file is never written again, only replaced by another file.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None, writable: bool) -> None:
        self._connection = connection
        self.path = path
        self.writable = writable
        self._lock = threading.RLock()
        self._bulk: list[tuple[Any, ...]] | None = None
        self._fields: set[str] = set()
        # Of papers that were put one by one: those not written yet, and the rows that the full
        # text and the look-up tables lack. They are made for many together, when one is needed.
        self._waiting: list[tuple[Any, ...]] = []
        self._unindexed: dict[int, None] = {}
        self.has_indexes = True
        self.finished = False
        """Whether this is a scratch file just indexed, compact enough to become a store's own."""
        self._derived: dict[str, Any] = {}
        self._tables: frozenset[str] | None = None
        self._words_changed = False
        self._rows = 0
        self._steps_left = 0
        # A database that was replaced by a newer one is closed when its last reader drops it.
        weakref.finalize(self, connection.close)
        # SQLite's own lower() and LIKE know ASCII only.
        connection.create_function("contains", 2, contains, deterministic=True)

    @classmethod
    def create(cls, path: Path | None = None, *, words: bool = False) -> PaperDatabase:
        """Return an empty database, in the file `path` or in memory.

        `words` says whether the words of each paper are counted and kept, for `store.lexical`.
        """
        database = cls._writable(path)
        with database.guarded() as connection:
            extra = WORD_TABLES if words else ""
            connection.executescript(
                ";".join((TABLES, LOOKUP_TABLES, SEGMENT_TABLE, VOCABULARY_TABLE, extra))
            )
        database.has_indexes = False
        return database

    @classmethod
    def open(cls, path: Path, rows: int) -> PaperDatabase:
        """Open a database read-only; its file may come from a stranger.

        Args:
            path: a plain file.
            rows: the papers that it must hold, numbered from 0.

        Raises:
            StoreDamagedError: the file is not a database of so many papers.
        """
        from urllib.parse import quote

        # immutable: no lock files appear beside it, and a read-only folder is enough.
        uri = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
        try:
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        except sqlite3.OperationalError as error:
            raise StoreDamagedError(f"{path}: cannot be opened ({error})", hint=REBUILD) from None
        database = cls(connection, path, writable=False)
        try:
            with database.guarded():
                database._check_content(rows)
        except BaseException:
            database.close()
            raise
        return database

    def _check_content(self, rows: int) -> None:
        connection = self._connection
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
        if hasattr(connection, "setlimit"):
            connection.setlimit(_LENGTH, _VALUE_LIMIT)
        if not is_schema_of_ours(connection.execute("SELECT type, name, sql FROM sqlite_schema")):
            raise self._damaged("its tables are not those of a store")
        low, high = connection.execute("SELECT min(row), max(row) FROM papers").fetchone()
        if (low, high) != ((0, rows - 1) if rows else (None, None)):
            raise self._damaged(
                f"its rows run from {low} to {high}, the manifest says {rows} papers"
            )
        self._rows = rows
        # A tree of pages that lead to one another may take a statement years.
        self._allow_steps()
        connection.set_progress_handler(self._step, _STEPS)

    def _allow_steps(self) -> None:
        self._steps_left = _FREE_STEPS + _STEPS_A_ROW * self._rows

    def _step(self) -> bool:
        self._steps_left -= _STEPS
        return self._steps_left < 0

    def _damaged(self, reason: str) -> StoreDamagedError:
        return StoreDamagedError(
            f"{self.path or 'the papers in memory'}: is not a readable paper database ({reason})",
            hint=REBUILD,
        )

    @classmethod
    def _writable(cls, path: Path | None) -> PaperDatabase:
        connection = sqlite3.connect(
            str(path) if path else ":memory:", check_same_thread=False, isolation_level=None
        )
        # A file that is written here becomes visible by rename only, after a flush of its own:
        # a journal would protect a state that nobody ever reads. In memory, it undoes a change.
        for pragma in (
            f"journal_mode={'OFF' if path else 'MEMORY'}",
            "synchronous=OFF",
            "secure_delete=OFF",
            "cache_size=-65536",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")
        return cls(connection, path, writable=True)

    def copy(self, path: Path | None = None) -> PaperDatabase:
        """Return a writable copy, in the file `path` or in memory.

        Raises:
            StoreDamagedError: its pages are not in order; a copy would carry the damage on.
        """
        if not self.writable:
            with self.guarded() as connection:
                self._allow_steps()
                (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if said != "ok":
                raise self._damaged(str(said)[:200])
        duplicate = self._writable(path)
        with self.guarded() as connection, duplicate.guarded() as target:
            self._index_waiting()
            connection.backup(target)
            duplicate.upgrade()
        return duplicate

    def upgrade(self) -> None:
        """Give a copy of a database of schema 1 the tables that came later."""
        missing = [one for one in _LATER if one not in self.tables]
        for name in missing:
            self._connection.executescript(_LATER[name])
        self._tables = None
        if "people" in missing:
            add_lookups(self._connection, self._rows_and_papers())
        if "segments_fts" in missing:
            add_segments(self._connection, self._rows_and_papers())
        self._words_changed = self._words_changed or "vocabulary" in missing

    def save(self, path: Path) -> None:
        """Write a compact copy to `path`, an empty file or none."""
        with self.guarded():
            self._index_waiting()
            self._connection.execute("VACUUM INTO ?", (str(path),))

    def hand_over(self, path: Path) -> None:
        """Close the database and move its file to `path`, an empty file or none."""
        assert self.path is not None
        self.close()
        self.path.replace(path)

    def optimize(self) -> None:
        """Merge the segments of the full-text indexes and refresh the planner's statistics."""
        with self.guarded():
            self._index_waiting()
            for table in FTS_TABLES:
                self._connection.execute(f"INSERT INTO {table}({table}) VALUES ('optimize')")
            forget_people(self._connection)
            self.prepare_vocabulary()
            self._connection.execute("ANALYZE")

    def close(self) -> None:
        """Close the connection; closing twice does no harm."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def guarded(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to a block, alone; errors of SQLite become ours."""
        try:
            with self._lock:
                yield self._connection
        except UnicodeDecodeError:
            # Python could not read what SQLite says of the damage.
            raise self._damaged("it holds text that is none") from None
        except sqlite3.DatabaseError as error:
            name = self.path or "the papers in memory"
            if "full" in str(error):
                raise OSError(28, f"no space left on the disk for {name}") from None
            if isinstance(error, sqlite3.ProgrammingError):
                raise StoreError(f"{name}: {error}") from None
            raise self._damaged(str(error)) from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the changes of a block one unit: all are kept, or none on an error."""
        with self.guarded() as connection:
            self._write_waiting()
            unindexed, has_indexes = dict(self._unindexed), self.has_indexes
            connection.execute("SAVEPOINT change")
            try:
                yield
                self._write_waiting()
            except BaseException:
                if self.path is None:
                    connection.execute("ROLLBACK TO change")
                    self._waiting, self._unindexed = [], unindexed
                    self.has_indexes = has_indexes
                    self._derived.clear()
                connection.execute("RELEASE change")
                raise
            connection.execute("RELEASE change")

    # ------------------------------------------------------------------ reading

    @property
    def tables(self) -> frozenset[str]:
        """The names of the tables that the file has; older ones have fewer."""
        if self._tables is None:
            found = self.query("SELECT name FROM sqlite_master WHERE type = 'table'")
            self._tables = frozenset(str(name) for (name,) in found)
        return self._tables

    @property
    def has_lookups(self) -> bool:
        """Whether identifiers, names and people can be looked up; not in a store of schema 1."""
        return "people" in self.tables

    def prepare_vocabulary(self) -> bool:
        """Bring the vocabulary up to date; return whether there is one."""
        with self.guarded() as connection:
            if self._words_changed:
                vocabulary = Vocabulary()
                for paper in self.all_papers():
                    vocabulary.add(paper)
                vocabulary.write(connection)
                self._words_changed = False
            return "vocabulary" in self.tables

    def _rows_and_papers(self) -> Iterator[tuple[int, Paper]]:
        return enumerate(self.all_papers())

    def query(
        self, sql: str, parameters: Sequence[Any] = (), kinds: Sequence[type | None] = ()
    ) -> list[tuple[Any, ...]]:
        """Return the rows of one SELECT.

        Args:
            sql: the statement.
            parameters: its parameters.
            kinds: the type of each column's values, where they come from the file: SQLite keeps
                any value in any column. None for a year, a whole number or none.

        Raises:
            StoreDamagedError: a value is of another type, or the file cannot be read.
        """
        with self.guarded() as connection:
            if self._bulk:
                self._write_bulk()
            self._write_waiting()
            if self._unindexed and _READS_INDEX.search(sql):
                self._index_waiting()
            self._allow_steps()
            found = connection.execute(sql, parameters).fetchall()
        for column, kind in zip(zip(*found, strict=True), kinds, strict=False):
            if not set(map(type, column)) <= ({kind} if kind else {int, type(None)}):
                raise self._damaged("a value is not of the type of its column")
        return found

    def __len__(self) -> int:
        # Rows have no gaps, so the last one tells; counting them would read every page.
        if self.writable:
            return int(self.query("SELECT ifnull(max(row), -1) + 1 FROM papers")[0][0])
        return self._rows

    def meta(self, name: str) -> str:
        """Return a value that `set_meta` kept, or ""."""
        found = self.query("SELECT value FROM meta WHERE name = ?", (name,), (str,))
        return str(found[0][0]) if found else ""

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
            raise self._damaged(f"a field is no JSON: {error}") from None

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
            raise self._damaged(f"there is no row {error}") from None

    def _paper(self, record: tuple[Any, ...]) -> Paper:
        try:
            return paper_of(record)
        except ValueError as error:
            raise self._damaged(f"the paper of row {record[0]}: {error!s:.200}") from None

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
                    raise self._damaged("its rows are not in order")
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

    def keys_of_rows(self, rows: Sequence[int]) -> list[str]:
        """Return the title keys of rows, in that order."""
        sql = "SELECT row, title_key FROM papers WHERE row IN (SELECT value FROM json_each(?))"
        pairs = self.query(sql, (json.dumps(list(rows)),), (int, str))
        found: dict[int, str] = dict(pairs)
        try:
            return [found[row] for row in rows]
        except KeyError as error:
            raise self._damaged(f"there is no row {error}") from None

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
            raise self._damaged(f"there is no row {row}")
        return bytes(found[0][0])

    def rows_where(self, column: str, condition: str, parameters: Sequence[Any]) -> list[int]:
        """Return the rows whose `column`, called `value`, meets an SQL condition of `filters`."""
        assert column in COLUMNS
        sql = f"SELECT row FROM (SELECT row, {column} AS value FROM papers) WHERE {condition}"
        return [row for (row,) in self.query(sql, parameters, (int,))]

    def near_titles(self, title: str, limit: int = 64) -> list[tuple[int, str]]:
        """Return (row, title key) of titles that share the rarer words of `title`, best first."""
        words = sorted(set(words_of(folded(title))), key=len, reverse=True)[:24]
        counted = []
        for word in words:
            found = self.query("SELECT doc FROM title_terms WHERE term = ?", (word,), (int,))
            if found:
                counted.append((int(found[0][0]), word))
        # The rarest words find the title; the common ones only cost time. A near title shares
        # nearly all of its words, so that two of them are enough, and of common ones two together.
        ranked = sorted(counted)[:6]
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
        if not rare:
            return []
        match = " OR ".join(rare)
        return [
            (int(row), str(key))
            for row, key in self.query(
                "SELECT papers.row, papers.title_key FROM titles_fts "
                "JOIN papers ON papers.row = titles_fts.rowid "
                "WHERE titles_fts MATCH ? ORDER BY titles_fts.rank LIMIT ?",
                (match, limit),
                (int, str),
            )
        ]

    def title_counts(self, words: Iterable[str]) -> dict[str, int]:
        """Return in how many titles each lower-case word stands; words of no title are left out."""
        sql = "SELECT term, doc FROM title_terms WHERE term IN (SELECT value FROM json_each(?))"
        found = self.query(sql, (json.dumps(list(words)),), (str, int))
        return dict(found)

    # ------------------------------------------------------------------ writing

    def put(self, row: int, paper: Paper, digest: bytes, *, new: bool = False) -> None:
        """Write a paper to a row; `new` says that nothing stands there yet."""
        self._derived.clear()
        self.finished, self._words_changed = False, True
        record = row_of(row, paper, digest)
        if self._bulk is not None:
            self._bulk.append(record)
            self._fields.update(paper.extra)
            if len(self._bulk) >= _BATCH:
                with self.guarded():
                    self._write_bulk()
            return
        with self.guarded():
            if not new:
                self._unindex([row])
            self._waiting.append(record)
            self._fields.update(paper.extra)
            self._unindexed[row] = None
            if len(self._waiting) >= _BATCH:
                self._write_waiting()

    def remove(self, rows: Iterable[int]) -> dict[int, int]:
        """Delete rows and close the gaps; return {new row: old row} of those that moved.

        The last rows move into the gaps, so that row numbers stay 0 … n-1 at the cost of what
        changed, not of the whole store.
        """
        self._derived.clear()
        self.finished, self._words_changed = False, True
        doomed = sorted(set(rows))
        with self.guarded() as connection:
            total = len(self)
            kept = total - len(doomed)
            gaps = [row for row in doomed if row < kept]
            gone = set(doomed)
            movers = [row for row in range(kept, total) if row not in gone]
            self._unindex([*doomed, *movers])
            connection.executemany("DELETE FROM papers WHERE row = ?", ((r,) for r in doomed))
            moves = dict(zip(gaps, movers, strict=True))
            connection.executemany(
                "UPDATE papers SET row = ? WHERE row = ?",
                ((new, old) for new, old in moves.items()),
            )
            self._unindexed.update(dict.fromkeys(gaps))
            if self.counts_words:
                for row in doomed:
                    connection.execute("DELETE FROM words WHERE row = ?", (row,))
                for new, old in moves.items():
                    connection.execute("UPDATE words SET row = ? WHERE row = ?", (new, old))
        return moves

    @property
    def counts_words(self) -> bool:
        """Whether the words of each paper are kept."""
        return "words" in self.tables

    def count_words(self) -> None:
        """Count the words of all papers from now on, those that are there included."""
        if self.counts_words:
            return
        with self.guarded() as connection:
            self._write_waiting()
            connection.executescript(WORD_TABLES)
            self._tables = None
            last = -1
            while records := connection.execute(
                "SELECT * FROM papers WHERE row > ? ORDER BY row LIMIT 1000", (last,)
            ).fetchall():
                self._put_words(records)
                last = records[-1][0]
        self._derived.clear()

    def _put_words(self, records: Sequence[tuple[Any, ...]]) -> None:
        if self.counts_words:
            from swimmer.store.lexical import pack_words

            packed = pack_words([(record[_TITLE], record[_ABSTRACT]) for record in records])
            self._connection.executemany(
                "INSERT OR REPLACE INTO words VALUES (?, ?)",
                ((record[0], words) for record, words in zip(records, packed, strict=True)),
            )

    def packed_words(self, rows: Sequence[int]) -> dict[int, bytes]:
        """Return the packed words of rows, by row; those that have none are left out."""
        sql = "SELECT row, packed FROM words WHERE row IN (SELECT value FROM json_each(?))"
        found = self.query(sql, (json.dumps(list(rows)),), (int, bytes))
        if any(len(packed) % 4 for _, packed in found):
            raise self._damaged("its words are not those of a paper")
        return dict(found)

    def word_counts(self) -> tuple[int, bytes]:
        """Return the number of papers, and in how many of them each word stands, as packed."""
        kept = self.query("SELECT papers, counts FROM word_counts", (), (int, bytes))
        if kept and not self.writable:
            return kept[0][0], kept[0][1]
        from swimmer.store.lexical import count_papers

        packed = self.query("SELECT packed FROM words", (), (bytes,))
        return len(self), count_papers([words for (words,) in packed])

    def keep_word_counts(self) -> None:
        """Write what `word_counts` gives, so that it need not be counted when the file is read."""
        if self.counts_words:
            counted = self.word_counts()
            self.write("DELETE FROM word_counts", [()])
            self.write("INSERT INTO word_counts VALUES (?, ?)", [counted])

    def write(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""
        with self.guarded() as connection:
            connection.executemany(sql, rows)

    def run(self, script: str) -> None:
        """Run statements that create or drop tables."""
        with self.guarded() as connection:
            connection.executescript(script)
            self._tables = None

    def set_meta(self, name: str, value: str) -> None:
        """Keep a value under a name."""
        with self.guarded() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def check(self) -> list[str]:
        """Return what is wrong with the file, nothing when all is well."""
        with self.guarded() as connection:
            self._allow_steps()
            found = [str(line) for (line,) in connection.execute("PRAGMA integrity_check(5)")]
            problems = [line for line in found if line != "ok"]
            if problems:
                # What is asked of a file whose pages are not in order may never end.
                return problems
            rows, low, high = connection.execute(
                "SELECT count(*), min(row), max(row) FROM papers"
            ).fetchone()
            if rows and (low != 0 or high != rows - 1):
                problems.append(f"row numbers run from {low} to {high}, not from 0 to {rows - 1}")
            for table in FTS_TABLES:
                (apart,) = connection.execute(
                    f"SELECT (SELECT count(*) FROM papers WHERE row NOT IN (SELECT id FROM "
                    f"{table}_docsize)) + (SELECT count(*) FROM {table}_docsize WHERE id NOT IN "
                    f"(SELECT row FROM papers))"
                ).fetchone()
                if apart:
                    problems.append(f"{table}: has other rows than the papers ({apart} apart)")
        return problems

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """Fill a new database in a block, at full speed: in batches, the indexes left out.

        Rows can be read back at any time. `index` makes the indexes; a database that is only
        read through from end to end does without. After an error the database is of no use.
        """
        with self.guarded() as connection, self.transaction():
            if self.has_indexes:
                for statement in INDEXES:
                    connection.execute(f"DROP INDEX {statement.split()[2]}")
                self.has_indexes = False
            self._bulk = []
            yield
            self._write_bulk()
            connection.executemany(_PUT_FIELD, ((name,) for name in sorted(self._fields)))
            self._bulk = None

    def _write_bulk(self) -> None:
        records, self._bulk = self._bulk or [], []
        self._connection.executemany(_PUT, records)
        self._put_words(records)

    def index(self) -> None:
        """Make what `bulk` has left out; merged and compact, so that `optimize` has no work left.

        Nearly all of it runs inside SQLite without the interpreter, so that a thread of its own
        has a processor of its own. `interrupt` ends it with an error.
        """
        self._make_indexes()
        for table in FTS_TABLES:
            # Large segments that are merged once at the end, not again and again on the way.
            for option, value in (("hashsize", 8 << 20), ("automerge", 0), ("crisismerge", 256)):
                self._execute(f"INSERT INTO {table}({table}, rank) VALUES (?, ?)", option, value)
            self._execute(f"INSERT INTO {table}({table}) VALUES ('rebuild')")
            self._execute(f"INSERT INTO {table}({table}) VALUES ('optimize')")
            for option, value in (("hashsize", 1 << 20), ("automerge", 4), ("crisismerge", 16)):
                self._execute(f"INSERT INTO {table}({table}, rank) VALUES (?, ?)", option, value)
        with self.guarded() as connection, self.transaction():
            self._index_papers(connection)
        self._execute("ANALYZE")
        self.finished = self.path is not None

    def _index_papers(self, connection: sqlite3.Connection) -> None:
        lookups, vocabulary = Lookups(connection), Vocabulary()

        def passed() -> Iterator[tuple[int, Paper]]:
            # Each paper is made once for all that is taken from it.
            for row, paper in self._rows_and_papers():
                lookups.add(row, paper)
                vocabulary.add(paper)
                yield row, paper

        add_segments(connection, passed())
        lookups.write()
        vocabulary.write(connection)
        self._words_changed = False

    def _make_indexes(self) -> None:
        for statement in () if self.has_indexes else INDEXES:
            self._execute(statement)
        self.has_indexes = True

    def _execute(self, sql: str, *parameters: Any) -> None:
        with self.guarded() as connection:
            connection.execute(sql, parameters)

    def interrupt(self) -> None:
        """End the statement that runs in another thread, with an error there."""
        self._connection.interrupt()

    def _write_waiting(self) -> None:
        if not self._waiting:
            return
        records, self._waiting = self._waiting, []
        self._connection.executemany(_PUT, records)
        self._put_words(records)
        self._connection.executemany(_PUT_FIELD, ((name,) for name in sorted(self._fields)))
        self._fields.clear()

    def _index_waiting(self) -> None:
        """Make what the indexes, the full text and the look-up tables lack."""
        self._make_indexes()
        if not self._unindexed:
            return
        with self.transaction():
            rows = sorted(self._unindexed)
            # The statements that are run meanwhile read no index that is not made.
            self._unindexed = {}
            for start in range(0, len(rows), _BATCH):
                self._index_text(rows[start : start + _BATCH])

    def _unindex(self, rows: Sequence[int]) -> None:
        """Take rows out of the full text and the look-up tables, so that they can be written."""
        self._write_waiting()
        indexed = [row for row in rows if row not in self._unindexed]
        for row in rows:
            self._unindexed.pop(row, None)
        delete = (
            f"INSERT INTO papers_fts(papers_fts, rowid, {FTS_COLUMNS}) "
            f"SELECT 'delete', row, {FTS_COLUMNS} FROM papers WHERE row = ?",
            "INSERT INTO titles_fts(titles_fts, rowid, display_title) "
            "SELECT 'delete', row, display_title FROM papers WHERE row = ?",
        )
        for sql in delete:
            self._connection.executemany(sql, ((row,) for row in indexed))
        remove_lookups(self._connection, self._numbered(indexed))

    def _index_text(self, rows: Sequence[int]) -> None:
        insert = (
            f"INSERT INTO papers_fts(rowid, {FTS_COLUMNS}) SELECT row, {FTS_COLUMNS} "
            "FROM papers WHERE row IN (SELECT value FROM json_each(?)) ORDER BY row",
            "INSERT INTO titles_fts(rowid, display_title) SELECT row, display_title "
            "FROM papers WHERE row IN (SELECT value FROM json_each(?)) ORDER BY row",
        )
        for sql in insert:
            self._connection.execute(sql, (json.dumps(list(rows)),))
        papers = self._numbered(rows)
        add_lookups(self._connection, papers)
        add_segments(self._connection, papers)

    def _numbered(self, rows: Sequence[int]) -> list[tuple[int, Paper]]:
        return list(zip(rows, self.papers(rows), strict=True))


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
