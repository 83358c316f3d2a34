"""The virtual conference sites of ICLR, NeurIPS, ICML, CVPR and others: one platform."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from swimmer.errors import FORMAT_CHANGED, SourceError
from swimmer.sources.base import Source
from swimmer.sources.formats.records import NotAPaper
from swimmer.sources.formats.shapes import need, need_in_some
from swimmer.sources.formats.virtual import event_kind, virtual_event
from swimmer.sources.publishers.remote import (
    RemoteSource,
    SourceOptions,
    Venue,
    venue_and_year,
    years_since,
)
from swimmer.text import title_key

if TYPE_CHECKING:
    from swimmer.sources.http.client import Client

SITES: dict[str, tuple[str, str, int, int]] = {
    "iclr": ("iclr.cc", "ICLR", 2021, 1),
    "neurips": ("neurips.cc", "NeurIPS", 2020, 1),
    "icml": ("icml.cc", "ICML", 2020, 1),
    "cvpr": ("cvpr.thecvf.com", "CVPR", 2023, 1),
    "iccv": ("iccv.thecvf.com", "ICCV", 2023, 2),
    "eccv": ("eccv.ecva.net", "ECCV", 2024, 2),
    "mlsys": ("mlsys.org", "MLSys", 2022, 1),
    "aistats": ("virtual.aistats.org", "AISTATS", 2021, 1),
    "colm": ("colmweb.org", "COLM", 2024, 1),
}
"""Host, title, first year and period of each venue on the platform."""

_RANK = ("poster", "highlight", "spotlight", "oral")


class VirtualSites:
    """`https://<host>/static/virtual/data/<venue>-<year>-orals-posters.json` of nine venues."""

    scheme = "virtual"
    summary = "virtual conference sites (orals and posters)"

    def venues(self) -> tuple[Venue, ...]:
        """Return the nine venues."""
        return tuple(
            Venue(name, title, years_since(first, step=step), f"{name}{first + step}")
            for name, (_, title, first, step) in SITES.items()
        )

    def open(self, what: str, options: SourceOptions) -> Source:
        """Return the source of `iclr2025` and the like."""
        venue, year = venue_and_year(re.sub("^nips", "neurips", what), self.venues(), self.scheme)
        host = SITES[venue.name][0]
        address = f"https://{host}/static/virtual/data/{venue.name}-{year}-orals-posters.json"

        def records(client: Client) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
            events = _events(client, address)
            for place, event in _merged(_with_abstracts(client, address, events)):
                record = (
                    event
                    if isinstance(event, NotAPaper)
                    else virtual_event(event, venue.title, year)
                )
                yield place, record

        name = f"{venue.name}{year}"
        return RemoteSource(name, f"virtual:{name}", address, records, options, f"https://{host}/")

    def from_url(self, url: str) -> str:
        """Return `iclr2025` for any address of ICLR's site of 2025."""
        parts = urlsplit(url)
        for name, (host, *_) in SITES.items():
            if parts.hostname in (host, f"www.{host}"):
                if year := re.search(r"(?:virtual/|data/[a-z]+-|Conferences/)(\d{4})", parts.path):
                    return f"{name}{year[1]}"
                raise SourceError(
                    f"{url}: an address of {name} without a year", hint=f"try {name}2025"
                )
        return ""


def _events(client: Client, address: str) -> list[Any]:
    from swimmer.sources.http.client import as_json

    events: list[Any] = []
    url, seen = address, set[str]()
    while url:
        seen.add(url)
        answer = client.get(url, as_json)
        found = need(answer, "results", list, url)
        need_in_some(found, ("name",), url)
        events.extend(found)
        following = answer.get("next")
        url = urljoin(url, following) if isinstance(following, str) else ""
        if url in seen:
            raise SourceError(f"{url}: names itself as its next page; refused")
        if url:
            client.notify(f"{len(events):,} of {answer.get('count', '?')} events")
    return events


def _with_abstracts(client: Client, address: str, events: list[Any]) -> list[Any]:
    """Fill in abstracts from their own file, where a site keeps them apart (since 2026)."""
    from swimmer.errors import FetchError
    from swimmer.sources.http.client import as_json

    objects = [event for event in events if isinstance(event, dict)]
    if not objects or any(event.get("abstract") for event in objects):
        return events
    url = address.replace("-orals-posters.json", "-abstracts.json")
    try:
        abstracts = client.get(url, as_json)
    except FetchError as error:
        if error.status == 404:
            need_in_some(objects, ("abstract",), address)
            return events
        raise
    if not isinstance(abstracts, dict):
        raise SourceError(
            f"{url}: expected an object from event number to abstract", hint=FORMAT_CHANGED
        )
    return [
        {**event, "abstract": abstracts.get(str(event.get("id")))}
        if isinstance(event, dict)
        else event
        for event in events
    ]


def _merged(events: list[Any]) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    """Yield each paper once: its poster's record under its highest honour."""
    groups: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for number, event in enumerate(events, 1):
        place = f"record {number}"
        if not isinstance(event, Mapping):
            yield place, NotAPaper("not an object")
            continue
        if _rank(event_kind(event)) < 0:
            yield place, event
            continue
        name = event.get("name")
        key = title_key(name) if isinstance(name, str) else ""
        groups.setdefault(key or place, []).append((place, event))
    for group in groups.values():
        group.sort(key=lambda item: _rank(event_kind(item[1])))
        place, event = group[0]
        if len(group) > 1:
            honour = event_kind(group[-1][1])
            longest = max((e.get("abstract") or "" for _, e in group), key=len)
            event = {**event, "eventtype": honour, "abstract": longest}
        yield place, event
        for other, _ in group[1:]:
            yield other, NotAPaper("another presentation of the same paper")


def _rank(kind: str) -> int:
    words = kind.casefold()
    # An event without a kind is taken for a poster; one of another kind stands alone.
    return max((rank for rank, word in enumerate(_RANK) if word in words), default=-bool(words))
