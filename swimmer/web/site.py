"""What the pages of a server share: the stores, the reading list, the templates, the menu."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, Response, StreamingResponse

from swimmer.errors import SwimmerError
from swimmer.library import Summaries, entry_key
from swimmer.papers import arxiv_of, events_in_words, first_authors, venue_and_year
from swimmer.store import StoreInfo
from swimmer.text import clean_url, printable, readable
from swimmer.web.search_form import ALL
from swimmer.web.uploads import ACCEPTED, DRAFTS, LIMIT, USES, Uploads

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.library import ReadingList
    from swimmer.papers import Paper
    from swimmer.store import PaperStore, RemoteInfo, StorePool

HERE = Path(__file__).parent
STATIC = HERE / "static"
# Dollars directly around text mark a formula, as in `text.readable`; others are money.
VIEWS = ("compact", "full")
"""How results are shown, the first where nothing was chosen."""

MOST_STORES = 8
"""Stores that are searched as one."""

VIEW_COOKIE = "swimmer_view"
_YEAR = 365 * 24 * 3600
_FILES = {
    "PDF": ("pdf", "pdf_url", "pdf_link"),
    "Code": ("code", "code_url", "github", "repository"),
}
_FORMULA = re.compile(r"\$(?=[^\s$])[^$]{0,300}(?<=[^\s$])\$(?!\d)")


@dataclass(frozen=True)
class MenuItem:
    """An item of the menu: its address and its label."""

    path: str
    label: str


@dataclass(frozen=True)
class Box:
    """The search box on top of a page.

    Attributes:
        stores: the stores that can be chosen; without one there is no box.
        store: the name of the one that is chosen.
        typed: what stands in the box.
        wrong: what is wrong with it.
        focus: whether the page opens with the cursor in it.
        why: whether a search from here explains its hits; the search page has a field for that.
    """

    stores: Sequence[StoreInfo | RemoteInfo]
    store: str
    typed: str = ""
    wrong: str = ""
    focus: bool = False
    why: bool = True


@dataclass
class Site:
    """One server's state, kept at `request.app.state.site`."""

    pool: StorePool
    reading: ReadingList
    menu: Sequence[MenuItem] = field(default_factory=list)
    read_only: bool = False
    summaries: Summaries = field(default_factory=Summaries)
    uploads: Uploads = field(default_factory=Uploads)

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        top_first: bool = False,
        **context: Any,
    ) -> Response:
        """Return a page from a template; what every page shows is added here.

        `store` in the context is the name of the store that the page is about. With `top_first`
        the top of the page is sent while the rest is made.
        """
        view = request.query_params.get("view", "")
        kept = view if view in VIEWS else request.cookies.get(VIEW_COOKIE, "")
        context.setdefault("box", None)
        if context["box"] is None:
            context["box"] = self.box(str(context.get("store", "")))
        make = self._in_two if top_first else self.fragment
        response = make(
            template,
            status=status,
            path=request.url.path,
            here=_address(request),
            layout=kept if kept in VIEWS else VIEWS[0],
            menu=self.menu,
            has_map=any(entry.path == "/map" for entry in self.menu),
            kept=frozenset() if self.read_only else self.reading.keys(),
            **context,
        )
        if view in VIEWS:
            response.set_cookie(VIEW_COOKIE, view, max_age=_YEAR, httponly=True, samesite="strict")
        return response

    def stores_named(self, name: str) -> dict[str, PaperStore]:
        """Return the open store of a name, or all of them, by the names they are served by.

        Those on a server are searched alone: their scores are others.

        Raises:
            StoreNotFoundError, StoreDamagedError: as `StorePool.store` does.
        """
        if name != ALL:
            return {name: self.pool.store(name)}
        names = [
            info.name
            for info in self.pool.stores()
            if info.manifest is not None and isinstance(info, StoreInfo)
        ]
        # Without any, the pool says what to do.
        return {one: self.pool.store(one) for one in names[:MOST_STORES] or [""]}

    def box(self, store: str = "", **given: Any) -> Box:
        """Return the search box with the stores that can be searched."""
        stores = [info for info in self.pool.stores() if info.manifest is not None]
        return Box(stores, store or self.pool.default(), **given)

    def fragment(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """Return a part of a page from a template."""
        text = self._environment.get_template(template).render(context)
        return HTMLResponse(text, status)

    def _in_two(self, template: str, *, status: int, **context: Any) -> Response:
        """Return a page that is sent in two parts, the second from where its content begins."""
        parts = self._environment.get_template(template).generate(context)

        def halves() -> Iterator[str]:
            top = []
            for part in parts:
                top.append(part)
                if "<main" in part:
                    break
            yield "".join(top)
            try:
                yield "".join(parts)
            except SwimmerError as error:
                # The status is sent already: the message stands where the content would.
                failed = self._environment.get_template("failed.html")
                yield failed.render(message=str(error), hint=error.hint)

        return StreamingResponse(halves(), status, media_type="text/html")

    @cached_property
    def _environment(self) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            auto_reload=False,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {
            "shown": shown,
            "link": clean_url,
            "names": names,
            "place": place,
            "prose": prose,
            "marked": marked,
            "shown_lines": printable,
            "files": files,
            "events": events_in_words,
        }
        environment.globals |= {
            "static_version": static_version(),
            "entry_key": entry_key,
            "read_only": self.read_only,
            "all_stores": ALL,
            "accepted": ",".join(ACCEPTED),
            "drafts": ",".join(DRAFTS),
            "upload_limit": LIMIT,
            "file_uses": USES,
        }
        return environment


def _address(request: Request) -> str:
    """Return the address of a page without a change of view, to which one can be added."""
    fields = [pair for pair in request.query_params.multi_items() if pair[0] != "view"]
    return f"{request.url.path}?{urlencode(fields)}"


def site_of(request: Request) -> Site:
    """Return the site that a request is for."""
    return cast("Site", request.app.state.site)


def static_version() -> str:
    """Return a digest of the static files: a browser keeps them until one of them changes."""
    digest = hashlib.blake2b(digest_size=6)
    for path in sorted(STATIC.rglob("*")):
        if path.is_file():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def shown(text: object, limit: int = 1_000) -> str:
    """Return text for a page: control characters replaced by a mark, cut to a length."""
    plain = printable(str(text)[: limit + 1]).replace("\n", " ").replace("\x0b", " ")
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"


def prose(abstract: str, limit: int) -> str:
    """Return an abstract for a page: cut to a length, its formulas in Unicode."""
    # Formula by formula: converting a whole abstract takes longer than the search.
    return _FORMULA.sub(lambda found: _formula(found[0]), shown(abstract, limit))


@lru_cache(maxsize=4096)
def _formula(latex: str) -> str:
    return readable(latex)


def names(authors: Sequence[str], most: int = 6) -> str:
    """Return the first authors and how many more there are."""
    return first_authors([*(shown(name, 100) for name in authors[:most]), *authors[most:]], most)


def place(paper: Paper) -> str:
    """Return where and when a paper appeared, and its status."""
    return shown(" · ".join(part for part in (venue_and_year(paper), paper.status) if part), 200)


def files(paper: Paper) -> list[tuple[str, str]]:
    """Return the addresses of a paper's PDF and code that its list gives, each with its label."""
    found = {}
    for label, fields in _FILES.items():
        given = (paper.extra.get(name) for name in fields)
        addresses = (clean_url(one) for one in given if isinstance(one, str))
        if address := next(filter(None, addresses), ""):
            found[label] = address
    if "PDF" not in found and (number := arxiv_of(paper)):
        found = {"PDF": f"https://arxiv.org/pdf/{number}", **found}
    return list(found.items())


def marked(text: str, terms: Sequence[str]) -> Markup:
    """Return text for a page with some terms in `mark` elements, whatever their case."""
    # Finding each term is faster than one pattern for all. A letter may be longer in lower case.
    lower = text.lower() if len(text.lower()) == len(text) else text
    spans: list[tuple[int, int]] = []
    for term in sorted(terms, key=len, reverse=True):
        start = lower.find(term.lower()) if term else -1
        while start >= 0:
            end = start + len(term)
            inside = any(start < last and first < end for first, last in spans)
            if not inside and not _is_word(text[start - 1 : start] + text[end : end + 1]):
                spans.append((start, end))
            start = lower.find(term.lower(), end)
    parts, place = [], 0
    for start, end in sorted(spans):
        parts += [escape(text[place:start]), Markup("<mark>"), escape(text[start:end])]
        parts.append(Markup("</mark>"))
        place = end
    return Markup("").join([*parts, escape(text[place:])])


def _is_word(around: str) -> bool:
    """Whether one of the characters beside a term belongs to a word."""
    return any(char.isalnum() or char == "_" for char in around)
