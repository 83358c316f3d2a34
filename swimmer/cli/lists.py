"""`swimmer lists`, `swimmer add`, `swimmer note`: the papers that you keep."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from typing import TYPE_CHECKING

import click

from swimmer.cli.completion import complete_stores
from swimmer.cli.housekeeping import confirmed
from swimmer.cli.output import warn
from swimmer.errors import InputError, QueryError
from swimmer.library import DEFAULT_LIST, STATUSES, ListEntry, ReadingList, Summaries, edited
from swimmer.text import printable

if TYPE_CHECKING:
    from swimmer.papers import Paper

FORMATS = ("reading-list", "json", "csv", "bibtex", "ris")


def complete_lists(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of lists that begin with what was typed."""
    return [name for name in ReadingList().names() if name.startswith(incomplete)]


_status = click.option("--status", type=click.Choice(STATUSES), help="How far you are with it.")


@click.command("lists")
@click.argument("name", required=False, shell_complete=complete_lists)
@click.option("--status", type=click.Choice(STATUSES), help="Only papers of this status.")
@click.option("--tag", metavar="TAG", help="Only papers with this tag.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each list or paper.")
@click.option("--format", "-f", "named", type=click.Choice(FORMATS), help="Output format.")
@click.option("--output", "-o", metavar="FILE", help="Write to FILE; its ending sets the format.")
@click.option("--remove", "gone", metavar="PAPER", help="Remove a paper from the list.")
@click.option("--rename", metavar="NEW", help="Give the list another name.")
@click.option("--delete", is_flag=True, help="Delete the list.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask before a list is deleted.")
def lists_command(
    name: str | None,
    status: str | None,
    tag: str | None,
    as_json: bool,
    named: str | None,
    output: str | None,
    gone: str | None,
    rename: str | None,
    delete: bool,
    yes: bool,
) -> None:
    """Show your reading lists, or the papers of the list NAME.

    The page (`swimmer serve`) shows the same lists. `swimmer add` puts a paper on one.

    \b
    swimmer lists
    swimmer lists thesis --status "to read"
    swimmer lists thesis -o thesis.bib
    swimmer lists thesis --rename "PhD thesis"
    """
    kept = ReadingList()
    if (rename or delete or gone) and name is None:
        raise InputError("no list is named", hint="give the NAME of the list")
    if name is not None and (rename or delete or gone):
        _change(kept, name, gone, rename, delete, yes)
    elif name is None and not (status or tag or named or output):
        _show_lists(kept, as_json)
    else:
        _show_papers(kept, name, kept.entries(name, status=status, tag=tag), as_json, named, output)
    if kept.problem:
        warn(kept.problem)


def _change(
    kept: ReadingList, name: str, gone: str | None, rename: str | None, delete: bool, yes: bool
) -> None:
    if sum(map(bool, (gone, rename, delete))) > 1:
        raise InputError(
            "--remove, --rename and --delete are given together", hint="give one of them"
        )
    if gone:
        entry = kept.find(gone)
        kept.remove(entry.key, name)
        click.echo(printable(f"removed from {name}: {entry.paper.display_title}"))
    elif rename:
        kept.rename(name, rename)
        click.echo(printable(f"{name} is now {rename}"))
    else:
        entries = kept.entries(name)
        lost = sum(len(entry.lists) == 1 for entry in entries)
        question = f"delete the list {name} ({lost} papers are on no other list)?"
        if not yes and lost and not confirmed(question, "--yes"):
            click.echo("nothing was deleted")
            return
        click.echo(printable(f"deleted {name}; papers deleted: {kept.delete(name)}"))


def _show_lists(kept: ReadingList, as_json: bool) -> None:
    entries = kept.entries()
    rows: list[tuple[str, ...]] = [("LIST", "PAPERS", *(status.upper() for status in STATUSES))]
    for name in kept.names():
        counts = Counter(entry.status for entry in entries if name in entry.lists)
        numbers = [counts[status] for status in STATUSES]
        if as_json:
            by_status = dict(zip(STATUSES, numbers, strict=True))
            click.echo(json.dumps({"list": name, "papers": sum(numbers), **by_status}))
        rows.append((name, *(f"{number:,}" for number in (sum(numbers), *numbers))))
    if as_json:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for first, *others in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
        click.echo(printable("  ".join([first.ljust(widths[0]), *cells])))


def _show_papers(
    kept: ReadingList,
    name: str | None,
    entries: list[ListEntry],
    as_json: bool,
    named: str | None,
    output: str | None,
) -> None:
    from swimmer.cli.output import chosen_format

    count = f"{len(entries):,} paper" + ("s" if len(entries) != 1 else "")
    if format := chosen_format(named, output):
        if format not in FORMATS:
            raise QueryError(
                f"a list cannot be written as {format}", hint=f"choose one of {', '.join(FORMATS)}"
            )
        from swimmer.export import write_text
        from swimmer.library import written

        text = written(format, entries)
        if output is None:
            click.echo(text, nl=False)
        else:
            write_text(output, text)
            click.echo(printable(f"written to {output}: {count}"))
    elif as_json:
        summaries = Summaries()
        for entry in entries:
            marked = dataclasses.replace(entry, paper=summaries.marked(entry.paper))
            click.echo(json.dumps(marked.to_dict(), ensure_ascii=False))
    else:
        summaries = Summaries()
        click.echo(printable(f"{name or 'all lists'}: {count}"))
        for number, entry in enumerate(entries, 1):
            click.echo()
            click.echo("\n".join(_lines(entry, summaries, f"{number:3d}  ", name is None)))


