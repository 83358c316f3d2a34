"""`swimmer update`: downloads a store's list again and updates the store."""

from __future__ import annotations

import click

from swimmer.build import BuildReport, plan_update, run_build
from swimmer.cli.build import fetch_options, report_lines
from swimmer.cli.options import model_options
from swimmer.cli.progress import ProgressLine
from swimmer.errors import SourceError
from swimmer.sources import Source, open_source
from swimmer.store import PaperStore, open_store
from swimmer.text import printable

SHOWN = 10
_WORDS = {"added": "added", "changed": "changed", "removed": "withdrawn"}


@click.command("update")
@click.argument("name", required=False)
@click.option("--from", "source", metavar="SOURCE", help="Use another source than the store's own.")
@click.option("--dry-run", is_flag=True, help="Only report what would change.")
@click.option("--keep-withdrawn", is_flag=True, help="Keep papers that are no longer in the list.")
@click.option("--force", is_flag=True, help="Update even if more than half of the papers are gone.")
@click.option("--offline", is_flag=True, help="Use what is kept on disk; download nothing.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
@model_options
def update_command(
    name: str | None,
    source: str | None,
    dry_run: bool,
    keep_withdrawn: bool,
    force: bool,
    offline: bool,
    quiet: bool,
    trust_model: bool,
) -> None:
    """Download the list of the store NAME again and update the store.

    Unchanged pages are not downloaded again; papers with unchanged text are not embedded again.
    Added, changed and withdrawn papers are reported by title.
    """
    opening = open_store(name, trust_model=trust_model)
    with ProgressLine(quiet) as progress, opening as store:
        opened = source_of(store, source, fetch_options(progress, offline=offline, fresh=True))
        plan = plan_update(opened, store, prune=not keep_withdrawn, progress=progress)
        progress.close()
        if not force:
            check_few_removed(plan, store, opened)
        click.echo("\n".join(change_lines(plan)))
        if dry_run:
            click.echo("dry run: nothing was changed")
            return
        folder = store.folder
        assert folder is not None
        if not (plan.added or plan.changed or plan.removed):
            click.echo(f"{store.name} is up to date: {len(store):,} papers")
            return
    with ProgressLine(quiet) as progress:
        # The downloaded list is kept on disk; reading it again needs no network.
        updated, report = run_build(
            opened,
            folder,
            prune=not keep_withdrawn,
            progress=progress,
            trust_model=trust_model,
        )
    click.echo("\n".join(report_lines(report, updated.name, str(updated.folder))))
    updated.close()


def check_few_removed(plan: BuildReport, store: PaperStore, source: Source) -> None:
    """Refuse an update that would remove more than half of the papers of a store.

    Raises:
        SourceError: it would.
    """
    if plan.removed * 2 > len(store):
        raise SourceError(
            f"{store.name}: {plan.removed:,} of its {len(store):,} papers are not in "
            f"{source.origin} any more; nothing was changed",
            hint="give --keep-withdrawn to keep them, or --force to remove them",
        )


def source_of(store: PaperStore, source: str | None, options: object) -> Source:
    """Return the source that is given, else the one that a store was built from.

    Raises:
        SourceError: it cannot be read.
    """
    from swimmer.sources import SourceOptions

    assert isinstance(options, SourceOptions)
    origin = source or store.manifest.source
    try:
        return open_source(origin, options)
    except SourceError as error:
        if source:
            raise
        raise SourceError(
            f"{store.name} was built from {origin or 'an unknown source'}, which "
            f"cannot be read again ({error})",
            hint="name another with --from SOURCE",
        ) from None


def change_lines(report: BuildReport, shown: int = SHOWN) -> list[str]:
    """Return the titles of added, changed and withdrawn papers, as lines of text."""
    lines = []
    for what, word in _WORDS.items():
        count: int = getattr(report, what)
        titles = report.titles.get(what, [])[:shown]
        if count:
            lines.append(f"{word} {count:,}")
            lines += [f"  {title}" for title in titles]
            if count > len(titles):
                lines.append(f"  … and {count - len(titles):,} more")
    return [printable(line) for line in lines] or ["no paper was added, changed or withdrawn"]
