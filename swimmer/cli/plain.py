"""`swimmer search TEXT [--store NAME]`, the commonest command, read without click.

To import click and to make its options takes a fifth of a search by a known title. Whatever has
another option is left to click, and the answer is the same.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

NUMBER = 10
"""Papers that are shown where nothing else is asked."""

_STORE = ("--store", "-s")


def plain_search(args: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """Return the one text and the store, or none, that a search names; None for all else."""
    # Windows expands patterns in arguments, and colours text, by click.
    if args[:1] != ["search"] or os.name == "nt" or "_SWIMMER_COMPLETE" in os.environ:
        return None
    texts: list[str] = []
    stores: list[str] = []
    rest = iter(args[1:])
    for arg in rest:
        if arg in _STORE:
            stores.append(next(rest, "-"))
        elif arg.startswith("--store="):
            stores.append(arg.removeprefix("--store="))
        else:
            texts.append(arg)
    plain = len(texts) == 1 and len(stores) < 2
    # Whatever begins with a dash is an option, or standard input.
    if not plain or any(arg.startswith("-") for arg in (*texts, *stores)):
        return None
    return texts[0], tuple(stores)


def answer(text: str, stores: tuple[str, ...]) -> None:
    """Answer a text from a store, on standard output."""
    from swimmer.cli import spare_threads
    from swimmer.cli.rendering import render
    from swimmer.cli.searching import answers_of, opened_stores, read_search
    from swimmer.cli.styles import echo

    spare_threads()
    with opened_stores(stores, every=False, trust_model=False) as opened:
        queries, options = read_search([text], explain=True, stores=opened)
        answers = answers_of(opened, queries, NUMBER, options)
        size = sum(map(len, opened))
    for one in answers:
        echo(render(one, size))
