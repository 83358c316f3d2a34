"""The ACL Anthology, from the XML that the Anthology itself is made of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from swimmer.errors import SourceError
from swimmer.sources.base import Source
from swimmer.sources.formats.anthology import SITE, collection_records
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

DATA = "https://raw.githubusercontent.com/acl-org/acl-anthology/master/data/xml"

_NEVER: tuple[int, ...] = ()
VENUES: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "acl": ("ACL", "P", years_since(1979)),
    "emnlp": ("EMNLP", "D", years_since(1996)),
    "naacl": (
        "NAACL",
        "N",
        (
            2000,
            2001,
            2003,
            2004,
            2006,
            2007,
            2009,
            2010,
            2012,
            2013,
            2015,
            2016,
            2018,
            2019,
            2021,
            2022,
            2024,
            2025,
        ),
    ),
    "eacl": (
        "EACL",
        "E",
        (
            1983,
            1985,
            1987,
            1989,
            1991,
            1993,
            1995,
            1997,
            1999,
            2003,
            2006,
            2009,
            2012,
            2014,
            2017,
            2021,
            2023,
            2024,
            2026,
        ),
    ),
    "coling": (
        "COLING",
        "C",
        (
            1986,
            1988,
            1990,
            1992,
            1994,
            1996,
            1998,
            2000,
            2002,
            2004,
            2008,
            2010,
            2012,
            2014,
            2016,
            2018,
            2020,
            2022,
            2024,
            2025,
        ),
    ),
    "tacl": ("TACL", "Q", years_since(2013)),
    "cl": ("Computational Linguistics", "J", years_since(1980)),
    "findings": ("Findings", "", years_since(2020)),
    "conll": ("CoNLL", "K", (*range(2003, 2020), *years_since(2020))),
    "aacl": ("AACL", "", (2020, 2022)),
    "lrec": ("LREC", "L", (*range(2000, 2021, 2), 2022, 2024)),
}
"""Title, letter of the Anthology's first scheme (until 2019), and years of each venue."""


class Anthology:
    """ACL, EMNLP, NAACL, EACL, COLING, TACL, Findings and more, by year."""

    scheme = "acl"
    summary = "the ACL Anthology"

    def venues(self) -> tuple[Venue, ...]:
        """Return the venues of the Anthology that have a short name here."""
        return tuple(
            Venue(name, title, years, f"{name}{years[-2]}")
            for name, (title, _, years) in VENUES.items()
        )

    def open(self, what: str, options: SourceOptions) -> Source:
        """Return the source of `acl2024`, or of a collection by its id: `2024.findings`."""
        if re.fullmatch(r"(\d{4}\.[a-z0-9]+|[A-Z]\d{2})", what.strip()):
            collection, name, title = what.strip(), what.strip().lower().replace(".", "-"), ""
        else:
            venue, year = venue_and_year(what, self.venues(), self.scheme)
            collection = _collection(venue.name, year)
            name, title = f"{venue.name}{year}", venue.title
        address = f"{DATA}/{collection}.xml"

        def records(client: Client) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
            from swimmer.sources.http.client import as_xml

            yield from collection_records(client.get(address, as_xml), address, title)

        origin = f"acl:{what.strip()}" if not title else f"acl:{name}"
        return RemoteSource(name, origin, address, records, options, f"{SITE}/")

    def from_url(self, url: str) -> str:
        """Return the collection in an address such as `aclanthology.org/events/acl-2024/`."""
        parts = urlsplit(url)
        if parts.hostname not in ("aclanthology.org", "www.aclanthology.org"):
            return ""
        if event := re.match(r"/events/([a-z]+)-(\d{4})", parts.path):
            return f"{event[1]}{event[2]}"
        if volume := re.match(r"/(?:volumes/)?(\d{4}\.[a-z0-9]+|[A-Z]\d{2})-", parts.path):
            return volume[1]
        raise SourceError(f"{url}: no event or volume of the Anthology in it", hint="try acl2024")


def _collection(name: str, year: int) -> str:
    letter = VENUES[name][1]
    if (name, year) == ("coling", 2024) or (name, year) == ("lrec", 2024):
        return "2024.lrec"
    return f"{letter}{year % 100:02}" if letter and year < 2020 else f"{year}.{name}"
