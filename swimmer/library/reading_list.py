"""The papers that the user keeps, on one or several lists, in one JSON file."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from swimmer.errors import CHECK_FILE, QueryError, StoreError
from swimmer.files import read_bounded, target_of, write_file
from swimmer.library.damaged import set_aside
from swimmer.library.entries import (
    DEFAULT_LIST,
    MOST_LISTS,
    ListEntry,
    checked_name,
    edited,
    raw_entry,
    read_entry,
    valid_names,
)
from swimmer.library.locking import writing_alone
from swimmer.papers import Paper
from swimmer.store import user_folder
from swimmer.text import title_key

FILE = "reading_list.json"
SCHEMA = 2
"""The schema that is written; since 2 there are several lists, tags and a status."""

MOST = 2_000
"""Papers on all lists together."""

FILE_LIMIT = 256 << 20

_Entries = dict[str, ListEntry]
_State = tuple[list[str], _Entries]


def default_file() -> Path:
    """Return the path of the file: in `$SWIMMER_HOME`, else in the user's data folder."""
    return user_folder() / FILE


class ReadingList:
    """The lists in one file, read again when another process changed it; threads may share it.

    Each change is made under a lock on the file and written completely or not at all. A damaged
    file is renamed, never overwritten; `problem` says so. A file of an older schema is copied
    before it is first replaced.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_file()
        self.problem = ""
        self._stamp: tuple[int, ...] | None = None
        self._names: list[str] = []
        self._entries: _Entries = {}
        self._older = 0
        self._lock = threading.RLock()

    def names(self) -> list[str]:
        """Return the names of the lists, in the order in which they were made; at least one.

        Raises:
            StoreError: the file cannot be opened, or a later version of swimmer wrote it.
        """
        with self._lock:
            return list(self._current()[0]) or [DEFAULT_LIST]

    def entries(
        self, name: str | None = None, *, status: str | None = None, tag: str | None = None
    ) -> list[ListEntry]:
        """Return the papers of a list in its order; those of all lists without a name.

        Args:
            name: the name of a list; case does not count.
            status: only those of this status.
            tag: only those with this tag.

        Raises:
            QueryError: there is no such list.
            StoreError: as `names`.
        """
        with self._lock:
            names, entries = self._current()
            wanted = None if name is None else _known(names or [DEFAULT_LIST], name)
            return [
                entry
                for entry in entries.values()
                if (wanted is None or wanted in entry.lists)
                and (status is None or entry.status == status)
                and (tag is None or entry.has_tag(tag))
            ]

    def keys(self) -> frozenset[str]:
        """Return the keys of the papers on all lists; none when the file cannot be opened."""
        with self._lock:
            try:
                return frozenset(self._current()[1])
            except StoreError:
                return frozenset()

    def find(self, text: str) -> ListEntry:
        """Return the one paper that a key, an id, an address, a title or a part of it names.

        Raises:
            QueryError: there is none, or several; the hint has titles to choose from.
        """
        wanted = title_key(text)
        entries = self.entries()
        for same in (
            [e for e in entries if text in (e.key, e.paper.id, e.paper.url)],
            [e for e in entries if wanted and title_key(e.paper.title) == wanted],
            [e for e in entries if wanted and wanted in title_key(e.paper.title)],
        ):
            if len(same) == 1:
                return same[0]
            if same:
                raise QueryError(
                    f"{len(same)} papers on your lists are meant by {text[:80]!r}",
                    hint="give one by its id: "
                    + ", ".join(f"{e.paper.id} ({e.paper.display_title[:60]})" for e in same[:3]),
                )
        from difflib import get_close_matches

        titles = [entry.paper.display_title for entry in entries]
        near = get_close_matches(text, titles, n=1, cutoff=0.5)
        raise QueryError(
            f"no paper on your lists is {text[:200]!r}",
            hint=f"did you mean {near[0]!r}?" if near else "add it with: swimmer add TITLE",
        )

    def add(self, store: str, paper: Paper, to: str = DEFAULT_LIST) -> ListEntry:
        """Add a paper at the end of a list, as `add_all` does."""
        return self.add_all([(store, paper)], to)[0]

    def add_all(
        self, papers: Iterable[tuple[str, Paper]], to: str = DEFAULT_LIST
    ) -> list[ListEntry]:
        """Add papers, each with the name of its store, at the end of a list: all or none.

        The list is made where there is none of this name. A paper that is on the list keeps its
        place; one that is on another list is on both then.

        Raises:
            QueryError: the lists are full, or the name is none that a list can have.
            StoreError: the file cannot be written; the same for the other changes.
        """
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        added = [ListEntry(store, paper, added=now) for store, paper in papers]

        def change(names: list[str], entries: _Entries) -> None:
            name = _made(names, to)
            for new in added:
                entry = entries.get(new.key)
                if entry is None and len(entries) >= MOST:
                    raise QueryError(
                        f"reading lists hold {MOST:,} papers", hint="remove some first"
                    )
                if entry is None:
                    entries[new.key] = replace(new, lists=(name,))
                elif name not in entry.lists:
                    # At the end of this list means after all of its papers.
                    del entries[new.key]
                    entries[new.key] = replace(entry, lists=(*entry.lists, name))

        self._change(change)
        return [self._entries[new.key] for new in added]

    def remove(self, key: str, name: str | None = None) -> None:
        """Remove a paper from a list, or from all of them; one that is not there is no error."""

        def change(names: list[str], entries: _Entries) -> None:
            entry = entries.get(key)
            if entry is None:
                return
            left = (
                ()
                if name is None
                else tuple(one for one in entry.lists if one != _known(names, name))
            )
            if left:
                entries[key] = replace(entry, lists=left)
            else:
                del entries[key]

        self._change(change)

    def edit(
        self,
        key: str,
        *,
        note: str | None = None,
        status: str | None = None,
        tags: Sequence[str] | None = None,
        lists: Sequence[str] | None = None,
    ) -> ListEntry:
        """Change what is kept of a paper; None leaves a value as it is.

        Args:
            key: the key of its entry.
            note: its note, in Markdown if you like, at most NOTE_LIMIT characters.
            status: one of STATUSES.
            tags: its tags.
            lists: the names of the lists that it is on; new ones are made.

        Raises:
            QueryError: the paper is on no list, or a value is not valid; no list is left.
        """

        def change(names: list[str], entries: _Entries) -> None:
            entry = edited(_entry_of(entries, key), note=note, status=status, tags=tags)
            if lists is not None:
                entry = edited(entry, lists=[_made(names, name) for name in lists])
                if not entry.lists:
                    raise QueryError("a paper must be on a list", hint="remove it, or name a list")
            entries[key] = entry

        self._change(change)
        return self._entries[key]

    def move(self, key: str, by: int, name: str | None = None) -> None:
        """Move a paper up (negative) or down a list by so many places, at most to an end.

        Raises:
            QueryError: the paper is not on the list, or there is no such list.
        """

        def change(names: list[str], entries: _Entries) -> None:
            entry = _entry_of(entries, key)
            wanted = None if name is None else _known(names, name)
            order = [k for k, e in entries.items() if wanted is None or wanted in e.lists]
            if key not in order:
                raise QueryError(f"this paper is not on the list {wanted}", hint="reload the page")
            place = order.index(key)
            to = min(max(0, place + by), len(order) - 1)
            if to == place:
                return
            # Papers that are on other lists only keep their places around it.
            others = [one for one in entries if one != key]
            others.insert(others.index(order[to]) + (to > place), key)
            ordered = {one: entry if one == key else entries[one] for one in others}
            entries.clear()
            entries.update(ordered)

        self._change(change)

    def rename(self, name: str, new: str) -> None:
        """Give a list another name.

        Raises:
            QueryError: there is no such list, or another one has the new name already.
        """

        def change(names: list[str], entries: _Entries) -> None:
            old, text = _known(names or [DEFAULT_LIST], name), checked_name(new)
            if any(one.casefold() == text.casefold() and one != old for one in names):
                raise QueryError(f"there is a list {text!r} already")
            names[:] = [text if one == old else one for one in names or [old]]
            for key, entry in entries.items():
                if old in entry.lists:
                    lists = tuple(text if one == old else one for one in entry.lists)
                    entries[key] = replace(entry, lists=lists)

        self._change(change)

    def delete(self, name: str) -> int:
        """Delete a list; papers that are on no other list are deleted with their notes.

        Returns:
            How many papers were deleted.

        Raises:
            QueryError: there is no such list.
        """
        deleted = 0

        def change(names: list[str], entries: _Entries) -> None:
            nonlocal deleted
            old = _known(names, name)
            names.remove(old)
            for key, entry in list(entries.items()):
                left = tuple(one for one in entry.lists if one != old)
                if left:
                    entries[key] = replace(entry, lists=left)
                else:
                    del entries[key]
                    deleted += 1

        self._change(change)
        return deleted

    # ------------------------------------------------------------------ on disk

    def _current(self) -> _State:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._stamp, self._names, self._entries = None, [], {}
            return self._names, self._entries
        except OSError as error:
            raise StoreError(
                f"{self.path}: cannot be read ({error.strerror})",
                hint=CHECK_FILE,
            ) from None
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        if stamp != self._stamp:
            self._names, self._entries = self._read()
            self._stamp = stamp
        return self._names, self._entries

    def _read(self) -> _State:
        try:
            raw = json.loads(read_bounded(target_of(self.path), FILE_LIMIT))
            if isinstance(raw, dict) and isinstance(raw.get("schema"), int):
                self._check_schema(raw["schema"])
                self._older = raw["schema"] if raw["schema"] < SCHEMA else 0
            entries = [read_entry(one) for one in raw["papers"]]
            named = valid_names(raw.get("lists"), "list")
        except OSError as error:
            raise StoreError(
                f"{self.path}: cannot be read ({error.strerror})",
                hint=CHECK_FILE,
            ) from None
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            return [], self._rename_damaged(error)
        names = list(named[:MOST_LISTS])
        # A list that only a paper names was written by hand.
        found = {}
        for entry in entries[:MOST]:
            found[entry.key] = replace(entry, lists=tuple(_made(names, n) for n in entry.lists))
        return names, found

    def _check_schema(self, schema: int) -> None:
        if schema > SCHEMA:
            raise StoreError(
                f"{self.path}: was written by a later version of swimmer (schema {schema}, this "
                f"one reads up to {SCHEMA})",
                hint="upgrade with: pip install -U swimmer",
            )

    def _rename_damaged(self, error: Exception) -> dict[str, ListEntry]:
        aside = set_aside(self.path, error)
        self.problem = (
            f"The reading list was damaged and could not be read ({type(error).__name__}: "
            f"{str(error)[:200]}). It is kept as {aside}; this is a new one."
        )
        return {}

    def _change(self, change: Callable[[list[str], _Entries], object]) -> None:
        with self._lock, writing_alone(self.path, "; the list is unchanged"):
            before, found = self._current()
            names, entries = list(before), dict(found)
            change(names, entries)
            self._write(names, entries)

    def _write(self, names: list[str], entries: _Entries) -> None:
        self._keep_older()
        papers = [raw_entry(entry) for entry in entries.values()]
        raw = {"schema": SCHEMA, "lists": names, "papers": papers}
        write_file(target_of(self.path), json.dumps(raw, ensure_ascii=False, indent=1).encode())
        found = self.path.stat()
        self._stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        self._names, self._entries = names, dict(entries)

    def _keep_older(self) -> None:
        """Copy a file of an older schema before it is replaced, for the version that wrote it."""
        if self._older:
            copy = self.path.with_name(f"{self.path.stem}.schema-{self._older}{self.path.suffix}")
            if not copy.exists():
                with contextlib.suppress(FileNotFoundError):
                    write_file(copy, read_bounded(target_of(self.path), FILE_LIMIT))
            self._older = 0


def _entry_of(entries: Mapping[str, ListEntry], key: str) -> ListEntry:
    if key not in entries:
        raise QueryError("this paper is not on the reading list any more", hint="reload the page")
    return entries[key]


def _known(names: Sequence[str], name: str) -> str:
    """Return the name of a list as it is written."""
    for one in names:
        if one.casefold() == name.strip().casefold():
            return one
    raise QueryError(
        f"there is no list {name[:80]!r}", hint=f"there is {', '.join(names[:10]) or 'no list yet'}"
    )


def _made(names: list[str], name: str) -> str:
    """Return the name of a list as it is written; a new one is put at the end of the names."""
    text = checked_name(name)
    for one in names:
        if one.casefold() == text.casefold():
            return one
    if len(names) >= MOST_LISTS:
        raise QueryError(f"there can be {MOST_LISTS} lists", hint="delete some first")
    names.append(text)
    return text
