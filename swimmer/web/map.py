"""The page of a store's map: computed once in the background, then shown with hits marked."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from swimmer.errors import QueryError, SwimmerError
from swimmer.web.search_form import MOST, QUERY_LIMIT
from swimmer.web.site import MenuItem, Site, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.analysis import Marked, PaperMap
    from swimmer.papers import Paper
    from swimmer.retrieval import Answer
    from swimmer.store import PaperStore

HITS = 10
HELD = 8
"""Maps kept in memory; others are read from disk again."""

_SHORT = 1.5

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

    _held: dict[tuple[str, ...], Making] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # One map uses every core: two at once would not be faster, and searches would wait.
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def of(self, store: PaperStore, other: PaperStore | None = None) -> Making:
        """Return the map of a store, or of two; if there is none, start it in the background."""
        from swimmer.analysis import kept_map

        stores = (store,) if other is None else (store, other)
        key = tuple(part for one in stores for part in (str(one.folder), one.generation))
        started: threading.Thread | None = None
        with self._lock:
            making = self._held.pop(key, None)
            if making is None or (making.problem and making.told):
                making = Making(made=kept_map(store) if other is None else None)
                if making.made is None:
                    arguments = (stores, making, self._turn)
                    started = threading.Thread(target=_make, args=arguments, daemon=True)
                    started.start()
            self._held[key] = making
            # A map that is being computed is never dropped: it would be started again.
            done = [
                one for one, held in self._held.items() if held.made is not None or held.problem
            ]
            for one in done[: max(0, len(self._held) - HELD)]:
                del self._held[one]
        if started is not None and other is not None:
            # A second store joins a map in less than a second, if neither is large.
            started.join(_SHORT)
        return making


def _make(stores: Sequence[PaperStore], making: Making, turn: threading.Lock) -> None:
    def tell(stage: str, done: int, total: int | None) -> None:
        making.stage, making.done, making.total = stage, done, total or 0

    from swimmer.analysis import joint_map, paper_map

    store, *others = stores
    try:
        with turn:
            made = paper_map(store, progress=tell)
            making.made = joint_map(store, made, others[0]) if others else made
    except SwimmerError as error:
        making.problem = error.full_text
    except BaseException:
        # The page must not wait for ever; the terminal has the traceback.
        making.problem = "The map could not be computed; see the terminal that runs swimmer serve."
        raise


@dataclass(frozen=True)
class MapStores:
    """The store of a map, or two: the rows of the second follow those of the first."""

    names: tuple[str, ...]
    stores: tuple[PaperStore, ...]

    @property
    def version(self) -> str:
        """The generations of the stores: another one means other points."""
        return "-".join(store.generation for store in self.stores)

    @property
    def named(self) -> dict[str, str]:
        """The fields of an address that name the stores."""
        return dict(zip(("store", "with"), self.names, strict=False))

    def address(self, path: str, **more: str) -> str:
        """Return an address of this map's data; a browser may keep what it gets there."""
        return f"{path}?{urlencode({**self.named, 'v': self.version, **more})}"

    def papers(self, rows: Sequence[int]) -> list[tuple[str, Paper]]:
        """Return the papers of some rows, each with the name of its store."""
        first = len(self.stores[0])
        own = [row for row in rows if row < first]
        found = dict(zip(own, self.stores[0].papers(own), strict=True))
        if len(self.stores) > 1:
            more = [row for row in rows if row >= first]
            other = self.stores[1].papers([row - first for row in more])
            found |= dict(zip(more, other, strict=True))
        return [(self.names[row >= first], found[row]) for row in rows]

    def __len__(self) -> int:
        return sum(map(len, self.stores))


def map_stores(request: Request) -> MapStores:
    """Return the stores that a request's map is of.

    Raises:
        StoreNotFoundError: there is no store of a name.
    """
    site, given = site_of(request), request.query_params
    # The name as given: behind a link, the folder may have another name, which is not served.
    names = [given.get("store", "")[:200] or site.pool.default()]
    if (other := given.get("with", "")[:200]) and other != names[0]:
        names.append(other)
    stores = tuple(site.pool.store(name) for name in names)
    for store in stores:
        store.check_in_folder("map")
    return MapStores(tuple(names), stores)


def show(request: Request) -> Response:
    """Return the map of a store, with the hits of a query marked."""
    from swimmer.analysis import FEWEST, marked

    of = map_stores(request)
    given = _given(request, of)
    if len(of.stores[0]) < FEWEST:
        papers = len(of.stores[0])
        problem = f"{of.names[0]} has {papers} papers; a map needs at least {FEWEST}."
        return _page(request, of, given, problem=problem)
    making = making_of(request, of)
    if making.problem:
        # The next request tries again: the missing package may be installed by then.
        making.told = True
        return _page(request, of, given, status=503, problem=making.problem)
    if making.made is None:
        return _page(request, of, given, making=making)
    try:
        answer = _answer(of, given)
    except QueryError as error:
        return _page(request, of, given, status=400, problem=error.full_text)
    if answer is not None and not answer.related:
        note = f"No close match in {' and '.join(of.names)}. No paper is marked."
        return _page(request, of, given, drawn=making.made, note=note)
    found = None if answer is None else marked(of.stores[0], making.made, answer, *of.stores[1:])
    return _page(request, of, given, drawn=making.made, found=found)


def _given(request: Request, of: MapStores) -> dict[str, str]:
    given = request.query_params
    limits = {"q": QUERY_LIMIT, "id": 500, "colour": 20}
    return {
        "store": of.names[0],
        "with": of.names[1] if len(of.names) > 1 else "",
        **{name: given.get(name, "")[:most] for name, most in limits.items()},
    }


