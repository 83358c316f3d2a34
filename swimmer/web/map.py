"""The page of a store's map: computed once in the background, then shown with hits marked."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from swimmer.errors import QueryError, SwimmerError
from swimmer.web.search_form import QUERY_LIMIT
from swimmer.web.site import MenuItem, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.analysis import Marked, PaperMap
    from swimmer.retrieval import Answer
    from swimmer.store import PaperStore

HITS = 10
HELD = 8
"""Maps kept in memory; others are read from disk again."""

_STAGES = {
    "waiting": "waiting for the map of another store",
    "placing": "placing the papers",
    "naming": "finding and naming the topics",
}


@dataclass
class Making:
    """A map that is being computed, or its result."""

    stage: str = "waiting"
    done: int = 0
    total: int = 0
    made: PaperMap | None = None
    problem: str = ""
    told: bool = False


@dataclass
class Maps:
    """The maps of a server's stores; each is computed once, one at a time."""

    _held: dict[tuple[str, str], Making] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # One map uses every core: two at once would not be faster, and searches would wait.
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def of(self, store: PaperStore) -> Making:
        """Return the map of a store; if there is none, start to compute it in the background."""
        from swimmer.analysis import kept_map

        key = str(store.folder), store.generation
        with self._lock:
            making = self._held.pop(key, None)
            if making is None or (making.problem and making.told):
                making = Making(made=kept_map(store))
                if making.made is None:
                    arguments = (store, making, self._turn)
                    threading.Thread(target=_make, args=arguments, daemon=True).start()
            self._held[key] = making
            # A map that is being computed is never dropped: it would be started again.
            done = [
                one for one, held in self._held.items() if held.made is not None or held.problem
            ]
            for one in done[: max(0, len(self._held) - HELD)]:
                del self._held[one]
            return making


def _make(store: PaperStore, making: Making, turn: threading.Lock) -> None:
    def tell(stage: str, done: int, total: int | None) -> None:
        making.stage, making.done, making.total = stage, done, total or 0

    from swimmer.analysis import paper_map

    try:
        with turn:
            making.made = paper_map(store, progress=tell)
    except SwimmerError as error:
        making.problem = error.full_text
    except BaseException:
        # The page must not wait for ever; the terminal has the traceback.
        making.problem = "The map could not be computed; see the terminal that runs swimmer serve."
        raise


def show(request: Request) -> Response:
    """Return the map of a store, with the hits of a query marked."""
    from swimmer.analysis import FEWEST, marked

    site = site_of(request)
    given = _given(request)
    # The name as given: behind a link, the folder may have another name, which is not served.
    given["store"] = given["store"] or site.pool.default()
    store = site.pool.store(given["store"])
    if len(store) < FEWEST:
        problem = f"{given['store']} has {len(store)} papers; a map needs at least {FEWEST}."
        return _page(request, store, given, problem=problem)
    making = _maps(request).of(store)
    if making.problem:
        # The next request tries again: the missing package may be installed by then.
        making.told = True
        return _page(request, store, given, status=503, problem=making.problem)
    if making.made is None:
        return _page(request, store, given, making=making)
    try:
        answer = _answer(store, given)
    except QueryError as error:
        return _page(request, store, given, status=400, problem=error.full_text)
    if answer is not None and not answer.related:
        note = f"No close match in {answer.store}. No paper is marked."
        return _page(request, store, given, drawn=making.made, note=note)
    found = None if answer is None else marked(store, making.made, answer)
    return _page(request, store, given, drawn=making.made, found=found)


def _given(request: Request) -> dict[str, str]:
    given = request.query_params
    limits = {"store": 200, "q": QUERY_LIMIT, "id": 500}
    return {name: given.get(name, "")[:most] for name, most in limits.items()}


def _answer(store: PaperStore, given: Mapping[str, str]) -> Answer | None:
    """Return the answer to a query or to a paper's id, None where neither is given.

    Raises:
        QueryError: no paper has the id, or the query is not valid.
    """
    from swimmer.retrieval import ask

    if given["id"]:
        papers = store.get([given["id"]])
        if not papers:
            raise QueryError(f"The store {given['store']} has no paper with this id.")
        return ask(store, papers, HITS)[0]
    return ask(store, [given["q"]], HITS)[0] if given["q"].strip() else None


def _page(
    request: Request,
    store: PaperStore,
    given: Mapping[str, str],
    *,
    status: int = 200,
    making: Making | None = None,
    drawn: PaperMap | None = None,
    found: Marked | None = None,
    problem: str = "",
    note: str = "",
) -> Response:
    from swimmer.analysis import json_text, marks_payload

    context: dict[str, Any] = {"points": "", "marks": {}, "marks_json": "", "drawn": 0}
    if drawn is not None:
        marks = marks_payload(store, drawn, found)
        version = {"store": given["store"], "v": store.generation}
        context = {
            "points": f"/map/points?{urlencode(version)}",
            "marks": marks,
            "marks_json": json_text(marks),
            "drawn": _drawn(drawn),
        }
    return site_of(request).page(
        request,
        "map.html",
        status=status,
        given=given,
        label="" if found is None else found.label,
        stores=site_of(request).pool.stores(),
        topics=() if drawn is None else drawn.topics,
        making=making,
        said="" if making is None else _said(making),
        state=f"/map/state?{urlencode({'store': given['store']})}",
        problem=problem,
        note=note,
        **context,
    )


def _drawn(drawn: PaperMap) -> int:
    """Return how many papers the page draws; the numbers of hits start there."""
    from swimmer.analysis import MOST_POINTS

    return len(range(0, len(drawn), -(-len(drawn) // MOST_POINTS)))


def state(request: Request) -> Response:
    """Return the progress of a map; when it is done, the browser reloads the page."""
    site = site_of(request)
    store = site.pool.store(request.query_params.get("store", "")[:200] or site.pool.default())
    making = _maps(request).of(store)
    response = site.fragment("map_state.html", making=making, said=_said(making))
    if making.made is not None or making.problem:
        response.headers["HX-Refresh"] = "true"
    return response


def _said(making: Making) -> str:
    stage = _STAGES.get(making.stage, "reading the papers")
    return f"{stage}, {100 * making.done // making.total} %" if making.total else stage


def points(request: Request) -> Response:
    """Return the points of a store's map for the page's script."""
    from swimmer.analysis import points_payload

    site = site_of(request)
    store = site.pool.store(request.query_params.get("store", "")[:200] or site.pool.default())
    making = _maps(request).of(store)
    if making.made is None:
        return JSONResponse({"error": "the map is not computed yet"}, 503)
    response = JSONResponse(points_payload(store, making.made))
    if request.query_params.get("v") == store.generation:
        response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return response


def _maps(request: Request) -> Maps:
    """Return the maps of the server that a request is for."""
    held = request.app.state
    with _BEGIN:
        if not hasattr(held, "maps"):
            held.maps = Maps()
    maps: Maps = held.maps
    return maps


_BEGIN = threading.Lock()

ROUTES = [
    Route("/map", show),
    Route("/map/state", state),
    Route("/map/points", points),
]
MENU = MenuItem("/map", "Map")
