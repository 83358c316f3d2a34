"""What the adapters of publishers share: their options, their venues, and how they are read."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from swimmer.errors import FORMAT_CHANGED, SourceError
from swimmer.papers import Paper
from swimmer.sources.base import Source, SourceReport
from swimmer.sources.formats.records import NotAPaper, paper_from_record
from swimmer.sources.list_checks import checked
from swimmer.sources.statuses import checked_status

if TYPE_CHECKING:
    from swimmer.sources.http.client import Client


@dataclass(frozen=True)
class Venue:
    """A series that a source has, such as ICLR, with the years for which it has it.

    Args:
        name: what a user types, without the year: `iclr`.
        title: what it is, for people.
        years: the years, in order; empty when the source takes any expression instead.
        example: something that a user can type.
    """

    name: str
    title: str
    years: tuple[int, ...] = ()
    example: str = ""


@dataclass(frozen=True)
class SourceOptions:
    """How sources are opened.

    Args:
        status: one of `statuses.STATUSES`, for lists that hold what a venue turned down; None
            takes what a venue accepted, and a file as it is.
        client: makes the client that fetches; by default one that keeps its pages in the
            user's cache folder.
        offline: use only what is kept on disk.
        notify: called with lines of progress.
        cache: the folder that pages and lists are kept in, instead of the user's cache folder.
        fresh: fetch even when the list is kept on disk.
        columns: for a table, the name of the column that holds a field, by field.
    """

    status: str | None = None
    client: Callable[[], Client] | None = None
    offline: bool = False
    notify: Callable[[str], None] | None = field(default=None, compare=False)
    cache: Path | None = None
    fresh: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status is not None:
            checked_status(self.status)

    @property
    def venue_status(self) -> str:
        """Which submissions of a venue are wanted."""
        return self.status or "accepted"

    def open_client(self) -> Client:
        """Return a new client; the caller closes it."""
        if self.client is not None:
            return self.client()
        from swimmer.sources.http.client import Client

        folder = self.cache or default_cache()
        return Client(folder / "pages", offline=self.offline, notify=self.notify)


class Adapter(Protocol):
    """One publisher: which names it knows, and the source that a name stands for.

    `scheme` is the word before the colon (`arxiv:cs.LG`), `summary` one line for people.
    """

    scheme: str
    summary: str

    def venues(self) -> tuple[Venue, ...]:
        """Return what the publisher has."""
        ...

    def open(self, what: str, options: SourceOptions) -> Source:
        """Return the source for what stands after the scheme.

        Nothing is fetched yet.

        Raises:
            SourceError: the publisher has nothing of that name; the message lists near ones.
        """
        ...

    def from_url(self, url: str) -> str:
        """Return what `open` takes for an address of this publisher, else ""."""
        ...


Records = Callable[["Client"], Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]]
"""Fetches (place, record) pairs; a record has the names of `sources.records`."""


class RemoteSource:
    """The papers of one venue at one publisher, fetched page by page.

    Args:
        name: what a store of it is called, such as `iclr2025`.
        origin: what `open_source` takes to open it again.
        address: where it is fetched, for messages.
        records: fetches the records.
        options: how to fetch.
        base: the address that relative URLs stand under.
    """

    def __init__(
        self,
        name: str,
        origin: str,
        address: str,
        records: Records,
        options: SourceOptions,
        base: str = "",
    ) -> None:
        self.name = name
        self.origin = origin
        self.address = address
        self._records = records
        self._options = options
        self._base = base

    def papers(self, report: SourceReport) -> Iterator[Paper]:
        """Yield the papers; an interrupted fetch goes on where it stopped.

        Raises:
            SourceError: the publisher cannot be asked, has changed its format (the message
                names the field), or has no papers there.
        """
        yield from checked(self._fetched(report), report)

    def _fetched(self, report: SourceReport) -> Iterator[Paper]:
        given = 0
        with self._options.open_client() as client, client.listing(self.origin):
            for place, record in self._records(client):
                report.read += 1
                try:
                    if isinstance(record, NotAPaper):
                        raise record
                    paper = paper_from_record(record, base=self._base)
                except NotAPaper as reason:
                    report.skip(str(reason), place)
                    continue
                given += 1
                yield paper
            if not report.read:
                raise SourceError(
                    f"{self.name}: {self.address} has no papers",
                    hint="they may not be published yet",
                )
            if not given:
                why = max(report.skipped, key=lambda name: report.skipped[name].count)
                raise SourceError(
                    f"{self.name}: none of the {report.read} records of {self.address} is a "
                    f"paper ({why})",
                    hint=FORMAT_CHANGED,
                )


def default_cache() -> Path:
    """Return the folder for fetched pages and lists; `SWIMMER_CACHE` moves it."""
    import os

    import platformdirs

    return Path(os.environ.get("SWIMMER_CACHE") or platformdirs.user_cache_dir("swimmer"))


def years_since(first: int, last: int | None = None, step: int = 1) -> tuple[int, ...]:
    """Return the years of a series, up to next year when it goes on."""
    end = last if last is not None else datetime.date.today().year + 1
    return tuple(range(first, end + 1, step))


def split_name(what: str) -> tuple[str, int | None]:
    """Return (`iclr`, 2025) for `iclr2025`, `ICLR 2025`, `iclr-2025`; the year may be missing."""
    import re

    match = re.fullmatch(r"([a-z][a-z0-9+_-]*?)[\s_-]*((?:19|20)\d{2})?", what.strip().casefold())
    if not match:
        return what.strip().casefold(), None
    return match[1], int(match[2]) if match[2] else None


def venue_and_year(what: str, venues: tuple[Venue, ...], scheme: str) -> tuple[Venue, int]:
    """Return the venue and year that a name stands for.

    Raises:
        SourceError: there is none; the hint has near names, or the years there are.
    """
    name, year = split_name(what)
    known = {venue.name: venue for venue in venues}
    if name not in known:
        raise SourceError(f"{scheme}:{what}: unknown venue", hint=near(name, known))
    years = known[name].years
    if year is None or year not in years:
        asked = f"has no year {year}" if year else "needs a year"
        raise SourceError(
            f"{scheme}:{what}: {name} {asked}",
            hint=f"there is {spans(years)}, as in {name}{years[-1]}",
        )
    return known[name], year


def near(name: str, known: Mapping[str, Any]) -> str:
    """Return a hint: `did you mean a, b?`, or what is known when nothing is near."""
    from rapidfuzz import fuzz, process

    found = [
        key
        for key, *_ in process.extract(
            name, list(known), limit=3, score_cutoff=60, scorer=fuzz.WRatio
        )
    ]
    if found:
        return f"did you mean {', '.join(found)}?"
    return f"known are {', '.join(sorted(known))}"


def spans(years: tuple[int, ...]) -> str:
    """Return years in words: `2021 to 2026`, `2023 to 2027 every 2 years`, or one by one."""
    if len(years) > 3 and len({b - a for a, b in itertools.pairwise(years)}) == 1:
        step = years[1] - years[0]
        every = "" if step == 1 else f" every {step} years"
        return f"{years[0]} to {years[-1]}{every}"
    return ", ".join(map(str, years)) or "none"
