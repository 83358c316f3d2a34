"""What the map's script asks for: points, papers, titles that hold a text, colours; and saves."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from swimmer.errors import QueryError
from swimmer.web.list_pages import Fields, posted
from swimmer.web.map import MapStores, making_of, map_stores, paper_page, query_of
from swimmer.web.site import site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.analysis import Colouring

MOST_PAPERS = 200
"""Papers that one request may ask for; a selection that is saved may have more."""

MOST_SAVED = 500
_TEXT = 300
# A small answer is not worth the time.
_PLAIN = 1_000


def points(request: Request) -> Response:
    """Return the points of a map."""
    from swimmer.analysis import packed_payload, points_payload

    of = map_stores(request)
    drawn = making_of(request, of).made
    if drawn is None:
        return JSONResponse({"error": "the map is not computed yet"}, 503)
    return _json(request, of, packed_payload(points_payload(drawn)))


def papers(request: Request) -> Response:
    """Return the titles, authors and addresses of some papers, as columns."""
    from swimmer.analysis import paper_columns

    of = map_stores(request)
    rows = _rows(of, request.query_params.get("points", ""), MOST_PAPERS)
    found = of.papers(rows)
    columns = paper_columns([paper for _, paper in found])
    columns["page"] = [paper_page(name, paper) for name, paper in found]
    return _json(request, of, columns)


def find(request: Request) -> Response:
    """Return the points whose titles hold a text, whatever its case."""
    import numpy as np

    from swimmer.store import admitted

    of = map_stores(request)
    text = request.query_params.get("text", "")[:_TEXT].strip()
    filter = {"title": {"$contains": text.casefold()}}
    masks = [admitted(store.database, filter) for store in of.stores] if text else []
    found = np.flatnonzero(np.concatenate(masks)).tolist() if masks else []
    return _json(request, of, {"points": found})


def colours(request: Request) -> Response:
    """Return a number for each point, and what the numbers mean."""
    of = map_stores(request)
    by = request.query_params.get("by", "")
    # The reading list changes without the store.
    return _json(request, of, _colouring(request, of, by).payload(), kept=by != "list")


def _colouring(request: Request, of: MapStores, by: str) -> Colouring:
    import numpy as np

    from swimmer.analysis import FIELDS, by_field, by_membership, by_scores
    from swimmer.retrieval import all_scores

    if by in FIELDS:
        return by_field(of.stores, by)
    if by == "store" and len(of.stores) > 1:
        return by_membership(np.arange(len(of)) >= len(of.stores[0]), (of.names[0], of.names[1]))
    if by == "score" and (query := query_of(of, request.query_params)) is not None:
        return by_scores(np.concatenate([all_scores(store, query) for store in of.stores]))
    site = site_of(request)
    if by == "list" and not site.read_only:
        listed = np.zeros(len(of), bool)
        start = 0
        for name, store in zip(of.names, of.stores, strict=True):
            ids = [one.paper.id for one in site.reading.entries() if one.store == name]
            listed[[start + row for row in store.database.rows_of_ids(ids).values()]] = True
            start += len(store)
        return by_membership(listed, ("other papers", "on my list"))
    raise QueryError(f"the points cannot be coloured by {by[:40]!r}")


def keep(request: Request, fields: Fields) -> Response:
    """Add selected papers to the reading list."""
    site, of = site_of(request), map_stores(request)
    if site.read_only:
        return PlainTextResponse("This page is read only.", 403)
    if request.query_params.get("v") != of.version:
        return PlainTextResponse("The store has changed. Reload the page.", 409)
    found = of.papers(_rows(of, fields.get("points", ""), MOST_SAVED))
    before = site.reading.keys()
    site.reading.add_all(found)
    added = len(site.reading.keys()) - len(before)
    there = len(found) - added
    said = f"{added} {'paper' if added == 1 else 'papers'} added to the reading list."
    were = f" {there} {'was' if there == 1 else 'were'} on it already." if there else ""
    return PlainTextResponse(said + were)


def _rows(of: MapStores, text: str, most: int) -> list[int]:
    """Return rows from their numbers with commas between them.

    Raises:
        QueryError: one is not the number of a point, or there are too many.
    """
    parts = [part for part in text[: 10 * most].split(",") if part]
    rows = [
        int(part) if part.isascii() and part.isdecimal() and len(part) < 9 else -1 for part in parts
    ]
    if len(rows) > most or any(not 0 <= row < len(of) for row in rows):
        raise QueryError(f"no points of this map, or more than {most}", hint="reload the page")
    return rows


def _json(request: Request, of: MapStores, data: Any, *, kept: bool = True) -> Response:
    """Return data as JSON, compressed; the browser keeps it until a store changes."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    headers = {"Vary": "Accept-Encoding"}
    if len(body) > _PLAIN and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 5)
        headers["Content-Encoding"] = "gzip"
    if kept and request.query_params.get("v") == of.version:
        headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return Response(body, media_type="application/json", headers=headers)


ROUTES = [
    Route("/map/points", points),
    Route("/map/papers", papers),
    Route("/map/find", find),
    Route("/map/colours", colours),
    Route("/map/keep", posted(keep), methods=["POST"]),
]
