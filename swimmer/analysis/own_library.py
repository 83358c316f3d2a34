"""A library of one's own: a bibliography, an export of a reference manager, a folder of PDFs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from swimmer.analysis.drafts import read_draft
from swimmer.analysis.references import MOST, read_references
from swimmer.errors import MissingExtraError, QueryError
from swimmer.papers import Paper

if TYPE_CHECKING:
    from swimmer.progress import Progress

MOST_FILES = 5_000
"""PDFs of one folder that are read."""

_SHOWN = 5


@dataclass(frozen=True)
class Library:
    """The papers of a library.

    Attributes:
        name: the file or folder.
        papers: what it holds, at most MOST papers.
        warnings: what could not be read, in sentences for the user.
    """

    name: str
    papers: tuple[Paper, ...]
    warnings: tuple[str, ...] = ()


def read_library(path: str | Path, progress: Progress | None = None, most: int = MOST) -> Library:
    """Return the papers of a library.

    Args:
        path: a list in any format that sources read (`.bib`, `.ris`, what Zotero exports as JSON,
            …), a `.tex` file, whose references are taken, a `.pdf`, or a folder of PDFs.
        progress: called as the PDFs of a folder are read.
        most: how many papers a list may hold.

    Raises:
        QueryError: it holds no paper, or more than `most`.
        SourceError: it cannot be read.
        MissingExtraError: there is a PDF, and pypdf is not installed.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        return _read_folder(path, progress)
    if path.suffix.lower() == ".pdf":
        return Library(path.name, (read_draft(path).paper,))
    read = read_references(path, most)
    warnings = [f"{place}: {reason}" for place, reason in read.unreadable[:_SHOWN]]
    if more := len(read.unreadable) - len(warnings):
        warnings.append(f"{path.name}: {more:,} more kinds of entries were left out")
    return Library(path.name, tuple(read.papers), tuple(warnings))


def _read_folder(folder: Path, progress: Progress | None) -> Library:
    files = sorted(_pdfs(folder))
    if not files:
        raise QueryError(
            f"{folder}: holds no PDF", hint="give a folder of PDFs, or a file such as refs.bib"
        )
    papers, failed = [], []
    for number, file in enumerate(files[:MOST_FILES], 1):
        try:
            papers.append(read_draft(file).paper)
        except MissingExtraError:
            raise
        except QueryError as error:
            failed.append(str(error))
        if progress is not None:
            progress("reading", number, len(files))
    if not papers:
        raise QueryError(f"{folder}: no PDF could be read ({failed[0]})")
    warnings = failed[:_SHOWN]
    if len(failed) > _SHOWN:
        warnings.append(f"{folder.name}: {len(failed) - _SHOWN:,} more PDFs could not be read")
    if len(files) > MOST_FILES:
        warnings.append(
            f"{folder.name}: only the first {MOST_FILES:,} of {len(files):,} PDFs count"
        )
    return Library(folder.name, tuple(papers), tuple(warnings))


def _pdfs(folder: Path) -> Iterator[Path]:
    """Yield the PDFs in a folder and in those below it; links are not followed."""
    for place, _, names in os.walk(folder):
        for name in names:
            file = Path(place, name)
            if file.suffix.lower() == ".pdf" and file.is_file() and not file.is_symlink():
                yield file


def together(libraries: list[Library]) -> Library:
    """Return several libraries as one.

    Raises:
        QueryError: they hold more than MOST papers.
    """
    papers = tuple(paper for one in libraries for paper in one.papers)
    if len(papers) > MOST:
        raise QueryError(f"a library holds {MOST:,} papers at most, got {len(papers):,}")
    return Library(
        ", ".join(one.name for one in libraries),
        papers,
        tuple(warning for one in libraries for warning in one.warnings),
    )
