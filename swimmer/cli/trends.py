"""`swimmer trends`: papers on a topic by year, over several stores."""

from __future__ import annotations

import contextlib
import csv
import io
import json

import click

from swimmer.analysis import Trends, trends
from swimmer.cli.completion import complete_stores
from swimmer.store import open_store
from swimmer.text import printable


@click.command("trends")
@click.argument("names", nargs=-1, metavar="[STORE]...", shell_complete=complete_stores)
@click.option("--topic", "-t", "topics", multiple=True, help="A word or phrase to count.")
@click.option(
    "--field", metavar="FIELD", help="The field with the topics: area, keywords, titles …"
)
@click.option("--number", "-k", "k", default=20, show_default=True, help="Number of topics.")
@click.option("--json", "style", flag_value="json", help="One JSON object.")
@click.option("--csv", "style", flag_value="csv", help="A CSV table, one row for each topic.")
def trends_command(
    names: tuple[str, ...], topics: tuple[str, ...], field: str | None, k: int, style: str | None
) -> None:
    """Count the papers on a topic in each year, over one STORE or several.

    Without --topic, show the topics whose share changed most.

    \b
    swimmer trends iclr2023 iclr2024 iclr2025 -t diffusion -t "reward model"
    swimmer trends iclr2024 iclr2025 --field keywords
    """
    with contextlib.ExitStack() as stack:
        stores = [stack.enter_context(open_store(name)) for name in names or (None,)]
        found = trends(stores, topics, field=field, k=k)
    if style == "json":
        click.echo(json.dumps(_as_dict(found), ensure_ascii=False))
    elif style == "csv":
        click.echo(_as_csv(found), nl=False)
    else:
        click.echo(_as_table(found))


def _as_dict(found: Trends) -> dict[str, object]:
    return {
        "field": found.field,
        "papers": found.papers,
        "undated": found.undated,
        "topics": [
            {"topic": trend.topic, "counts": trend.counts, "change": trend.change}
            for trend in found.topics
        ],
    }


def _as_csv(found: Trends) -> str:
    from swimmer.export import csv_cell

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["topic", *found.papers, "change"])
    for trend in found.topics:
        counts = (trend.counts.get(year, 0) for year in found.papers)
        writer.writerow([csv_cell(trend.topic), *counts, trend.change])
    return out.getvalue()


def _as_table(found: Trends) -> str:
    years = list(found.papers)[-12:]
    width = max([5, *(len(trend.topic) for trend in found.topics)])
    width = min(width, 50)
    lines = [
        f"{'TOPIC':<{width}}" + "".join(f"{year:>7}" for year in years) + f"{'CHANGE':>10}",
        f"{'papers':<{width}}" + "".join(f"{found.papers[year]:>7,}" for year in years),
    ]
    for trend in found.topics:
        counts = "".join(f"{trend.counts.get(year, 0):>7,}" for year in years)
        change = f"{trend.change:+9.2f}%" if len(found.papers) > 1 else ""
        lines.append(f"{printable(trend.topic)[:width]:<{width}}{counts}{change}")
    if found.undated:
        lines.append(f"{found.undated:,} papers have no year and are not counted")
    return "\n".join(lines)
