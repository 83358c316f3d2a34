"""The papers of a store in SQLite: rows numbered 0, 1, 2 … as in the index, titles, full text."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from swimmer.errors import StoreDamagedError, StoreError
from swimmer.paper import Paper
from swimmer.text import readable

COLUMNS = ("id", "title", "abstract", "url", "venue", "year", "status", "authors", "keywords")
"""The fields of a paper that have a column of their own; the rest stand in `extra` (JSON)."""

_SCHEMA = """
CREATE TABLE papers (
    row INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    display_title TEXT NOT NULL,
    title_key TEXT NOT NULL,
    abstract TEXT NOT NULL,
    url TEXT NOT NULL,
    venue TEXT NOT NULL,
    year INTEGER,
    status TEXT NOT NULL,
    authors TEXT NOT NULL,
    keywords TEXT NOT NULL,
    extra TEXT NOT NULL,
    text_hash BLOB NOT NULL
);
CREATE INDEX papers_title_key ON papers (title_key);
CREATE INDEX papers_url ON papers (url) WHERE url != '';
CREATE INDEX papers_venue_year ON papers (venue, year);
CREATE INDEX papers_year ON papers (year);
CREATE INDEX papers_status ON papers (status);
CREATE TABLE fields (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE papers_fts USING fts5(
    display_title, abstract, keywords, authors,
    content='papers', content_rowid='row', tokenize='porter unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE titles_fts USING fts5(
    display_title,
    content='papers', content_rowid='row', tokenize='unicode61 remove_diacritics 2', prefix='2 3'
);
CREATE VIRTUAL TABLE title_terms USING fts5vocab('titles_fts', 'row');
"""

_PAPER = (
    "row, id, title, display_title, abstract, url, venue, year, status, authors, keywords, extra"
)
_FTS_COLUMNS = "display_title, abstract, keywords, authors"


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
        self._indexed = True
        # What `filters` holds of the fields; void as soon as a paper changes.
        self.facets: object | None = None
        # SQLite's own lower() and LIKE know ASCII only.
        connection.create_function("contains", 2, contains, deterministic=True)

    @classmethod
    def create(cls, path: Path | None = None) -> PaperDatabase:
        """Return an empty database, in the file `path` or in memory."""
        database = cls._writable(path)
        with database._guard():
            database._connection.executescript(_SCHEMA)
        return database

    @classmethod
    def open(cls, path: Path) -> PaperDatabase:
        """Open a database read-only.

        Raises:
            StoreDamagedError: the file is not a paper database.
        """
        from urllib.parse import quote

        # immutable: no lock files appear beside it, and a read-only folder is enough.
        uri = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
        connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        database = cls(connection, path, writable=False)
        with database._guard():
            connection.execute("SELECT 1 FROM papers LIMIT 1").fetchone()
        return database

    @classmethod
    def _writable(cls, path: Path | None) -> PaperDatabase:
        connection = sqlite3.connect(
            str(path) if path else ":memory:", check_same_thread=False, isolation_level=None
        )
        # A file that is written here becomes visible by rename only, after a flush of its own:
        # a journal would protect a state that nobody ever reads. In memory, it undoes a change.
        for pragma in (f"journal_mode={'OFF' if path else 'MEMORY'}", "synchronous=OFF",
                       "secure_delete=OFF", "cache_size=-65536", "temp_store=MEMORY"):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")
        return cls(connection, path, writable=True)

    def copy(self, path: Path | None = None) -> PaperDatabase:
        """Return a writable copy, in the file `path` or in memory."""
        duplicate = self._writable(path)
        with self._guard(), duplicate._guard():
            self._connection.backup(duplicate._connection)
        return duplicate

    def save(self, path: Path) -> None:
        """Write a compact copy to `path`, which must not exist."""
        with self._guard():
            self._connection.execute("VACUUM INTO ?", (str(path),))

    def optimize(self) -> None:
        """Merge the segments of the full-text indexes and refresh the planner's statistics."""
        with self._guard():
            for table in ("papers_fts", "titles_fts"):
                self._connection.execute(f"INSERT INTO {table}({table}) VALUES ('optimize')")
            self._connection.execute("ANALYZE")

    def close(self) -> None:
        """Close the connection; closing twice does no harm."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _guard(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._lock:
                yield self._connection
        except sqlite3.DatabaseError as error:
            name = self.path or "the papers in memory"
            if "full" in str(error):
                raise OSError(28, f"no space left on the disk for {name}") from None
            if isinstance(error, sqlite3.ProgrammingError):
                raise StoreError(f"{name}: {error}") from None
            raise StoreDamagedError(
                f"{name}: is not a readable paper database ({error}); rebuild the store"
            ) from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the changes of a block one unit: all are kept, or none on an error."""
        with self._guard() as connection:
            connection.execute("SAVEPOINT change")
            try:
                yield
            except BaseException:
                if self.path is None:
                    connection.execute("ROLLBACK TO change")
                connection.execute("RELEASE change")
                raise
            connection.execute("RELEASE change")

    # ------------------------------------------------------------------ reading

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of one SELECT."""
        with self._guard() as connection:
            return connection.execute(sql, parameters).fetchall()

    def __len__(self) -> int:
        return int(self.query("SELECT count(*) FROM papers")[0][0])

    def meta(self, name: str) -> str:
        """Return a value that `set_meta` kept, or ""."""
        found = self.query("SELECT value FROM meta WHERE name = ?", (name,))
        return str(found[0][0]) if found else ""

    def fields(self) -> list[str]:
        """Return the names of all fields that a filter may use, sorted."""
        return sorted({*COLUMNS, *(name for (name,) in self.query("SELECT name FROM fields"))})

    def papers(self, rows: Sequence[int]) -> list[Paper]:
        """Return the papers of `rows`, in that order; KeyError for a row that is not there."""
        found: dict[int, Paper] = {}
        wanted = [int(row) for row in rows]
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            marks = ",".join("?" * len(part))
            for record in self.query(f"SELECT {_PAPER} FROM papers WHERE row IN ({marks})", part):
                found[record[0]] = _paper(record)
        return [found[row] for row in wanted]

    def all_papers(self) -> Iterator[Paper]:
        """Yield every paper in row order, without holding them all."""
        last = -1
        while True:
            batch = self.query(
                f"SELECT {_PAPER} FROM papers WHERE row > ? ORDER BY row LIMIT 1000", (last,)
            )
            if not batch:
                return
            yield from map(_paper, batch)
            last = batch[-1][0]

    def row_of_id(self, identifier: str) -> int | None:
        """Return the row of an id, or None."""
        return self._one("id = ?", identifier)

    def row_of_url(self, url: str) -> int | None:
        """Return the first row of a URL, or None."""
        return self._one("url = ? AND url != ''", url)

    def rows_of_key(self, key: str) -> list[int]:
        """Return the rows of a title key, ascending."""
        sql = "SELECT row FROM papers WHERE title_key = ? ORDER BY row"
        return [row for (row,) in self.query(sql, (key,))]

    def keys_of_rows(self, rows: Sequence[int]) -> list[str]:
        """Return the title keys of rows, in that order."""
        sql = "SELECT row, title_key FROM papers WHERE row IN (SELECT value FROM json_each(?))"
        found = {int(row): str(key) for row, key in self.query(sql, (json.dumps(list(rows)),))}
        return [found[row] for row in rows]

    def rows_of_keys(self, keys: Sequence[str]) -> dict[str, int]:
        """Return the first row of each title key that is there, found together."""
        sql = (
            "SELECT title_key, min(row) FROM papers "
            "WHERE title_key IN (SELECT value FROM json_each(?)) GROUP BY title_key"
        )
        return {str(key): int(row) for key, row in self.query(sql, (json.dumps(list(keys)),))}

    def _one(self, condition: str, value: str) -> int | None:
        sql = f"SELECT row FROM papers WHERE {condition} ORDER BY row LIMIT 1"
        found = self.query(sql, (value,))
        return int(found[0][0]) if found else None

    def text_hash_of(self, row: int) -> bytes:
        """Return the digest of the text that the vector of `row` was made from."""
        return bytes(self.query("SELECT text_hash FROM papers WHERE row = ?", (row,))[0][0])

    def rows_where(self, column: str, condition: str, parameters: Sequence[Any]) -> list[int]:
        """Return the rows whose `column`, called `value`, meets an SQL condition of `filters`."""
        assert column in COLUMNS
        sql = f"SELECT row FROM (SELECT row, {column} AS value FROM papers) WHERE {condition}"
        return [row for (row,) in self.query(sql, parameters)]

    def near_titles(self, title: str, limit: int = 64) -> list[tuple[int, str]]:
        """Return (row, title key) of titles that share the rarer words of `title`, best first."""
        words = sorted(set(_words(title)), key=len, reverse=True)[:24]
        counted = []
        for word in words:
            found = self.query("SELECT doc FROM title_terms WHERE term = ?", (word,))
            if found:
                counted.append((int(found[0][0]), word))
        # The rarest words find the title; the common ones only cost time.
        rare = [word for _, word in sorted(counted)[:6]]
        if not rare:
            return []
        match = " OR ".join(f'"{word}"' for word in rare)
        return [
            (int(row), str(key))
            for row, key in self.query(
                "SELECT papers.row, papers.title_key FROM titles_fts "
                "JOIN papers ON papers.row = titles_fts.rowid "
                "WHERE titles_fts MATCH ? ORDER BY titles_fts.rank LIMIT ?",
                (match, limit),
            )
        ]

    def title_counts(self, words: Iterable[str]) -> dict[str, int]:
        """Return in how many titles each lower-case word stands; words of no title are left out."""
        sql = "SELECT term, doc FROM title_terms WHERE term IN (SELECT value FROM json_each(?))"
        found = self.query(sql, (json.dumps(list(words)),))
        return {str(term): int(count) for term, count in found}

    # ------------------------------------------------------------------ writing

    def put(self, row: int, paper: Paper, digest: bytes, *, new: bool = False) -> None:
        """Write a paper to a row; `new` says that nothing stands there yet."""
        self.facets = None
        with self._guard() as connection:
            if not new:
                self._unindex([row])
            connection.execute(
                "INSERT OR REPLACE INTO papers VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    row,
                    paper.id,
                    paper.title,
                    paper.display_title,
                    paper.key,
                    paper.abstract,
                    paper.url,
                    paper.venue,
                    paper.year,
                    paper.status,
                    _json(paper.authors),
                    _json(paper.keywords),
                    _json(dict(paper.extra)),
                    digest,
                ),
            )
            self._index_text([row])
            for name in paper.extra:
                connection.execute("INSERT OR IGNORE INTO fields VALUES (?)", (name,))

    def remove(self, rows: Iterable[int]) -> dict[int, int]:
        """Delete rows and close the gaps; return {new row: old row} of those that moved.

        The last rows move into the gaps, so that row numbers stay 0 … n-1 at the cost of what
        changed, not of the whole store.
        """
        self.facets = None
        doomed = sorted(set(rows))
        with self._guard() as connection:
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
            self._index_text(gaps)
        return moves

    def set_meta(self, name: str, value: str) -> None:
        """Keep a value under a name."""
        with self._guard() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def check(self) -> list[str]:
        """Return what is wrong with the file, nothing when all is well."""
        with self._guard() as connection:
            found = [str(line) for (line,) in connection.execute("PRAGMA integrity_check(5)")]
            problems = [line for line in found if line != "ok"]
            rows, low, high = connection.execute(
                "SELECT count(*), min(row), max(row) FROM papers"
            ).fetchone()
            if rows and (low != 0 or high != rows - 1):
                problems.append(f"row numbers run from {low} to {high}, not from 0 to {rows - 1}")
        return problems

    @contextmanager
    def bulk(self) -> Iterator[None]:
        """Leave the full-text indexes aside while a block fills the database; make them after it.

        Indexing 20,000 papers one by one takes five times as long as all of them together.
        """
        self._indexed = False
        try:
            with self.transaction():
                yield
        finally:
            self._indexed = True
        with self._guard() as connection:
            for table in ("papers_fts", "titles_fts"):
                connection.execute(f"INSERT INTO {table}({table}) VALUES ('rebuild')")

    def _unindex(self, rows: Sequence[int]) -> None:
        if not self._indexed:
            return
        delete = (
            f"INSERT INTO papers_fts(papers_fts, rowid, {_FTS_COLUMNS}) "
            f"SELECT 'delete', row, {_FTS_COLUMNS} FROM papers WHERE row = ?",
            "INSERT INTO titles_fts(titles_fts, rowid, display_title) "
            "SELECT 'delete', row, display_title FROM papers WHERE row = ?",
        )
        for sql in delete:
            self._connection.executemany(sql, ((row,) for row in rows))

    def _index_text(self, rows: Sequence[int]) -> None:
        if not self._indexed:
            return
        insert = (
            f"INSERT INTO papers_fts(rowid, {_FTS_COLUMNS}) "
            f"SELECT row, {_FTS_COLUMNS} FROM papers WHERE row = ?",
            "INSERT INTO titles_fts(rowid, display_title) "
            "SELECT row, display_title FROM papers WHERE row = ?",
        )
        for sql in insert:
            self._connection.executemany(sql, ((row,) for row in rows))


def contains(value: object, part: str) -> bool:
    """Return whether a text holds a part, given casefolded, whatever the text's case."""
    return isinstance(value, str) and part in value.casefold()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _paper(record: tuple[Any, ...]) -> Paper:
    (
        _,
        identifier,
        title,
        display,
        abstract,
        url,
        venue,
        year,
        status,
        authors,
        keywords,
        extra,
    ) = record
    paper = object.__new__(Paper)
    # What a store holds was cleaned on its way in; cleaning every answer again would cost more
    # than finding it.
    paper.__dict__.update(
        title=title,
        abstract=abstract,
        url=url,
        id=identifier,
        authors=tuple(json.loads(authors)),
        venue=venue,
        year=year,
        keywords=tuple(json.loads(keywords)) if keywords != "[]" else (),
        status=status,
        extra=json.loads(extra) if extra != "{}" else {},
        display_title=display,
    )
    return paper


def _words(text: str) -> list[str]:
    import unicodedata

    plain = "".join(
        char
        for char in unicodedata.normalize("NFKD", readable(text)).casefold()
        if not unicodedata.combining(char)
    )
    return "".join(char if char.isalnum() else " " for char in plain).split()
