"""Answers as text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from swimmer.cli.output import terminal_width
from swimmer.cli.styles import styled
from swimmer.papers import Paper, citation_line, events_in_words, venue_and_year
from swimmer.retrieval import Answer, Hit
from swimmer.text import printable

ABSTRACT_LINES = 3
SUMMARY_LINES = 6
"""Lines of an abstract, and of one sentence about a paper, that are shown at most."""

MAX_WIDTH = 110
"""Columns that a result takes at most, on a terminal that has more."""


def render(
    answer: Answer,
    size: int,
    abstract_lines: int = ABSTRACT_LINES,
    *,
    nearest: bool = False,
    summary: bool = False,
) -> str:
    """Return an answer as text for a terminal, wrapped to its width.

    `nearest` shows the sentence nearest to the query in place of the abstract's first lines,
    `summary` the papers in one sentence, which they have among their fields.
    """
    width = min(terminal_width(), MAX_WIDTH)
    head = f"{size:,} papers in {answer.store}, model {answer.model}"
    lines = [styled(head, dim=True)]
    lines += _heading(answer, width)
    lines += [
        styled(line, fg="yellow")
        for warning in answer.warnings
        for line in textwrap.wrap(f"warning: {printable(warning)}", width)
    ]
    if not answer.hits:
        lines.append("No papers found.")
    elif not answer.related:
        lines.append("No close match. Nearest papers:")
    for hit in answer.hits:
        said = _said(hit.paper) if summary else ""
        lines += ["", *hit_lines(hit, width, abstract_lines, nearest, answer.listed, said=said)]
    return "\n".join(lines) + "\n"


def _said(paper: Paper) -> str:
    text = str(paper.extra.get("summary", ""))
    if paper.extra.get("summary_machine_written"):
        text += f" (machine-written by {paper.extra.get('summary_by')})"
    return text


def _heading(answer: Answer, width: int) -> list[str]:
    """Return what the query was taken as, and what else it may mean."""
    reading = answer.reading
    lines = []
    if reading is not None and reading.typed and reading.kind != "text":
        corrected = f"{printable(reading.text[:300])} (typed: {printable(reading.typed[:300])})"
        lines += _wrapped("searching for ", corrected, width, bold=False)
    lead, what = answer.heading
    lines += _wrapped(f"{printable(lead)} ", printable(what[:700]), width, bold=True)
    if answer.others:
        offers = "; ".join(
            f"{'these words' if other.text == answer.query else printable(str(other))}: "
            f"--as {other.lookup}"
            + (f' "{printable(other.text[:80])}"' if other.text != answer.query else "")
            for other in answer.others
        )
        lines += [styled(line, dim=True) for line in textwrap.wrap(f"or {offers}", width)]
    return lines


def hit_lines(
    hit: Hit,
    width: int,
    abstract_lines: int,
    nearest: bool = False,
    listed: bool = False,
    notes: Sequence[str] = (),
    said: str = "",
) -> list[str]:
    """Return a hit as lines for a terminal, with notes of the caller's before the abstract.

    `said` is shown in place of the abstract.
    """
    paper = hit.paper
    lead = f"{hit.rank:3d}  " if listed else f"{hit.rank:3d}  {hit.score:.3f}  "
    lines = _wrapped(lead, printable(paper.display_title), width, bold=True)
    indent = " " * len(lead)
    if about := " · ".join(filter(None, (citation_line(paper), hit.closeness))):
        lines += textwrap.wrap(
            printable(about), width, initial_indent=indent, subsequent_indent=indent
        )
    if paper.url:
        lines.append(indent + styled(printable(paper.url), fg="cyan"))
    for event in events_in_words(paper):
        lines += textwrap.wrap(
            printable(event), width, initial_indent=indent, subsequent_indent=indent
        )
    for copy in hit.copies:
        where = " ".join(part for part in (venue_and_year(copy), copy.url) if part)
        renamed = f": {copy.display_title}" if copy.key != paper.key else ""
        lines += textwrap.wrap(
            printable(f"also at {where or 'another place'}{renamed}"),
            width,
            initial_indent=indent,
            subsequent_indent=indent,
        )
    if hit.reasons is not None and hit.reasons.terms:
        where = f" (both on the {hit.reasons.facet})" if hit.reasons.facet else ""
        lines += textwrap.wrap(
            printable(f"shares {', '.join(hit.reasons.terms)}{where}"),
            width,
            initial_indent=indent,
            subsequent_indent=indent,
        )
    for note in notes:
        lines += textwrap.wrap(
            printable(note), width, initial_indent=indent, subsequent_indent=indent
        )
    shown = said or (hit.reasons.sentence if nearest and hit.reasons is not None else "")
    if abstract_lines and (shown or paper.abstract):
        columns = max(20, width - len(indent))
        # What fills two lines more than are shown has all that decides how they are wrapped.
        text = (shown or paper.display_abstract)[: (abstract_lines + 2) * columns]
        wrapped = textwrap.wrap(printable(text), columns)
        if len(wrapped) > abstract_lines:
            wrapped = wrapped[:abstract_lines]
            # The ellipsis must fit: the last word is dropped for it.
            wrapped[-1] = wrapped[-1].rpartition(" ")[0].rstrip(" .,;:") + " …"
        lines += [indent + styled(line, dim=True) for line in wrapped]
    return lines


def _wrapped(lead: str, text: str, width: int, *, bold: bool) -> list[str]:
    inner = textwrap.wrap(text, max(20, width - len(lead))) or [""]
    first, *rest = (styled(line, bold=bold) for line in inner)
    return [lead + first, *(" " * len(lead) + line for line in rest)]
