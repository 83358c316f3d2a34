"""Answers and papers written out, each format safe to open where it is meant for.

Answers: JSON lines, CSV, Markdown. Papers: BibTeX, RIS, the Markdown reading list. `WRITERS`
holds all of them as functions of answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swimmer.errors import InputError
from swimmer.files import target_of, write_file
from swimmer.papers import venue_and_year

if TYPE_CHECKING:
    from swimmer.papers import Paper
    from swimmer.retrieval import Answer

CSV_COLUMNS = (
    "query",
    "rank",
    "score",
    "id",
    "title",
    "authors",
    "venue",
    "year",
    "url",
    "abstract",
)

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~!$])")


def answer_to_dict(answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON-able values, in the schema of `docs/json.md`."""
    matched = answer.matched
    return {
        "query": answer.query,
        "store": answer.store,
        "model": answer.model,
        "matched": None
        if matched is None
        else {
            "id": matched.id,
            "title": matched.display_title,
            "url": matched.url,
            "exact": answer.exact,
        },
        "related": answer.related,
        "reading": None if answer.reading is None else answer.reading.to_dict(),
        "others": [other.to_dict() for other in answer.others],
        "hits": [hit.to_dict() for hit in answer.hits],
        "warnings": list(answer.warnings),
    }


def to_json(answers: Iterable[Answer]) -> str:
    """Return one JSON object a line, one line an answer."""
    return "".join(
        json.dumps(answer_to_dict(answer), ensure_ascii=False) + "\n" for answer in answers
    )


def to_csv(answers: Iterable[Answer]) -> str:
    """Return a CSV table with one row a hit; no cell can start a formula in a spreadsheet."""
    return _csv_table(
        CSV_COLUMNS,
        (
            (answer.query, hit.rank, f"{hit.score:.6f}", *_paper_cells(hit.paper))
            for answer in answers
            for hit in answer.hits
        ),
    )


def _csv_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([csv_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def _paper_cells(paper: Paper) -> tuple[object, ...]:
    return (
        paper.id,
        paper.title,
        "; ".join(paper.authors),
        paper.venue,
        paper.year or "",
        paper.url,
        paper.display_abstract,
    )


def csv_cell(value: object) -> object:
    """Return a value as a cell that no spreadsheet takes for a formula."""
    # OWASP, "CSV injection": a quote in front keeps a spreadsheet from reading a formula.
    # Spreadsheets in East Asian languages take the full-width signs too.
    if isinstance(value, str) and value[:1] in tuple("=+-@\t\r\n＝＋－＠"):
        if re.fullmatch(r"-?\d+(\.\d+)?", value):
            return value
        return "'" + value
    return value


def to_markdown(answers: Iterable[Answer]) -> str:
    """Return a heading for each query and a numbered list of its hits."""
    parts = []
    for answer in answers:
        parts.append(f"## {escaped(answer.query)}\n")
        parts += [f"> {escaped(warning)}\n" for warning in answer.warnings]
        for hit in answer.hits:
            paper = hit.paper
            title = escaped(paper.display_title)
            linked = f"[{title}](<{paper.url}>)" if paper.url else title
            who = escaped(", ".join(paper.authors))
            where = escaped(venue_and_year(paper))
            about = " · ".join(part for part in (who, where) if part)
            parts.append(f"{hit.rank}. **{linked}** ({hit.score:.3f})  \n   {about}\n")
            if paper.abstract:
                parts.append(f"   {escaped(paper.display_abstract)}\n")
    return "\n".join(parts)


def escaped(text: str) -> str:
    """Return text in which no character is Markdown: it is shown as it stands."""
    return _MARKDOWN.sub(r"\\\1", text)


def papers_of(answers: Iterable[Answer]) -> list[Paper]:
    """Return the papers of answers in the order they were found, each once."""
    found: dict[str, Paper] = {}
    for answer in answers:
        for hit in answer.hits:
            found.setdefault(hit.paper.id, hit.paper)
    return list(found.values())


def papers_to_json(papers: Iterable[Paper]) -> str:
    """Return one JSON object a line, one line a paper; `swimmer build` reads it back."""
    return "".join(json.dumps(paper.to_dict(), ensure_ascii=False) + "\n" for paper in papers)


def papers_to_csv(papers: Iterable[Paper]) -> str:
    """Return a CSV table with one row a paper, notes of one's own last; safe as `to_csv` is."""
    from swimmer.export.reading_list import note_of

    return _csv_table(
        [*CSV_COLUMNS[3:], "notes", "authors_order"],
        (
            (*_paper_cells(paper), note_of(paper), "" if paper.authors_ordered else "unknown")
            for paper in papers
        ),
    )


def _bibtex(answers: Iterable[Answer]) -> str:
    from swimmer.export.bibtex import to_bibtex

    return to_bibtex(papers_of(answers))


def _ris(answers: Iterable[Answer]) -> str:
    from swimmer.export.ris import to_ris

    return to_ris(papers_of(answers))


def _reading_list(answers: Iterable[Answer]) -> str:
    from swimmer.export.reading_list import to_reading_list

    return to_reading_list(papers_of(answers))


WRITERS: dict[str, Callable[[Iterable[Answer]], str]] = {
    "json": to_json,
    "csv": to_csv,
    "markdown": to_markdown,
    "bibtex": _bibtex,
    "ris": _ris,
    "reading-list": _reading_list,
}
"""The formats by name."""

SUFFIXES = {
    ".json": "json",
    ".jsonl": "json",
    ".csv": "csv",
    ".bib": "bibtex",
    ".ris": "ris",
    ".md": "reading-list",
}
"""The format that a file's name asks for."""


def write_text(path: str | Path, text: str) -> None:
    """Write an export to a file, whole or not at all.

    Raises:
        InputError: the file cannot be written; one that was there before is as it was.
    """
    try:
        # A full disk must not leave half a bibliography in the place of a whole one.
        write_file(target_of(Path(path).expanduser()), text.encode())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"{str(path)[:200]}: cannot be written ({reason})",
            hint="give a file in a folder that can",
        ) from None
