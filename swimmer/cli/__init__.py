"""The command line: `swimmer COMMAND`; the module of a command is loaded when it is used."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from typing import Any

from swimmer.errors import SwimmerError

_COLLECTED = 50_000
"""Objects that are made before the next look for garbage."""

GROUPS = {
    "Search": {
        "search": "Find the papers most like a title or any text.",
        "related": "Find papers that a draft does not cite yet.",
        "foryou": "Rank a store by your own papers.",
        "digest": "Show what came new to your stores for your own papers.",
        "plan": "Plan a conference: what to see when, by your own papers.",
        "people": "Find who works nearest to a topic or to your own papers.",
        "check": "Check a bibliography against your stores.",
    },
    "Reading lists": {
        "lists": "Show your reading lists, or the papers of one.",
        "add": "Put a paper on a reading list.",
        "note": "Change the note, status and tags of a paper on your lists.",
        "summarize": "Show papers in one sentence each.",
    },
    "A store as a whole": {
        "map": "Draw a store as a map with named topics.",
        "topics": "List the topics of a store's map, or rename one.",
        "trends": "Compare the topics of several years.",
        "export-site": "Write a store as a static site that searches in the browser.",
        "neighbours": "Export the nearest papers of every paper as a graph.",
    },
    "Stores": {
        "build": "Build a store from a conference's list or from a file.",
        "update": "Download a store's list again and report what changed.",
        "venues": "List the conferences that can be downloaded.",
        "list": "List your stores.",
        "show": "Describe a store.",
        "default": "Set the store that is searched when none is named.",
        "remove": "Delete a store.",
        "verify": "Check a store for damage.",
        "pack": "Write a store to one file, to hand it on.",
        "unpack": "Make a store of a file that was packed.",
        "push": "Write a store to Milvus.",
        "pull": "Make a store of one on Milvus.",
        "inspect": "Check a store from someone else: what it holds, and whether it is safe.",
    },
    "Programs": {
        "serve": "Open your stores in the browser.",
        "mcp": "Serve your stores to agents (Model Context Protocol).",
        "doctor": "Show what is installed here and what is missing.",
        "completion": "Print the completion script of a shell.",
    },
}
"""The commands by what they are for, and what each does."""

VERBS = {name: said for group in GROUPS.values() for name, said in group.items()}
"""All commands; a command is in the module that MODULES names, else in that of its name."""

MODULES = {
    **dict.fromkeys(("list", "show", "verify", "inspect"), "stores"),
    **dict.fromkeys(("lists", "add", "note"), "lists"),
    "export-site": "export_site",
    **dict.fromkeys(("default", "remove", "pack", "unpack"), "housekeeping"),
    **dict.fromkeys(("push", "pull"), "transfer"),
}


def spare_threads() -> None:
    """Keep the linear algebra to one thread: to start more takes longer than one search."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def __getattr__(name: str) -> Any:
    # To import click takes a fifth of a search by a known title, which does without.
    if name == "cli":
        from swimmer.cli.commands import cli

        return cli
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 a check failed, 2 bad input, 130 interrupted."""
    # Most objects of a command live until its end: to look for garbage among them, and once more
    # at the exit, takes a tenth of a search by a known title.
    gc.set_threshold(_COLLECTED, *gc.get_threshold()[1:])
    atexit.register(gc.freeze)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its code, not a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        status = _run(sys.argv[1:] if args is None else args)
        sys.stdout.flush()
    except SwimmerError as error:
        from swimmer.cli.errors import show_error

        show_error(error)
        status = 2
    except KeyboardInterrupt:
        import click

        click.echo("interrupted", err=True)
        status = 130
    except BrokenPipeError:
        # The reader (head, less) has closed the pipe; the flush at exit must not fail again.
        sys.stdout = None
        status = 0
    sys.exit(status)


def _run(args: list[str]) -> int:
    """Run a command; return its exit code."""
    from swimmer.cli.plain import plain_search

    if (plain := plain_search(args)) is not None:
        from swimmer.cli.plain import answer

        answer(*plain)
        return 0
    import click

    from swimmer.cli.commands import cli

    try:
        result = cli.main(args=args, prog_name="swimmer", standalone_mode=False)
    except click.ClickException as error:
        from swimmer.cli.errors import show_error

        show_error(error)
        return 2
    except click.Abort:
        raise KeyboardInterrupt from None
    # Outside its standalone mode, click returns the exit code of a command.
    return result if isinstance(result, int) else 0
