"""The papers of a store by the day, week or month of their publication, as the arXiv lists them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from swimmer.retrieval import SearchOptions, ask, browse, field_of
from swimmer.text import clean
from swimmer.web.search_form import SearchForm
from swimmer.web.site import MenuItem, site_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from swimmer.papers import Paper
    from swimmer.retrieval import Hit
    from swimmer.store import PaperStore

PERIODS = ("day", "week", "month")
ORDERS = {
    "upvotes": "Most upvotes",
    "published": "Last published",
    "authors": "Most authors",
    "title": "By title",
}
PAGE = 100
MOST = 2_000
"""Papers of one period that are shown, a page at a time."""

BESIDE = 24
"""Periods that are offered, from the one that is shown on."""

_DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?![\d-])")


@dataclass(frozen=True)
class Choice:
    """What an address asks for: the period by its first day, the order, words, the page."""

    store: str
    by: str = "day"
    at: str = ""
    sort: str = ""
    words: str = ""
    page: int = 1

    @classmethod
    def of(cls, given: Mapping[str, str], default: str) -> Choice:
        """Return what the fields of an address ask for; what is none of them is left out."""
        by, sort, page = given.get("by", ""), given.get("sort", ""), given.get("page", "")
        return cls(
            given.get("store", "")[:200] or default,
            by if by in PERIODS else "day",
            given.get("at", "")[:10],
            sort if sort in ORDERS else "",
            clean(given.get("words", "")[:300]),
            int(page) if re.fullmatch(r"[0-9]{1,4}", page) else 1,
        )

    def url(self, **changes: Any) -> str:
        """Return the address of this choice, or of one that differs."""
        other = replace(self, **{"page": 1, **changes})
        fields = {
            "store": other.store,
            "by": other.by if other.by != "day" else "",
            "at": other.at,
            "sort": other.sort,
            "words": other.words,
            "page": str(other.page) if other.page > 1 else "",
        }
        return f"/daily?{urlencode({name: value for name, value in fields.items() if value})}"


@dataclass(frozen=True)
class Period:
    """A day, a week or a month: its first day, the day after its last, its papers."""

    start: date
    end: date
    papers: int

    @property
    def name(self) -> str:
        """The period in words: `Wed 22 Jan 2025`, `20–26 Jan 2025`, `January 2025`."""
        days = (self.end - self.start).days
        if days == 1:
            return f"{self.start:%a} {self.start.day} {self.start:%b %Y}"
        if days == 7:
            last = self.end - timedelta(days=1)
            return f"{self.start.day} {self.start:%b} to {last.day} {last:%b %Y}"
        return f"{self.start:%B %Y}"


def daily(request: Request) -> Response:
    """Return the papers of one day, week or month."""
    site = site_of(request)
    choice = Choice.of(request.query_params, site.pool.default())
    store = site.pool.store(choice.store)
    store.check_in_folder("papers by day")
    field = field_of(store, "published")
    periods = _periods(_days(store, field), choice.by) if field else []
    context: dict[str, Any] = {"period": None, "hits": [], "count": 0, "pages": 1, "beside": []}
    if periods:
        place = next((n for n, one in enumerate(periods) if str(one.start) <= choice.at), None)
        place = (0 if not choice.at else len(periods) - 1) if place is None else place
        context |= _found(store, field, periods[place], choice)
        first = max(0, min(place - 2, len(periods) - BESIDE))
        context["beside"] = periods[first : first + BESIDE]
        context["newer"] = periods[place - 1] if place else None
        context["older"] = periods[place + 1] if place + 1 < len(periods) else None
    return site.page(
        request,
        "daily.html",
        store=choice.store,
        choice=choice,
        by=PERIODS,
        orders={
            name: said
            for name, said in ORDERS.items()
            if name in ("authors", "title") or field_of(store, name)
        },
        upvotes=field_of(store, "upvotes"),
        published=field,
        form=SearchForm(choice.store, why=True),
        facts_of=facts_of,
        **{"newer": None, "older": None, **context},
    )


def _days(store: PaperStore, field: str) -> Mapping[date, int]:
    """Return how many papers were published on each day, kept until the store changes."""

    def count() -> Counter[date]:
        days: Counter[date] = Counter()
        for value, papers in store.database.value_counts(field).items():
            if (found := _day(value)) is not None:
                days[found] += papers
        return days

    return store.database.kept(f"days of {field}", count)


def _day(value: object) -> date | None:
    found = _DAY.match(value) if isinstance(value, str) else None
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _periods(days: Mapping[date, int], by: str) -> list[Period]:
    """Return the periods that have papers, the newest first."""
    counts: Counter[date] = Counter()
    for day, papers in days.items():
        counts[_first(day, by)] += papers
    return [Period(start, _after(start, by), counts[start]) for start in sorted(counts)[::-1]]


def _first(day: date, by: str) -> date:
    if by == "week":
        return max(date.min, day - timedelta(days=min(day.weekday(), (day - date.min).days)))
    return day.replace(day=1) if by == "month" else day


def _after(start: date, by: str) -> date:
    try:
        if by == "month":
            return (start + timedelta(days=31)).replace(day=1)
        return start + timedelta(days=7 if by == "week" else 1)
    except OverflowError:
        return date.max


def _found(store: PaperStore, field: str, period: Period, choice: Choice) -> dict[str, Any]:
    """Return the papers of a period, those of one page."""
    filter = {field: {"$gte": str(period.start), "$lt": str(period.end)}}
    sort = choice.sort
    if not sort:
        sort = "upvotes" if field_of(store, "upvotes") and not choice.words else ""
    # Nothing sorts by the number of authors but this page.
    options = SearchOptions(
        filter=filter, sort="" if sort == "authors" else sort, mode="keyword", lookup="text"
    )
    if choice.words:
        hits = ask(store, [choice.words], MOST, options)[0].hits
    else:
        hits = browse(store, MOST, replace(options, sort=options.sort or "published")).hits
    if sort == "authors":
        hits = sorted(hits, key=lambda hit: -len(hit.paper.authors))
    pages = max(1, -(-len(hits) // PAGE))
    page = min(max(choice.page, 1), pages)
    first = (page - 1) * PAGE
    return {
        "period": period,
        "hits": _numbered(hits[first : first + PAGE], first),
        "count": len(hits),
        "pages": pages,
        "page": page,
    }


def _numbered(hits: list[Hit], first: int) -> list[Hit]:
    return [replace(hit, rank=rank) for rank, hit in enumerate(hits, first + 1)]


def facts_of(paper: Paper, upvotes: str, published: str) -> list[str]:
    """Return what the list says of a paper: authors, upvotes, when it was published."""
    count = len(paper.authors)
    facts = [f"{count} {'author' if count == 1 else 'authors'}"] if count else []
    votes = paper.extra.get(upvotes) if upvotes else None
    if isinstance(votes, (int, float)) and not isinstance(votes, bool):
        facts.append(f"{votes:,} {'upvote' if votes == 1 else 'upvotes'}")
    when = paper.extra.get(published)
    return [*facts, when[:10]] if isinstance(when, str) else facts


ROUTES = [Route("/daily", daily)]
MENU = [MenuItem("/daily", "Daily")]
