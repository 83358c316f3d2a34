"""Hugging Face's daily papers, by day or range of days."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from swimmer.errors import FORMAT_CHANGED, SourceError
from swimmer.sources.base import Source
from swimmer.sources.formats.indexes import daily_paper
from swimmer.sources.formats.records import NotAPaper
from swimmer.sources.formats.shapes import need_in_some
from swimmer.sources.publishers.days import first_or_last_day
from swimmer.sources.publishers.remote import RemoteSource, SourceOptions, Venue

if TYPE_CHECKING:
    from swimmer.sources.http.client import Client

API = "https://huggingface.co/api/daily_papers"
FIRST = datetime.date(2023, 5, 4)
_RANGE = re.compile(r"(\d{4}(?:-\d{2}(?:-\d{2})?)?)(?:\.\.(\d{4}(?:-\d{2}(?:-\d{2})?)?)?)?")


class DailyPapers:
    """`hf:2025-09-08`, `hf:2025-09`, `hf:2025-09-01..2025-09-14`; upvotes are kept."""

    scheme = "hf"
    summary = "Hugging Face daily papers, by day, month or range"

    def venues(self) -> tuple[Venue, ...]:
        """Return the one thing it takes."""
        return (Venue("<dates>", "a day, a month, a year or a range", (), "2025-09-08"),)

    def open(self, what: str, options: SourceOptions) -> Source:
        """Return the source of a day or a range of days."""
        first, last = days_of(what)

        def records(client: Client) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
            from swimmer.sources.http.client import as_json

            seen: set[str] = set()
            day = first
            while day <= last:
                items = client.get(API, as_json, params={"date": day.isoformat(), "limit": 100})
                where = f"{API}?date={day}"
                if not isinstance(items, list):
                    raise SourceError(
                        f"{where}: expected a list, got {type(items).__name__}", hint=FORMAT_CHANGED
                    )
                inner = [i.get("paper", i) for i in items if isinstance(i, Mapping)]
                need_in_some(inner, ("id", "title", "summary"), where)
                for number, item in enumerate(items, 1):
                    place = f"{day} record {number}"
                    if not isinstance(item, Mapping):
                        yield place, NotAPaper("not an object")
                        continue
                    record = daily_paper(item)
                    again = str(record["id"]) in seen
                    seen.add(str(record["id"]))
                    yield place, NotAPaper("listed on two days") if again else record
                client.notify(f"{day}: {len(items)} papers")
                day += datetime.timedelta(1)

        span = str(first) if first == last else f"{first}..{last}"
        name = f"hf-{span.replace('..', '-to-')}"
        return RemoteSource(name, f"hf:{span}", API, records, options)

    def from_url(self, url: str) -> str:
        """Return the day in an address such as `huggingface.co/papers?date=2025-09-08`."""
        parts = urlsplit(url)
        if parts.hostname not in ("huggingface.co", "hf.co") or "/papers" not in parts.path:
            return ""
        day = parse_qs(parts.query).get("date", [""])[0]
        found = day or (re.findall(r"\d{4}-\d{2}(?:-\d{2})?", parts.path) or [""])[0]
        if not found:
            raise SourceError(f"{url}: no date in it", hint="try hf:2025-09-08")
        return str(found)


def days_of(what: str) -> tuple[datetime.date, datetime.date]:
    """Return the first and last day of `2025-09-08`, `2025-09`, `2025-09-01..2025-09-14`.

    Raises:
        SourceError: it is no date or range, or no paper was featured then.
    """
    match = _RANGE.fullmatch(what.strip())
    if not match:
        raise SourceError(
            f"hf:{what}: is not a day or a range of days",
            hint="write it as in hf:2025-09-08, or hf:2025-09-01..2025-09-14",
        )
    today = datetime.date.today()
    open_ended = match[0].endswith("..")
    first = first_or_last_day(match[1], last=False)
    last = today if open_ended else min(first_or_last_day(match[2] or match[1], last=True), today)
    if first > today or last < FIRST:
        raise SourceError(
            f"hf:{what}: has no daily papers",
            hint=f"there are daily papers from {FIRST} to {today}",
        )
    first = max(first, FIRST)
    if last < first:
        raise SourceError(
            f"hf:{what}: the range ends ({last}) before it begins ({first})",
            hint="give the earlier date first",
        )
    return first, last