def _lines(
    entry: ListEntry, summaries: Summaries, lead: str = "", with_lists: bool = True
) -> list[str]:
    from swimmer.papers import venue_and_year

    paper, indent = entry.paper, " " * len(lead)
    about = [
        entry.status,
        " ".join(f"#{tag}" for tag in entry.tags),
        ", ".join(entry.lists) if with_lists else "",
        venue_and_year(paper),
        entry.store,
        entry.added[:10],
    ]
    lines = [lead + paper.display_title, indent + " · ".join(part for part in about if part)]
    written = summaries.written(paper)
    lines += [f"{indent}{written.text} ({written.by})"] if written else []
    lines += [f"{indent}| {line}" for line in entry.note.splitlines()]
    return [printable(line) for line in lines]


@click.command("add")
@click.argument("paper")
@click.option(
    "--store",
    "-s",
    metavar="NAME",
    shell_complete=complete_stores,
    help="Store of the paper; by default the first of your stores that has it.",
)
@click.option(
    "--list",
    "-l",
    "name",
    default=DEFAULT_LIST,
    show_default=True,
    shell_complete=complete_lists,
    metavar="NAME",
    help="List; made where there is none of this name.",
)
@_status
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Tag; may be repeated.")
@click.option("--note", metavar="TEXT", help="A line for its note.")
def add_command(
    paper: str,
    store: str | None,
    name: str,
    status: str | None,
    tags: tuple[str, ...],
    note: str | None,
) -> None:
    """Put a PAPER on a reading list: its title, id or address.

    A paper that is on another list is on both then; its note, status and tags are the same on each.

    \b
    swimmer add "Attention Is All You Need"
    swimmer add bIlnpVM4bc --store iclr2025 --list thesis --tag vision --status reading
    """
    kept = ReadingList()
    where, found = paper_of(paper, store)
    known = {entry.key: entry for entry in kept.entries()}
    # What is not valid must not leave the paper on the list without it.
    edited(ListEntry(where, found), note=note, status=status, tags=tags)
    entry = kept.add(where, found, name)
    on_it = entry.key in known and entry.lists == known[entry.key].lists
    entry = _edited(kept, entry, note, status, tags, (), False)
    click.echo(printable(f"{'is on' if on_it else 'added to'} {entry.lists[-1]}:"))
    click.echo("\n".join(_lines(entry, Summaries())))
    if kept.problem:
        warn(kept.problem)


def paper_of(text: str, store: str | None) -> tuple[str, Paper]:
    """Return a paper and the name of its store: the one named, the default, or any that has it."""
    from swimmer.store import list_stores, open_store
    from swimmer.toolkit import find_paper

    first = open_store(store)
    others = [] if store else [i.folder for i in list_stores() if i.manifest is not None]
    for place in [None, *others]:
        with first if place is None else open_store(place) as opened:
            try:
                return opened.name, find_paper(opened, text)
            except QueryError:
                continue
    raise QueryError(
        f"no paper of {f'the store {store}' if store else 'your stores'} has the id, address or "
        f"title {text[:200]!r}",
        hint="find it with: swimmer search",
    )


@click.command("note")
@click.argument("paper")
@click.argument("text", required=False)
@click.option("--replace", is_flag=True, help="Replace the note; TEXT is added to it otherwise.")
@_status
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Add a tag; may be repeated.")
@click.option("--untag", multiple=True, metavar="TAG", help="Remove a tag; may be repeated.")
def note_command(
    paper: str,
    text: str | None,
    replace: bool,
    status: str | None,
    tags: tuple[str, ...],
    untag: tuple[str, ...],
) -> None:
    """Add TEXT to the note of a PAPER on your lists, and change its status and tags.

    PAPER is its id, title or a part of the title. Without anything to change, it is shown.

    \b
    swimmer note "attention is all" "The scaling by sqrt(d) is in section 3.2."
    swimmer note "attention is all" --status read --tag transformers --untag todo
    """
    kept = ReadingList()
    if replace and text is None:
        raise InputError("--replace needs a TEXT", hint='an empty one deletes the note: ""')
    entry = _edited(kept, kept.find(paper), text, status, tags, untag, replace)
    click.echo("\n".join(_lines(entry, Summaries())))
    if kept.problem:
        warn(kept.problem)


def _edited(
    kept: ReadingList,
    entry: ListEntry,
    text: str | None,
    status: str | None,
    tags: tuple[str, ...],
    untag: tuple[str, ...],
    replace: bool,
) -> ListEntry:
    for tag in untag:
        if not entry.has_tag(tag):
            raise QueryError(
                f"the paper has no tag {tag[:80]!r}",
                hint=f"it has {', '.join(entry.tags) or 'none'}",
            )
    if text is not None and not replace and entry.note:
        text = f"{entry.note}\n{text}"
    if text is None and status is None and not (tags or untag):
        return entry
    gone = {tag.strip().lstrip("#").casefold() for tag in untag}
    left = [tag for tag in entry.tags if tag.casefold() not in gone]
    return kept.edit(entry.key, note=text, status=status, tags=[*left, *tags])
