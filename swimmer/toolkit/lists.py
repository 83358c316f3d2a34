"""The reading lists as tools: what is on them, and a paper put on one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from swimmer.toolkit.answers import SHORT_EXCERPT, PaperData, bounded, fitting, paper_data

if TYPE_CHECKING:
    from swimmer.library import ListEntry
    from swimmer.papers import Paper


class KeptPaper(PaperData):
    """A paper on reading lists as plain data."""

    lists: list[str]
    reading_status: str
    tags: list[str]
    note: str


class ReadingListData(TypedDict):
    """The names of all reading lists, and the papers that were asked for; `more` were left out."""

    lists: list[str]
    papers: list[KeptPaper]
    more: int


def reading_list_data(
    name: str | None = None, status: str | None = None, tag: str | None = None
) -> ReadingListData:
    """Return the papers of the user's reading lists as plain data.

    Raises:
        QueryError: there is no such list.
        StoreError: the file of the lists cannot be opened.
    """
    from swimmer.library import ReadingList

    kept = ReadingList()
    found = [_data(entry) for entry in kept.entries(name, status=status, tag=tag)]
    shown = fitting(found)
    return {"lists": kept.names(), "papers": shown, "more": len(found) - len(shown)}


def keep_paper_data(
    store: str,
    paper: Paper,
    name: str | None = None,
    *,
    status: str | None = None,
    tags: list[str] | None = None,
    note: str | None = None,
) -> KeptPaper:
    """Put a paper on a reading list, and add to its tags and its note; return it as plain data.

    Called twice with the same values, it changes nothing the second time.

    Raises:
        QueryError: the lists are full, or a value is not valid.
        StoreError: the file of the lists cannot be written.
    """
    from swimmer.library import DEFAULT_LIST, ListEntry, ReadingList, edited

    # What is not valid must not leave the paper on the list without it.
    edited(ListEntry(store, paper), note=note, status=status, tags=tags)
    kept = ReadingList()
    entry = kept.add(store, paper, name or DEFAULT_LIST)
    lines = entry.note.splitlines()
    text = None
    if note and bounded(note, 2_000) not in lines:
        text = "\n".join([*lines, bounded(note, 2_000)])
    if status or tags or text is not None:
        more = [*entry.tags, *tags] if tags else None
        entry = kept.edit(entry.key, note=text, status=status, tags=more)
    return _data(entry)


def _data(entry: ListEntry) -> KeptPaper:
    return {
        **paper_data(entry.paper, SHORT_EXCERPT, store=entry.store),
        "lists": list(entry.lists),
        "reading_status": entry.status,
        "tags": list(entry.tags),
        "note": bounded(entry.note, 500),
    }
