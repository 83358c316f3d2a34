"""Answers in a format, on standard output or in a file; warnings on standard error."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from swimmer.errors import QueryError
from swimmer.text import printable

if TYPE_CHECKING:
    from swimmer.retrieval import Answer

FORMATS = ("json", "csv", "markdown", "bibtex", "ris", "reading-list")
"""The keys of `export.WRITERS`, repeated so that a search need not load the writers."""

_WIDTH = 100
"""Columns of what is printed to no terminal."""


def chosen_format(named: str | None, output: str | None) -> str | None:
    """Return the format that was named, else the one that a file's ending sets.

    Raises:
        QueryError: the file's name does not name a format.
    """
    if named or output is None:
        return named
    from swimmer.export import SUFFIXES

    found = SUFFIXES.get(Path(output).suffix.lower())
    if found is None:
        raise QueryError(
            f"the file name {output[:80]!r} does not name a format",
            hint=f"add --format, or use one of the endings {', '.join(SUFFIXES)}",
        )
    return found


def terminal_width() -> int:
    """Return the columns of the terminal: $COLUMNS, else what it says, else 100."""
    # `shutil` has the same, but loads three ways of compressing files first.
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and len(given) < 6 and int(given):
        return int(given)
    try:
        return os.get_terminal_size().columns or _WIDTH
    except OSError:
        return _WIDTH


def warn(text: str) -> None:
    """Print a warning to standard error."""
    import click

    click.echo(f"warning: {printable(text)}", err=True)


def emit(answers: Sequence[Answer], format: str, output: str | None = None) -> None:
    """Write answers in a format to standard output or a file, warnings to standard error.

    Raises:
        InputError: the file cannot be written.
    """
    from swimmer.export import WRITERS

    write_out(WRITERS[format](answers), output)
    for warning in dict.fromkeys(w for answer in answers for w in answer.warnings):
        warn(warning)


def write_out(text: str, output: str | None) -> None:
    """Write a text to standard output or, whole or not at all, to a file.

    Raises:
        InputError: the file cannot be written.
    """
    if output is None:
        import click

        click.echo(text, nl=False)
        return
    from swimmer.export import write_text

    write_text(output, text)
