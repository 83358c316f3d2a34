"""The Proceedings of Machine Learning Research: one BibTeX with abstracts per volume."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from swimmer.errors import FORMAT_CHANGED, SITE_CHANGED, TRY_LATER, SourceError
from swimmer.sources.base import Source
from swimmer.sources.formats.bibtex import bibtex_records
from swimmer.sources.formats.records import NotAPaper
from swimmer.sources.publishers.remote import RemoteSource, SourceOptions, Venue, venue_and_year

if TYPE_CHECKING:
    from swimmer.sources.http.client import Client
    from swimmer.sources.http.pages import Page

SITE = "https://proceedings.mlr.press"

VOLUMES: dict[str, tuple[str, dict[int, int]]] = {
    "icml": (
        "ICML",
        {
            2013: 28,
            2014: 32,
            2015: 37,
            2016: 48,
            2017: 70,
            2018: 80,
            2019: 97,
            2020: 119,
            2021: 139,
            2022: 162,
            2023: 202,
            2024: 235,
            2025: 267,
        },
    ),
    "aistats": (
        "AISTATS",
        {
            2009: 5,
            2010: 9,
            2011: 15,
            2012: 22,
            2013: 31,
            2014: 33,
            2015: 38,
            2016: 51,
            2017: 54,
            2018: 84,
            2019: 89,
            2020: 108,
            2021: 130,
            2022: 151,
            2023: 206,
            2024: 238,
            2025: 258,
        },
    ),
    "corl": (
        "CoRL",
        {
            2017: 78,
            2018: 87,
            2019: 100,
            2020: 155,
            2021: 164,
            2022: 205,
            2023: 229,
            2024: 270,
            2025: 305,
        },
    ),
    "colt": (
        "COLT",
        {
            2011: 19,
            2012: 23,
            2013: 30,
            2014: 35,
            2015: 40,
            2016: 49,
            2017: 65,
            2018: 75,
            2019: 99,
            2020: 125,
            2021: 134,
            2022: 178,
            2023: 195,
            2024: 247,
            2025: 291,
        },
    ),
    "uai": ("UAI", {2019: 115, 2020: 124, 2021: 161, 2022: 180, 2023: 216, 2024: 244, 2025: 286}),
    "acml": (
        "ACML",
        {
            2010: 13,
            2011: 20,
            2012: 25,
            2013: 29,
            2014: 39,
            2015: 45,
            2016: 63,
            2017: 77,
            2018: 95,
            2019: 101,
            2020: 129,
            2021: 157,
            2022: 189,
            2023: 222,
            2024: 260,
        },
    ),
    "alt": (
        "ALT",
        {
            2017: 76,
            2018: 83,
            2019: 98,
            2020: 117,
            2021: 132,
            2022: 167,
            2023: 201,
            2024: 237,
            2025: 272,
        },
    ),
    "midl": ("MIDL", {2019: 102, 2020: 121, 2021: 143, 2022: 172, 2023: 227, 2024: 250}),
    "l4dc": ("L4DC", {2020: 120, 2021: 144, 2022: 168, 2023: 211, 2024: 242, 2025: 283}),
    "automl": ("AutoML", {2022: 188, 2023: 224, 2024: 256}),
    "clear": ("CLeaR", {2022: 177, 2023: 213, 2024: 236, 2025: 275}),
    "log": ("LoG", {2022: 198, 2023: 231, 2024: 269}),
    "collas": ("CoLLAs", {2022: 199, 2023: 232, 2024: 274}),
    "mlhc": (
        "MLHC",
        {
            2016: 56,
            2017: 68,
            2018: 85,
            2019: 106,
            2020: 126,
            2021: 149,
            2022: 182,
            2023: 219,
            2024: 252,
        },
    ),
}
"""The volume of each venue by year; any other volume is asked for by its number."""


class Pmlr:
    """ICML, AISTATS, CoRL, COLT, UAI, ACML and others by year, any volume by number."""

    scheme = "pmlr"
    summary = "Proceedings of Machine Learning Research"

    def venues(self) -> tuple[Venue, ...]:
        """Return the venues whose volumes are known."""
        known = tuple(
            Venue(name, title, tuple(volumes), f"{name}{max(volumes)}")
            for name, (title, volumes) in VOLUMES.items()
        )
        return (*known, Venue("<volume>", "any volume", (), "v244"))

    def open(self, what: str, options: SourceOptions) -> Source:
        """Return the source of `uai2024` or `v244`."""
        if match := re.fullmatch(r"v?(\d{1,4})", what.strip()):
            volume, title, name = int(match[1]), "", f"pmlr-v{match[1]}"
        else:
            venue, year = venue_and_year(what, self.venues()[:-1], self.scheme)
            volume, title = VOLUMES[venue.name][1][year], venue.title
            name = f"{venue.name}{year}"
        address = f"{SITE}/v{volume}/assets/bib/bibliography.bib"

        def records(client: Client) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
            for place, record in client.get(address, _bibtex):
                if isinstance(record, dict):
                    record = {**record, "venue": title or record["venue"]}
                yield place, record

        origin = f"pmlr:{name.removeprefix('pmlr-')}"
        return RemoteSource(name, origin, address, records, options)

    def from_url(self, url: str) -> str:
        """Return the volume in an address of the proceedings."""
        parts = urlsplit(url)
        if parts.hostname not in ("proceedings.mlr.press", "jmlr.org", "www.jmlr.org"):
            return ""
        if volume := re.match(r"/(?:proceedings/papers/)?(v\d{1,4})(?:/|$)", parts.path):
            return volume[1]
        raise SourceError(f"{url}: no volume in it", hint=f"give an address such as {SITE}/v244/")


def _bibtex(page: Page) -> list[tuple[str, Any]]:
    from swimmer.errors import IncompleteError
    from swimmer.sources.http.client import as_text

    text = as_text(page)
    if text.lstrip()[:1] == "<":
        raise SourceError(
            f"{page.url}: answered HTML instead of BibTeX ({text.strip()[:60]!r})",
            hint=SITE_CHANGED,
        )
    found = list(bibtex_records(text))
    if text.strip() and not text.rstrip().endswith("}"):
        raise IncompleteError(
            f"{page.url}: the BibTeX is cut off",
            hint=TRY_LATER,
        )
    records = [record for _, record in found if isinstance(record, dict)]
    for field in ("title", "abstract") if records else ():
        if not any(record[field] for record in records):
            raise SourceError(f"{page.url}: no entry has the field {field!r}", hint=FORMAT_CHANGED)
    return found
