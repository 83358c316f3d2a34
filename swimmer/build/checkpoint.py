"""The vectors of an unfinished build on disk, so that it goes on where it was."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from swimmer.embeddings import Model
from swimmer.store import probes_of, text_hash

if TYPE_CHECKING:
    from swimmer.store import Vectors

    Embedded = tuple[Vectors, bytes]
    """The vector of a text, and its packed tokens."""

CHECKPOINT_SECONDS = 5.0
"""Seconds of embedding that a kill may cost."""


_OURS = re.compile(
    r"CREATE TABLE (v[0-9a-f]{32}) \(digest BLOB, vector BLOB\)"
    r"|CREATE INDEX (v[0-9a-f]{32})_digest ON \2 \(digest\)"
)
"""The tables that a checkpoint may hold: it may have come with a folder that somebody sent."""


def _schema_of(connection: sqlite3.Connection) -> list[str]:
    return [str(sql) for (sql,) in connection.execute("SELECT sql FROM sqlite_schema")]


class Checkpoint:
    """The vectors of an unfinished build on disk, by the digest of their text.

    Args:
        path: the file.
        model: what makes the vectors.
        weighing: whether each vector is followed by the packed tokens of its text.
    """

    def __init__(self, path: Path, model: Model, *, weighing: bool = False) -> None:
        self._path, self._weighing = path, weighing
        kind = repr(model.identity) + (probes_of(model.probe_weights) if weighing else "")
        self._table = "v" + text_hash(kind).hex()
        self._size = 4 * model.identity.dimension
        self._fresh: dict[bytes, Embedded] = {}
        self._saved = time.monotonic()
        self._connection: sqlite3.Connection | None = None
        # Most builds end before the first checkpoint is due, and never touch the disk for one.
        self._resumed = path.exists()
        if self._resumed:
            self._open()

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            try:
                self._connection = self._connect()
            except sqlite3.OperationalError as error:
                raise self._unusable(error) from None
            except sqlite3.DatabaseError:
                self._start_over()
                self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path)
        try:
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.execute("PRAGMA journal_mode=WAL")
            if not all(map(_OURS.fullmatch, _schema_of(connection))):
                raise sqlite3.DatabaseError("it holds other tables than those of a checkpoint")
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {self._table} (digest BLOB, vector BLOB)"
            )
            if self._resumed:
                # Only a build that goes on looks vectors up; a first one just appends.
                connection.execute(
                    f"CREATE INDEX IF NOT EXISTS {self._table}_digest ON {self._table} (digest)"
                )
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def _start_over(self) -> None:
        # A checkpoint that is torn is worth nothing; the build embeds what it held again.
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        for end in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + end).unlink(missing_ok=True)
        self._resumed = False

    def _unusable(self, error: sqlite3.OperationalError) -> OSError:
        # Of the disk, not of the file: what it holds is good once there is room again.
        return OSError(28, f"{self._path}: {error}")

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            # Ended early, by an error or by Ctrl-C: what was embedded is kept for the next start.
            if kind is not None and self._fresh:
                with contextlib.suppress(OSError):
                    self._save()
        finally:
            if self._connection is not None:
                self._connection.close()

    def find(self, digests: list[bytes]) -> dict[bytes, Embedded]:
        """Return the vectors and tokens that an earlier start has left, by digest."""
        if self._connection is None or not self._resumed:
            return {}
        marks = ",".join("?" * len(digests))
        try:
            found = self._connection.execute(
                f"SELECT digest, vector FROM {self._table} WHERE digest IN ({marks})", digests
            ).fetchall()
        except sqlite3.OperationalError as error:
            raise self._unusable(error) from None
        except sqlite3.DatabaseError:
            self._start_over()
            return {}
        size = self._size
        return {
            digest: (np.frombuffer(blob[:size], "<f4"), blob[size:])
            for digest, blob in found
            if len(blob) == size or (self._weighing and len(blob) > size and len(blob) % 4 == 0)
        }

    def keep(self, vectors: dict[bytes, Embedded]) -> None:
        """Keep vectors and tokens; on disk once enough time has gone by."""
        self._fresh.update(vectors)
        if time.monotonic() - self._saved >= CHECKPOINT_SECONDS:
            self._save()

    def _save(self) -> None:
        try:
            connection = self._open()
            with connection:
                connection.executemany(
                    f"INSERT INTO {self._table} VALUES (?, ?)",
                    (
                        (digest, vector.astype("<f4").tobytes() + tokens)
                        for digest, (vector, tokens) in self._fresh.items()
                    ),
                )
        except sqlite3.OperationalError as error:
            raise self._unusable(error) from None
        except sqlite3.DatabaseError:
            self._start_over()
            return
        self._fresh.clear()
        self._saved = time.monotonic()
