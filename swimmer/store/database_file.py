"""A SQLite file: one connection for all threads, our own errors, bounds on each statement."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from swimmer.errors import REBUILD, StoreDamagedError, StoreError

# SQLITE_LIMIT_LENGTH, which Python names since 3.11.
_LENGTH = 0
_VALUE_LIMIT = 256 << 20
_STEPS = 1_000_000
_FREE_STEPS, _STEPS_A_ROW = 200_000_000, 10_000
"""What one statement over a file may take, in instructions of SQLite: ten times what any needs."""


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Return a connection to a file that is never written again.

    Raises:
        StoreDamagedError: the file cannot be opened.
    """
    from urllib.parse import quote

    # immutable: no lock files appear beside it, and a read-only folder is enough.
    uri = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    try:
        return sqlite3.connect(uri, uri=True, check_same_thread=False)
    except sqlite3.OperationalError as error:
        raise StoreDamagedError(f"{path}: cannot be opened ({error})", hint=REBUILD) from None


def connect_writable(path: Path | None) -> sqlite3.Connection:
    """Return a connection to a new file, or to a database in memory."""
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
    return connection


class DatabaseFile:
    """A SQLite database, in a file or in memory: one connection, one statement at a time.

    Args:
        connection: what `connect_read_only` or `connect_writable` returns.
        path: its file, None in memory.
        writable: whether it may be changed.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path | None, writable: bool) -> None:
        self._connection = connection
        self.path = path
        self.writable = writable
        self._lock = threading.RLock()
        self._tables: frozenset[str] | None = None
        self._rows = 0
        self._steps_left = 0
        # A database that was replaced by a newer one is closed when its last reader drops it.
        weakref.finalize(self, connection.close)

    def distrust(self) -> None:
        """Bound what a file that may come from a stranger can do, before it is read."""
        self._connection.execute("PRAGMA trusted_schema=OFF")
        self._connection.execute("PRAGMA cell_size_check=ON")
        if hasattr(self._connection, "setlimit"):
            self._connection.setlimit(_LENGTH, _VALUE_LIMIT)

    def limit_steps(self, rows: int) -> None:
        """Bound what each statement may take, in a file of so many rows."""
        self._rows = rows
        # A tree of pages that lead to one another may take a statement years.
        self.allow_steps()
        self._connection.set_progress_handler(self._step, _STEPS)

    def write_pending(self, sql: str) -> None:
        """Write what a subclass holds back and a statement reads, before it is run."""

    def allow_steps(self) -> None:
        """Let the next statement take its full measure."""
        self._steps_left = _FREE_STEPS + _STEPS_A_ROW * self._rows

    def _step(self) -> bool:
        self._steps_left -= _STEPS
        return self._steps_left < 0

    def damaged(self, reason: str) -> StoreDamagedError:
        """Return the error that the file cannot be read, for a reason."""
        return StoreDamagedError(
            f"{self.path or 'the papers in memory'}: is not a readable paper database ({reason})",
            hint=REBUILD,
        )

    @contextmanager
    def guarded(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to a block, alone; errors of SQLite become ours."""
        try:
            with self._lock:
                yield self._connection
        except UnicodeDecodeError:
            # Python could not read what SQLite says of the damage.
            raise self.damaged("it holds text that is none") from None
        except sqlite3.DatabaseError as error:
            name = self.path or "the papers in memory"
            if "full" in str(error):
                raise OSError(28, f"no space left on the disk for {name}") from None
            if isinstance(error, sqlite3.ProgrammingError):
                raise StoreError(f"{name}: {error}") from None
            raise self.damaged(str(error)) from None

    @property
    def tables(self) -> frozenset[str]:
        """The names of the tables that the file has; older ones have fewer."""
        if self._tables is None:
            found = self.query("SELECT name FROM sqlite_master WHERE type = 'table'")
            self._tables = frozenset(str(name) for (name,) in found)
        return self._tables

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
            self.write_pending(sql)
            self.allow_steps()
            found = connection.execute(sql, parameters).fetchall()
        for column, kind in zip(zip(*found, strict=True), kinds, strict=False):
            if not set(map(type, column)) <= ({kind} if kind else {int, type(None)}):
                raise self.damaged("a value is not of the type of its column")
        return found

    def write(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of parameters."""
        with self.guarded() as connection:
            connection.executemany(sql, rows)

    def run(self, script: str) -> None:
        """Run statements that create or drop tables."""
        with self.guarded() as connection:
            connection.executescript(script)
            self._tables = None

    def execute(self, sql: str, *parameters: Any) -> None:
        """Run one statement."""
        with self.guarded() as connection:
            connection.execute(sql, parameters)

    def meta(self, name: str) -> str:
        """Return a value that `set_meta` kept, or ""."""
        found = self.query("SELECT value FROM meta WHERE name = ?", (name,), (str,))
        return str(found[0][0]) if found else ""

    def set_meta(self, name: str, value: str) -> None:
        """Keep a value under a name."""
        with self.guarded() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def hand_over(self, path: Path) -> None:
        """Close the database and move its file to `path`, an empty file or none."""
        assert self.path is not None
        self.close()
        self.path.replace(path)

    def interrupt(self) -> None:
        """End the statement that runs in another thread, with an error there."""
        self._connection.interrupt()

    def close(self) -> None:
        """Close the connection; closing twice does no harm."""
        with self._lock:
            self._connection.close()
