"""`swimmer build`: a paper list in, a store out, with a report of what was done."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from swimmer.build import BuildReport, build_store
from swimmer.text import printable


@click.command("build")
@click.argument("source")
@click.option("--name", "-n", metavar="NAME", help="Name (or path) of the store.")
@click.option("--model", "-m", metavar="MODEL", help="Embedding model; the store's own or static.")
@click.option("--prune", is_flag=True, help="Remove papers that the list does not hold any more.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def build_command(
    source: str, name: str | None, model: str | None, prune: bool, quiet: bool
) -> None:
    """Build a store from SOURCE, or bring one up to date.

    SOURCE is a file: JSON, JSON lines, CSV or TSV, also gzip-compressed, recognised from its
    content. Only new or changed text is embedded; a build that was interrupted goes on where it
    was when the same command is given again.
    """
    with ProgressLine(quiet) as progress:
        try:
            store = build_store(source, name, model=model, prune=prune, progress=progress)
        except KeyboardInterrupt:
            progress.close()
            click.echo(
                "swimmer: interrupted; the same command goes on from here "
                f"({progress.done:,} papers embedded are kept)",
                err=True,
            )
            raise click.exceptions.Exit(130) from None
    assert store.report is not None
    click.echo("\n".join(report_lines(store.report, store.name, str(store.folder))))
    store.close()


class ProgressLine:
    """Progress on standard error: a bar on a terminal, a line every few seconds elsewhere."""

    SECONDS = 5.0

    def __init__(self, quiet: bool = False) -> None:
        self.done = 0
        self._quiet = quiet
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

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        """Show how far the build is."""
        if stage == "embedding":
            self.done = done
        if self._quiet:
            return
        if sys.stderr.isatty():
            self._show_bar(stage, done, total)
        elif time.monotonic() - self._said >= self.SECONDS:
            self._said = time.monotonic()
            of = f" of {total:,}" if total else ""
            click.echo(f"{stage}: {done:,}{of} papers", err=True)

    def _show_bar(self, stage: str, done: int, total: int | None) -> None:
        if stage != self._stage:
            from tqdm import tqdm

            self.close()
            self._stage = stage
            self._bar = tqdm(
                desc=stage, total=total, unit=" papers", leave=False, dynamic_ncols=True
            )
        if self._bar is not None:
            self._bar.update(done - self._bar.n)


def report_lines(report: BuildReport, name: str, folder: str) -> list[str]:
    """Return what a build did, in lines for a person."""
    source = report.source
    lines = [f"read       {source.read:,} records"]
    for reason, entry in source.skipped.items():
        places = ", ".join(entry.places)
        more = ", …" if entry.count > len(entry.places) else ""
        lines.append(f"left out   {entry.count:,}: {reason} ({places}{more})")
    if report.merged:
        lines.append(f"merged     {report.merged:,} second copies of a paper")
    if source.without_abstract:
        lines.append(f"no abstract in {source.without_abstract:,} (kept by their titles)")
    if report.unknown:
        lines.append(f"unreadable {report.unknown:,} hold no word that the model knows")
    lines.append(
        f"papers     {report.added:,} added, {report.changed:,} changed, "
        f"{report.unchanged:,} unchanged, {report.removed:,} removed"
    )
    resumed = f", {report.resumed:,} taken from the interrupted build" if report.resumed else ""
    lines.append(f"embedded   {report.embedded:,}{resumed}")
    lines.append(f"store      {name}: {report.papers:,} papers in {folder} ({report.seconds:.1f} s)")
    return [printable(line) for line in lines]
