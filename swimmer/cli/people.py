"""`swimmer people`: who works nearest to a topic, a paper or a library."""

from __future__ import annotations

import itertools
import json
import textwrap
from typing import TYPE_CHECKING

import click

from swimmer.cli.library_options import library_options, read_libraries
from swimmer.cli.options import model_options
from swimmer.cli.output import terminal_width, warn
from swimmer.cli.rendering import MAX_WIDTH
from swimmer.cli.searching import opened_stores, read_filter
from swimmer.errors import QueryError
from swimmer.text import printable

if TYPE_CHECKING:
    from swimmer.analysis import NearPerson


@click.command("people")
@click.argument("query", required=False, metavar="[TOPIC|TITLE]")
@library_options
@click.option("--number", "-k", "k", default=10, show_default=True, help="Number of people.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each person.")
@model_options
def people_command(
    query: str | None,
    libraries: tuple[str, ...],
    stores: tuple[str, ...],
    every: bool,
    where: tuple[str, ...],
    k: int,
    as_json: bool,
    trust_model: bool,
) -> None:
    """Find who works nearest to a TOPIC, to the paper of a TITLE or to your own papers.

    Each person comes with the nearest papers, the institution where the list names it, and when
    and where the papers are presented. A person is a name within one store: two people of one name
    are not told apart.

    \b
    swimmer people "protein design" --store iclr2025
    swimmer people --library refs.bib --all -k 20
    swimmer people "Attention Is All You Need" --where 'status="Oral"'
    """
    from swimmer.analysis import people_near

    if (query is None) == (not libraries):
        raise QueryError(
            "people are near to a topic, a title or a library",
            hint='give one of them: swimmer people "TOPIC", or --library refs.bib',
        )
    library = read_libraries(libraries) if libraries else None
    with opened_stores(stores, every, trust_model) as opened:
        found = people_near(
            opened, query, k, library=library.papers if library else (), filter=read_filter(where)
        )
        names = ", ".join(store.name for store in opened)
        size = sum(map(len, opened))
    for warning in library.warnings if library else ():
        warn(warning)
    if as_json:
        for one in found:
            click.echo(json.dumps(one.to_dict(), ensure_ascii=False))
        return
    about = library.name if library else query or ""
    click.echo(click.style(f"{size:,} papers in {names}", dim=True))
    click.echo(f"people near to {printable(about)[:300]} (a person is a name within one store)")
    if not found:
        click.echo("Nobody in the store has a paper near to it.")
    for team in _teams(found):
        click.echo("\n".join(["", *_lines(team, several=", " in names)]))


def _teams(found: list[NearPerson]) -> list[list[tuple[int, NearPerson]]]:
    """Return people with their ranks, those beside each other who share the same papers as one."""
    groups = itertools.groupby(
        enumerate(found, 1),
        lambda pair: (pair[1].store, [hit.paper.id for hit in pair[1].near]),
    )
    return [list(team) for _, team in groups]


def _lines(team: list[tuple[int, NearPerson]], *, several: bool) -> list[str]:
    from swimmer.analysis import SHOWN_PAPERS
    from swimmer.papers import events_in_words

    width = min(terminal_width(), MAX_WIDTH)
    lines = []
    for rank, one in team:
        papers = f"{len(one.near)} of {one.papers} paper{'' if one.papers == 1 else 's'} near"
        about = [one.institution, papers, one.store if several else ""]
        name = click.style(printable(one.name)[:100], bold=True)
        lines.append(f"{rank:3d}  {name} · {' · '.join(printable(part) for part in about if part)}")
    near = team[0][1].near
    for hit in near[:SHOWN_PAPERS]:
        title = textwrap.wrap(printable(hit.paper.display_title), max(20, width - 12)) or [""]
        lines.append(f"     {hit.score:.3f}  {title[0]}")
        told = [*title[1:], *map(printable, events_in_words(hit.paper)[:3])]
        if hit.paper.url:
            told.append(click.style(printable(hit.paper.url), fg="cyan"))
        lines += [f"            {line}" for line in told]
    if len(near) > SHOWN_PAPERS:
        lines.append(f"            and {len(near) - SHOWN_PAPERS} more")
    return lines
