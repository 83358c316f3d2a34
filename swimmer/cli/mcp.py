"""`swimmer mcp`: your stores for agents, over the Model Context Protocol."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator

import click

from swimmer.cli.completion import complete_stores
from swimmer.errors import MissingExtraError


@click.command("mcp")
@click.option(
    "--store",
    "-s",
    metavar="NAME",
    shell_complete=complete_stores,
    help="Store for calls that name none: a name, a path, an address of Milvus.",
)
@click.option("--http", is_flag=True, help="Serve streamable HTTP instead of standard input.")
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8417,
    show_default=True,
    help="Port of --http on 127.0.0.1; 0 takes a free one.",
)
@click.option("--allow-build", is_flag=True, help="Let clients build stores from any source.")
@click.option("--allow-lists", is_flag=True, help="Let clients read and change your reading lists.")
def mcp_command(
    store: str | None, http: bool, port: int, allow_build: bool, allow_lists: bool
) -> None:
    """Serve your stores to agents over the Model Context Protocol.

    \b
    swimmer mcp                      one client, on standard input and output
    swimmer mcp --http --port 8417   any number, at http://127.0.0.1:8417/mcp

    Tools: find_similar_papers, search_papers, get_paper, list_stores, browse_papers, find_authors,
    papers_for_library, people_near, plan_conference, check_references, changed_topics; with
    --allow-lists get_reading_list and keep_paper. Resources: swimmer://stores, swimmer://STORE and
    swimmer://STORE/papers/ID. Prompts: related_work, reading_plan. See docs/agents.md for the
    configuration of common clients.
    """
    try:
        with _quick_import():
            from swimmer.mcp_server import build_server, serve_http, serve_stdio
    except ImportError as error:
        if (error.name or "").split(".")[0] in ("swimmer", ""):
            raise
        raise MissingExtraError("swimmer mcp", "mcp") from None
    server = build_server(store, allow_build=allow_build, allow_lists=allow_lists)
    if http:
        serve_http(server, port)
    else:
        serve_stdio(server)


@contextlib.contextmanager
def _quick_import() -> Iterator[None]:
    """Import the SDK faster: a client waits for it at every start.

    Collecting garbage while some 800 classes are defined finds none, and looking for pydantic
    plugins reads the metadata of every installed package.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.freeze()
