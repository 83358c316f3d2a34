"""The libraries that somebody can name: a file, a folder, the reading list of the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from swimmer.errors import QueryError

if TYPE_CHECKING:
    from swimmer.analysis import Library
    from swimmer.progress import Progress

READING_LIST, ONE_LIST = "reading-list", "list:"
"""What stands for the papers of all reading lists, and what begins the name of one of them."""


def named_library(name: str, progress: Progress | None = None) -> Library:
    """Return the library of a file, of a folder, or of the reading lists.

    Raises:
        QueryError, SourceError, MissingExtraError: as `analysis.read_library` does.
        StoreError: the reading lists cannot be opened.
    """
    if not Path(name).expanduser().exists():
        if name == READING_LIST:
            return listed_library()
        if name.startswith(ONE_LIST):
            return listed_library(name.removeprefix(ONE_LIST).strip())
        raise QueryError(
            f"{name[:200]}: no such file or folder",
            hint="a library is a file such as refs.bib, refs.ris or Zotero's JSON, a folder of "
            f"PDFs, {READING_LIST} for all your reading lists, or {ONE_LIST}NAME for one",
        )
    from swimmer.analysis import read_library

    return read_library(name, progress)


def listed_library(name: str | None = None) -> Library:
    """Return the papers of a reading list, of all of them without a name.

    Raises:
        QueryError: there is no such list, or it is empty.
        StoreError: the file of the lists cannot be opened.
    """
    from swimmer.analysis import Library
    from swimmer.library import ReadingList

    kept = ReadingList()
    papers = tuple(entry.paper for entry in kept.entries(name))
    if not papers:
        what = "there is no paper on your reading lists" if name is None else f"{name}: is empty"
        raise QueryError(kept.problem or what, hint='add some: swimmer add "TITLE", or on the page')
    called = "the reading lists" if name is None else name
    return Library(called, papers, (kept.problem,) if kept.problem else ())


def check_reading_list(name: str | None, allowed: bool, how: str) -> None:
    """Check that a program may read the reading list that it names; None names none.

    Raises:
        QueryError: it may not; `how` says how the user allows it.
    """
    if name and not allowed:
        raise QueryError(
            "the reading lists are not open to programs here",
            hint=f"give titles; the user may allow it with: {how}",
        )
