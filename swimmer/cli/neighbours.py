"""`swimmer neighbours`: the nearest papers of every paper of a store, as a graph."""

from __future__ import annotations

import io
from pathlib import Path

import click

from swimmer.analysis import NEIGHBOUR_FORMATS, write_neighbours
from swimmer.cli.completion import complete_stores
from swimmer.store import open_store


@click.command("neighbours")
@click.argument("name", required=False, shell_complete=complete_stores)
@click.option(
    "--number", "-k", "k", default=10, show_default=True, help="Neighbours for each paper."
)
@click.option(
    "--format",
    "-f",
    "named",
    type=click.Choice(NEIGHBOUR_FORMATS),
    help="Output format; CSV by default.",
)
@click.option("--output", "-o", metavar="FILE", help="Write to FILE; its ending sets the format.")
def neighbours_command(name: str | None, k: int, named: str | None, output: str | None) -> None:
    """Export the k nearest papers of every paper of the store NAME as a graph; exact.

    \b
    swimmer neighbours iclr2025 -o iclr2025.graphml
    swimmer neighbours iclr2025 -k 5 > edges.csv
    """
    from swimmer.export import write_text

    suffix = Path(output).suffix.lower()[1:] if output else ""
    out = io.StringIO()
    with open_store(name) as store:
        format = named or (suffix if suffix in NEIGHBOUR_FORMATS else "csv")
        edges = write_neighbours(store, out, k, format)
        if output is None:
            click.echo(out.getvalue(), nl=False)
        else:
            write_text(output, out.getvalue())
        click.echo(f"{edges:,} edges between {len(store):,} papers", err=True)
