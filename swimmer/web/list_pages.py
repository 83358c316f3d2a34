"""The page of the reading list: papers, notes, order, exports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from swimmer.errors import QueryError
from swimmer.library import NOTE_LIMIT, ListEntry
from swimmer.web.pages import EXPORTS, download
from swimmer.web.site import MenuItem, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.papers import Paper

Fields = Mapping[str, str]
FORMATS = ("reading-list", "json", "csv", "bibtex", "ris")
_MOST_FIELDS = 20
# A browser needs seconds to show two thousand forms.
_PAGE = 100


def reading_list(request: Request) -> Response:
    """Return a page of the list: by number, or the one with a paper."""
    given = request.query_params
    return _page(request, "list.html", given.get("page", ""), given.get("at", ""))


def _page(request: Request, template: str, page: str = "", key: str = "") -> Response:
    site = site_of(request)
    entries = site.reading.entries()
    place = next((i for i, entry in enumerate(entries) if entry.key == key), None)
    pages = max(1, -(-len(entries) // _PAGE))
    number = int(page) if page.isascii() and page.isdecimal() and len(page) < 6 else 1
    number = min(max(number, 1), pages) if place is None else place // _PAGE + 1
    start = (number - 1) * _PAGE
    there = {info.name for info in site.pool.stores() if info.manifest is not None}
    return site.page(
        request,
        template,
        entries=entries[start : start + _PAGE],
        count=len(entries),
        start=start,
        number=number,
        pages=pages,
        stores_there=there,
        problem=site.reading.problem,
        exports={name: EXPORTS[name] for name in FORMATS},
        note_limit=NOTE_LIMIT,
    )


def posted(
    change: Callable[[Request, Fields], Response],
) -> Callable[[Request], object]:
    """Return an endpoint that reads a small form and makes a change in a worker thread."""

    async def endpoint(request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:
            # The browser has disconnected.
            return Response(status_code=400)
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError:
            raise QueryError("the form cannot be read") from None
        return await run_in_threadpool(change, request, dict(pairs))

    return endpoint


def add(request: Request, fields: Fields) -> Response:
    """Add a paper of a store to the list."""
    site = site_of(request)
    name = fields.get("store", "")[:200]
    found = site.pool.store(name).get([fields.get("id", "")[:500]])
    if not found:
        raise QueryError(f"the store {name} has no such paper", hint="reload the page")
    entry = site.reading.add(name, found[0])
    if "hx-request" in request.headers:
        return site.page(request, "kept.html", key=entry.key, title=found[0].display_title)
    return _back(entry.key)


def remove(request: Request, fields: Fields) -> Response:
    """Remove a paper from the list."""
    site_of(request).reading.remove(fields.get("key", ""))
    return _changed(request, page=fields.get("page", ""))


def note(request: Request, fields: Fields) -> Response:
    """Set the note of a paper."""
    site = site_of(request)
    site.reading.note(fields.get("key", ""), fields.get("note", ""))
    if "hx-request" in request.headers:
        return Response("saved", media_type="text/plain")
    return _back(fields["key"])


def move(request: Request, fields: Fields) -> Response:
    """Move a paper up or down by one."""
    steps = {"up": -1, "down": 1}
    way = fields.get("way", "")
    if way not in steps:
        raise QueryError(f"a paper can be moved up or down, not {way[:40]!r}")
    site_of(request).reading.move(fields.get("key", ""), steps[way])
    return _changed(request, fields.get("key", ""))


def _changed(request: Request, key: str = "", page: str = "") -> Response:
    if "hx-request" in request.headers:
        return _page(request, "list_papers.html", page, key)
    return _back(key, page)


def _back(key: str, page: str = "") -> Response:
    if key.isascii() and key.isalnum():
        return RedirectResponse(f"/list?at={key}#{key}", 303)
    known = page.isascii() and page.isdecimal()
    return RedirectResponse(f"/list?page={page}" if known else "/list", 303)


def export(request: Request) -> Response:
    """Return the list as a file."""
    format = request.query_params.get("format", "")
    if format not in FORMATS:
        raise QueryError(
            f"unknown format {format[:40]!r}", hint=f"choose one of {', '.join(FORMATS)}"
        )
    _, ending, kind = EXPORTS[format]
    text = _written(format, site_of(request).reading.entries())
    return download(text, f"reading-list.{ending.removeprefix('reading-list.')}", kind)


def _written(format: str, entries: Iterable[ListEntry]) -> str:
    if format == "reading-list":
        from swimmer.export import to_reading_list

        return to_reading_list(_papers(entries))
    if format == "bibtex":
        from swimmer.export import to_bibtex

        return to_bibtex(_papers(entries))
    if format == "ris":
        from swimmer.export import to_ris

        return to_ris(_papers(entries))
    from swimmer.export import papers_to_csv, papers_to_json

    return (papers_to_json if format == "json" else papers_to_csv)(_papers(entries))


def _papers(entries: Iterable[ListEntry]) -> list[Paper]:
    """Return the papers of a list with their notes; ids are unique."""
    found: dict[str, Paper] = {}
    for entry in entries:
        paper = entry.paper
        if entry.note:
            extra = {**paper.extra, "reading_notes": entry.note.split("\n")}
            paper = replace(paper, extra=extra)
        if paper.id in found:
            paper = replace(paper, id=f"{entry.store}:{paper.id}")
        found[paper.id] = paper
    return list(found.values())


ROUTES = [
    Route("/list", reading_list),
    Route("/list/export", export),
    Route("/list/add", posted(add), methods=["POST"]),
    Route("/list/remove", posted(remove), methods=["POST"]),
    Route("/list/note", posted(note), methods=["POST"]),
    Route("/list/move", posted(move), methods=["POST"]),
]
MENU = MenuItem("/list", "Reading list")