def query_of(of: MapStores, given: Mapping[str, str]) -> str | Paper | None:
    """Return the paper or the text that a map's address asks for, None where it asks for none.

    Raises:
        QueryError: no paper has the id.
    """
    if identifier := given.get("id", ""):
        for store in of.stores:
            if papers := store.get([identifier[:500]]):
                return papers[0]
        raise QueryError(f"The store {' and '.join(of.names)} has no paper with this id.")
    return given.get("q", "")[:QUERY_LIMIT].strip() or None


def _answer(of: MapStores, given: Mapping[str, str]) -> Answer | None:
    """Return the answer to a query or to a paper's id, None where neither is given.

    Raises:
        QueryError: no paper has the id, or the query is not valid.
    """
    from swimmer.retrieval import ask_stores

    query = query_of(of, given)
    return None if query is None else ask_stores(of.stores, [query], HITS)[0]


def _page(
    request: Request,
    of: MapStores,
    given: Mapping[str, str],
    *,
    status: int = 200,
    making: Making | None = None,
    drawn: PaperMap | None = None,
    found: Marked | None = None,
    problem: str = "",
    note: str = "",
) -> Response:
    from swimmer.analysis import SCRIPTS, json_text, marks_payload

    context: dict[str, Any] = {"points": {}, "hits": [], "marks_json": ""}
    if drawn is not None:
        rows = () if found is None else found.rows
        named = of.papers(rows)
        marks = marks_payload(drawn, found, [paper for _, paper in named])
        asked = {name: given[name] for name in ("q", "id") if given[name]}
        addresses = {name: of.address(f"/map/{name}") for name in ("papers", "find", "keep")}
        pages = [paper_page(name, paper) for name, paper in named]
        columns = zip(rows, marks["title"], pages, strict=True)
        context = {
            "points": {
                **addresses,
                # A name that is changed by hand leaves the store as it is.
                "points": of.address("/map/points", names=_digest(drawn)),
                "colours": of.address("/map/colours", **asked),
            },
            "marks_json": json_text(marks),
            "hits": [{"point": row, "title": text, "page": page} for row, text, page in columns],
        }
    site = site_of(request)
    return site.page(
        request,
        "map.html",
        status=status,
        store=of.names[0],
        given=given,
        label="" if found is None else found.label,
        stores=site.pool.stores(),
        topics=[] if drawn is None else _topics(of, drawn),
        papers=len(of),
        colours=_colours(of, site, found),
        scripts=SCRIPTS,
        making=making,
        said="" if making is None else _said(making),
        state=f"/map/state?{urlencode(of.named)}",
        problem=problem,
        note=note,
        **context,
    )


def _topics(of: MapStores, drawn: PaperMap) -> list[dict[str, Any]]:
    """Return the topics: how many papers of each store they have, and the list of the first's."""
    import numpy as np

    first = len(of.stores[0])
    own, more = (
        np.bincount(labels, minlength=len(drawn.topics)).tolist()
        for labels in (drawn.labels[:first], drawn.labels[first:])
    )
    return [
        {
            "name": topic.name,
            "papers": own[number],
            "more": more[number] if len(of.stores) > 1 else None,
            "page": _list_page(of.names[0], topic.name, own[number]),
        }
        for number, topic in enumerate(drawn.topics)
    ]


def _digest(drawn: PaperMap) -> str:
    names = "\n".join(topic.name for topic in drawn.topics)
    return hashlib.blake2b(names.encode(), digest_size=6).hexdigest()


def _list_page(store: str, topic: str, papers: int) -> str:
    """Return the address of the list of a topic's papers."""
    asked = {"store": store, "topic": topic, "k": min(max(papers, 1), MOST)}
    return f"/search?{urlencode(asked)}"


def _colours(of: MapStores, site: Site, found: Marked | None) -> dict[str, str]:
    """Return by what the points can be coloured: the names of addresses and of the choice."""
    from swimmer.analysis import telling_fields

    chosen = {"topic": "topic", **{field: field for field in telling_fields(of.stores)}}
    if len(of.stores) > 1:
        # What the two stores are put on one map for comes first.
        chosen = {"store": "store", **chosen}
    if found is not None:
        chosen["score"] = "similarity to your query"
    if not site.read_only:
        chosen["list"] = "my reading list"
    return chosen


def paper_page(store: str, paper: Paper) -> str:
    """Return the address of a paper's page."""
    return f"/paper?{urlencode({'store': store, 'id': paper.id})}"


def state(request: Request) -> Response:
    """Return the progress of a map; when it is done, the browser reloads the page."""
    making = making_of(request, map_stores(request))
    response = site_of(request).fragment("map_state.html", making=making, said=_said(making))
    if making.made is not None or making.problem:
        response.headers["HX-Refresh"] = "true"
    return response


def _said(making: Making) -> str:
    stage = _STAGES.get(making.stage, "reading the papers")
    return f"{stage}, {100 * making.done // making.total} %" if making.total else stage


def making_of(request: Request, of: MapStores) -> Making:
    """Return the map that a request asks for, or how far it is."""
    held = request.app.state
    with _BEGIN:
        if not hasattr(held, "maps"):
            held.maps = Maps()
    maps: Maps = held.maps
    return maps.of(*of.stores)


_BEGIN = threading.Lock()

ROUTES = [
    Route("/map", show),
    Route("/map/state", state),
]
MENU = [MenuItem("/map", "Map")]
