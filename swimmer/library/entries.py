"""A paper that the user keeps: its lists, status, tags and note, and how they are written down."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from swimmer.errors import InputError, QueryError
from swimmer.papers import Paper
from swimmer.text import clean

STATUSES = ("to read", "reading", "read")
"""How far the user is with a paper."""

DEFAULT_LIST = "Reading list"
"""The list of a paper that is added without naming one."""

NOTE_LIMIT = 10_000
NAME_LIMIT = 60
"""Characters of the name of a list, and of a tag."""

MOST_TAGS = 50
MOST_LISTS = 100


@dataclass(frozen=True)
class ListEntry:
    """A paper on one or several lists.

    `key` names it in addresses, `added` is an ISO 8601 time in UTC, `status` one of STATUSES,
    `lists` the names of the lists that it is on. Note, status and tags belong to the paper: they
    are the same on each list.
    """

    store: str
    paper: Paper
    note: str = ""
    added: str = ""
    status: str = STATUSES[0]
    tags: tuple[str, ...] = ()
    lists: tuple[str, ...] = (DEFAULT_LIST,)

    @property
    def key(self) -> str:
        """The key of the entry in addresses, from store and paper id."""
        return entry_key(self.store, self.paper.id)

    def has_tag(self, tag: str) -> bool:
        """Return whether the paper has a tag; case does not count."""
        return tag.strip().lstrip("#").casefold() in {one.casefold() for one in self.tags}

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as JSON-able values, the fields of the paper beside its own."""
        return {
            **self.paper.to_dict(),
            "store": self.store,
            "lists": list(self.lists),
            "reading_status": self.status,
            "tags": list(self.tags),
            "note": self.note,
            "added": self.added,
        }


def entry_key(store: str, identifier: str) -> str:
    """Return the key of a paper of a store, safe in an address."""
    digest = hashlib.blake2b(f"{store}\n{identifier}".encode("utf-8", "replace"), digest_size=9)
    return digest.hexdigest()


def edited(
    entry: ListEntry,
    *,
    note: str | None = None,
    status: str | None = None,
    tags: Sequence[str] | None = None,
    lists: Sequence[str] | None = None,
) -> ListEntry:
    """Return an entry with other values; None leaves one as it is.

    Raises:
        QueryError: a value is not one that an entry can have.
    """
    if note is not None:
        # A browser counts the end of a line as one character, but sends two.
        note = note.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip()
        if len(note) > NOTE_LIMIT:
            raise QueryError(
                f"a note may have {NOTE_LIMIT:,} characters, got {len(note):,}",
                hint="shorten the note, or keep the long text in a file and note its name",
            )
        entry = replace(entry, note=note)
    if status is not None:
        if status not in STATUSES:
            raise QueryError(
                f"{status[:40]!r} is not a status", hint=f"choose one of {', '.join(STATUSES)}"
            )
        entry = replace(entry, status=status)
    if tags is not None:
        entry = replace(entry, tags=_names(tags, "tag", MOST_TAGS))
    if lists is not None:
        entry = replace(entry, lists=_names(lists, "list", MOST_LISTS))
    return entry


def checked_name(name: str, what: str = "list") -> str:
    """Return the name of a list or a tag as it is kept: one line, without what stands around it.

    Raises:
        QueryError: it is blank or too long, or holds a comma, which stands between names.
    """
    text = clean(name).strip()
    if what == "tag":
        text = text.lstrip("#").strip()
    if not text:
        raise QueryError(f"the name of a {what} is blank", hint="give a word or two")
    if len(text) > NAME_LIMIT or "," in text:
        raise QueryError(
            f"{text[:80]!r} cannot be the name of a {what}",
            hint=f"use at most {NAME_LIMIT} characters, and no comma",
        )
    return text


def _names(names: Iterable[str], what: str, most: int) -> tuple[str, ...]:
    """Return names, each once: case does not tell two apart."""
    found: dict[str, str] = {}
    for name in names:
        text = checked_name(name, what)
        found.setdefault(text.casefold(), text)
    if len(found) > most:
        raise QueryError(f"a paper may have {most} {what}s, got {len(found)}")
    return tuple(found.values())


def raw_entry(entry: ListEntry) -> dict[str, Any]:
    """Return an entry as it is written to the file."""
    return {
        "store": entry.store,
        "added": entry.added,
        "lists": list(entry.lists),
        "status": entry.status,
        "tags": list(entry.tags),
        "note": entry.note,
        "paper": {one.name: getattr(entry.paper, one.name) for one in fields(Paper)},
    }


def read_entry(raw: Any) -> ListEntry:
    """Return an entry of a file; one of schema 1 is to be read, and on the only list.

    Raises:
        ValueError, TypeError, KeyError: it is none. A name or status that is not valid is left
            out: somebody may have written it by hand.
    """
    if not isinstance(raw, dict):
        raise TypeError(f"a paper is an object, not {raw!r:.40}")
    # An unpaired surrogate, which JSON may hold, could not be shown or written.
    texts = {
        name: str(raw.get(name, "")).encode("utf-8", "replace").decode()
        for name in ("store", "note", "added")
    }
    status = raw.get("status")
    try:
        return ListEntry(
            paper=Paper(**raw["paper"]),
            status=status if isinstance(status, str) and status in STATUSES else STATUSES[0],
            tags=valid_names(raw.get("tags"), "tag")[:MOST_TAGS],
            lists=valid_names(raw.get("lists"), "list")[:MOST_LISTS] or (DEFAULT_LIST,),
            **texts,
        )
    except InputError as error:
        raise ValueError(str(error)) from None


def valid_names(raw: Any, what: str) -> tuple[str, ...]:
    """Return the names of a file that a list or a tag can have, each once."""
    found: dict[str, str] = {}
    for name in raw if isinstance(raw, list) else ():
        if isinstance(name, str):
            try:
                text = checked_name(name, what)
            except QueryError:
                continue
            found.setdefault(text.casefold(), text)
    return tuple(found.values())


def listed_papers(entries: Iterable[ListEntry]) -> list[Paper]:
    """Return the papers of entries for an export, with note, status and tags; ids are unique."""
    found: dict[str, Paper] = {}
    for entry in entries:
        paper = entry.paper
        own: dict[str, Any] = {}
        if entry.note:
            own["reading_notes"] = entry.note.split("\n")
        if entry.status != STATUSES[0]:
            own["reading_status"] = entry.status
        if entry.tags:
            own["reading_tags"] = list(entry.tags)
        if own:
            paper = replace(paper, extra={**paper.extra, **own})
        if paper.id in found:
            paper = replace(paper, id=f"{entry.store}:{paper.id}")
        found[paper.id] = paper
    return list(found.values())


def written(format: str, entries: Iterable[ListEntry]) -> str:
    """Return entries as a file: `reading-list` (Markdown), `bibtex`, `ris`, `json` or `csv`."""
    from swimmer import export

    writers = {
        "reading-list": export.to_reading_list,
        "bibtex": export.to_bibtex,
        "ris": export.to_ris,
        "json": export.papers_to_json,
        "csv": export.papers_to_csv,
    }
    return writers[format](listed_papers(entries))
