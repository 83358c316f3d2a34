"""`swimmer venues`: the conferences that can be downloaded, by source."""

from __future__ import annotations

import json
import textwrap

import click

from swimmer.cli.output import terminal_width
from swimmer.errors import QueryError
from swimmer.sources import Adapter, Venue, adapters, near_names, spans
from swimmer.store import list_stores


@click.command("venues")
@click.argument("word", required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each venue.")
def venues_command(word: str | None, as_json: bool) -> None:
    """List the conferences that can be downloaded, by source; `*` marks those you have built.

    With WORD, only those with the word in their name or title.
    """
    stores = {info.name for info in list_stores() if info.manifest}
    found = 0
    for scheme, adapter in adapters().items():
        venues = [venue for venue in adapter.venues() if _fits(venue, scheme, word)]
        found += len(venues)
        for line in _json_lines(scheme, venues, stores) if as_json else ():
            click.echo(line)
        if venues and not as_json:
            click.echo("\n".join(_lines(scheme, adapter, venues, stores)))
    if word and not found:
        raise QueryError(f"no venue {word[:60]!r}", hint=near_names(word))
    if not as_json:
        click.echo("  *  built     build one: swimmer build iclr2025     more: docs/sources.md")


def _fits(venue: Venue, scheme: str, word: str | None) -> bool:
    wanted = (word or "").casefold()
    return any(wanted in text.casefold() for text in (venue.name, venue.title, scheme))


def _built(venue: Venue, stores: set[str]) -> list[int]:
    return [year for year in venue.years if f"{venue.name}{year}" in stores]


def _json_lines(scheme: str, venues: list[Venue], stores: set[str]) -> list[str]:
    return [
        json.dumps(
            {
                "source": scheme,
                "venue": venue.name,
                "title": venue.title,
                "years": list(venue.years),
                "stores": [f"{venue.name}{year}" for year in _built(venue, stores)],
                "example": venue.example,
            },
            ensure_ascii=False,
        )
        for venue in venues
    ]


def _lines(scheme: str, adapter: Adapter, venues: list[Venue], stores: set[str]) -> list[str]:
    lines = [f"{click.style(scheme, bold=True)}: {adapter.summary}"]
    width = max(60, min(terminal_width(), 110))
    for venue in venues:
        built = _built(venue, stores)
        mark = "*" if built else " "
        if venue.years:
            years = spans(venue.years)
            text = years + (f"; built: {', '.join(map(str, built))}" if built else "")
        else:
            text = f"{venue.title}: {scheme}:{venue.example}"
        lead = f"  {mark} {venue.name:<14} "
        lines += textwrap.wrap(text, width, initial_indent=lead, subsequent_indent=" " * len(lead))
    return [*lines, ""]
