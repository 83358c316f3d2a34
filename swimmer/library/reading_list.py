"""The reading list: papers with the user's notes, in one JSON file."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from swimmer.errors import CHECK_FILE, InputError, QueryError, StoreError
from swimmer.files import read_bounded, target_of, write_file
from swimmer.papers import Paper

FILE = "reading_list.json"
SCHEMA = 1
MOST = 2_000
"""Papers on a list."""

NOTE_LIMIT = 10_000
FILE_LIMIT = 256 << 20
LOCK_SECONDS = 10.0


@dataclass(frozen=True)
class ListEntry:
    """A paper on the list: `key` names it in addresses, `added` is an ISO 8601 time in UTC."""

    store: str
    paper: Paper
    note: str = ""
    added: str = ""

    @property
    def key(self) -> str:
        """The key of the entry in addresses, from store and paper id."""
        return entry_key(self.store, self.paper.id)


def entry_key(store: str, identifier: str) -> str:
    """Return the key of a paper of a store, safe in an address."""
    digest = hashlib.blake2b(f"{store}\n{identifier}".encode("utf-8", "replace"), digest_size=9)
    return digest.hexdigest()


def default_file() -> Path:
    """Return the path of the list: in `$SWIMMER_HOME`, else in the user's data folder."""
    if home := os.environ.get("SWIMMER_HOME"):
        return Path(home).expanduser() / FILE
    from platformdirs import user_data_path

    return user_data_path("swimmer", appauthor=False) / FILE


