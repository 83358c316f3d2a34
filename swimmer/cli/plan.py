"""`swimmer plan`: which posters and talks of a conference to see, when and where."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swimmer.cli.completion import complete_stores
from swimmer.cli.library_options import library_option, read_libraries, where_option
from swimmer.cli.options import model_options
from swimmer.cli.output import terminal_width, warn, write_out
from swimmer.cli.rendering import MAX_WIDTH
from swimmer.cli.searching import read_filter
from swimmer.errors import QueryError
from swimmer.text import printable

if TYPE_CHECKING:
    from swimmer.analysis import Plan, Visit

FORMATS = ("ics", "markdown", "html", "json")
_SUFFIXES = {".ics": "ics", ".md": "markdown", ".html": "html", ".htm": "html", ".json": "json"}


@click.command("plan")
@click.argument("store", required=False, shell_complete=complete_stores)
@library_option
@click.option("--hours", type=float, metavar="HOURS", help="Time for all posters and talks.")
@click.option(
    "--minutes",
    type=click.IntRange(1, 600),
    default=10,
    show_default=True,
    help="Minutes at one poster.",
)
@click.option("--number", "-k", "k", type=click.IntRange(1, 2_000), help="Papers at most.")
@where_option
@click.option("--zone", metavar="ZONE", help="Time zone of the plan, such as Asia/Singapore.")
@click.option("--each", is_flag=True, help="In a calendar, one event for each paper.")
@click.option("--format", "-f", "named", type=click.Choice(FORMATS), help="Output format.")
@click.option("--output", "-o", metavar="FILE", help="Write to FILE; its ending sets the format.")
@model_options
def plan_command(
    store: str | None,
    libraries: tuple[str, ...],
    hours: float | None,
    minutes: int,
    k: int | None,
    where: tuple[str, ...],
    zone: str | None,
    each: bool,
    named: str | None,
    output: str | None,
    trust_model: bool,
) -> None:
    """Plan a conference: the posters and talks of STORE nearest to your own papers.

    Each session lists its papers in walking order, with what goes on at the same time and what
    there is no time for. A calendar file has the same events each time, so importing it again
    updates them.

    \b
    swimmer plan iclr2025 --library refs.bib --hours 6
    swimmer plan iclr2025 --library refs.bib --hours 6 -o week.ics
    swimmer plan iclr2025 --library reading-list --zone Asia/Singapore -o plan.html
    """
    from swimmer.analysis import plan_visits, time_zone
    from swimmer.store import open_store

    if not libraries:
        raise QueryError(
            "no library is given",
            hint="give your papers with --library: a .bib file, Zotero's JSON, a folder of PDFs",
        )
    style = _style(named, output)
    place = time_zone(zone) if zone is not None else None
    library = read_libraries(libraries)
    with open_store(store, trust_model=trust_model) as opened:
        plan = plan_visits(
            opened,
            library.papers,
            hours=hours,
            minutes=minutes,
            k=k,
            filter=read_filter(where),
            zone=place,
        )
    for warning in (*library.warnings, *plan.warnings):
        warn(warning)
    write_out(_written(plan, style, each), output)
    if output is not None:
        click.echo(printable(f"written to {output}: {_summary(plan)}"))


def _written(plan: Plan, style: str, each: bool) -> str:
    from swimmer.analysis import plan_to_html, plan_to_markdown, to_icalendar

    if style == "ics":
        return to_icalendar(plan, each=each).decode()
    if style == "json":
        return json.dumps(plan.to_dict(), ensure_ascii=False) + "\n"
    if style == "table":
        return _table(plan)
    return plan_to_markdown(plan) if style == "markdown" else plan_to_html(plan)


def _style(named: str | None, output: str | None) -> str:
    if named or output is None:
        return named or "table"
    found = _SUFFIXES.get(Path(output).suffix.lower())
    if found is None:
        raise QueryError(
            f"the file name {output[:80]!r} does not name a format",
            hint=f"add --format, or use one of the endings {', '.join(_SUFFIXES)}",
        )
    return found


def _summary(plan: Plan) -> str:
    from swimmer.analysis import summary_of

    return summary_of(plan) if plan.sessions else "nothing to see"


def _table(plan: Plan) -> str:
    from swimmer.analysis import days_of, hours_of, instead_of

    width = min(terminal_width(), MAX_WIDTH)
    lines = [click.style(f"{plan.store}: {printable(_summary(plan))}", dim=True)]
    for day, sessions in days_of(plan):
        lines += ["", click.style(day, bold=True)]
        for one in sessions:
            where = f", {one.room}" if one.room else ""
            lines += ["", *_wrapped(f"{hours_of(one)}  ", f"{one.name}{where}", width)]
            for other in one.overlaps:
                lines += _wrapped("       at the same time: ", other, width)
            position = max(len(visit.at.position) for visit in one.visits)
            for visit in one.visits:
                lines += _visit_lines(visit, position, width)
            for visit in one.alternatives:
                text = f"{instead_of(one, visit)}: {visit.paper.display_title}"
                lines += [
                    click.style(line, dim=True) for line in _wrapped("         ", text, width)
                ]
    if plan.untimed:
        lines += ["", click.style("Without a time in the list", bold=True), ""]
        for paper in plan.untimed:
            lines += _wrapped("  ", paper.display_title, width)
    return "\n".join(lines) + "\n"


def _visit_lines(visit: Visit, position: int, width: int) -> list[str]:
    from swimmer.analysis import reason_of

    lead = f"  {visit.start:%H:%M}  " + (f"{visit.at.position:<{position}}  " if position else "")
    lines = _wrapped(printable(lead), visit.paper.display_title, width)
    if reason := reason_of(visit):
        short = textwrap.shorten(printable(reason), max(20, width - len(lead)), placeholder=" …")
        lines.append(click.style(" " * len(lead) + short, dim=True))
    return lines


def _wrapped(lead: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(
        printable(text), width, initial_indent=printable(lead), subsequent_indent=" " * len(lead)
    ) or [printable(lead)]
