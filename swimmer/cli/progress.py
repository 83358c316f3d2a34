"""Progress of long work, on standard error."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from swimmer.cli.output import terminal_width
from swimmer.text import printable

LINE_SECONDS = 5.0
"""Seconds between two lines of progress where standard error is no terminal."""


class ProgressLine:
    """Progress on standard error: a bar on a terminal, a line every few seconds elsewhere."""

    def __init__(
        self, quiet: bool = False, unit: str = "papers", *, seconds: float = LINE_SECONDS
    ) -> None:
        self.done = 0
        self._quiet = quiet
        self._unit = unit
        self._seconds = seconds
        self._stage = ""
        self._bar: Any = None
        self._said = time.monotonic()

    def __enter__(self) -> ProgressLine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def say(self, text: str) -> None:
        """Show a message, such as the page that is being downloaded."""
        if self._quiet:
            return
        self.close()
        self._stage = ""
        if sys.stderr.isatty():
            # The next message replaces this line, as a bar would.
            width = terminal_width() - 1
            click.echo(f"\r{printable(text)[:width]:<{width}}\r", err=True, nl=False)
        else:
            click.echo(printable(text), err=True)

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Show how far the work is."""
        if stage == "embedding":
            self.done = done
        if self._quiet:
            return
        if sys.stderr.isatty():
            self._show_bar(stage, done, total)
        elif time.monotonic() - self._said >= self._seconds:
            self._said = time.monotonic()
            of = f" of {total:,}" if total else ""
            amount = f": {done:,}{of} {self._unit}" if done or total else " …"
            click.echo(f"{stage}{amount}", err=True)

    def _show_bar(self, stage: str, done: int, total: int | None) -> None:
        if stage != self._stage:
            from tqdm import tqdm

            self.close()
            self._stage = stage
            self._bar = tqdm(
                desc=stage, total=total, unit=f" {self._unit}", leave=False, dynamic_ncols=True
            )
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
