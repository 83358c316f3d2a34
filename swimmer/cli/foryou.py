"""`swimmer foryou`: the papers of stores that are nearest to one's own library."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import click

from swimmer.cli.library_options import (
    half_life_option,
    library_options,
    read_examples,
    read_libraries,
    unlike_option,
)
from swimmer.cli.options import model_options
from swimmer.cli.output import FORMATS, chosen_format, emit, terminal_width, warn, write_out
from swimmer.cli.rendering import ABSTRACT_LINES, MAX_WIDTH, hit_lines
from swimmer.cli.searching import opened_stores, read_filter
from swimmer.errors import QueryError
from swimmer.text import printable

if TYPE_CHECKING:
    from swimmer.analysis import Interest, Library, Recommendation, Recommendations


@click.command("foryou")
@library_options
@unlike_option
@click.option("--number", "-k", "k", default=50, show_default=True, help="Number of papers.")
@half_life_option
@click.option("--json", "style", flag_value="json", help="One JSON object.")
@click.option("--csv", "style", flag_value="csv", help="A CSV table, one row for each paper.")
@click.option("--markdown", "style", flag_value="markdown", help="A Markdown list.")
@click.option("--format", "-f", "named", type=click.Choice(FORMATS), help="Output format.")
@click.option("--output", "-o", metavar="FILE", help="Write to FILE; its ending sets the format.")
@click.option("--brief", is_flag=True, help="Hide the abstracts.")
@model_options
def foryou_command(
    libraries: tuple[str, ...],
    stores: tuple[str, ...],
    every: bool,
    where: tuple[str, ...],
    unlike: tuple[str, ...],
    k: int,
    half_life: float | None,
    style: str | None,
    named: str | None,
    output: str | None,
    brief: bool,
    trust_model: bool,
) -> None:
    """Rank a store by your own papers: what is there for you.

    Your library may hold several interests. They are found, and each gets its share of the list.
    Papers that you have already are left out; each hit says which of your papers it is near to.

    \b
    swimmer foryou --library refs.bib --store iclr2025
    swimmer foryou --library zotero.json --library thesis/ --all -k 100 -o week.md
    swimmer foryou --library reading-list --unlike "A Survey of Large Language Models"
    swimmer foryou --library refs.bib --where 'status="Oral"' --half-life 2
    """
    from swimmer.analysis import for_you

    if not libraries:
        raise QueryError(
            "no library is given",
            hint="give your papers with --library: a .bib file, Zotero's JSON, a folder of PDFs",
        )
    style = chosen_format(named or style, output)
    library = read_libraries(libraries)
    with opened_stores(stores, every, trust_model) as opened:
        found = for_you(
            opened,
            library.papers,
            k,
            unlike=read_examples(unlike),
            filter=read_filter(where),
            half_life=half_life,
        )
        size = sum(map(len, opened))
    for warning in library.warnings:
        warn(warning)
    if style == "json":
        write_out(json.dumps(found.to_dict(), ensure_ascii=False) + "\n", output)
    elif style:
        emit([found.answer(library.name)], style, output)
    else:
        click.echo(_table(found, library, size, 0 if brief else ABSTRACT_LINES))


def _table(found: Recommendations, library: Library, size: int, abstract_lines: int) -> str:
    width = min(terminal_width(), MAX_WIDTH)
    lines = [click.style(f"{size:,} papers in {found.store}, model {found.model}", dim=True)]
    there = "the store" if ", " not in found.store else "these stores"
    held = f"{found.known:,} of them in {there}" if found.known else f"none of them in {there}"
    counted = f"{found.library:,} paper{'' if found.library == 1 else 's'}"
    lines.append(f"for {printable(library.name)[:200]}: {counted}, {held}")
    if found.unread:
        lines.append(
            f"{found.unread:,} papers hold no word that the model knows; they do not count"
        )
    lines += [*interest_lines(found, width), *_warnings(found, width)]
    if not found.found:
        lines.append("No papers found.")
    shown_far = False
    for one in found.found:
        if not one.related and not shown_far:
            shown_far = True
            lines += ["", "Nothing else is near to your papers. The nearest of the rest:"]
            if not found.related:
                lines[-1] = "Nothing is near to your papers. Nearest papers:"
        lines += ["", *_lines(one, found, width, abstract_lines)]
    return "\n".join(lines) + "\n"


def _warnings(found: Recommendations, width: int) -> list[str]:
    return [
        click.style(line, fg="yellow")
        for warning in found.warnings
        for line in textwrap.wrap(f"warning: {printable(warning)}", width)
    ]


def interest_lines(found: Recommendations, width: int, most: int = 8) -> list[str]:
    """Return one line for each of the largest interests of a library."""
    count = len(found.interests)
    if count == 1:
        return []
    lines = [f"{count:,} interests:"]
    for number, interest in enumerate(found.interests[:most], 1):
        lines += _interest(number, interest, width)
    if count > most:
        held = sum(len(one.papers) for one in found.interests[most:])
        lines.append(f"  … and {count - most:,} more with {held:,} papers")
    return lines


def _interest(number: int, interest: Interest, width: int) -> list[str]:
    count = len(interest.papers)
    lead = f"{number:3d}  {100 * interest.share:3.0f} %  "
    said = f"{count:,} papers, such as " if count > 1 else ""
    title = printable(interest.papers[0].display_title)
    far = "" if interest.related else " (nothing near to it here)"
    room = max(20, width - len(lead) - len(said) - len(far))
    return [lead + said + textwrap.shorten(title, room, placeholder=" …") + far]


def _lines(
    one: Recommendation, found: Recommendations, width: int, abstract_lines: int
) -> list[str]:
    near = one.near[:2]
    titles = "; ".join(textwrap.shorten(p.display_title, 70, placeholder=" …") for p in near)
    mark = f" [{one.interest + 1}]" if len(found.interests) > 1 else ""
    return hit_lines(one.hit, width, abstract_lines, notes=[f"near to your{mark} {titles}"])
