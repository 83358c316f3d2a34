"""arXiv, through its Atom interface: a category, an expression, dates, or a list of ids."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from swimmer.errors import SourceError
from swimmer.papers import arxiv_id
from swimmer.sources.base import Source
from swimmer.sources.files import slug
from swimmer.sources.formats.atom import entry_record, feed
from swimmer.sources.formats.records import NotAPaper
from swimmer.sources.publishers.days import first_or_last_day
from swimmer.sources.publishers.id_lists import listed_ids
from swimmer.sources.publishers.remote import RemoteSource, SourceOptions, Venue, near

if TYPE_CHECKING:
    from swimmer.sources.http.client import Client
    from swimmer.sources.http.pages import Page

API = "https://export.arxiv.org/api/query"
PAGE = 1_000
IDS_AT_ONCE = 100
WINDOW = 9_000
"""Papers that one search is paged through; beyond about 10,000 arXiv answers with errors."""

_CLASSES = {
    "cs": "AI AR CC CE CG CL CR CV CY DB DC DL DM DS ET FL GL GR GT HC IR IT LG LO MA MM MS NA NE "
    "NI OH OS PF PL RO SC SD SE SI SY",
    "stat": "AP CO ME ML OT TH",
    "eess": "AS IV SP SY",
    "math": "AC AG AP AT CA CO CT CV DG DS FA GM GN GR GT HO IT KT LO MG MP NA NT OA OC PR QA RA "
    "RT SG SP ST",
    "q-bio": "BM CB GN MN NC OT PE QM SC TO",
    "q-fin": "CP EC GN MF PM PR RM ST TR",
    "econ": "EM GN TH",
}
_ARCHIVES = (
    "astro-ph",
    "cond-mat",
    "gr-qc",
    "hep-ex",
    "hep-lat",
    "hep-ph",
    "hep-th",
    "math-ph",
    "nlin",
    "nucl-ex",
    "nucl-th",
    "physics",
    "quant-ph",
)
_CATEGORY = re.compile(r"[a-z-]+(?:\.[A-Za-z-]+)?(?:\+[a-z-]+(?:\.[A-Za-z-]+)?)*")
_DAY = r"\d{4}(?:-\d{2}(?:-\d{2})?)?"
_DATES = re.compile(rf":({_DAY})(?:\.\.({_DAY})?)?$")
_PREFIX = re.compile(r"\b(?:ti|au|abs|co|jr|cat|rn|id|all):")


class Arxiv:
    """arXiv's search; one request in three seconds, as its terms ask."""

    scheme = "arxiv"
    summary = "arXiv: a category, an expression, a range of dates, a list of ids"

    def venues(self) -> tuple[Venue, ...]:
        """Return the kinds of question it takes."""
        return (
            Venue("<category>", "a category, also with dates", (), "cs.LG:2025-01..2025-03"),
            Venue("<expression>", "a search expression", (), "ti:diffusion AND cat:cs.CV"),
            Venue("<ids>", "ids or addresses, or a file of them", (), "2401.00001,2402.00002"),
        )

    def open(self, what: str, options: SourceOptions) -> Source:
        """Return the source of `cs.LG`, `cs.LG:2024-01..2024-06`, `ti:diffusion`, ids, `@file`."""
        ids = listed_ids(what, arxiv_id, "2301.00001")
        if ids:
            name = slug(f"arxiv-{ids[0]}" + (f"-and-{len(ids) - 1}" if len(ids) > 1 else ""))
            origin = f"arxiv:{what}" if what.startswith("@") else f"arxiv:{','.join(ids)}"
            return RemoteSource(name, origin, API, lambda c: _by_id(c, ids), options)
        query, first, last = _question(what)

        def records(client: Client) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
            return _window(client, query, first, last, set())

        name = slug(f"arxiv-{what}")
        return RemoteSource(name, f"arxiv:{what.strip()}", API, records, options)

    def from_url(self, url: str) -> str:
        """Return the id, or the category of a listing, in an address of arXiv."""
        parts = urlsplit(url)
        if parts.hostname not in ("arxiv.org", "www.arxiv.org", "export.arxiv.org"):
            return ""
        listing = re.match(r"/list/([a-z-]+(?:\.[A-Za-z-]+)?)/", parts.path)
        found = arxiv_id(url) or (listing[1] if listing else "")
        if not found:
            raise SourceError(f"{url}: no arXiv id or category in it", hint="try arxiv:cs.LG")
        return found


