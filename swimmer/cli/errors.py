"""Errors at a terminal: what is wrong, and on a second line what to do."""

from __future__ import annotations

import click

from swimmer.errors import SwimmerError
from swimmer.text import printable


class UsageHint(click.UsageError):
    """A command that was called wrongly, with a hint of its own."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def show_error(error: SwimmerError | click.ClickException) -> None:
    """Print an error to standard error as `error: …` and, where there is one, `hint: …`."""
    if isinstance(error, click.ClickException):
        message, hint = _of_click(error)
    else:
        message, hint = str(error), error.hint
    click.echo(f"error: {printable(message)}", err=True)
    if hint:
        click.echo(f"hint: {printable(hint)}", err=True)


def _of_click(error: click.ClickException) -> tuple[str, str]:
    """Return what click says is wrong, in the style of our own errors, and where to look."""
    hint = ""
    if isinstance(error, UsageHint):
        return error.message, error.hint
    message = error.message if isinstance(error, click.NoSuchOption) else error.format_message()
    message = " ".join(message.split()).rstrip(".")
    # "No such option" becomes "no such option"; "SOURCE …" stays as it is.
    message = message[:1].lower() + message[1:] if message[1:2].islower() else message
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx is not None else "swimmer"
        hint = f"see: {command} --help"
        if isinstance(error, click.NoSuchOption) and error.possibilities:
            hint = f"did you mean {' or '.join(sorted(error.possibilities))}? See: {command} --help"
    return message, hint
