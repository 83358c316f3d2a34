"""`swimmer build`: builds a store from a list of papers, and reports what was done."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swimmer.build import BuildReport, run_build, stored_papers
from swimmer.cli.options import model_options
from swimmer.cli.progress import ProgressLine
from swimmer.errors import InputError
from swimmer.sources import COLUMN_FIELDS, open_source
from swimmer.store import FORMATS, LEXICAL
from swimmer.text import printable

if TYPE_CHECKING:
    from swimmer.sources import SourceOptions


@click.command("build")
@click.argument("source")
@click.option("--name", "-n", metavar="NAME", help="Name or path of the store.")
@click.option(
    "--model",
    "-m",
    metavar="MODEL",
    help="Embedding model; by default that of the store, else static.",
)
@click.option("--prune", is_flag=True, help="Remove papers that are no longer in the list.")
@click.option(
    "--plain/--no-plain",
    default=None,
    help="Compare by the vectors as the model makes them, without smoothing and words.",
)
@click.option(
    "--lexical",
    type=click.Choice(LEXICAL),
    help="Compare words too (tfidf, the default), or tokens as the model weighs them (bge-m3).",
)
@click.option(
    "--neighbours/--no-neighbours",
    default=None,
    help="Keep the nearest papers of each paper; by default up to 50,000 papers.",
)
@click.option(
    "--vectors",
    type=click.Choice(FORMATS),
    help="How each component of a vector is kept; by default as the store has it, else float32.",
)
@click.option(
    "--status",
    type=click.Choice(["accepted", "rejected", "withdrawn", "all"]),
    help="Which submissions; by default the accepted ones, and all of a file.",
)
@click.option(
    "--columns",
    metavar="FIELD=NAME,…",
    help="Columns of a table with an unknown header: title=Nome,authors=Autori.",
)
@click.option(
    "--on",
    metavar="ADDRESS",
    help="Embed on a Ray cluster: ray://HOST:10001, or local for one on this machine.",
)
@click.option("--refresh", is_flag=True, help="Download again a list that is kept on disk.")
@click.option("--offline", is_flag=True, help="Use what is kept on disk; download nothing.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@model_options
def build_command(
    source: str,
    name: str | None,
    model: str | None,
    prune: bool,
    status: str | None,
    columns: str | None,
    plain: bool | None,
    lexical: str | None,
    neighbours: bool | None,
    vectors: str | None,
    on: str | None,
    refresh: bool,
    offline: bool,
    quiet: bool,
    trust_model: bool,
) -> None:
    """Build a store from SOURCE, or update one.

    SOURCE is a conference (iclr2025, acl2024; `swimmer venues` lists them), a query to a publisher
    (arxiv:cs.LG:2025-01, openreview:ICLR.cc/2025/Conference), an address, or a file: JSON, JSON
    lines, CSV, Excel, BibTeX, RIS, PubMed, EndNote, Web of Science, Markdown, YAML and others,
    also compressed, recognised from its content; or a folder of many such files of JSON lines, as
    OpenAlex and Semantic Scholar publish them. A folder that LangChain's FAISS saved
    (index.faiss, index.pkl) is imported with its vectors, if --model names the model that made
    them; nothing in its pickle is run. The folder of a store is embedded again with --model,
    from the papers it holds.

    Only new or changed text is embedded. An interrupted build resumes when the same command is
    given again.
    """
    if is_langchain_folder(source):
        if lexical is not None:
            raise InputError(
                "--lexical does not apply to a folder of LangChain's FAISS: its vectors are kept "
                "as they are",
                hint="build the store first, then give its own folder with --lexical",
            )
        if on is not None:
            raise InputError(
                "--on does not apply to a folder of LangChain's FAISS: its vectors are there",
                hint="leave --on out",
            )
        _take_in(source, name, model, prune, neighbours, vectors)
        return
    with ProgressLine(quiet) as progress:
        try:
            options = fetch_options(
                progress,
                status=status,
                offline=offline,
                fresh=refresh,
                columns=named_columns(columns),
            )
            opened = stored_papers(source) or open_source(source, options)
            if kept := getattr(opened, "kept_since", ""):
                progress.say(f"{opened.name}: the list of {kept}" + ", fetched again" * refresh)
            store, report = run_build(
                opened,
                name,
                model=model,
                prune=prune,
                plain=plain,
                lexical=lexical,
                neighbours=neighbours,
                vectors=vectors,
                on=on,
                progress=progress,
                trust_model=trust_model,
            )
        except KeyboardInterrupt:
            progress.close()
            click.echo(
                f"interrupted; the same command resumes ({progress.done:,} embedded papers are "
                "kept)",
                err=True,
            )
            raise click.exceptions.Exit(130) from None
    click.echo("\n".join(report_lines(report, store.name, str(store.folder))))
    store.close()


def is_langchain_folder(source: str) -> bool:
    """Return whether SOURCE is a folder that LangChain's FAISS saved."""
    if not os.path.isdir(source):  # noqa: PTH112  Path.is_dir raises for a name that is too long
        return False
    from swimmer.langchain import is_langchain_folder as looks_like_one

    return looks_like_one(Path(source))


