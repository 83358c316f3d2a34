"""Where a paper appeared and who wrote it, in one short line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swimmer.papers.paper import Paper

MOST_AUTHORS = 3
"""Authors that a citation line names."""


def venue_and_year(paper: Paper) -> str:
    """Return where and when a paper appeared: `ICLR 2025`, as much of it as is known."""
    return " ".join(str(part) for part in (paper.venue, paper.year) if part)


def first_authors(names: Sequence[str], most: int = MOST_AUTHORS) -> str:
    """Return the first names and how many more there are: `Ada Ruiz, Bo Lin and 4 more`."""
    more = len(names) - most
    line = ", ".join(names[:most])
    return f"{line} and {more} more" if more > 0 else line


def citation_line(paper: Paper, most: int = MOST_AUTHORS) -> str:
    """Return the first authors, the venue and the year: `Ada Ruiz and 4 more · ICLR 2025`."""
    parts = (first_authors(paper.authors, most), venue_and_year(paper))
    return " · ".join(part for part in parts if part)
