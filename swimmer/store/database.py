"""The papers of a store in SQLite: rows numbered 0, 1, 2 … as in the index, titles, full text."""

from __future__ import annotations

import hashlib
import itertools
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swimmer.papers import Paper
from swimmer.store.database_file import connect_read_only, connect_writable
from swimmer.store.lookup_tables import (
    LOOKUP_TABLES,
    SEGMENT_TABLE,
    add_lookups,
    add_segments,
    forget_people,
    remove_lookups,
)
from swimmer.store.paper_tables import PaperTables
from swimmer.store.schema import (
    FTS_COLUMNS,
    FTS_TABLES,
    INDEXES,
    LENGTH_TABLE,
    TABLES,
    TOKEN_TABLE,
    WORD_TABLES,
    is_schema_of_ours,
    row_of,
)
from swimmer.store.vocabulary import TOPIC_TABLE, VOCABULARY_TABLE
from swimmer.text import pattern

if TYPE_CHECKING:
    from swimmer.store.bulk_tables import BulkTables

_LATER = {
    "people": LOOKUP_TABLES,
    "segments_fts": SEGMENT_TABLE,
    "vocabulary": VOCABULARY_TABLE,
    "topics": TOPIC_TABLE,
    "title_lengths": LENGTH_TABLE,
}
"""What a store of an earlier release lacks: one table of each group, and the statements."""

_BATCH = 1000

_PUT = "INSERT OR REPLACE INTO papers VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_TITLE, _ABSTRACT = 3, 5
"""Where the title for reading and the abstract stand in a row of `papers`."""
_PUT_FIELD = "INSERT OR IGNORE INTO fields VALUES (?)"
_READS_INDEX = pattern(r"_fts|title_terms|identifiers|short_names|people|authorships")
"""What a statement names that is to read what `_index_text` makes."""


def text_hash(text: str) -> bytes:
    """Return the digest by which a text already embedded is recognised, 16 bytes."""
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


