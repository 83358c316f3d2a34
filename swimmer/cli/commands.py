"""The commands as a group of click, which imports the module of each when it is used."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from swimmer.cli import GROUPS, MODULES, VERBS, spare_threads


class _Commands(click.Group):
    """A group that imports the module of a command only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        if cmd_name in ("search", "foryou", "plan", "people"):
            spare_threads()
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
