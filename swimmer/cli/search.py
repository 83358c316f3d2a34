"""`swimmer search`: titles in, the most similar papers out."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import click

from swimmer.cli.options import model_options, search_options, stores_options
from swimmer.cli.output import FORMATS, chosen_format, emit
from swimmer.cli.rendering import ABSTRACT_LINES, SUMMARY_LINES, render
from swimmer.cli.searching import answers_of, opened_stores, read_search
from swimmer.errors import QueryError
from swimmer.retrieval import LOOKUPS, Answer


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
        answers = answers_of(opened, queries, k, options)
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