class ReadingList:
    """The list in one file, read again when another process changed it; threads may share it.

    Each change is made under a lock on the file and written completely or not at all. A damaged
    file is renamed, never overwritten; `problem` says so.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_file()
        self.problem = ""
        self._stamp: tuple[int, ...] | None = None
        self._entries: dict[str, ListEntry] = {}
        self._lock = threading.RLock()

    def entries(self) -> list[ListEntry]:
        """Return the papers in the order of the list.

        Raises:
            StoreError: the file cannot be opened, or a later version of swimmer wrote it.
        """
        with self._lock:
            return list(self._current().values())

    def keys(self) -> frozenset[str]:
        """Return the keys of the papers on the list; none when it cannot be opened."""
        with self._lock:
            try:
                return frozenset(self._current())
            except StoreError:
                return frozenset()

    def add(self, store: str, paper: Paper) -> ListEntry:
        """Add a paper at the end of the list; one that is in the list already keeps its place.

        Raises:
            QueryError: the list is full.
            StoreError: it cannot be written; the same for the other changes.
        """
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        entry = ListEntry(store, paper, added=now)

        def change(entries: dict[str, ListEntry]) -> None:
            if entry.key not in entries and len(entries) >= MOST:
                raise QueryError(f"a reading list holds {MOST:,} papers", hint="remove some first")
            entries.setdefault(entry.key, entry)

        self._change(change)
        return entry

    def remove(self, key: str) -> None:
        """Remove a paper from the list; one that is not in it is no error."""
        self._change(lambda entries: entries.pop(key, None))

    def note(self, key: str, text: str) -> None:
        """Set the note of a paper.

        Raises:
            QueryError: the paper is not on the list, or the note is longer than NOTE_LIMIT.
        """
        # A browser counts the end of a line as one character, but sends two.
        text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()
        if len(text) > NOTE_LIMIT:
            raise QueryError(
                f"a note may have {NOTE_LIMIT:,} characters, got {len(text):,}",
                hint="shorten the note, or keep the long text in a file and note its name",
            )

        def change(entries: dict[str, ListEntry]) -> None:
            entries[key] = replace(_entry_of(entries, key), note=text)

        self._change(change)

    def move(self, key: str, by: int) -> None:
        """Move a paper up (negative) or down by so many places, at most to an end.

        Raises:
            QueryError: the paper is not on the list.
        """

        def change(entries: dict[str, ListEntry]) -> None:
            entry = _entry_of(entries, key)
            order = [one for one in entries if one != key]
            order.insert(max(0, list(entries).index(key) + by), key)
            ordered = {one: entry if one == key else entries[one] for one in order}
            entries.clear()
            entries.update(ordered)

        self._change(change)

    # ------------------------------------------------------------------ on disk

    def _current(self) -> dict[str, ListEntry]:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._stamp, self._entries = None, {}
            return self._entries
        except OSError as error:
            raise StoreError(
                f"{self.path}: cannot be read ({error.strerror})",
                hint=CHECK_FILE,
            ) from None
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        if stamp != self._stamp:
            self._entries = self._read()
            self._stamp = stamp
        return self._entries

    def _read(self) -> dict[str, ListEntry]:
        try:
            raw = json.loads(read_bounded(target_of(self.path), FILE_LIMIT))
            if isinstance(raw, dict) and isinstance(raw.get("schema"), int):
                self._check_schema(raw["schema"])
            entries = [_entry(one) for one in raw["papers"]]
        except OSError as error:
            raise StoreError(
                f"{self.path}: cannot be read ({error.strerror})",
                hint=CHECK_FILE,
            ) from None
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            return self._rename_damaged(error)
        return {entry.key: entry for entry in entries[:MOST]}

    def _check_schema(self, schema: int) -> None:
        if schema > SCHEMA:
            raise StoreError(
                f"{self.path}: was written by a later version of swimmer (schema {schema}, this "
                f"one reads up to {SCHEMA})",
                hint="upgrade with: pip install -U swimmer",
            )

    def _rename_damaged(self, error: Exception) -> dict[str, ListEntry]:
        when = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S%f")
        aside = self.path.with_name(f"{self.path.stem}.damaged-{when}{self.path.suffix}")
        try:
            self.path.replace(aside)
        except OSError as failure:
            raise StoreError(
                f"{self.path}: is damaged ({error}) and cannot be renamed ({failure.strerror})"
            ) from None
        self.problem = (
            f"The reading list was damaged and could not be read ({type(error).__name__}: "
            f"{str(error)[:200]}). It is kept as {aside}; this is a new one."
        )
        return {}

    def _change(self, change: Callable[[dict[str, ListEntry]], object]) -> None:
        from filelock import FileLock, Timeout

        with self._lock:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with FileLock(self.path.with_suffix(".lock"), timeout=LOCK_SECONDS):
                    entries = dict(self._current())
                    change(entries)
                    self._write(entries)
            except Timeout:
                raise StoreError(
                    f"{self.path}: another process has been writing to it for "
                    f"{LOCK_SECONDS:.0f} seconds",
                    hint="try again",
                ) from None
            except OSError as error:
                raise StoreError(
                    f"{self.path}: cannot be written ({error.strerror or error})",
                    hint="make room, or check the rights of the folder; the list is unchanged",
                ) from None

    def _write(self, entries: Mapping[str, ListEntry]) -> None:
        raw = {"schema": SCHEMA, "papers": [_raw(entry) for entry in entries.values()]}
        write_file(target_of(self.path), json.dumps(raw, ensure_ascii=False, indent=1).encode())
        found = self.path.stat()
        self._stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        self._entries = dict(entries)


def _entry_of(entries: Mapping[str, ListEntry], key: str) -> ListEntry:
    if key not in entries:
        raise QueryError("this paper is not on the reading list any more", hint="reload the page")
    return entries[key]


def _raw(entry: ListEntry) -> dict[str, Any]:
    paper = {one.name: getattr(entry.paper, one.name) for one in fields(Paper)}
    return {"store": entry.store, "added": entry.added, "note": entry.note, "paper": paper}


def _entry(raw: Any) -> ListEntry:
    if not isinstance(raw, dict):
        raise TypeError(f"a paper is an object, not {raw!r:.40}")
    # An unpaired surrogate, which JSON may hold, could not be shown or written.
    texts = {
        name: str(raw.get(name, "")).encode("utf-8", "replace").decode()
        for name in ("store", "note", "added")
    }
    try:
        return ListEntry(paper=Paper(**raw["paper"]), **texts)
    except InputError as error:
        raise ValueError(str(error)) from None
