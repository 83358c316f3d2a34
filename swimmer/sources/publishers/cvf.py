"""CVF Open Access: CVPR, ICCV, WACV; abstracts stand on each paper's own page."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from swimmer.errors import FORMAT_CHANGED, TRY_LATER, SourceError
from swimmer.sources.base import Source
from swimmer.sources.formats.records import NotAPaper
from swimmer.sources.publishers.remote import (
    RemoteSource,
    SourceOptions,
    Venue,
    venue_and_year,
    years_since,
)

if TYPE_CHECKING:
    from swimmer.sources.http.client import Client
    from swimmer.sources.http.pages import Page

SITE = "https://openaccess.thecvf.com"
KEEP = 30 * 86_400.0
"""Seconds for which a paper's page is taken as it is: published papers hardly change, and asking
whether they did costs a request each."""

SERIES = {
    "cvpr": ("CVPR", years_since(2013)),
    "iccv": ("ICCV", years_since(2013, step=2)),
    "wacv": ("WACV", years_since(2020)),
    "accv": ("ACCV", years_since(2020, step=2)),
}


class OpenAccess:
    """CVPR, ICCV, WACV and ACCV by year; slow (one page a paper), so resumable."""

    scheme = "cvf"
    summary = "CVF Open Access (one page a paper: slow, goes on where it was interrupted)"

    def venues(self) -> tuple[Venue, ...]:
        """Return the four series."""
        return tuple(
            Venue(name, title, years, f"{name}{years[-2]}")
            for name, (title, years) in SERIES.items()
        )

    def open(self, what: str, options: SourceOptions) -> Source:
        """Return the source of `wacv2024` and the like."""
        venue, year = venue_and_year(what, self.venues(), self.scheme)
        address = f"{SITE}/{venue.title}{year}"

        def records(client: Client) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
            pages = _papers(client, address)
            for number, page in enumerate(pages, 1):
                if number % 25 == 0:
                    client.notify(f"{number:,} of {len(pages):,} papers")
                number_of = re.sub(r"(_paper)?\.html$", "", page.rpartition("/")[2])
                about = {"venue": venue.title, "year": year, "url": page, "id": number_of}
                yield page, {**client.get(page, _paper, keep=KEEP), **about}

        name = f"{venue.name}{year}"
        return RemoteSource(name, f"cvf:{name}", address, records, options, f"{SITE}/")

    def from_url(self, url: str) -> str:
        """Return `cvpr2020` for an address of its list or papers."""
        parts = urlsplit(url)
        if parts.hostname != "openaccess.thecvf.com":
            return ""
        if found := re.search(r"(CVPR|ICCV|WACV|ACCV)_?(\d{4})", parts.path, re.IGNORECASE):
            return f"{found[1].lower()}{found[2]}"
        raise SourceError(f"{url}: no conference and year in it", hint="try cvf:cvpr2020")


def _papers(client: Client, address: str) -> list[str]:
    """Return the addresses of all papers; older lists are cut into days."""
    papers, days = client.get(f"{address}?day=all", _listing)
    if not papers:
        if not days:
            papers, days = client.get(address, _listing)
        for day in days:
            papers += client.get(day, _listing)[0]
    return list(dict.fromkeys(papers))


class _Listing(HTMLParser):
    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base
        self.papers: list[str] = []
        self.days: list[str] = []
        self.ended = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") or ""
        if tag != "a" or not href:
            return
        # Some years give the whole address, some a relative one.
        address = urljoin(self.base, href)
        if re.search(r"/html/[^/]+\.html$", address):
            self.papers.append(address)
        elif re.search(r"[?&]day=\d{4}-\d{2}-\d{2}", address):
            self.days.append(address)

    def handle_endtag(self, tag: str) -> None:
        self.ended = self.ended or tag == "html"


def _listing(page: Page) -> tuple[list[str], list[str]]:
    from swimmer.errors import IncompleteError
    from swimmer.sources.http.client import as_text

    parser = _Listing(page.url)
    parser.feed(as_text(page))
    if not parser.ended:
        raise IncompleteError(
            f"{page.url}: the list is cut off (no </html>)",
            hint=TRY_LATER,
        )
    return parser.papers, list(dict.fromkeys(parser.days))


class _Paper(HTMLParser):
    """Collects the text inside the elements whose id is one of three."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._inside = ""
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        name = dict(attrs).get("id") or ""
        if self._inside:
            self._depth += tag not in ("br", "img", "hr", "input")
        elif name in ("papertitle", "authors", "abstract"):
            self._inside, self._depth = name, 1
            self.found[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if self._inside and tag not in ("br", "img", "hr", "input"):
            self._depth -= 1
            if self._depth <= 0:
                self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[self._inside] += data


def _paper(page: Page) -> dict[str, Any]:
    from swimmer.errors import IncompleteError
    from swimmer.sources.http.client import as_text

    text = as_text(page)
    parser = _Paper()
    parser.feed(text)
    if "</html" not in text.casefold():
        raise IncompleteError(
            f"{page.url}: the page is cut off (no </html>)",
            hint=TRY_LATER,
        )
    for name in ("papertitle", "abstract"):
        if name not in parser.found:
            raise SourceError(f"{page.url}: no element has the id {name!r}", hint=FORMAT_CHANGED)
    authors = parser.found.get("authors", "").partition(";")[0]
    return {
        "title": parser.found["papertitle"],
        "abstract": parser.found["abstract"],
        "authors": [name for name in authors.split(",") if name.strip()],
    }