class PaperDatabase(PaperTables):
    """The papers of one store, by row number, id, URL and title key.

    One connection serves all threads, one statement at a time. A database opened for reading is
    immutable: its file is never written again, only replaced by another file.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None, writable: bool) -> None:
        super().__init__(connection, path, writable)
        self._bulk: list[tuple[tuple[Any, ...], Paper]] | None = None
        self._tables_to_come: BulkTables | None = None
        self._fields: set[str] = set()
        # Of papers that were put one by one: those not written yet, and the rows that the full
        # text and the look-up tables lack. They are made for many together, when one is needed.
        self._waiting: list[tuple[Any, ...]] = []
        self._unindexed: dict[int, None] = {}
        self.has_indexes = True
        self.finished = False
        """Whether this is a scratch file just indexed, compact enough to become a store's own."""
        self._words_changed = False

    def write_pending(self, sql: str) -> None:
        """Write the papers that are held back, and make the indexes that a statement reads."""
        if self._bulk:
            self._write_bulk()
        self._write_waiting()
        if self._unindexed and _READS_INDEX.search(sql):
            self._index_waiting()

    @classmethod
    def create(cls, path: Path | None = None, *, words: bool = False) -> PaperDatabase:
        """Return an empty database, in the file `path` or in memory.

        `words` says whether the words of each paper are counted and kept, for `store.lexical`.
        """
        database = cls(connect_writable(path), path, writable=True)
        with database.guarded() as connection:
            extra = WORD_TABLES if words else ""
            connection.executescript(";".join((TABLES, *_LATER.values(), extra)))
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
        database = cls(connect_read_only(path), path, writable=False)
        try:
            with database.guarded():
                database.check_content(rows)
        except BaseException:
            database.close()
            raise
        return database

    def check_content(self, rows: int) -> None:
        """Check that the tables are those of a store of so many papers, and bound reading them."""
        self.distrust()
        connection = self._connection
        if not is_schema_of_ours(connection.execute("SELECT type, name, sql FROM sqlite_schema")):
            raise self.damaged("its tables are not those of a store")
        # Each by itself is found at an end of the table; both at once would walk through it.
        low, high = connection.execute(
            "SELECT (SELECT min(row) FROM papers), (SELECT max(row) FROM papers)"
        ).fetchone()
        if (low, high) != ((0, rows - 1) if rows else (None, None)):
            raise self.damaged(
                f"its rows run from {low} to {high}, the manifest says {rows} papers"
            )
        self.limit_steps(rows)

    def copy(self, path: Path | None = None) -> PaperDatabase:
        """Return a writable copy, in the file `path` or in memory.

        Raises:
            StoreDamagedError: its pages are not in order; a copy would carry the damage on.
        """
        if not self.writable:
            with self.guarded() as connection:
                self.allow_steps()
                (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if said != "ok":
                raise self.damaged(str(said)[:200])
        duplicate = type(self)(connect_writable(path), path, writable=True)
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
        if "vocabulary" in missing or "topics" in missing:
            self._words_changed = True

    def save(self, path: Path) -> None:
        """Write a compact copy to `path`, an empty file or none."""
        with self.guarded():
            self._index_waiting()
            self._connection.execute("VACUUM INTO ?", (str(path),))

    def optimize(self) -> None:
        """Merge the segments of the full-text indexes and refresh the planner's statistics."""
        with self.guarded():
            self._index_waiting()
            for table in FTS_TABLES:
                self._connection.execute(f"INSERT INTO {table}({table}) VALUES ('optimize')")
            forget_people(self._connection)
            self.prepare_vocabulary()
            self._connection.execute("ANALYZE")

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
                    self.forget_derived()
                connection.execute("RELEASE change")
                raise
            connection.execute("RELEASE change")

    def prepare_vocabulary(self) -> bool:
        """Bring the vocabulary up to date; return whether there is one."""
        with self.guarded() as connection:
            if self._words_changed:
                from swimmer.store.word_counting import WordCounts

                counts = WordCounts()
                papers = self.all_papers()
                while batch := list(itertools.islice(papers, _BATCH)):
                    counts.add(batch)
                counts.write(connection)
                self._words_changed = False
            return "vocabulary" in self.tables

    def _rows_and_papers(self) -> Iterator[tuple[int, Paper]]:
        return enumerate(self.all_papers())

    def put(self, row: int, paper: Paper, digest: bytes, *, new: bool = False) -> None:
        """Write a paper to a row; `new` says that nothing stands there yet."""
        self.forget_derived()
        self.finished, self._words_changed = False, True
        record = row_of(row, paper, digest)
        if self._bulk is not None:
            if not new and self._tables_to_come is not None:
                self._tables_to_come.replace(row, self.papers([row])[0])
            self._bulk.append((record, paper))
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
        self.forget_derived()
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
            for table in self.tables & {"words", "token_weights"}:
                for row in doomed:
                    connection.execute(f"DELETE FROM {table} WHERE row = ?", (row,))
                for new, old in moves.items():
                    connection.execute(f"UPDATE {table} SET row = ? WHERE row = ?", (new, old))
        return moves

    def count_words(self) -> None:
        """Count the words of all papers from now on, those that are there included."""
        if self.counts_words:
            return
        with self.guarded() as connection:
            self._write_waiting()
            connection.executescript("DROP TABLE IF EXISTS token_weights;" + WORD_TABLES)
            self._tables = None
            last = -1
            while records := connection.execute(
                "SELECT * FROM papers WHERE row > ? ORDER BY row LIMIT 1000", (last,)
            ).fetchall():
                self._put_words(records)
                last = records[-1][0]
        self.forget_derived()

    def keep_token_weights(self, packed: Mapping[int, bytes]) -> None:
        """Write what the tokens of papers count for, by row, in place of words.

        Args:
            packed: what `lexical.pack_tokens` gives for some rows; others keep what they have.
        """
        if not self.has_token_weights:
            gone = "DROP TABLE IF EXISTS words; DROP TABLE IF EXISTS word_counts;"
            self.run(gone + TOKEN_TABLE)
        self.write("INSERT OR REPLACE INTO token_weights VALUES (?, ?)", packed.items())
        self.forget_derived()

    def _put_words(
        self, records: Sequence[tuple[Any, ...]], packed: Sequence[bytes] | None = None
    ) -> None:
        if self.counts_words:
            from swimmer.store.lexical import pack_words

            if packed is None:
                packed = pack_words([(record[_TITLE], record[_ABSTRACT]) for record in records])
            self._connection.executemany(
                "INSERT OR REPLACE INTO words VALUES (?, ?)",
                ((record[0], words) for record, words in zip(records, packed, strict=True)),
            )

    def keep_word_counts(self) -> None:
        """Write what `word_counts` gives, so that it need not be counted when the file is read."""
        if self.counts_words:
            counted = self.word_counts()
            self.write("DELETE FROM word_counts", [()])
            self.write("INSERT INTO word_counts VALUES (?, ?)", [counted])

    def check(self) -> list[str]:
        """Return what is wrong with the file, nothing when all is well."""
        with self.guarded() as connection:
            self.allow_steps()
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
    def bulk(self, *, to_index: bool = True) -> Iterator[None]:
        """Fill a new database in a block, at full speed: in batches, the indexes left out.

        Rows can be read back at any time. `index` makes the indexes; a database that is only
        read through from end to end does without (`to_index` is False). After an error the
        database is of no use.
        """
        with self.guarded() as connection, self.transaction():
            if self.has_indexes:
                for statement in INDEXES:
                    connection.execute(f"DROP INDEX {statement.split()[2]}")
                self.has_indexes = False
            self._bulk = []
            if to_index:
                from swimmer.store.bulk_tables import BulkTables

                self._tables_to_come = BulkTables(connection)
            yield
            self._write_bulk()
            connection.executemany(_PUT_FIELD, ((name,) for name in sorted(self._fields)))
            self._bulk = None

    def _write_bulk(self) -> None:
        put, self._bulk = self._bulk or [], []
        records = [record for record, _ in put]
        self._connection.executemany(_PUT, records)
        packed = None
        if self._tables_to_come is not None:
            packed = self._tables_to_come.add([(record[0], paper) for record, paper in put])
        self._put_words(records, packed)

    def index(self) -> None:
        """Make what `bulk` has left out; merged and compact, so that `optimize` has no work left.

        Nearly all of it runs inside SQLite without the interpreter, so that a thread of its own
        has a processor of its own. `interrupt` ends it with an error.
        """
        self._make_indexes()
        for table in FTS_TABLES:
            # Large segments that are merged once at the end, not again and again on the way.
            for option, value in (("hashsize", 8 << 20), ("automerge", 0), ("crisismerge", 256)):
                self.execute(f"INSERT INTO {table}({table}, rank) VALUES (?, ?)", option, value)
            self.execute(f"INSERT INTO {table}({table}) VALUES ('rebuild')")
            self.execute(f"INSERT INTO {table}({table}) VALUES ('optimize')")
            for option, value in (("hashsize", 1 << 20), ("automerge", 4), ("crisismerge", 16)):
                self.execute(f"INSERT INTO {table}({table}, rank) VALUES (?, ?)", option, value)
        with self.guarded() as connection, self.transaction():
            tables, self._tables_to_come = self._tables_to_come, None
            if tables is None:
                from swimmer.store.bulk_tables import BulkTables

                tables = BulkTables(connection)
                papers = self._rows_and_papers()
                while batch := list(itertools.islice(papers, _BATCH)):
                    tables.add(batch)
            tables.write(self.papers)
            self._words_changed = False
        self.execute("ANALYZE")
        self.finished = self.path is not None

    def _make_indexes(self) -> None:
        for statement in () if self.has_indexes else INDEXES:
            self.execute(statement)
        self.has_indexes = True

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
