"""`swimmer default`, `remove`, `pack` and `unpack`: what is done with a store as a whole."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from swimmer.cli.completion import complete_stores
from swimmer.cli.progress import ProgressLine
from swimmer.cli.stores import size_in_words
from swimmer.errors import InputError
from swimmer.text import printable


@click.command("default")
@click.argument("name", required=False, shell_complete=complete_stores)
@click.option("--newest", is_flag=True, help="Search the newest store again, whichever it is.")
def default_command(name: str | None, newest: bool) -> None:
    """Set the store NAME as the one that is searched when none is named.

    Without NAME, the store that is searched now is printed.

    \b
    swimmer default iclr2025
    swimmer default --newest
    """
    from swimmer.store import default_name, default_store, set_default

    if name and newest:
        raise InputError("give a NAME or --newest, not both")
    if name or newest:
        set_default(name)
    why = "set with swimmer default" if default_name() == default_store().name else "the newest"
    click.echo(printable(f"{default_store().name} ({why})"))


@click.command("remove")
@click.argument("name", shell_complete=complete_stores)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def remove_command(name: str, yes: bool) -> None:
    """Delete the store NAME, or a build that has not ended.

    Only the files of a store are deleted, and only in the folders in which stores are kept. Papers
    on your reading lists stay there.
    """
    from swimmer.store import list_stores, removable_store, remove_store

    found = removable_store(name)
    about = size_in_words(found.size) + ("" if found.finished else ", a build that has not ended")
    manifest = next((i.manifest for i in list_stores() if i.folder == found.folder), None)
    if manifest is not None:
        about = f"{manifest.papers:,} papers, {about}"
    if not yes and not confirmed(f"delete {name} ({about}) in {found.folder}?", "--yes"):
        click.echo("nothing was deleted")
        return
    removed = remove_store(name)
    click.echo(printable(f"deleted {name} ({about})"))
    if removed.others:
        click.echo(
            printable(f"not deleted in {removed.folder}: {', '.join(removed.others[:5])}"), err=True
        )


@click.command("pack")
@click.argument("name", required=False, shell_complete=complete_stores)
@click.option(
    "--output", "-o", metavar="FILE", help="The file to write; by default NAME.swimmer.zip."
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def pack_command(name: str | None, output: str | None, quiet: bool) -> None:
    """Write the store NAME to one file, to hand it on.

    The file holds the papers, the vectors and the map, and a digest that `swimmer unpack` checks.
    It names the source of the list, which may be a path on your computer.

    \b
    swimmer pack iclr2025
    swimmer pack iclr2025 -o /media/usb/iclr2025.swimmer.zip
    """
    from swimmer.store import pack_store

    with ProgressLine(quiet, "bytes") as progress:
        packed = pack_store(name, output, progress=progress)
    size = size_in_words(packed.path.stat().st_size)
    click.echo(
        printable(f"packed {packed.name}: {packed.papers:,} papers in {packed.path} ({size})")
    )
    _show_notes(packed.notes)


@click.command("unpack")
@click.argument("file")
@click.option("--name", "-n", metavar="NAME", help="Name or path of the new store.")
@click.option("--force", is_flag=True, help="Replace a store of this name without asking.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def unpack_command(file: str, name: str | None, force: bool, quiet: bool) -> None:
    """Make a store of FILE, which `swimmer pack` has written.

    FILE may come from a stranger: digests, names, sizes and the structure of its files are checked
    before the store takes its place, and its model is not loaded.

    \b
    swimmer unpack iclr2025.swimmer.zip
    """
    from swimmer.store import unpack_store

    def ask(folder: Path) -> bool:
        return confirmed(f"replace {folder}?", "--force")

    with ProgressLine(quiet, "bytes") as progress:
        unpacked = unpack_store(file, name, replace=force or ask, progress=progress)
    click.echo(
        printable(f"unpacked {unpacked.name}: {unpacked.papers:,} papers in {unpacked.path}")
    )
    _show_notes(unpacked.notes)


def confirmed(question: str, option: str) -> bool:
    """Ask on the terminal, by default no.

    Raises:
        InputError: nobody can answer; the option of this name answers yes.
    """
    try:
        return click.confirm(printable(question), err=True)
    except click.Abort:
        if sys.stdin is not None and sys.stdin.isatty():
            raise
        click.echo(err=True)
        raise InputError(
            "nothing was done: nobody can answer the question", hint=f"{option} answers yes"
        ) from None


def _show_notes(notes: tuple[str, ...]) -> None:
    for note in notes:
        click.echo(printable(f"note: {note}"), err=True)
