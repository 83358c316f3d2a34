"""Write docs/cli.md from the help texts of the command line.

python docs/generate_cli.py           write it
python docs/generate_cli.py --check   exit 1 when it is not what the help texts say
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from swimmer.cli import VERBS, cli
from swimmer.cli.prompt import COMMANDS

PAGE = Path(__file__).parent / "cli.md"
WIDTH = 88

BEFORE = """\
# The command line

<!-- Written by docs/generate_cli.py from the help texts; a test keeps it current. -->

Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 a check
failed, 2 bad input, 130 interrupted. An error is two lines at most: `error: …` says what is wrong,
`hint: …` what to do.
"""

PROMPT = """\
## The prompt

`swimmer` without a command opens a prompt: type a title or any words. Tab completes titles, the
arrow keys show earlier lines. A line that begins with a colon is a command:

"""


def help_of(command: click.Command, name: str, parent: click.Context | None = None) -> str:
    """Return a command's help, wrapped to the same width on every machine."""
    with click.Context(
        command,
        info_name=name,
        parent=parent,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        **command.context_settings,
    ) as context:
        return "\n".join(line.rstrip() for line in command.get_help(context).splitlines())


def page() -> str:
    """Return the whole page."""
    parts = [BEFORE, f"```text\n{help_of(cli, 'swimmer')}\n```\n", PROMPT.rstrip("\n"), ""]
    prompt = "\n".join(f"{name} {what}" for name, what in COMMANDS.items())
    parts.append(f"```text\n{prompt}\n```\n")
    with click.Context(cli, info_name="swimmer", **cli.context_settings) as root:
        for verb in VERBS:
            command = cli.get_command(root, verb)
            assert command is not None
            parts += [f"## swimmer {verb}\n", f"```text\n{help_of(command, verb, root)}\n```\n"]
    return "\n".join(parts)


def main() -> None:
    """Write the page, or check it."""
    text = page()
    if "--check" not in sys.argv[1:]:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
        raise SystemExit(f"{PAGE.name} is out of date; run: python docs/generate_cli.py")


if __name__ == "__main__":
    main()
