"""The page of the reading lists: papers, notes, status, tags, order, exports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from swimmer.errors import QueryError
from swimmer.library import NOTE_LIMIT, STATUSES, ListEntry, written
from swimmer.web.pages import EXPORTS, download
from swimmer.web.site import MenuItem, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.library import ReadingList

Fields = Mapping[str, str]
FORMATS = ("reading-list", "json", "csv", "bibtex", "ris")
_MOST_FIELDS = 20
# A browser needs seconds to show two thousand forms.
_PAGE = 100
_LONGEST = 200


@dataclass(frozen=True)
class View:
    """Which part of the lists is shown: a list by name, a status, a tag; None for all."""

    name: str | None = None
    status: str | None = None
    tag: str | None = None

    @classmethod
    def of(cls, given: Fields) -> View:
        """Return the view that the fields of an address or a form ask for."""
        return cls(*(given.get(name, "")[:_LONGEST] or None for name in ("list", "status", "tag")))

    @property
    def ordered(self) -> bool:
        """Whether the papers can be moved: they are all of a list."""
        return not (self.status or self.tag)

    @property
    def fields(self) -> dict[str, str]:
        """The fields that differ from showing everything, for addresses and forms."""
        given = {"list": self.name, "status": self.status, "tag": self.tag}
        return {name: value for name, value in given.items() if value}

    def entries(self, reading: ReadingList) -> list[ListEntry]:
        """Return the papers that are shown."""
        return reading.entries(self.name, status=self.status, tag=self.tag)


def reading_list(request: Request) -> Response:
    """Return a page of a list: by number, or the one with a paper."""
    given = request.query_params
    return _page(request, "list.html", given, given.get("at", ""))


def _page(request: Request, template: str, given: Fields, key: str = "") -> Response:
    site = site_of(request)
    view, page = View.of(given), given.get("page", "")
    every = site.reading.entries()
    entries = view.entries(site.reading)
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
        view=view,
        every=len(every),
        names=site.reading.names(),
        tags=sorted({tag for entry in every for tag in entry.tags}, key=str.casefold),
        statuses=STATUSES,
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
    return _back({}, entry.key)


def remove(request: Request, fields: Fields) -> Response:
    """Remove a paper from the list that is shown, or from all."""
    site_of(request).reading.remove(fields.get("key", ""), View.of(fields).name)
    return _changed(request, fields)


def note(request: Request, fields: Fields) -> Response:
    """Set the note, the status, the tags and the lists of a paper, those that are given."""
    given: dict[str, Any] = {name: fields[name] for name in ("note", "status") if name in fields}
    # The names stand in one field, with commas between them.
    given |= {
        name: [part for part in fields[field].split(",") if part.strip()]
        for name, field in (("tags", "tags"), ("lists", "lists"))
        if field in fields
    }
    site_of(request).reading.edit(fields.get("key", ""), **given)
    if "hx-request" in request.headers:
        return Response("saved", media_type="text/plain")
    return _back({"list": fields.get("list", "")}, fields["key"])


def move(request: Request, fields: Fields) -> Response:
    """Move a paper up or down by one."""
    steps = {"up": -1, "down": 1}
    way = fields.get("way", "")
    if way not in steps:
        raise QueryError(f"a paper can be moved up or down, not {way[:40]!r}")
    reading = site_of(request).reading
    reading.move(fields.get("key", ""), steps[way], View.of(fields).name)
    return _changed(request, fields, fields.get("key", ""))


def _changed(request: Request, fields: Fields, key: str = "") -> Response:
    if "hx-request" in request.headers:
        return _page(request, "list_papers.html", fields, key)
    return _back(fields, key)


def _back(fields: Fields, key: str) -> Response:
    wanted = View.of(fields).fields
    page, place = fields.get("page", ""), ""
    if key.isascii() and key.isalnum():
        wanted, place = {**wanted, "at": key}, f"#{key}"
    elif page.isascii() and page.isdecimal():
        wanted = {**wanted, "page": page}
    query = f"?{urlencode(wanted)}" if wanted else ""
    return RedirectResponse(f"/list{query}{place}", 303)


def export(request: Request) -> Response:
    """Return the list as a file."""
    format = request.query_params.get("format", "")
    if format not in FORMATS:
        raise QueryError(
            f"unknown format {format[:40]!r}", hint=f"choose one of {', '.join(FORMATS)}"
        )
    _, ending, kind = EXPORTS[format]
    text = written(format, View.of(request.query_params).entries(site_of(request).reading))
    return download(text, f"reading-list.{ending.removeprefix('reading-list.')}", kind)


ROUTES = [
    Route("/list", reading_list),
    Route("/list/export", export),
    Route("/list/add", posted(add), methods=["POST"]),
    Route("/list/remove", posted(remove), methods=["POST"]),
    Route("/list/note", posted(note), methods=["POST"]),
    Route("/list/move", posted(move), methods=["POST"]),
]
MENU = [MenuItem("/list", "Reading list")]
