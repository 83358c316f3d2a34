"""The page as an ASGI application: its routes, its error pages, its security."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import AsyncIterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from swimmer.errors import (
    InputError,
    ModelError,
    RemoteStoreError,
    StoreBusyError,
    StoreNotFoundError,
    StoreUnavailableError,
    SwimmerError,
)
from swimmer.library import ReadingList
from swimmer.store import StorePool
from swimmer.web.security import BODY_LIMIT, Guard, known_hosts
from swimmer.web.site import STATIC, MenuItem, Site, site_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import Scope

PARTS = [
    "swimmer.web.pages",
    "swimmer.web.glance",
    "swimmer.web.paper_page",
    "swimmer.web.person_page",
    "swimmer.web.map",
    "swimmer.web.map_data",
    "swimmer.web.daily_page",
    "swimmer.web.for_you_pages",
    "swimmer.web.plan_page",
    "swimmer.web.check_page",
    "swimmer.web.file_pages",
    "swimmer.web.list_pages",
]
"""The modules of the page, each with `ROUTES`, and with `MENU` if it is in the menu.

To add a page, add its module here.
"""

PRIVATE_PARTS = {
    "swimmer.web.for_you_pages",
    "swimmer.web.plan_page",
    "swimmer.web.check_page",
    "swimmer.web.file_pages",
    "swimmer.web.list_pages",
}
"""The parts of the reading list and of the reader's files: a page for many visitors lacks them."""

THREADS = 4
"""Searches at the same time: more would only wait for the same cores."""


def create_app(
    stores: Sequence[Path | str] = (),
    *,
    host: str = "127.0.0.1",
    token: str = "",
    reading_list: Path | None = None,
    read_only: bool = False,
) -> Starlette:
    """Return the page as an ASGI application.

    Args:
        stores: folders, or addresses of Milvus, to serve besides what `swimmer list` finds.
        host: the address of the server; decides which names in a Host header are accepted.
        token: what a visitor must give, "" for no token.
        reading_list: the file of the reading list, by default the user's own.
        read_only: leave out the reading list with its notes; nothing can be changed then.
    """
    routes: list[BaseRoute] = [Mount("/static", _Static(directory=STATIC))]
    menu: list[MenuItem] = []
    for name in (part for part in PARTS if not (read_only and part in PRIVATE_PARTS)):
        part = import_module(name)
        routes += part.ROUTES
        menu += getattr(part, "MENU", [])
    site = Site(StorePool(stores), ReadingList(reading_list), menu, read_only)
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, knows=known_hosts(host), token=token)],
        exception_handlers={
            SwimmerError: _on_error,
            HTTPException: _on_http_error,
            Exception: _on_bug,
        },
        lifespan=_lifespan,
        max_body_size=BODY_LIMIT,
    )
    app.state.site = site
    return app


class _Static(StaticFiles):
    """Static files; the browser keeps those whose address has a version."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if scope["query_string"].startswith(b"v=") and response.status_code == 200:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    import anyio.to_thread

    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    # The first search should not wait for what is read or counted once.
    threading.Thread(target=_warm, args=(app.state.site,), daemon=True).start()
    yield


def _warm(site: Site) -> None:
    from swimmer.retrieval import complete, count_facets
    from swimmer.web.results import similar_papers

    with contextlib.suppress(SwimmerError):
        store = site.pool.store(site.pool.default())
        if len(store) and not store.remote:
            similar_papers(store, store.papers([0])[0], 1)
            # What is counted once, and kept.
            complete(store, "the")
            count_facets(store, {})


def _on_error(request: Request, error: Exception) -> Response:
    """Return an error of swimmer as a page, or as a line for a request of a part of a page."""
    assert isinstance(error, SwimmerError)
    if isinstance(error, StoreNotFoundError):
        status, title = 404, "No such store"
    elif isinstance(error, InputError):
        status, title = 400, "This search is not valid"
    elif isinstance(error, RemoteStoreError):
        status, title = 400, "This needs a store in a folder"
    elif isinstance(error, StoreUnavailableError):
        status, title = 503, "The server of this store does not answer"
    elif isinstance(error, StoreBusyError):
        status, title = 503, "The store is busy"
    else:
        status = 503 if isinstance(error, ModelError) else 500
        title = "The model is not available" if status == 503 else "The store cannot be read"
    return _failed(request, status, title, str(error), error.hint)


def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return _failed(request, 404, "No such page", "There is no page at this address.")
    return _failed(request, error.status_code, "The request failed", error.detail)


def _on_bug(request: Request, error: Exception) -> Response:
    # The error may be in the templates too; the log has the traceback.
    return HTMLResponse(
        "<!doctype html><title>Error</title><p>An internal error occurred; see the "
        "terminal that runs swimmer serve.",
        500,
    )


def _failed(request: Request, status: int, title: str, message: str, hint: str = "") -> Response:
    site = site_of(request)
    if "hx-request" in request.headers or request.url.path == "/complete":
        return site.fragment("failure.html", status=status, message=message, hint=hint)
    stores = [info for info in site.pool.stores() if info.manifest is not None]
    return site.page(
        request, "error.html", status=status, title=title, message=message, hint=hint, stores=stores
    )
