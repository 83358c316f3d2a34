"""The pages of a file: where one is chosen, and the papers near a draft that it does not cite."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from swimmer.errors import QueryError, SwimmerError
from swimmer.web.pages import EXPORTS, download
from swimmer.web.results import answer_by_names
from swimmer.web.search_form import SearchForm
from swimmer.web.site import site_of
from swimmer.web.uploads import USES, TooLargeError, Upload, read_sent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from swimmer.retrieval import Answer, Hit
    from swimmer.web.results import Stores

K = 30
"""Papers near a draft."""

MOST_CITED = 20
"""Papers shown that a draft cites already."""

_BODY = 1 << 40
"""More than any body: `read_sent` itself refuses what is too large, with a message."""


def choose(request: Request) -> Response:
    """Return the form that takes a file."""
    return _choose(request, request.query_params)


def _choose(
    request: Request,
    given: Mapping[str, str],
    status: int = 200,
    problem: str = "",
    hint: str = "",
) -> Response:
    site = site_of(request)
    to = given.get("to", "")
    return site.page(
        request,
        "file.html",
        status=status,
        to=to if to in USES else "",
        store=given.get("store", "")[:200],
        problem=problem,
        hint=hint,
    )


async def take(request: Request) -> Response:
    """Take the files of a form, and go to the page that they are for."""
    fields: dict[str, str] = {}
    try:
        fields, files = await read_sent(request)
        return await run_in_threadpool(_taken, request, fields, Upload(files))
    except ClientDisconnect:
        return Response(status_code=400)
    except SwimmerError as error:
        status = 413 if isinstance(error, TooLargeError) else 400
        return _choose(request, fields, status, str(error), error.hint)


def _taken(request: Request, fields: dict[str, str], upload: Upload) -> Response:
    to, store = fields.get("to", ""), fields.get("store", "")[:200]
    if to not in USES:
        to = "near" if upload.is_draft else "check"
    # Read now, so that what is wrong with a file is said where it was chosen.
    _ = upload.draft if to == "near" else upload.references if to == "check" else upload.library
    given = {"file": site_of(request).uploads.put(upload)}
    # References are checked against all stores, until one is chosen there.
    if store and to != "check":
        given["store"] = store
    return RedirectResponse(f"/{to}?{urlencode(given)}", 303)


def near(request: Request) -> Response:
    """Return the papers that are nearest to a draft and not cited by it."""
    site = site_of(request)
    token, name, upload = _asked(request)
    answer, cited, stores = _near(request, upload, name)
    fields = {"file": token, "store": name}
    exports = {
        label: f"/near/export?{urlencode({**fields, 'format': format})}"
        for format, (label, _, _) in EXPORTS.items()
    }
    return site.page(
        request,
        "near_draft.html",
        box=site.box(name),
        upload=upload,
        token=token,
        choices=[info for info in site.pool.stores() if info.manifest is not None],
        chosen=name,
        answer=answer,
        cited=cited[:MOST_CITED],
        count=len(cited),
        form=SearchForm(name, why=True),
        exports=exports,
        several=len(stores) > 1,
    )


def export(request: Request) -> Response:
    """Return the papers near a draft as a file."""
    from swimmer.export import WRITERS

    format = request.query_params.get("format", "")
    if format not in EXPORTS:
        raise QueryError(
            f"unknown format {format[:40]!r}", hint=f"choose one of {', '.join(EXPORTS)}"
        )
    _, name, upload = _asked(request)
    answer, _, _ = _near(request, upload, name)
    _, ending, kind = EXPORTS[format]
    return download(WRITERS[format]([answer]), f"near-draft.{ending}", kind)


def _asked(request: Request) -> tuple[str, str, Upload]:
    """Return the token, the name of the store and the upload that an address names."""
    site = site_of(request)
    token = request.query_params.get("file", "")[:100]
    name = request.query_params.get("store", "")[:200] or site.pool.default()
    return token, name, site.uploads.get(token)


def _near(request: Request, upload: Upload, name: str) -> tuple[Answer, list[Hit], Stores]:
    from swimmer.analysis import related_in

    stores = site_of(request).stores_named(name)
    draft = upload.draft
    # What explains a hit lies in a folder.
    local = not any(store.remote for store in stores.values())
    answer, cited = related_in(list(stores.values()), draft, K, explain=local)
    answer = replace(answer, query=draft.paper.display_title)
    named = answer_by_names(stores, replace(answer, hits=[*answer.hits, *cited]))
    split = len(answer.hits)
    return replace(named, hits=list(named.hits[:split])), list(named.hits[split:]), stores


ROUTES: list[Any] = [
    Route("/file", choose, methods=["GET"]),
    Route("/file", take, methods=["POST"], max_body_size=_BODY),
    Route("/near", near),
    Route("/near/export", export),
]
