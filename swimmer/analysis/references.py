"""The references of a bibliography or a draft, and a bibliography with better entries."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from swimmer.analysis.draft_files import text_of
from swimmer.analysis.latex_drafts import latex_citations
from swimmer.analysis.reference_check import CheckedReference
from swimmer.errors import InputError, QueryError
from swimmer.papers import AUTHORS_ORDER, Paper

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


def read_references(path: str | Path) -> References:
    """Return the references of a bibliography, or those that a LaTeX draft cites.

    Args:
        path: a list in any format that sources read (`.bib`, `.ris`, `.csv`, …), or a `.tex` file
            that names its `.bib` files, which lie in its own folder.

    Raises:
        QueryError: the draft names no bibliography, or the file holds no reference.
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
    from swimmer.sources import FileSource, SourceReport

    papers: list[Paper] = []
    unreadable: list[tuple[str, str]] = []
    for file in files:
        report = SourceReport()
        papers += FileSource(file).papers(report)
        unreadable += [
            (f"{file.name}, {', '.join(entry.places)}", reason)
            for reason, entry in report.skipped.items()
            if not reason.startswith("not a paper")
        ]
        if len(papers) > MOST:
            raise QueryError(f"{path}: more than {MOST:,} references", hint="give it in parts")
    listed = [paper for paper in papers if cited is None or paper.id in cited]
    if not listed:
        raise QueryError(
            f"{path}: holds no reference"
            + (f" that it cites, of {len(papers):,}" if papers else "")
        )
    return References(listed, files, unreadable, len(papers) - len(listed))


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
    from swimmer.sources import replaced_entries

    entries = {
        one.reference.id: _entry(one.reference, one.paper)
        for one in checked
        if one.verdict == "published" and one.paper is not None
    }
    return replaced_entries(text_of(path), entries)


def _entry(reference: Paper, paper: Paper) -> str:
    """Return the entry of a published paper under the key of the reference to its preprint."""
    from swimmer.export import to_bibtex

    # As short as an entry that somebody has typed.
    cited = replace(paper, abstract="", keywords=())
    if reference.authors and not paper.authors_ordered:
        extra = {name: value for name, value in paper.extra.items() if name != AUTHORS_ORDER}
        extra["authors_cut"] = bool(reference.extra.get("authors_cut"))
        cited = replace(cited, authors=reference.authors, extra=extra)
    key = reference.id
    return re.sub(r"\A(@\w+\{)[^,]*,", lambda found: f"{found[1]}{key},", to_bibtex([cited]))
