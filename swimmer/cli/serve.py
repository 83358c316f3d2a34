"""`swimmer serve`: the stores as a page in the browser."""

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
    help="Port to listen at; 0 takes a free one.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen at; any that others can reach needs a token.",
)
@click.option(
    "--token",
    metavar="T",
    envvar="SWIMMER_TOKEN",
    help="What a visitor must show; made anew at each start when others can connect.",
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
    """Serve the stores as a page in the browser, until Ctrl-C.

    Every store that `swimmer list` shows can be chosen there; a STORE named here, by name or path,
    comes first. Nothing leaves this machine.

    \b
    swimmer serve
    swimmer serve iclr2025 --port 8000 --no-browser
    """
    # One question at a time needs no threads for its algebra; many at once would fight over them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from swimmer.store import find_store

    folders = [find_store(store) for store in stores]
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
