"""Where papers come from: one adapter per publisher or file shape, each yielding `Paper`s."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from swimmer.sources.base import Source, SourceReport

if TYPE_CHECKING:
    from swimmer.sources.publishers.remote import Options

__all__ = ["Source", "SourceReport", "open_source"]


def open_source(what: str | Path, options: Options | None = None) -> Source:
    """Return the source that a path, a venue's name or an address stands for.

    Accepted: the path of a file; `iclr2025`; `scheme:what` (`arxiv:cs.LG`, `pmlr:v244`,
    `openreview:ICLR.cc/2025/Conference`); the address of a known publisher or of a list file.
    Nothing is fetched before its papers are asked for.

    Raises:
        SourceError: it is none of these; near names stand in the message.
    """
    from swimmer.sources.registry import open_source as dispatch

    return dispatch(what, options)
