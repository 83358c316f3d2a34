"""`swimmer doctor`: what this machine and installation can do, and what is missing."""

from __future__ import annotations

import json

import click

from swimmer.cli.stores import size_in_words
from swimmer.diagnosis import Diagnosis, diagnose
from swimmer.text import printable


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def doctor_command(as_json: bool) -> None:
    """Show what is installed here and what is missing.

    Processor, memory, GPU, extras with their versions, models in the cache, and of each store
    whether its model can be loaded. Each lack stands with the line that installs it. Nothing is
    loaded or downloaded. Exit code 1 if a store cannot be used whole.
    """
    found = diagnose()
    if as_json:
        click.echo(json.dumps(found.to_dict(), ensure_ascii=False))
    else:
        click.echo("\n".join(printable(line) for line in report(found)))
    if not found.sound:
        raise click.exceptions.Exit(1)


def report(found: Diagnosis) -> list[str]:
    """Return a diagnosis as lines of text."""
    sets = found.instruction_sets
    processor = "not known"
    if sets is not None:
        processor = ", ".join(sets) or "none of AVX2, AVX-512, AMX"
    free = f", {size_in_words(found.free)} free" if found.free else ""
    lines = [
        f"swimmer    {found.swimmer}",
        f"Python     {found.python}",
        f"system     {found.system}",
        f"cores      {found.cores}",
        f"processor  {processor}",
        f"memory     {size_in_words(found.memory) + free if found.memory else 'not known'}",
        f"GPU        {'; '.join(found.gpus) or 'none found'}",
    ]
    if found.gpu_note:
        lines.append(f"           {found.gpu_note}")
    rows = [
        (
            extra.name,
            extra.purpose,
            f"missing: {extra.install}"
            if extra.missing
            else ", ".join(f"{name} {number}" for name, number in extra.versions.items()),
        )
        for extra in found.extras
    ]
    lines += ["", "extras", *_table(rows), "", "models"]
    models = [("static", "", "with swimmer")]
    models += [
        (
            model.name,
            model.revision[:12],
            f"{', '.join(model.backends)}; {size_in_words(model.bytes)}",
        )
        for model in found.models
    ]
    lines += [*_table(models), "", "stores"]
    stores = [
        (
            store.name,
            store.model or "-",
            f"{store.problem}: {store.hint}" if store.problem else "ready",
        )
        for store in found.stores
    ]
    return [*lines, *_table(stores or [("none", "", "swimmer build SOURCE --name NAME")])]


def _table(rows: list[tuple[str, str, str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    return [
        f"  {first:<{widths[0]}}  {second:<{widths[1]}}  {last}".rstrip()
        for first, second, last in rows
    ]
