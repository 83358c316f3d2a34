"""The stores and papers as resources: JSON behind addresses."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from mcp.server.mcpserver import MCPServer, ResourceSecurity
from mcp.server.mcpserver.exceptions import ResourceNotFoundError

from swimmer.errors import SwimmerError
from swimmer.store import StorePool
from swimmer.toolkit import (
    as_text,
    paper_data,
    store_data,
    stores_data,
)


def add_resources(server: MCPServer[dict[str, object]], pool: StorePool) -> None:
    """Add the resources to a server: the stores, one store, one paper."""

    @server.resource(
        "swimmer://stores",
        title="The stores",
        mime_type="application/json",
        description="The stores of papers on this machine.",
    )
    def stores() -> str:
        return as_text(stores_data(pool.stores()))

    @server.resource(
        "swimmer://{store}",
        title="A store",
        mime_type="application/json",
        description="What a store holds: papers, model, date, the fields for conditions.",
    )
    def one_store(store: str) -> str:
        with _not_found():
            return as_text(store_data(pool.store(store)))

    # An id is looked up in a database and never a path: two dots in it do no harm.
    @server.resource(
        "swimmer://{store}/papers/{+id}",
        title="A paper",
        mime_type="application/json",
        description="One paper of a store, by its id.",
        security=ResourceSecurity(exempt_params={"id"}),
    )
    def paper(store: str, id: str) -> str:
        with _not_found():
            opened = pool.store(store)
            found = opened.get([id])
        if not found:
            raise ResourceNotFoundError(f"the store {opened.name} has no paper {id[:200]!r}")
        return as_text(paper_data(found[0], store=opened.name))


@contextlib.contextmanager
def _not_found() -> Iterator[None]:
    try:
        yield
    except SwimmerError as error:
        raise ResourceNotFoundError(error.full_text) from None
