"""`swimmer map`: the papers of a store as points, near papers near, with the topics named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from swimmer.cli.completion import complete_stores
from swimmer.cli.options import trust_option
from swimmer.cli.progress import ProgressLine
from swimmer.errors import QueryError
from swimmer.text import printable

if TYPE_CHECKING:
    from swimmer.retrieval import Answer


@click.command("map")
@click.argument("name", required=False, shell_complete=complete_stores)
@click.option("--query", "-q", metavar="TITLE", help="Mark what is most like it, title or text.")
@click.option("--number", "-k", "k", default=10, show_default=True, help="Papers to mark.")
@click.option("--output", "-o", metavar="FILE", help="An .html, .png or .svg; NAME-map.html.")
@click.option("--open", "shown", is_flag=True, help="Open the file when it is written.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@trust_option
def map_command(
    name: str | None,
    query: str | None,
    k: int,
    output: str | None,
    shown: bool,
    quiet: bool,
    trust_model: bool,
) -> None:
    """The papers of the store NAME as a map: near papers near, topics found and named.

    An .html is one file that works offline: zoom, hover, find in titles, click opens the paper.
    The map is computed once for a store and kept in it.

    \b
    swimmer map iclr2025 -o iclr2025.html --open
    swimmer map iclr2025 -q "bandits with delayed feedback" -o bandits.png
    """
    from swimmer.analysis import checked_ending, write_map
    from swimmer.retrieval import ask
    from swimmer.store import open_store

    if query is not None and not query.strip():
        raise QueryError("the query is blank; give a title or some words")
    with open_store(name, trust_model=trust_model) as store:
        target = checked_ending(output or f"{store.name}-map.html")
        answer = ask(store, [query], k)[0] if query is not None else None
        with ProgressLine(quiet, unit="rounds") as progress:
            write_map(store, target, answer, progress=progress)
        click.echo(f"{printable(store.name)}: {len(store):,} papers on the map {target}")
    for warning in answer.warnings if answer is not None else ():
        click.echo(f"swimmer: {printable(warning)}", err=True)
    if shown:
        _open(target)


def check_plot(file: str, queries: int, *, one_store: bool) -> None:
    """Find out before a search whether its answer can be put on a map.

    Raises:
        QueryError: several stores or several titles are asked.
        InputError: the file cannot be a map.
    """
    from swimmer.analysis import checked_ending

    if not one_store:
        raise QueryError("--plot shows the map of one store; ask one with --store NAME")
    if queries > 1:
        raise QueryError(f"--plot marks one answer, got {queries} titles; give one")
    if file:
        checked_ending(file)


def plot_answer(name: str | None, answer: Answer, file: str) -> None:
    """Write the map of a store with an answer marked; without a file, a page that is opened."""
    import tempfile

    from swimmer.analysis import write_map
    from swimmer.store import open_store

    if not answer.related:
        click.echo("swimmer: nothing similar was found; the map marks the nearest", err=True)
    # It must outlive this process: the browser reads it when it gets round to it.
    target = file or f"{tempfile.mkdtemp(prefix='swimmer-')}/map.html"
    with open_store(name) as store, ProgressLine(unit="rounds") as progress:
        written = write_map(store, target, answer, progress=progress)
    click.echo(f"swimmer: the map is {printable(str(written))}", err=True)
    if not file:
        _open(written)


def _open(path: Path) -> None:
    import webbrowser

    if not webbrowser.open(path.resolve().as_uri()):
        click.echo("swimmer: no browser was found; open the file yourself", err=True)