def _question(what: str) -> tuple[str, datetime.date | None, datetime.date | None]:
    """Return (search expression, first day, last day) of what stands after `arxiv:`."""
    first = last = None
    if dates := _DATES.search(what):
        what = what[: dates.start()]
        first = first_or_last_day(dates[1], last=False)
        open_ended = dates[0].endswith("..")
        last = (
            datetime.date.today()
            if open_ended
            else first_or_last_day(dates[2] or dates[1], last=True)
        )
        if last < first:
            raise SourceError(
                f"arxiv:{what}: the range ends ({last}) before it begins ({first})",
                hint="give the earlier date first",
            )
    what = what.strip()
    if not what:
        raise SourceError(
            "arxiv: nothing to search for",
            hint="give a category (arxiv:cs.LG), an expression, or ids",
        )
    if _CATEGORY.fullmatch(what) and ("." in what or what in (*_CLASSES, *_ARCHIVES)):
        for category in what.split("+"):
            _check_category(category)
        return (
            " OR ".join(f"cat:{c}" + ("" if "." in c else "*") for c in what.split("+")),
            first,
            last,
        )
    if _PREFIX.search(what):
        return what, first, last
    return " AND ".join(f"all:{word}" for word in re.findall(r'"[^"]+"|\S+', what)), first, last


def _check_category(category: str) -> None:
    archive, _, group = category.partition(".")
    known = {f"{name}.{c}": 0 for name, classes in _CLASSES.items() for c in classes.split()}
    if archive in _ARCHIVES or (not group and archive in _CLASSES) or category in known:
        return
    raise SourceError(f"arxiv:{category}: no such category", hint=near(category, known))


def _window(
    client: Client,
    query: str,
    first: datetime.date | None,
    last: datetime.date | None,
    seen: set[str],
) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    """Yield the papers of a search, cut into ranges of dates that arXiv can page through."""
    asked = query
    if first and last:
        asked = f"({query}) AND submittedDate:[{first:%Y%m%d}0000 TO {last:%Y%m%d}2359]"
    entries, total = _page(client, {"search_query": asked}, 0)
    begin, end = first or datetime.date(1991, 8, 1), last or datetime.date.today()
    if total > WINDOW and begin < end:
        middle = begin + (end - begin) // 2
        yield from _window(client, query, begin, middle, seen)
        yield from _window(client, query, middle + datetime.timedelta(1), end, seen)
        return
    start = 0
    while entries:
        for entry in entries:
            yield _record(entry, seen)
        start += len(entries)
        if start >= total:
            return
        client.notify(f"{start:,} of {total:,} papers")
        entries, _ = _page(client, {"search_query": asked}, start)


def _by_id(client: Client, ids: list[str]) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    seen: set[str] = set()
    for start in range(0, len(ids), IDS_AT_ONCE):
        wanted = ids[start : start + IDS_AT_ONCE]
        entries, _ = _page(client, {"id_list": ",".join(wanted)}, 0)
        for entry in entries:
            yield _record(entry, seen)
        for number in wanted:
            if number not in seen:
                yield number, NotAPaper("unknown to arXiv")


def _page(client: Client, question: Mapping[str, str], start: int) -> tuple[list[Any], int]:
    from swimmer.errors import IncompleteError
    from swimmer.sources.http.client import as_xml

    def read(answer: Page) -> tuple[list[Any], int]:
        root = as_xml(answer)
        entries, total = feed(root, answer.url)
        if not entries and start < total and "search_query" in question:
            # A known habit of this interface: now and then a page is empty.
            raise IncompleteError(f"{answer.url}: an empty page after {start} of {total} papers")
        return entries, total

    params: dict[str, str | int] = {**question, "start": start, "max_results": PAGE}
    if "search_query" in question:
        params |= {"sortBy": "submittedDate", "sortOrder": "ascending"}
    return client.get(API, read, params=params)


def _record(entry: Any, seen: set[str]) -> tuple[str, Mapping[str, Any] | NotAPaper]:
    record = entry_record(entry)
    number = record["id"]
    if number in seen:
        return number, NotAPaper("listed twice")
    seen.add(number)
    return number, record
