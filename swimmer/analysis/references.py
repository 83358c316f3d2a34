"""The references of a bibliography or a draft, and a bibliography with better entries."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from swimmer.analysis.draft_files import text_of
from swimmer.analysis.latex_drafts import latex_citations
from swimmer.analysis.reference_check import CheckedReference
from swimmer.errors import InputError, QueryError
from swimmer.papers import Paper

if TYPE_CHECKING:
    from swimmer.sources import Source

MOST = 20_000
"""References of one bibliography that are read."""


@dataclass(frozen=True)
class References:
    """What a bibliography holds.

    Attributes:
        papers: its references; the `id` of each is its citation key.
        files: the files that they stand in.
        unreadable: entries that could not be read, and why: (place, reason).
        uncited: entries that the draft does not cite, left out.
    """

    papers: list[Paper]
    files: list[Path]
    unreadable: list[tuple[str, str]]
    uncited: int = 0


def read_references(path: str | Path, most: int = MOST) -> References:
    """Return the references of a bibliography, or those that a LaTeX draft cites.

    Args:
        path: a list in any format that sources read (`.bib`, `.ris`, `.csv`, …), a `.txt` file
            with references as a paper lists them, or a `.tex` file that names its `.bib` files,
            which lie in its own folder.
        most: how many references may be read.

    Raises:
        QueryError: the draft names no bibliography, or the file holds no reference, or more than
            `most`.
        SourceError: the file cannot be read.
    """
    path = Path(path).expanduser()
    files, cited = [path], None
    if path.suffix.lower() == ".tex":
        files, cited = latex_citations(path)
        if not files:
            raise QueryError(
                f"{path}: names no .bib file in its folder", hint="give the .bib file itself"
            )
    papers, unreadable = _read([_source(file) for file in files], most)
    listed = [paper for paper in papers if cited is None or paper.id in cited]
    if not listed:
        raise QueryError(
            f"{path}: holds no reference"
            + (f" that it cites, of {len(papers):,}" if papers else "")
        )
    return References(listed, files, unreadable, len(papers) - len(listed))


def references_in(text: str | Sequence[str]) -> References:
    """Return the references of a text, or of a list with one reference each.

    The `id` of a reference that has no key is its label or its number.

    Args:
        text: BibTeX, RIS or another format of lists, or references as a paper lists them, in the
            usual styles; a list holds one reference each, so or as an entry of BibTeX.

    Raises:
        QueryError: it holds no reference.
        SourceError: it is damaged.
    """
    from swimmer.sources import CitedSource

    papers, unreadable = _read([CitedSource(text)])
    if not papers:
        raise QueryError(
            "the text holds no reference",
            hint="give BibTeX, or one reference a line as it is listed in a paper",
        )
    return References(papers, [], unreadable)


def _source(file: Path) -> Source:
    """Return the source of a file; plain text may hold references as a paper lists them."""
    from swimmer.sources import CitedSource, FileSource

    if file.suffix.lower() == ".txt" and file.is_file():
        return CitedSource(text_of(file), str(file))
    return FileSource(file)


def _read(sources: Sequence[Source], most: int = MOST) -> tuple[list[Paper], list[tuple[str, str]]]:
    """Return the papers of sources, and what could not be read of each."""
    from swimmer.sources import SourceReport

    papers: list[Paper] = []
    unreadable: list[tuple[str, str]] = []
    for source in sources:
        report = SourceReport()
        papers += islice(source.papers(report), most + 1)
        where = Path(source.origin).name
        unreadable += [
            (f"{where}, {', '.join(entry.places)}", reason)
            for reason, entry in report.skipped.items()
            if not reason.startswith("not a paper")
        ]
        if len(papers) > most:
            raise QueryError(f"{where}: more than {most:,} references", hint="give it in parts")
    return papers, unreadable


def corrected_bibliography(path: str | Path, checked: Iterable[CheckedReference]) -> str:
    """Return a `.bib` file with each preprint replaced by the published paper, under its old key.

    All other entries, comments and abbreviations stay as they are: what differs is for the author
    to decide.

    Raises:
        InputError: it is no `.bib` file.
        QueryError: it cannot be read.
    """
    path = Path(path)
    if path.suffix.lower() != ".bib":
        raise InputError(f"{path}: only the entries of a .bib file can be replaced")
    return corrected_entries(text_of(path), checked)


def corrected_entries(text: str, checked: Iterable[CheckedReference]) -> str:
    """Return BibTeX text with the entries replaced that `corrected_bibliography` replaces."""
    from swimmer.sources import replaced_entries

    entries = {one.reference.id: entry for one in checked if (entry := one.entry)}
    return replaced_entries(text, entries)
