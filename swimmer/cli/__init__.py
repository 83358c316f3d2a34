"""The command line: `swimmer COMMAND`; the module of a command is loaded when it is used."""

from __future__ import annotations

import atexit
import gc
import os
import sys
from importlib import import_module
from typing import Any

import click

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


class _Commands(click.Group):
    """A group that imports the module of a command only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        if cmd_name in ("search", "foryou", "plan", "people"):
            # Starting the threads of the linear algebra takes longer than one search.
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        module = import_module(f"swimmer.cli.{MODULES.get(cmd_name, cmd_name)}")
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in VERBS:
            from difflib import get_close_matches

            from swimmer.cli.errors import UsageHint

            near = get_close_matches(name, VERBS, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UsageHint(
                f"no such command {name[:60]!r}",
                f"{hint}To search for papers: swimmer search TITLE",
            )
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        # click would load every command for its help; a shell waits for this at every Tab.
        verbs = [CompletionItem(n, help=h) for n, h in VERBS.items() if n.startswith(incomplete)]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # The short help texts are here, so that --help loads no command.
        # Not `map`: a submodule of this name hides it once it is imported.
        width = max(len(name) for name in VERBS)
        for title, group in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), said) for name, said in group.items()])


@click.group(
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="swimmer", prog_name="swimmer")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Find the papers of a conference that are most like one you know.

    Without a command, swimmer opens a prompt: type a title, get similar papers.

    \b
    swimmer search "Attention Is All You Need"
    swimmer build papers.json --name myconf2025
    """
    if ctx.invoked_subcommand is not None:
        return
    if sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
        from swimmer.cli.prompt import run_prompt

        run_prompt()
        return
    click.echo(ctx.get_help(), err=True)
    ctx.exit(2)


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
        result = cli.main(args=args, prog_name="swimmer", standalone_mode=False)
        sys.stdout.flush()
        # Outside its standalone mode, click returns the exit code of a command.
        status = result if isinstance(result, int) else 0
    except (click.ClickException, SwimmerError) as error:
        from swimmer.cli.errors import show_error

        show_error(error)
        status = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        status = 130
    except BrokenPipeError:
        # The reader (head, less) has closed the pipe; the flush at exit must not fail again.
        sys.stdout = None
        status = 0
    sys.exit(status)
