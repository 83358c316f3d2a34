"""The command line: `swimmer VERB`, each verb in a module of its own, loaded when it is called."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from swimmer.errors import SwimmerError
from swimmer.text import printable

VERBS = {
    "search": "The papers most like a title, or like any text.",
    "related": "What a draft's related work should not miss.",
    "neighbours": "The nearest papers of every paper, as a graph.",
    "trends": "Topics across the years.",
    "map": "The papers of a store as a map, its topics named.",
    "build": "Build a store from a venue's list or from a file.",
    "update": "Fetch a store's list again; report what was added, changed, withdrawn.",
    "venues": "What can be fetched, and which of it is a store.",
    "list": "The stores there are.",
    "show": "What a store holds, in words.",
    "verify": "Check that a store is whole.",
    "inspect": "What a store that somebody sent holds, and whether it is safe to ask.",
    "serve": "Serve the stores as a page in the browser.",
    "mcp": "Serve the stores to agents over the Model Context Protocol.",
    "completion": "Print the completion script of a shell.",
}
"""The verbs and what each does in one line; a verb lives in the module that HOMES names."""

HOMES = dict.fromkeys(("list", "show", "verify", "inspect"), "stores")


class _Verbs(click.Group):
    """A group that imports a verb's module only when the verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        if cmd_name == "search":
            # Starting the threads of the linear algebra takes longer than one question does.
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        module = import_module(f"swimmer.cli.{HOMES.get(cmd_name, cmd_name)}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in VERBS:
            from difflib import get_close_matches

            near = get_close_matches(name, VERBS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            ctx.fail(
                f"No such command {printable(name)[:60]!r}.{hint} To ask for papers: "
                "swimmer search TITLE"
            )
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        # click would load every verb for its help; a shell waits for this at every Tab.
        verbs = [CompletionItem(n, help=h) for n, h in VERBS.items() if n.startswith(incomplete)]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # The short helps stand here, so that --help loads none of the verbs.
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=_Verbs,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="swimmer", prog_name="swimmer")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Find the papers of a conference that are most like one you know.

    Alone at a terminal, swimmer opens a prompt that answers titles as they are typed.

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


class _Failure(click.ClickException):
    """An error of swimmer's own: one line on standard error, exit code 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        click.echo(f"swimmer: {printable(self.message)}", err=True)


def main(args: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 a check failed, 2 bad input, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character gets its code, not a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        result = cli.main(args=args, prog_name="swimmer", standalone_mode=False)
        sys.stdout.flush()
        # Outside its standalone mode, click returns the code that a command exits with.
        status = result if isinstance(result, int) else 0
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except SwimmerError as error:
        _Failure(str(error)).show()
        status = 2
    except (click.Abort, KeyboardInterrupt):
        click.echo("swimmer: interrupted", err=True)
        status = 130
    except BrokenPipeError:
        # The reader (head, less) has seen enough; a second flush at exit must not complain.
        sys.stdout = None
        status = 0
    sys.exit(status)
