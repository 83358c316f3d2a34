"""`swimmer serve`: your stores in the browser."""

from __future__ import annotations

import os

import click

from swimmer.cli.completion import complete_stores
from swimmer.errors import MissingExtraError


@click.command("serve")
@click.argument("stores", nargs=-1, metavar="[STORE]...", shell_complete=complete_stores)
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8765,
    show_default=True,
    help="Port; 0 takes a free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address; one that other computers can reach needs a token.",
)
@click.option(
    "--token",
    metavar="T",
    envvar="SWIMMER_TOKEN",
    help="Token that a visitor must give; by default a new one at each start, if needed.",
)
@click.option("--no-browser", is_flag=True, help="Do not open the page in a browser.")
@click.option("--read-only", is_flag=True, help="No reading list and no notes, for many visitors.")
def serve_command(
    stores: tuple[str, ...],
    port: int,
    host: str,
    token: str | None,
    no_browser: bool,
    read_only: bool,
) -> None:
    """Open your stores in the browser; stop with Ctrl-C.

    Every store of `swimmer list` can be chosen; a STORE given here comes first: a name, a path, or
    the address of a store on Milvus.
    Runs on your computer. Nothing is sent anywhere.

    \b
    swimmer serve
    swimmer serve iclr2025 --port 8000 --no-browser
    """
    # One search needs no threads for its algebra; many at once would compete for the cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from swimmer.store import find_store, is_milvus

    folders = [store if is_milvus(store) else find_store(store) for store in stores]
    try:
        from swimmer.web import serve
    except ImportError as error:
        if (error.name or "").split(".")[0] in ("swimmer", ""):
            raise
        raise MissingExtraError("swimmer serve", "web") from None
    serve(
        folders,
        host=host,
        port=port,
        token=token,
        browser=not no_browser,
        read_only=read_only,
    )
