"""Bold, dim and coloured text for a terminal, as click has it: to import click takes longer."""

from __future__ import annotations

import re
import sys

_CODES = {"bold": 1, "dim": 2, "yellow": 33, "cyan": 36}


def styled(text: str, *, bold: bool = False, dim: bool = False, fg: str = "") -> str:
    """Return a text with the codes of a terminal (ECMA-48, SGR) around it.

    Args:
        text: what is shown.
        bold: in bold letters.
        dim: in grey.
        fg: a colour, "yellow" or "cyan".
    """
    names = [name for name, is_set in (("bold", bold), ("dim", dim), (fg, bool(fg))) if is_set]
    codes = "".join(f"\x1b[{_CODES[name]}m" for name in names)
    return f"{codes}{text}\x1b[0m" if codes else text


def echo(text: str) -> None:
    """Write a text and a line end to standard output, in plain letters where it is no terminal."""
    if not sys.stdout.isatty():
        text = re.sub(r"\x1b\[\d+m", "", text)
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
