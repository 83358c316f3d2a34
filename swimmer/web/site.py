"""What the pages of a server share: the stores, the reading list, the templates, the menu."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from swimmer.library import entry_key
from swimmer.papers import first_authors, venue_and_year
from swimmer.text import clean_url, printable, readable

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.library import ReadingList
    from swimmer.papers import Paper
    from swimmer.store import StorePool

HERE = Path(__file__).parent
STATIC = HERE / "static"
# Dollars directly around text mark a formula, as in `text.readable`; others are money.
_FORMULA = re.compile(r"\$(?=[^\s$])[^$]{0,300}(?<=[^\s$])\$(?!\d)")


@dataclass(frozen=True)
class MenuItem:
    """An item of the menu: its address and its label."""

    path: str
    label: str


@dataclass
class Site:
    """One server's state, kept at `request.app.state.site`."""

    pool: StorePool
    reading: ReadingList
    menu: Sequence[MenuItem] = field(default_factory=list)
    read_only: bool = False

    def page(
        self, request: Request, template: str, *, status: int = 200, **context: Any
    ) -> Response:
        """Return a page from a template; what every page shows is added here."""
        return self.fragment(
            template,
            status=status,
            path=request.url.path,
            menu=self.menu,
            has_map=any(entry.path == "/map" for entry in self.menu),
            kept=frozenset() if self.read_only else self.reading.keys(),
            **context,
        )

    def fragment(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """Return a part of a page from a template."""
        text = self._environment.get_template(template).render(context)
        return HTMLResponse(text, status)

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
        }
        environment.globals |= {
            "static_version": static_version(),
            "entry_key": entry_key,
            "read_only": self.read_only,
        }
        return environment


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
