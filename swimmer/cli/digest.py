"""`swimmer digest`: what came new to the stores for one's own library."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
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
from swimmer.cli.output import warn, write_out
from swimmer.cli.progress import ProgressLine
from swimmer.cli.searching import opened_stores, read_filter
from swimmer.errors import InputError, QueryError, SwimmerError
from swimmer.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swimmer.analysis import Digest
    from swimmer.library import DigestMemory
    from swimmer.store import PaperStore

FIRST_DAYS = 7
"""How far back the first digest of a library goes, where nothing else is said."""

_SINCE = re.compile(r"(\d{1,5})\s?([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7}


@click.command("digest")
@library_options
@click.option(
    "--since",
    metavar="7d|12h|2w|DATE",
    help="How far back papers count as new; by default since the last digest.",
)
@click.option("--update", is_flag=True, help="Update the stores first, as swimmer update does.")
@unlike_option
@click.option("--number", "-k", "k", default=20, show_default=True, help="Papers at most.")
@half_life_option
@click.option(
    "--output", "-o", metavar="FILE", help="Write to FILE: .html, .md, or .xml for an Atom feed."
)
@click.option("--again", is_flag=True, help="Show papers of earlier digests again, keep nothing.")
@model_options
def digest_command(
    libraries: tuple[str, ...],
    stores: tuple[str, ...],
    every: bool,
    where: tuple[str, ...],
    since: str | None,
    update: bool,
    unlike: tuple[str, ...],
    k: int,
    half_life: float | None,
    output: str | None,
    again: bool,
    trust_model: bool,
) -> None:
    """Show what came new to your stores, ranked by your own papers, each with the reason.

    What was shown is remembered: the next digest shows what came since. Without -o it is printed
    as Markdown. An empty digest says why. A feed keeps its earlier entries.

    \b
    swimmer digest --library refs.bib --all --update -o digest.html
    swimmer digest --library refs.bib --store iclr2026 --since 7d -o feed.xml
    """
    from swimmer.analysis import DIGEST_WRITERS
    from swimmer.library import DigestState

    if not libraries:
        raise QueryError(
            "no library is given",
            hint="give your papers with --library: a .bib file, Zotero's JSON, a folder of PDFs",
        )
    suffix = Path(output).suffix.lower() if output else ".md"
    if suffix not in DIGEST_WRITERS:
        raise QueryError(
            f"the file name {output!r:.80} does not name a format",
            hint=f"use one of the endings {', '.join(DIGEST_WRITERS)}",
        )
    start = None if since is None else read_since(since)
    library = read_libraries(libraries)
    disliked = read_examples(unlike)
    state = DigestState()
    with state.remembering(_digest_name(libraries)) as memory:
        known = _known(memory, start, again=again)
        with opened_stores(stores, every, trust_model) as opened:
            problems = _updated(opened, trust_model=trust_model) if update else []
            from swimmer.analysis import make_digest

            digest = make_digest(
                opened,
                library.papers,
                name=library.name,
                since=known[0],
                seen=known[1],
                shown=known[2],
                k=k,
                unlike=disliked,
                filter=read_filter(where),
                half_life=half_life,
                problems=problems,
            )
        write_out(_written(digest, suffix, output), output)
        if not again:
            _remember(memory, digest)
    for warning in (*library.warnings, *([state.problem] if state.problem else [])):
        warn(warning)
    if output is not None:
        click.echo(f"{printable(digest.summary)}: {printable(output)}", err=True)


def read_since(text: str) -> datetime:
    """Return the time that `7d`, `12h`, `2w` or a date means, in UTC.

    Raises:
        QueryError: it is none of these.
    """
    if found := _SINCE.fullmatch(text.strip().lower()):
        return datetime.now(timezone.utc) - timedelta(hours=int(found[1]) * _HOURS[found[2]])
    try:
        when = datetime.fromisoformat(text.strip()[:40])
    except ValueError:
        raise QueryError(
            f"--since {text!r:.40} is no time",
            hint="give 7d, 12h or 2w, or a date such as 2026-01-31",
        ) from None
    # A time without a zone is one of the user's own clock.
    return when.astimezone(timezone.utc)


def _digest_name(libraries: Sequence[str]) -> str:
    """Return the name under which the digests of some libraries are remembered: their paths."""
    paths = [Path(name).expanduser() for name in libraries]
    return ", ".join(
        sorted(
            str(path.resolve()) if path.exists() else name
            for path, name in zip(paths, libraries, strict=True)
        )
    )


def _known(
    memory: DigestMemory, start: datetime | None, *, again: bool
) -> tuple[datetime | None, dict[str, datetime], frozenset[str]]:
    """Return since when papers are new, until when stores were looked at, and what was shown."""
    first = datetime.now(timezone.utc) - timedelta(days=FIRST_DAYS)
    if again:
        return start or first, {}, frozenset()
    return start or memory.last or first, memory.seen, frozenset(memory.shown)


def _remember(memory: DigestMemory, digest: Digest) -> None:
    memory.last = digest.made
    memory.seen.update({store.name: store.until for store in digest.stores})
    day = f"{digest.made:%Y-%m-%d}"
    for entry in digest.entries:
        paper = entry.found.hit.paper
        memory.shown[paper.key] = (paper.display_title, day)


def _written(digest: Digest, suffix: str, output: str | None) -> str:
    from swimmer.analysis import DIGEST_WRITERS, digest_to_atom

    if suffix not in (".xml", ".atom") or output is None:
        return DIGEST_WRITERS[suffix](digest)
    before = ""
    path = Path(output).expanduser()
    if path.exists():
        from swimmer.files import read_bounded

        try:
            before = read_bounded(path, 64 << 20).decode("utf-8", errors="replace")
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read ({error})") from None
    try:
        return digest_to_atom(digest, before)
    except InputError as error:
        raise InputError(f"{path}: {error}", hint=error.hint) from None


def _updated(stores: Sequence[PaperStore], *, trust_model: bool) -> list[str]:
    """Update stores from their sources; return what failed, a sentence for each store."""
    from swimmer.build import plan_update, run_build
    from swimmer.cli.build import fetch_options
    from swimmer.cli.update import check_few_removed, source_of

    failed = []
    for store in stores:
        assert store.folder is not None
        with ProgressLine() as progress:
            try:
                source = source_of(store, None, fetch_options(progress, offline=False, fresh=True))
                plan = plan_update(source, store, progress=progress)
                check_few_removed(plan, store, source)
                if plan.added or plan.changed or plan.removed:
                    run_build(
                        source, store.folder, progress=progress, trust_model=trust_model
                    ).store.close()
            except SwimmerError as error:
                failed.append(f"{store.name} could not be updated: {error}")
    return failed
