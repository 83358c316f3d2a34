"""What is in a store at a glance: its map as a picture, orals, newest papers, example questions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from swimmer.papers import presentations
from swimmer.web.site import site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.analysis import PaperMap
    from swimmer.papers import Paper
    from swimmer.retrieval import Facet
    from swimmer.store import PaperStore
    from swimmer.web.search_form import SearchForm

SHOWN = 5
"""Papers of each group."""

MOST_POINTS = 6_000
"""Points of a picture; of a larger store, evenly spread ones."""

WIDTH, HEIGHT = 720, 480
COLOURS = ("#3b6fe0", "#d9772b", "#1f9d8a", "#b0569c", "#8a8f2a", "#c9485b", "#6d7f99")
_HELD = 8
_LOOKED_AT = 40
_LONGEST = 150


@dataclass(frozen=True)
class Example:
    """A kind of question, and one of that kind that the store answers."""

    kind: str
    query: str


def examples_of(store: PaperStore) -> list[Example]:
    """Return one question of each kind, each made of another paper of the store."""
    if store.remote:
        papers = list(islice(store, _LOOKED_AT))
    else:
        step = max(1, len(store) // _LOOKED_AT)
        papers = store.papers(list(range(step // 2, len(store), step)))
    found, used = [], set[str]()
    for kind, query_of in _KINDS.items():
        queries = ((paper.id, query_of(paper)) for paper in papers if paper.id not in used)
        fitting = ((one, query) for one, query in queries if 0 < len(query) <= _LONGEST)
        if (first := next(fitting, None)) is not None:
            used.add(first[0])
            found.append(Example(kind, first[1]))
    return found


def has_times(store: PaperStore) -> bool:
    """Whether the list of a store gives times, told from some of its papers."""
    if store.remote or {"events", "starttime"}.isdisjoint(store.fields()):
        return False
    step = max(1, len(store) // _LOOKED_AT)
    return any(map(presentations, store.papers(list(range(step // 2, len(store), step)))))


def _title(paper: Paper) -> str:
    return paper.display_title


def _short_name(paper: Paper) -> str:
    name, colon, _ = paper.display_title.partition(":")
    return name if colon and name.isascii() and " " not in name else ""


def _author(paper: Paper) -> str:
    return paper.authors[0] if paper.authors else ""


def _words(paper: Paper) -> str:
    """Return what somebody might type who looks for such a paper, "" where nothing suggests it."""
    words = [one for one in paper.keywords if one.isascii() and len(one.split()) <= 4][:2]
    if len(words) == 2:
        return " and ".join(one if one.isupper() else one.lower() for one in words)
    subtitle = paper.display_title.partition(": ")[2]
    return subtitle.lower() if 3 <= len(subtitle.split()) <= 9 else ""


_KINDS: dict[str, Callable[[Paper], str]] = {
    "A title": _title,
    "A short name": _short_name,
    "An author": _author,
    "Your own words": _words,
}


@dataclass(frozen=True)
class Group:
    """A few papers under a heading, and the address of all of them."""

    name: str
    papers: Sequence[Paper]
    address: str


def groups_of(store: PaperStore, form: SearchForm, facets: Sequence[Facet]) -> list[Group]:
    """Return the orals and the newest papers of a store, those of these that it knows."""
    from swimmer.retrieval import SearchOptions, browse, field_of

    groups = []
    for facet in facets:
        value = next((one.text for one in facet.values if _is_talk(one.text)), "")
        if facet.name == "status" and value:
            found = browse(store, SHOWN, SearchOptions(filter={"status": value}))
            papers = [hit.paper for hit in found.hits]
            groups.append(Group(f"Presented as {value}", papers, form.choose("status", value)))
    for sort, label in (("published", "Last published"), ("upvotes", "Most upvotes")):
        if field := field_of(store, sort):
            options = SearchOptions(filter={field: {"$ne": ""}}, sort=f"{sort}:desc")
            papers = [hit.paper for hit in browse(store, SHOWN, options).hits]
            address = form.url(
                given={**form.given, "where": f'{field}!=""', "sort": f"{sort}:desc"}
            )
            groups.append(Group(label, papers, address))
    return [group for group in groups if group.papers]


def _is_talk(status: str) -> bool:
    return any(word in status.casefold() for word in ("oral", "talk", "spotlight", "award"))


def glance(request: Request) -> Response:
    """Return the papers of the first page that it does not wait for."""
    from swimmer.web.results import facets
    from swimmer.web.search_form import read_form

    site = site_of(request)
    form = read_form(request.query_params, site.pool.default())
    store = site.pool.store(form.store)
    groups = groups_of(store, form, facets({form.store: store}, form))
    return site.fragment("glance.html", groups=groups, store=form.store)


def picture_address(store: PaperStore, name: str, paper: str = "") -> str:
    """Return the address of the picture of a store's map, "" where no map is kept."""
    from swimmer.store import kept_topics

    if store.remote or kept_topics(store) is None:
        return ""
    fields = {"store": name, "v": store.generation, **({"id": paper} if paper else {})}
    return f"/map/picture?{urlencode(fields)}"


