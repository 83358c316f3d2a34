"""`swimmer list`, `swimmer show`, `swimmer verify`: the stores on this machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from swimmer.cli.completion import complete_stores
from swimmer.cli.options import model_options
from swimmer.store import StoreInfo, bundled_sample, default_name, list_stores
from swimmer.text import printable


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each store.")
def list_command(as_json: bool) -> None:
    """List your stores: papers, model, size, date, folder."""
    for info in list_stores() if as_json else ():
        click.echo(json.dumps(_as_dict(info), ensure_ascii=False))
    if as_json:
        return
    default = default_name()
    rows = [("NAME", "PAPERS", "MODEL", "SIZE", "BUILT", "FOLDER")]
    for info in list_stores():
        where = "(bundled)" if info.folder == bundled_sample() else str(info.folder)
        where += " (default)" if info.name == default else ""
        if info.manifest is None:
            rows.append((info.name, "-", "-", "-", "-", f"{where}: {info.problem}"))
            continue
        manifest = info.manifest
        rows.append(
            (
                info.name,
                f"{manifest.papers:,}",
                manifest.model.name,
                size_in_words(manifest.database.size + manifest.index.size),
                manifest.created[:10],
                where,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:5], widths, strict=True)]
        click.echo(printable("  ".join([*cells, row[5]])).rstrip())


def _as_dict(info: StoreInfo) -> dict[str, object]:
    manifest = info.manifest
    if manifest is None:
        return {"name": info.name, "folder": str(info.folder), "problem": info.problem}
    return {
        "name": info.name,
        "folder": str(info.folder),
        "papers": manifest.papers,
        "model": manifest.model.name,
        "bytes": manifest.database.size + manifest.index.size,
        "created": manifest.created,
        "default": info.name == default_name(),
    }


def size_in_words(size: int) -> str:
    """Return a number of bytes with its unit."""
    amount, units = float(size), iter(("B", "KB", "MB", "GB"))
    unit = next(units)
    while amount >= 1000 and (larger := next(units, None)):
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if amount >= 10 or unit == "B" else f"{amount:.1f} {unit}"


@click.command("show")
@click.argument("name", required=False, shell_complete=complete_stores)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def show_command(name: str | None, as_json: bool) -> None:
    """Describe the store NAME: its papers, model, fields and files."""
    from swimmer.embeddings import describe
    from swimmer.store import open_store

    with open_store(name) as store:
        manifest = store.manifest
        if as_json:
            click.echo(json.dumps(asdict(manifest), ensure_ascii=False))
            return
        model = manifest.model
        search = "exact" if manifest.exact else "approximate"
        if manifest.recall < 1:
            search += f", recall@10 {manifest.recall:.3f}"
        reads = ", ".join(model.languages) or "not stated"
        lines = [
            f"{store.name}: {manifest.papers:,} papers",
            f"folder    {store.folder}",
            f"built     {manifest.created} from {manifest.source or 'unknown'}",
            f"model     {describe(model)}; languages: {reads}",
            f"text      {model.text}"
            + (f"; query prompt {model.query_prompt!r}" if model.query_prompt else "")
            + (f"; document prompt {model.document_prompt!r}" if model.document_prompt else ""),
            f"vectors   {manifest.vectors}, {model.dimension} components",
            *(["lexical   sparse: tokens, as the model weighs them"] if manifest.lexical else []),
            f"search    {search}",
            f"files     {manifest.database.name} ({size_in_words(manifest.database.size)}), "
            f"{manifest.index.name} ({size_in_words(manifest.index.size)})",
            f"fields    {', '.join(store.fields())}",
        ]
    click.echo("\n".join(printable(line) for line in lines))


@click.command("verify")
@click.argument("name", required=False, shell_complete=complete_stores)
@model_options
def verify_command(name: str | None, trust_model: bool) -> None:
    """Check the store NAME for damage: files, counts, vectors, model fingerprint."""
    from swimmer.store import open_store

    with open_store(name, trust_model=trust_model) as store:
        problems = store.verify()
        size = len(store)
    for problem in problems:
        click.echo(f"error: {printable(problem)}", err=True)
    if problems:
        raise click.exceptions.Exit(1)
    click.echo(f"{store.name}: {size:,} papers, no damage found")


@click.command("inspect")
@click.argument("folder")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def inspect_command(folder: str, as_json: bool) -> None:
    """Check the store in FOLDER that someone else made: what it holds, and whether it is safe.

    No file is trusted: links and devices, the manifest, the structure of the index, the tables and
    pages of the database are checked. The model is not loaded, the network is not used. The exit
    code is 1 if the store is not safe.

    \b
    swimmer inspect ~/Downloads/iclr2025
    """
    from swimmer.embeddings import describe
    from swimmer.store import inspect_folder

    found = inspect_folder(Path(folder).expanduser())
    manifest = found.manifest
    if as_json:
        about = {
            "folder": folder,
            "safe": found.safe,
            "dangers": found.dangers,
            "notes": found.notes,
            "papers": manifest.papers if manifest else None,
            "titles": found.titles,
            "vectors": manifest.vectors if manifest else None,
            "model": manifest.model.name if manifest else None,
        }
        click.echo(json.dumps(about))
    else:
        lines = []
        if manifest is not None:
            size = size_in_words(manifest.database.size + manifest.index.size)
            lines += [
                f"papers    {manifest.papers:,}, {size}, built {manifest.created}",
                f"vectors   {manifest.vectors}, {manifest.model.dimension} components",
                f"model     {describe(manifest.model)}",
                *(f"title     {title}" for title in found.titles),
            ]
        lines += [f"note      {note}" for note in found.notes]
        lines += [f"DANGER    {danger}" for danger in found.dangers]
        lines.append(
            "safe: its files are those of a store, and nothing leads out of the folder"
            if found.safe
            else "not safe: do not use it; ask its maker for a new copy"
        )
        click.echo("\n".join(printable(line) for line in lines))
    if not found.safe:
        raise click.exceptions.Exit(1)
