"""`swimmer map`: the papers of a store as points on a map, with named topics."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from swimmer.cli.completion import complete_stores
from swimmer.cli.options import model_options
from swimmer.cli.output import warn
from swimmer.cli.progress import ProgressLine
from swimmer.errors import QueryError
from swimmer.text import printable

if TYPE_CHECKING:
    from swimmer.retrieval import Answer


@click.command("map")
@click.argument("name", required=False, shell_complete=complete_stores)
@click.option("--query", "-q", metavar="TITLE", help="Mark the papers most like a title or text.")
@click.option("--number", "-k", "k", default=10, show_default=True, help="Papers to mark.")
@click.option(
    "--output", "-o", metavar="FILE", help="An .html, .png or .svg file; default: NAME-map.html."
)
@click.option("--open", "shown", is_flag=True, help="Open the file when it is done.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@model_options
def map_command(
    name: str | None,
    query: str | None,
    k: int,
    output: str | None,
    shown: bool,
    quiet: bool,
    trust_model: bool,
) -> None:
    """Draw the store NAME as a map: similar papers are close, topics are found and named.

    An .html file works offline: zoom, hover, find in titles, click to open a paper. The map is
    computed once and kept in the store.

    \b
    swimmer map iclr2025 -o iclr2025.html --open
    swimmer map iclr2025 -q "bandits with delayed feedback" -o bandits.png
    """
    from swimmer.analysis import checked_ending, write_map
    from swimmer.retrieval import ask
    from swimmer.store import open_store

    if query is not None and not query.strip():
        raise QueryError("the query is blank", hint="give a title or some words")
    with open_store(name, trust_model=trust_model) as store:
        target = checked_ending(output or f"{store.name}-map.html")
        answer = ask(store, [query], k)[0] if query is not None else None
        with ProgressLine(quiet, unit="rounds") as progress:
            write_map(store, target, answer, progress=progress)
        click.echo(f"{printable(store.name)}: {len(store):,} papers on the map {target}")
    for warning in answer.warnings if answer is not None else ():
        warn(warning)
    if shown:
        _open(target)


def check_plot(file: str, queries: int, *, one_store: bool) -> None:
    """Check before a search that its answer can be put on a map.

    Raises:
        QueryError: there are several stores or several titles.
        InputError: the file cannot be a map.
    """
    from swimmer.analysis import checked_ending

    if not one_store:
        raise QueryError("--plot shows the map of one store", hint="ask one with --store NAME")
    if queries > 1:
        raise QueryError(f"--plot marks one answer, got {queries} titles", hint="give one")
    if file:
        checked_ending(file)


def plot_answer(name: str | None, answer: Answer, file: str) -> None:
    """Write the map of a store with an answer marked; without a file, open it as a page."""
    import tempfile

    from swimmer.analysis import write_map
    from swimmer.store import open_store

    if not answer.related:
        warn("no close match; the map marks the nearest papers")
    # The browser may read it after this process has ended.
    target = file or f"{tempfile.mkdtemp(prefix='swimmer-')}/map.html"
    with open_store(name) as store, ProgressLine(unit="rounds") as progress:
        written = write_map(store, target, answer, progress=progress)
    click.echo(f"the map is {printable(str(written))}", err=True)
    if not file:
        _open(written)


def _open(path: Path) -> None:
    import webbrowser

    if not webbrowser.open(path.resolve().as_uri()):
        warn("no browser could be opened; open the file yourself")
