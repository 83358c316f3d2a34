"""`swimmer completion`: the shell completes commands, options and store names."""

from __future__ import annotations

import click

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def completion_command(shell: str) -> None:
    """Print the completion script of a SHELL: bash, zsh or fish.

    \b
    bash   echo 'eval "$(swimmer completion bash)"' >> ~/.bashrc
    zsh    echo 'eval "$(swimmer completion zsh)"' >> ~/.zshrc
    fish   swimmer completion fish > ~/.config/fish/completions/swimmer.fish
    """
    from click.shell_completion import get_completion_class

    from swimmer.cli import cli

    maker = get_completion_class(shell)
    assert maker is not None
    made = maker(cli, {}, "swimmer", "_SWIMMER_COMPLETE")
    # `source()` would ask bash for its version first, where there may be no bash.
    click.echo(made.source_template % made.source_vars())


def complete_stores(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of stores that begin with what was typed."""
    from swimmer.store import list_stores

    return [info.name for info in list_stores() if info.name.startswith(incomplete)]
