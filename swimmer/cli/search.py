"""`swimmer search`: titles in, the most similar papers out."""

from __future__ import annotations

import contextlib
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import click

from swimmer.cli.options import model_options, read_search, search_options, stores_options
from swimmer.cli.output import FORMATS, chosen_format, emit, terminal_width
from swimmer.errors import QueryError
from swimmer.papers import Paper, citation_line, events_in_words, venue_and_year
from swimmer.retrieval import LOOKUPS, Answer, Hit, SearchOptions, ask
from swimmer.store import PaperStore, open_store
from swimmer.text import printable

ABSTRACT_LINES = 3
SUMMARY_LINES = 6
"""Lines of an abstract, and of one sentence about a paper, that are shown at most."""

MAX_WIDTH = 110
"""Columns that a result takes at most, on a terminal that has more."""


@click.command("search")
@click.argument("titles", nargs=-1, metavar="[TITLE]...")
@stores_options
@click.option("--number", "-k", "k", default=10, show_default=True, help="Number of papers.")
@search_options
@click.option(
    "--as",
    "reading",
    type=click.Choice(LOOKUPS),
    help="Take a TITLE as this; by default swimmer finds out what it is.",
)
@click.option("--text", is_flag=True, help="The same as --as text.")
@click.option("--include-self", is_flag=True, help="Include the paper itself in the results.")
@click.option("--json", "style", flag_value="json", help="One JSON object a line for each query.")
@click.option("--csv", "style", flag_value="csv", help="A CSV table, one row for each paper.")
@click.option("--markdown", "style", flag_value="markdown", help="A Markdown list.")
@click.option("--format", "-f", "named", type=click.Choice(FORMATS), help="Output format.")
@click.option("--output", "-o", metavar="FILE", help="Write to FILE; its ending sets the format.")
@click.option("--brief", is_flag=True, help="Hide the abstracts.")
@click.option("--summary", is_flag=True, help="One sentence for each paper, also in JSON.")
@click.option(
    "--plot",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Mark the results on the store's map: .html, .png, .svg; without FILE, open it.",
)
@model_options
def search_command(
    titles: tuple[str, ...],
    stores: tuple[str, ...],
    every: bool,
    k: int,
    reading: str | None,
    text: bool,
    include_self: bool,
    style: str | None,
    named: str | None,
    output: str | None,
    brief: bool,
    summary: bool,
    plot: str | None,
    trust_model: bool,
    why: bool | None,
    **values: Any,
) -> None:
    """Find the papers most like a TITLE, or like anything else you type.

    A TITLE may also be the short name of a paper, a part of its title, its address, an author, or
    any text. Several are answered together; without one, they are read from standard input, one a
    line.

    \b
    swimmer search "Attention Is All You Need" -k 5
    swimmer search "Attention Is All You Need" -o similar.bib
    swimmer search "Y. Bengio"
    swimmer search --where 'status="Oral" and year>2023' --sort title
    swimmer search https://arxiv.org/abs/1706.03762
    swimmer search --text "robots that learn to walk" --json
    swimmer search "A" "B" --like-all --unlike "C" --where 'year>=2024'
    swimmer search draft.pdf --mode hybrid --diversity 0.3
    swimmer search "Attention Is All You Need" --plot
    """
    style = chosen_format(named or style, output)
    browses = bool(values["where"]) and not titles
    if values["like"] or (titles and titles != ("-",)) or (browses and values["sort"]):
        given = list(titles)
    else:
        given = _from_stdin(may_be_empty=browses)
    with opened_stores(stores, every, trust_model) as opened:
        queries, options = read_search(
            given,
            include_self=include_self,
            lookup="text" if text else reading or True,
            # At a terminal reasons are shown unless they are refused; in a file only on request.
            explain=why is not False if style is None else bool(why),
            stores=opened,
            **values,
        )
        if plot is not None:
            from swimmer.cli.map import check_plot

            check_plot(plot, len(queries), one_store=len(stores) < 2 and not every)
        answers = _answers(opened, queries, k, options)
        size = sum(map(len, opened))
    if summary:
        answers = [_summarized(answer) for answer in answers]
    if style:
        emit(answers, style, output)
    for answer in answers if style is None else ():
        lines = SUMMARY_LINES if summary else 0 if brief else ABSTRACT_LINES
        click.echo(render(answer, size, lines, nearest=bool(why), summary=summary))
    if plot is not None:
        from swimmer.cli.map import plot_answer

        plot_answer(stores[0] if stores else None, answers[0], plot)


@contextlib.contextmanager
def opened_stores(
    stores: tuple[str, ...], every: bool, trust_model: bool
) -> Iterator[Sequence[PaperStore]]:
    """Open the stores of a command: those named, all, or the default one."""
    if len(stores) < 2 and not every:
        with open_store(stores[0] if stores else None, trust_model=trust_model) as store:
            yield [store]
        return
    from swimmer.retrieval import open_stores

    with open_stores(stores, every, trust_model=trust_model) as several:
        yield several


def _answers(
    stores: Sequence[PaperStore], queries: list[str | Paper], k: int, options: SearchOptions
) -> list[Answer]:
    """Return the answers of one store, or of several as one."""
    if not queries and not options.like and options.filter is not None:
        from swimmer.retrieval import browse

        return [browse(store, k, options) for store in stores]
    if len(stores) == 1:
        return ask(stores[0], queries, k, options)
    from swimmer.retrieval import ask_stores

    return ask_stores(stores, queries, k, options)


def _summarized(answer: Answer) -> Answer:
    """Return an answer whose papers have their one sentence among their fields."""
    from swimmer.library import Summaries

    kept = Summaries()
    return replace(answer, hits=[replace(hit, paper=kept.marked(hit.paper)) for hit in answer.hits])


def _from_stdin(*, may_be_empty: bool) -> list[str]:
    """Return the titles on standard input; none where a filter alone is asked."""
    if sys.stdin is None or sys.stdin.isatty():
        if may_be_empty:
            return []
        raise QueryError("no query", hint='try: swimmer search "TITLE"')
    raw = sys.stdin.buffer.read(64 << 20).decode("utf-8", errors="replace")
    lines = [line for line in raw.splitlines() if line.strip()]
    if not lines and not may_be_empty:
        raise QueryError("no query: standard input is empty", hint='try: swimmer search "TITLE"')
    return lines


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
    lines = [click.style(head, dim=True)]
    lines += _heading(answer, width)
    lines += [
        click.style(line, fg="yellow")
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
        lines += [click.style(line, dim=True) for line in textwrap.wrap(f"or {offers}", width)]
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
        lines.append(indent + click.style(printable(paper.url), fg="cyan"))
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
        lines += [indent + click.style(line, dim=True) for line in wrapped]
    return lines


def _wrapped(lead: str, text: str, width: int, *, bold: bool) -> list[str]:
    inner = textwrap.wrap(text, max(20, width - len(lead))) or [""]
    first, *rest = (click.style(line, bold=bold) for line in inner)
    return [lead + first, *(" " * len(lead) + line for line in rest)]
