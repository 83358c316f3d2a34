"""Where papers come from: one adapter per publisher or file shape, each yielding `Paper`s."""

from __future__ import annotations

from pathlib import Path

from swimmer.sources.base import Source, SourceReport

__all__ = ["Source", "SourceReport", "open_source"]


def open_source(what: str | Path) -> Source:
    """Return the source that a path names.

    Raises:
        SourceError: there is no such file.
    """
    from swimmer.sources.files import FileSource

    return FileSource(what)
