"""`swimmer trends`: topics that grew, shrank or appeared, over several stores."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import textwrap

import click

from swimmer.analysis import CLUSTERS, Trend, Trends, checked_ending, trends, write_trends
from swimmer.cli.completion import complete_stores
from swimmer.cli.progress import ProgressLine
from swimmer.store import open_store
from swimmer.text import printable

_YEARS = 12
_WIDTH = 50
_TITLE = 92


@click.command("trends")
@click.argument("names", nargs=-1, metavar="[STORE]...", shell_complete=complete_stores)
@click.option("--topic", "-t", "topics", multiple=True, help="A word or phrase to count.")
@click.option(
    "--field",
    metavar="FIELD",
    help="Count the values of a field (area, keywords …), or the words of titles.",
)
@click.option("--number", "-k", "k", default=20, show_default=True, help="Number of topics.")
@click.option("--output", "-o", metavar="FILE", help="Also draw a picture: a .png or .svg file.")
@click.option("--json", "style", flag_value="json", help="One JSON object.")
@click.option("--csv", "style", flag_value="csv", help="A CSV table, one row for each topic.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def trends_command(
    names: tuple[str, ...],
    topics: tuple[str, ...],
    field: str | None,
    k: int,
    output: str | None,
    style: str | None,
    quiet: bool,
) -> None:
    """Compare the topics of two STOREs or more, year by year.

    The topics are found in all their papers together, and those whose share changed most are
    shown, each with papers on it. With --topic, count words or phrases of your own.

    \b
    swimmer trends iclr2024 iclr2025 -o trends.svg
    swimmer trends iclr2023 iclr2024 iclr2025 -t diffusion -t "reward model"
    swimmer trends iclr2024 iclr2025 --field keywords
    """
    if output:
        checked_ending(output, (".png", ".svg"))
    with contextlib.ExitStack() as stack:
        stores = [stack.enter_context(open_store(name)) for name in names or (None,)]
        with ProgressLine(quiet) as progress:
            found = trends(stores, topics, field=field, k=k, progress=progress)
    if style == "json":
        click.echo(json.dumps(_as_dict(found), ensure_ascii=False))
    elif style == "csv":
        click.echo(_as_csv(found), nl=False)
    elif found.field == CLUSTERS:
        click.echo(_as_changes(found))
    else:
        click.echo(_as_table(found))
    if output:
        write_trends(found, output)


def _as_dict(found: Trends) -> dict[str, object]:
    return {
        "field": found.field,
        "papers": found.papers,
        "undated": found.undated,
        "steady": found.steady,
        "topics": [
            {
                "topic": trend.topic,
                "counts": trend.counts,
                "shares": {period: round(found.share(trend, period), 3) for period in found.papers},
                "change": trend.change,
                "kind": trend.kind,
                "examples": [
                    {"title": paper.title, "url": paper.url, "id": paper.id}
                    for paper in trend.examples
                ],
            }
            for trend in found.topics
        ],
    }


def _as_csv(found: Trends) -> str:
    from swimmer.export import csv_cell

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["topic", *map(csv_cell, map(str, found.papers)), "change"])
    for trend in found.topics:
        counts = (trend.counts.get(period, 0) for period in found.papers)
        writer.writerow([csv_cell(trend.topic), *counts, trend.change])
    return out.getvalue()


def _as_changes(found: Trends) -> str:
    periods = list(found.papers)
    papers = ", ".join(f"{found.papers[one]:,} papers of {printable(str(one))}" for one in periods)
    lines = [papers]
    if found.steady:
        lines.append(f"{found.steady:,} more topics, whose change chance may explain, are left out")
    lines.append("")
    first, last = periods[0], periods[-1]
    for heading, kinds in (("GREW", ("grew", "appeared")), ("SHRANK", ("shrank", "disappeared"))):
        there = [trend for trend in found.topics if trend.kind in kinds]
        if there:
            lines.append(f"{heading:<{_WIDTH}}{first!s:>9.9}{last!s:>9.9}{'POINTS':>9}")
        for trend in there:
            lines.extend(_change_lines(trend, found, (first, last)))
    lines.extend(_undated(found))
    return "\n".join(lines).rstrip()


def _change_lines(trend: Trend, found: Trends, ends: tuple[int | str, int | str]) -> list[str]:
    name = printable(trend.topic)
    if trend.kind in ("appeared", "disappeared"):
        name = f"{name} ({trend.kind})"
    shares = "".join(f"{found.share(trend, period):>7.1f} %" for period in ends)
    name = name if len(name) < _WIDTH else f"{name[: _WIDTH - 2]}…"
    lines = [f"{name:<{_WIDTH}}{shares}{trend.change:>+9.1f}"]
    lines += [
        f"    {textwrap.shorten(printable(paper.display_title), _TITLE, placeholder=' …')}"
        for paper in trend.examples
    ]
    return [*lines, ""]


def _as_table(found: Trends) -> str:
    years = list(found.papers)[-_YEARS:]
    width = max([5, *(len(trend.topic) for trend in found.topics)])
    width = min(width, _WIDTH)
    lines = [
        f"{'TOPIC':<{width}}" + "".join(f"{year!s:>9.9}" for year in years) + f"{'POINTS':>9}",
        f"{'papers':<{width}}" + "".join(f"{found.papers[year]:>9,}" for year in years),
    ]
    for trend in found.topics:
        counts = "".join(f"{trend.counts.get(year, 0):>9,}" for year in years)
        change = f"{trend.change:>+9.2f}" if len(found.papers) > 1 else ""
        lines.append(f"{printable(trend.topic)[:width]:<{width}}{counts}{change}")
    return "\n".join([*lines, *_undated(found)])


def _undated(found: Trends) -> list[str]:
    return [f"{found.undated:,} papers have no year and are not counted"] if found.undated else []
