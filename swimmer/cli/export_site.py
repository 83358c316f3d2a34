"""`swimmer export-site`: a store as a static site that searches in the browser."""

from __future__ import annotations

import click

from swimmer.cli.completion import complete_stores
from swimmer.cli.progress import ProgressLine
from swimmer.store import open_store
from swimmer.text import printable


@click.command("export-site")
@click.argument("name", required=False, shell_complete=complete_stores)
@click.option("--output", "-o", metavar="DIR", required=True, help="The folder to write.")
@click.option("--no-abstracts", is_flag=True, help="Leave the abstracts out.")
@click.option("--no-map", is_flag=True, help="Leave the map out.")
@click.option("--overwrite", is_flag=True, help="Replace an earlier site.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def export_site_command(
    name: str | None, output: str, no_abstracts: bool, no_map: bool, overwrite: bool, quiet: bool
) -> None:
    """Write the store NAME as a static site: search, papers and map, without a server.

    The folder can be put on any web host, or opened from the disk. The search runs in the browser.
    The abstracts are in it: ask yourself whether you may publish them.

    \b
    swimmer export-site iclr2025 -o site
    """
    from swimmer.static_site import check_target, export_site

    check_target(output, overwrite=overwrite)
    with open_store(name) as store, ProgressLine(quiet, unit="rounds") as progress:
        made = export_site(
            store,
            output,
            abstracts=not no_abstracts,
            with_map=not no_map,
            overwrite=overwrite,
            progress=progress,
        )
    for file, size in made.files.items():
        click.echo(f"{size:12,}  {printable(file)}")
    click.echo(f"{made.size:12,}  bytes in {printable(str(made.folder))}: {made.papers:,} papers")
