"""The pages that rank stores by a reading list or a file: "for you", and a digest of news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from swimmer.errors import QueryError
from swimmer.library import listed_papers
from swimmer.web.pages import download
from swimmer.web.search_form import SearchForm
from swimmer.web.site import MenuItem, Site, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.analysis import Digest, Library, Recommendation
    from swimmer.web.results import Stores

K = 50
FEW = 5
"""Papers on the first page of the server."""

LIBRARY = 500
"""Papers of the reading list that count, those added last."""

SINCE = {"1": "the last day", "7": "the last week", "31": "the last month", "": "any time"}
"""How far back a digest goes, in days."""

HALF_LIFE = 3.0
"""Years, where newer papers are to weigh more."""

FORMATS = {
    "html": ("HTML for mail", ".html", "text/html"),
    "markdown": ("Markdown", ".md", "text/markdown"),
    "atom": ("Atom feed", ".xml", "application/atom+xml"),
}
"""What a digest is saved as: the label, the ending of the file, its type."""


@dataclass(frozen=True)
class Choice:
    """What an address asks for: a store or all, a list by name, whether newer papers weigh more.

    `file` is the token of an upload, which then stands in place of the list.
    """

    store: str
    name: str
    newer: bool
    since: str
    file: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str], default: str) -> Choice:
        """Return what the fields of an address ask for."""
        since = given.get("since", "7")
        return cls(
            given.get("store", "")[:200] or default,
            given.get("list", "")[:200],
            given.get("newer", "") not in ("", "0"),
            since if since in SINCE else "7",
            given.get("file", "")[:100],
        )

    @property
    def half_life(self) -> float | None:
        """How fast papers lose weight, None for not at all."""
        return HALF_LIFE if self.newer else None

    @property
    def fields(self) -> dict[str, str]:
        """The store and what it is ranked by, for addresses."""
        given = {"store": self.store, "list": self.name, "file": self.file}
        given["newer"] = "1" if self.newer else ""
        return {name: value for name, value in given.items() if value}

    @property
    def whose(self) -> str:
        """What the papers are that the store is ranked by, in words."""
        return "your file" if self.file else "your list"

    def without_file(self, path: str) -> str:
        """Return the address of the page ranked by the reading list."""
        return f"{path}?{urlencode({'store': self.store})}"

    def library(self, site: Site) -> Library:
        """Return the papers that the stores are ranked by.

        Raises:
            QueryError: the file is no longer held, or there is no such list.
        """
        from swimmer.analysis import Library

        if self.file:
            return site.uploads.get(self.file).library
        papers = listed_papers(site.reading.entries(self.name or None)[-LIBRARY:])
        return Library(f"the list {self.name}" if self.name else "your reading list", tuple(papers))


@dataclass(frozen=True)
class Shown:
    """A recommendation as a page shows it: its hit, the form of its store, and why it is there."""

    found: Recommendation
    form: SearchForm
    facts: Sequence[str] = ()


def for_you(request: Request) -> Response:
    """Return the papers of a store that are nearest to a reading list."""
    from swimmer.analysis import for_you as ranked

    site = site_of(request)
    choice = Choice.of(request.query_params, site.pool.default())
    library = choice.library(site)
    stores = site.stores_named(choice.store)
    found = None
    if library.papers:
        found = ranked(list(stores.values()), library.papers, K, half_life=choice.half_life)
    shown = [] if found is None else [_shown(one, stores) for one in found.found]
    return choice_page(
        request,
        "foryou.html",
        choice,
        found=found,
        shown=[one for one in shown if one.found.related],
        library=library,
    )


def part(request: Request) -> Response:
    """Return the first papers of `for_you` for the first page."""
    from swimmer.analysis import for_you as ranked

    site = site_of(request)
    choice = Choice.of(request.query_params, site.pool.default())
    library = choice.library(site)
    stores = site.stores_named(choice.store)
    papers = library.papers if not any(one.remote for one in stores.values()) else ()
    found = ranked(list(stores.values()), papers, FEW).found if papers else ()
    shown = [_shown(one, stores) for one in found if one.related]
    return site.fragment("foryou_part.html", shown=shown)


def digest(request: Request) -> Response:
    """Return what came new to the stores for a reading list. Nothing is remembered of it."""
    site = site_of(request)
    choice = Choice.of(request.query_params, site.pool.default())
    made = _digest(site, choice)
    stores = site.stores_named(choice.store)
    shown = []
    for entry in made.entries if made else ():
        arrived = f"new in {entry.store} on {entry.arrived:%Y-%m-%d}"
        shown.append(_shown(entry.found, stores, [arrived]))
    saved = {**choice.fields, "since": choice.since}
    exports = {
        label: f"/digest/export?{urlencode({**saved, 'format': name})}"
        for name, (label, _, _) in FORMATS.items()
    }
    return choice_page(
        request, "digest.html", choice, digest=made, shown=shown, since=SINCE, exports=exports
    )


def export(request: Request) -> Response:
    """Return the digest as a file."""
    from swimmer.analysis import DIGEST_WRITERS

    site = site_of(request)
    name = request.query_params.get("format", "")
    if name not in FORMATS:
        raise QueryError(
            f"unknown format {name[:40]!r}", hint=f"choose one of {', '.join(FORMATS)}"
        )
    made = _digest(site, Choice.of(request.query_params, site.pool.default()))
    if made is None:
        raise QueryError("the reading list is empty", hint="add a paper to it first")
    _, ending, kind = FORMATS[name]
    return download(DIGEST_WRITERS[ending](made), f"swimmer-digest{ending}", kind)


def _digest(site: Site, choice: Choice) -> Digest | None:
    from swimmer.analysis import make_digest

    library = choice.library(site)
    if not library.papers:
        return None
    since = None
    if choice.since:
        since = datetime.now(timezone.utc) - timedelta(days=int(choice.since))
    return make_digest(
        list(site.stores_named(choice.store).values()),
        library.papers,
        name=library.name,
        since=since,
        k=K,
        half_life=choice.half_life,
    )


def _shown(found: Recommendation, stores: Stores, facts: Sequence[str] = ()) -> Shown:
    names = {store.name: name for name, store in stores.items()}
    (place, *_) = stores
    if len(stores) > 1:
        place = names.get(str(found.hit.paper.extra.get("store")), place)
    return Shown(found, SearchForm(place, why=True), facts)


def choice_page(request: Request, template: str, choice: Choice, **context: Any) -> Response:
    """Return a page that is ranked by a reading list or a file, with the form to choose it."""
    site = site_of(request)
    stores = [info for info in site.pool.stores() if info.manifest is not None]
    return site.page(
        request,
        template,
        choice=choice,
        file=site.uploads.get(choice.file).name if choice.file else "",
        box=site.box(choice.store),
        choices=stores,
        names=site.reading.names(),
        entries=len(site.reading.entries()),
        **context,
    )


ROUTES = [
    Route("/foryou", for_you),
    Route("/foryou/part", part),
    Route("/digest", digest),
    Route("/digest/export", export),
]
MENU = [MenuItem("/foryou", "For you")]
