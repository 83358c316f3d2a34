"""The options of the commands that start from a library of one's own, and its papers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from swimmer.cli.options import stores_options
from swimmer.cli.progress import ProgressLine

if TYPE_CHECKING:
    from swimmer.analysis import Library
    from swimmer.papers import Paper

_LISTS = (".bib", ".ris", ".json", ".jsonl", ".csv", ".tex", ".pdf", ".enw", ".nbib", ".xlsx")

_OPTIONS = (
    click.option(
        "--library",
        "-l",
        "libraries",
        multiple=True,
        metavar="FILE|FOLDER|reading-list|list:NAME",
        help="Your papers: .bib, .ris, Zotero's JSON, a folder of PDFs, your reading lists or one.",
    ),
    stores_options,
    click.option(
        "--where",
        "-w",
        multiple=True,
        metavar="CONDITION",
        help="""Only papers that match: 'year>=2024 and area=~"reinforcement"'.""",
    ),
)

unlike_option = click.option(
    "--unlike",
    multiple=True,
    metavar="TITLE|FILE",
    help="A negative example, or a list of them; may be repeated.",
)
half_life_option = click.option(
    "--half-life",
    type=click.FloatRange(0, min_open=True),
    metavar="YEARS",
    help="Newer papers weigh more: of your library, one so much older counts half.",
)
"""What a ranking by a library takes besides."""

library_option, *_, where_option = _OPTIONS
"""`--library` and `--where` alone, for a command that has stores of its own."""


def library_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command `--library`, `--store`, `--all` and `--where`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def read_libraries(names: Sequence[str]) -> Library:
    """Return several libraries as one; the reading of many PDFs shows its progress.

    Raises:
        QueryError, SourceError, MissingExtraError, StoreError: as `named_library` does.
    """
    from swimmer.analysis import together
    from swimmer.toolkit import named_library

    with ProgressLine(unit="PDFs") as progress:
        return together([named_library(name, progress) for name in names])


def read_examples(names: Sequence[str]) -> list[str | Paper]:
    """Return examples: the papers of each name that is a library, any other name as a title."""
    found: list[str | Paper] = []
    for name in names:
        is_list = len(name) < 1_000 and (
            Path(name).suffix.lower() in _LISTS or Path(name).expanduser().exists()
        )
        found += read_libraries([name]).papers if is_list else [name]
    return found