def picture(request: Request) -> Response:
    """Return the kept map of a store as a picture, with a ring around one of its papers."""
    site = site_of(request)
    store = site.pool.store(request.query_params.get("store", "")[:200] or site.pool.default())
    store.check_in_folder("map")
    drawn = _PICTURES.of(store)
    if drawn is None:
        return Response(status_code=404)
    ring = ""
    if wanted := request.query_params.get("id", "")[:500]:
        row = store.database.row_of_id(wanted)
        if row is not None:
            x, y = drawn.place(row)
            ring = (
                f'<circle cx="{x}" cy="{y}" r="22" fill="#e11d48" fill-opacity=".2"/>'
                f'<circle cx="{x}" cy="{y}" r="9" fill="#e11d48" stroke="#fff" stroke-width="2"/>'
            )
    response = Response(f"{drawn.text}{ring}</svg>", media_type="image/svg+xml")
    if request.query_params.get("v") == store.generation:
        response.headers["Cache-Control"] = "private, max-age=86400"
    return response


class _Picture:
    """The points of a map as the beginning of an SVG file, and where a paper lies in it."""

    def __init__(self, drawn: PaperMap) -> None:
        import numpy as np

        least, most = drawn.points.min(axis=0), drawn.points.max(axis=0)
        self._points, self._middle = drawn.points, (least + most) / 2
        room = np.maximum(most - least, 1e-6)
        self._scale = float(min((WIDTH - 24) / room[0], (HEIGHT - 24) / room[1]))
        rows = range(0, len(drawn), -(-len(drawn) // MOST_POINTS))
        size = 5 if len(rows) < 1_000 else 3.2
        paths: dict[int, list[str]] = {}
        for row in rows:
            x, y = self.place(row)
            paths.setdefault(int(drawn.labels[row]) % len(COLOURS), []).append(f"M{x} {y}h0")
        parts = [
            f'<path stroke="{COLOURS[number]}" d="{"".join(path)}"/>'
            for number, path in sorted(paths.items())
        ]
        self.text = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
            f'<g fill="none" stroke-width="{size}" stroke-linecap="round" stroke-opacity=".62">'
            f"{''.join(parts)}</g>"
        )

    def place(self, row: int) -> tuple[float, float]:
        """Return where in the picture a paper lies."""
        x, y = ((self._points[row] - self._middle) * self._scale).tolist()
        # The y axis of a map points up.
        return round(x + WIDTH / 2, 1), round(HEIGHT / 2 - y, 1)


class _Pictures:
    """The pictures that were made last."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], _Picture] = {}
        self._lock = threading.Lock()

    def of(self, store: PaperStore) -> _Picture | None:
        from swimmer.analysis import kept_map

        key = str(store.folder), store.generation
        with self._lock:
            made = self._held.pop(key, None)
            if made is None:
                drawn = kept_map(store)
                if drawn is None or not len(drawn):
                    return None
                made = _Picture(drawn)
            self._held[key] = made
            while len(self._held) > _HELD:
                del self._held[next(iter(self._held))]
            return made


_PICTURES = _Pictures()

ROUTES = [Route("/glance", glance), Route("/map/picture", picture)]