def _take_in(
    folder: str,
    name: str | None,
    model: str | None,
    prune: bool,
    neighbours: bool | None,
    vectors: str | None,
) -> None:
    from swimmer.langchain import SAMPLE, build_from_langchain

    if prune:
        raise InputError(
            "--prune does not apply to a folder of LangChain's FAISS: it becomes a new store",
            hint="leave --prune out",
        )
    store, report = build_from_langchain(
        folder, name, model=model, neighbours=neighbours, vectors=vectors
    )
    lines = report_lines(report, store.name, str(store.folder))
    kept = printable(
        f"vectors    those of {folder}; {min(SAMPLE, len(store))} texts were embedded again and "
        f"match the model {store.identity.name}"
    )
    click.echo("\n".join([*lines[:-1], kept, lines[-1]]))
    store.close()


def fetch_options(
    progress: ProgressLine,
    *,
    status: str | None = None,
    offline: bool = False,
    fresh: bool = False,
    columns: Mapping[str, str] | None = None,
) -> SourceOptions:
    """Return the options of a download, whose messages are shown as progress."""
    from swimmer.sources import SourceOptions

    return SourceOptions(
        status=status,
        offline=offline,
        fresh=fresh,
        notify=progress.say,
        columns=columns or {},
    )


def named_columns(text: str | None) -> dict[str, str]:
    """Return the columns that `--columns` names, by field: "title=Nome" gives {"title": "Nome"}.

    Raises:
        InputError: a part is no FIELD=NAME, or the field is none that a paper has.
    """
    found: dict[str, str] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        field, equals, name = (piece.strip() for piece in part.partition("="))
        if not equals or not name:
            raise InputError(f"--columns {part.strip()!r}: expected FIELD=NAME, as in title=Nome")
        if field not in COLUMN_FIELDS:
            raise InputError(
                f"--columns {field!r}: no such field",
                hint=f"choose one of {', '.join(COLUMN_FIELDS)}",
            )
        found[field] = name
    return found


def report_lines(report: BuildReport, name: str, folder: str) -> list[str]:
    """Return what a build did, as lines of text."""
    source = report.source
    encoding = f" ({source.encoding}, not UTF-8)" if source.encoding else ""
    lines = [f"read       {source.read:,} records{encoding}"]
    for reason, entry in source.skipped.items():
        places = ", ".join(entry.places)
        more = ", …" if entry.count > len(entry.places) else ""
        lines.append(f"left out   {entry.count:,}: {reason} ({places}{more})")
    if report.merged:
        lines.append(f"merged     {report.merged:,} duplicates")
    if report.kept_apart:
        lines.append(
            f"kept apart {report.kept_apart:,} papers with the id of another paper "
            "(ids made distinct: titles and authors differ)"
        )
    if source.unordered:
        lines.append(
            f"authors    of {source.unordered:,} papers stand in alphabetical order: who is first "
            "is not known"
        )
    if source.cut_abstracts:
        lines.append(f"cut        {source.cut_abstracts:,} abstracts end too early in the list")
    if source.without_abstract:
        lines.append(f"no abstract in {source.without_abstract:,} (embedded by their titles)")
    if report.unknown:
        lines.append(f"unreadable {report.unknown:,} have no word that the model knows")
    lines.append(
        f"papers     {report.added:,} added, {report.changed:,} changed, "
        f"{report.unchanged:,} unchanged, {report.removed:,} removed"
    )
    resumed = f", {report.resumed:,} reused from the interrupted build" if report.resumed else ""
    lines.append(f"embedded   {report.embedded:,}{resumed}")
    lines.append(
        f"store      {name}: {report.papers:,} papers in {folder} ({report.seconds:.1f} s)"
    )
    return [printable(line) for line in lines]
