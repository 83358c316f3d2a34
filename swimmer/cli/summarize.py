"""`swimmer summarize`: papers in one sentence, from their abstracts or by a chat model."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from swimmer.cli.completion import complete_stores
from swimmer.cli.housekeeping import confirmed
from swimmer.cli.library_options import where_option
from swimmer.cli.lists import complete_lists, paper_of
from swimmer.cli.output import terminal_width, warn
from swimmer.cli.progress import ProgressLine
from swimmer.cli.rendering import MAX_WIDTH
from swimmer.cli.searching import read_filter
from swimmer.errors import InputError, ModelError, QueryError
from swimmer.library import ReadingList, Summaries
from swimmer.text import printable

if TYPE_CHECKING:
    from swimmer.papers import Paper

ASKED_FROM = 50
"""Papers from which a model is asked only after a question: it may cost money or hours."""

_Found = list[tuple[str, "Paper"]]


@click.command("summarize")
@click.argument("papers", nargs=-1, metavar="[PAPER]...")
@click.option(
    "--store",
    "-s",
    metavar="NAME",
    shell_complete=complete_stores,
    help="Store of the papers; without a PAPER, all papers of it.",
)
@click.option(
    "--list", "-l", "name", shell_complete=complete_lists, metavar="NAME", help="A reading list."
)
@where_option
@click.option("--number", "-k", "most", type=click.IntRange(1), help="At most so many papers.")
@click.option(
    "--model",
    metavar="PROVIDER:MODEL",
    help="Let a chat model write: ollama:llama3.2, openai:gpt-4o-mini or any of LangChain's.",
)
@click.option("--again", is_flag=True, help="With --model: write anew what is kept already.")
@click.option("--remove", is_flag=True, help="Remove what models wrote about these papers.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each paper.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before many papers go to a model.")
def summarize_command(
    papers: tuple[str, ...],
    store: str | None,
    name: str | None,
    where: tuple[str, ...],
    most: int | None,
    model: str | None,
    again: bool,
    remove: bool,
    as_json: bool,
    yes: bool,
) -> None:
    """Show papers in one sentence each: PAPERs, those of a reading list, or those of a store.

    The sentence is that of the abstract which says what the paper does, or the summary that the
    source gives. With --model, a chat model writes it; it is kept, marked as machine-written, and
    shown from then on. Work that was interrupted resumes.

    \b
    swimmer summarize "Attention Is All You Need"
    swimmer summarize --list thesis --model ollama:llama3.2
    swimmer summarize --store iclr2025 --where 'status="Oral"' --json
    """
    if remove and (model or again):
        raise InputError("--remove is given with --model or --again", hint="give one of them")
    if again and model is None:
        raise InputError("--again needs a --model", hint="name the chat model that writes")
    kept = Summaries()
    found = _papers(papers, store, name, where)[:most]
    if remove:
        count = kept.remove(paper for _, paper in found)
        click.echo(f"removed sentences: {count:,}")
        return
    if model is not None:
        _write([paper for _, paper in found], model, kept, again, yes)
    for where_from, paper in found:
        _show(where_from, paper, kept, as_json)
    if kept.problem:
        warn(kept.problem)


def _papers(
    given: Sequence[str], store: str | None, name: str | None, where: tuple[str, ...]
) -> _Found:
    """Return the papers that are meant, each with the name of its store."""
    if sum((bool(given), name is not None, bool(where or (store and not given)))) != 1:
        raise InputError(
            "give PAPERs, a --list, or a --store or --where",
            hint='try: swimmer summarize "TITLE", or: swimmer summarize --list NAME',
        )
    if name is not None:
        if store:
            raise InputError("a list has papers of all stores", hint="leave out --store")
        return [(entry.store, entry.paper) for entry in ReadingList().entries(name)]
    if given:
        return [paper_of(one, store) for one in given]
    from swimmer.retrieval import allowed_rows
    from swimmer.store import open_store

    with open_store(store) as opened:
        admitted = allowed_rows(opened, read_filter(where))
        rows = range(len(opened)) if admitted is None else admitted
        papers = [(opened.name, paper) for paper in opened.papers([int(row) for row in rows])]
    if not papers:
        raise QueryError(f"no paper of {opened.name} matches --where", hint="use other conditions")
    return papers


def _write(papers: list[Paper], model: str, kept: Summaries, again: bool, yes: bool) -> None:
    from swimmer.langchain import load_chat_model, summarize

    asked = [p for p in papers if p.abstract and (again or kept.written(p) is None)]
    if not asked:
        return
    question = f"let {model} write about {len(asked):,} papers?"
    if len(asked) > ASKED_FROM and not yes and not confirmed(question, "--yes"):
        click.echo("nothing was written", err=True)
        return
    chat_model = load_chat_model(model)
    with ProgressLine() as progress:
        report = summarize(asked, chat_model, name=model, kept=kept, again=again, progress=progress)
    for paper, reason in report.refused[:3]:
        warn(f"{paper.display_title[:80]}: {reason}")
    if len(report.refused) > 3:
        warn(f"answers that could not be used: {len(report.refused):,}")
    if not report.written:
        raise ModelError(
            f"no answer of {model[:100]} could be used", hint="name another chat model"
        )
    click.echo(f"written and kept: {report.written:,}", err=True)


def _show(store: str, paper: Paper, kept: Summaries, as_json: bool) -> None:
    found = kept.of(paper)
    if as_json:
        about = {"store": store, "id": paper.id, "title": paper.title}
        none = {"summary": None, "summary_by": None, "summary_machine_written": False}
        click.echo(json.dumps(about | (found.to_dict() if found else none), ensure_ascii=False))
        return
    width = min(terminal_width(), MAX_WIDTH)
    said = f"{found.text} ({found.by})" if found else "(no abstract)"
    for line in textwrap.wrap(printable(paper.display_title), width):
        click.echo(click.style(line, bold=True))
    lines = textwrap.wrap(printable(said), width, initial_indent="  ", subsequent_indent="  ")
    click.echo("\n".join([*lines, ""]))
