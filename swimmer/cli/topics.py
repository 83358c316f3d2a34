"""`swimmer topics`: the topics of a store's map, and their names."""

from __future__ import annotations

import json

import click

from swimmer.cli.completion import complete_stores
from swimmer.cli.progress import ProgressLine
from swimmer.store import open_store
from swimmer.text import printable

_PHRASES = 3


@click.command("topics")
@click.argument("name", required=False, shell_complete=complete_stores)
@click.option(
    "--rename", nargs=2, metavar="OLD NEW", help="Give the topic OLD the name NEW, and keep it."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each topic.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
def topics_command(
    name: str | None, rename: tuple[str, str] | None, as_json: bool, quiet: bool
) -> None:
    """List the topics of the store NAME's map: papers, name, further phrases.

    A name that you give is kept with the store. It stays when the store is updated, as long as the
    topic is still mostly of the same papers.

    \b
    swimmer topics iclr2025
    swimmer topics iclr2025 --rename "cache compression" "long context"
    """
    from swimmer.analysis import paper_map, rename_topic

    with open_store(name) as store:
        with ProgressLine(quiet, unit="rounds") as progress:
            drawn = paper_map(store, progress=progress)
        if rename is not None:
            before = rename_topic(store, *rename)
            click.echo(f"{printable(before)} is now {printable(' '.join(rename[1].split()))}")
            return
    for topic in sorted(drawn.topics, key=lambda one: -one.papers):
        more = [word for word in topic.words if word != topic.name][:_PHRASES]
        if as_json:
            about = {"name": topic.name, "papers": topic.papers, "phrases": list(topic.words)}
            click.echo(json.dumps(about, ensure_ascii=False))
        else:
            line = f"{topic.papers:7,}  {topic.name:36s}  {', '.join(more)}"
            click.echo(printable(line.rstrip()))
