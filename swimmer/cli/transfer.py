"""`swimmer push` and `swimmer pull`: stores moved between folders and Milvus."""

from __future__ import annotations

import click

from swimmer.cli.completion import complete_stores
from swimmer.cli.progress import ProgressLine
from swimmer.store import INDEXES
from swimmer.text import printable


@click.command("push")
@click.argument("name", shell_complete=complete_stores)
@click.argument("address")
@click.option(
    "--index",
    type=click.Choice(list(INDEXES)),
    help="Index of the vectors of a new collection; by default what its size asks for.",
)
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def push_command(name: str, address: str, index: str | None, quiet: bool) -> None:
    """Write the store NAME to Milvus, at ADDRESS: papers and vectors, nothing is embedded.

    Papers that are there with the same content are not sent again, others are deleted. An
    interrupted push goes on when the same command is given again. The token of a server is read
    from SWIMMER_MILVUS_TOKEN.

    \b
    swimmer push iclr2025 milvus://localhost:19530/iclr2025
    swimmer push iclr2025 milvus+file:papers.db
    swimmer search "Attention Is All You Need" --store milvus+file:papers.db
    """
    from swimmer.store import push_store

    with ProgressLine(quiet) as progress:
        done = push_store(name, address, index=index or "", progress=progress)
    click.echo(
        printable(
            f"pushed {name}: {done.papers:,} papers in {done.address} ({done.written:,} written, "
            f"{done.unchanged:,} unchanged, {done.deleted:,} deleted)"
        )
    )
    click.echo(f"search {done.index} index, recall@10 {done.recall:.3f} of a sample")


@click.command("pull")
@click.argument("address")
@click.option("--name", "-n", metavar="NAME", help="Name or path of the new store.")
@click.option("--quiet", "-q", is_flag=True, help="Show no progress.")
def pull_command(address: str, name: str | None, quiet: bool) -> None:
    """Make a store in a folder of the one on Milvus at ADDRESS; nothing is embedded.

    \b
    swimmer pull milvus://localhost:19530/iclr2025 --name again
    """
    from swimmer.store import pull_store

    with ProgressLine(quiet) as progress:
        store = pull_store(address, name, progress=progress)
    click.echo(printable(f"pulled {store.name}: {len(store):,} papers in {store.folder}"))
    store.close()
