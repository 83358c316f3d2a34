"""Where an answer goes when it is not for a person at a terminal: a format, and perhaps a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swimmer.text import printable

if TYPE_CHECKING:
    from swimmer.retrieval import Answer

FORMATS = ("json", "csv", "markdown", "bibtex", "ris", "reading-list")
"""The keys of `export.WRITERS`; written out here so that no search has to load the writers."""


def chosen_format(named: str | None, output: str | None) -> str | None:
    """Return the format that was asked for by name, else by the ending of a file's name.

    Raises:
        click.UsageError: the file's name says nothing about a format.
    """
    if named or output is None:
        return named
    from swimmer.export import SUFFIXES

    found = SUFFIXES.get(Path(output).suffix.lower())
    if found is None:
        raise click.UsageError(
            f"{printable(output)[:80]!r} does not say in which format; add --format, or end it in "
            f"{', '.join(SUFFIXES)}"
        )
    return found


def emit(answers: Sequence[Answer], format: str, output: str | None = None) -> None:
    """Write answers in a format to standard output or a file, warnings to standard error.

    Raises:
        InputError: the file cannot be written.
    """
    from swimmer.export import WRITERS, write_text

    text = WRITERS[format](answers)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_text(output, text)
    for warning in dict.fromkeys(w for answer in answers for w in answer.warnings):
        click.echo(f"swimmer: {printable(warning)}", err=True)
