"""The libraries that somebody can name: a file, a folder, the reading list of the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from swimmer.errors import QueryError

if TYPE_CHECKING:
    from swimmer.analysis import Library
    from swimmer.progress import Progress

READING_LIST = "reading-list"
"""The name of the reading list that the page keeps."""


def named_library(name: str, progress: Progress | None = None) -> Library:
    """Return the library of a file, of a folder, or of the reading list.

    Raises:
        QueryError, SourceError, MissingExtraError: as `analysis.read_library` does.
        StoreError: the reading list cannot be opened.
    """
    if name == READING_LIST and not Path(name).exists():
        return listed_library()
    from swimmer.analysis import read_library

    if not Path(name).expanduser().exists():
        raise QueryError(
            f"{name[:200]}: no such file or folder",
            hint="a library is a file such as refs.bib, refs.ris or Zotero's JSON, a folder of "
            f"PDFs, or {READING_LIST} for the list of the page",
        )
    return read_library(name, progress)


def listed_library() -> Library:
    """Return the papers of the reading list.

    Raises:
        QueryError: it is empty.
        StoreError: it cannot be opened.
    """
    from swimmer.analysis import Library
    from swimmer.library import ReadingList

    kept = ReadingList()
    papers = tuple(entry.paper for entry in kept.entries())
    if not papers:
        raise QueryError(
            f"the reading list {kept.path} is empty" if not kept.problem else kept.problem,
            hint="save papers to it on the page: swimmer serve",
        )
    return Library("the reading list", papers, (kept.problem,) if kept.problem else ())
