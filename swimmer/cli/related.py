"""`swimmer related`: the papers nearest to a draft that it does not cite."""

from __future__ import annotations

from typing import Any

import click

from swimmer.cli.completion import complete_stores
from swimmer.cli.options import model_options, search_options
from swimmer.cli.output import FORMATS, chosen_format, emit
from swimmer.cli.searching import read_search
from swimmer.store import open_store
from swimmer.text import printable


@click.command("related")
@click.argument("draft")
@click.option(
    "--store",
    "-s",
    metavar="NAME",
    shell_complete=complete_stores,
    help="Store to search: a name or a path.",
)
@click.option("--number", "-k", "k", default=20, show_default=True, help="Number of papers.")
@click.option("--bib", metavar="FILE", help="A .bib file with the papers that the draft cites.")
@click.option(
    "--format", "-f", "named", type=click.Choice(FORMATS), help="Output format; BibTeX by default."
)
@click.option("--output", "-o", metavar="FILE", help="Write to FILE; its ending sets the format.")
@model_options
@search_options
def related_command(
    draft: str,
    store: str | None,
    k: int,
    bib: str | None,
    named: str | None,
    output: str | None,
    trust_model: bool,
    why: bool | None,
    **values: Any,
) -> None:
    """Find the papers nearest to a DRAFT that it does not cite yet; print them as BibTeX.

    DRAFT is a .pdf, .tex or .md file. Its title, abstract and bibliography are read from it, and
    from the .bib files that a .tex file names.

    \b
    swimmer related paper.tex -o missing.bib
    swimmer related paper.pdf --where 'year>=2024' -k 30
    """
    from swimmer.analysis import read_draft, related
    from swimmer.retrieval import Answer

    style = chosen_format(named, output) or "bibtex"
    read = read_draft(draft, bib)
    _, options = read_search([], explain=bool(why), **values)
    with open_store(store, trust_model=trust_model) as opened:
        hits, cited = related(opened, read, k, options=options)
        answer = Answer(read.paper.title, opened.name, opened.identity.name, None, False, hits)
    emit([answer], style, output)
    about = "" if read.paper.abstract else " (the draft has no abstract)"
    click.echo(
        f"{len(hits)} papers of {answer.store} near "
        f"{printable(read.paper.title)[:80]!r}{about}; {cited} more are cited already",
        err=True,
    )
