"""Every adapter by one line, and the way from what a user types to a source."""

from __future__ import annotations

import importlib
import os
from functools import lru_cache
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from swimmer.errors import SourceError
from swimmer.sources.base import Source
from swimmer.sources.publishers.remote import (
    Adapter,
    RemoteSource,
    SourceOptions,
    Venue,
    default_cache,
    near,
    split_name,
)

ADAPTERS = (
    "swimmer.sources.publishers.virtual:VirtualSites",
    "swimmer.sources.publishers.pmlr:Pmlr",
    "swimmer.sources.publishers.acl:Anthology",
    "swimmer.sources.publishers.cvf:OpenAccess",
    "swimmer.sources.publishers.openreview:OpenReview",
    "swimmer.sources.publishers.arxiv:Arxiv",
    "swimmer.sources.publishers.daily:DailyPapers",
    "swimmer.sources.publishers.scholar:SemanticScholar",
    "swimmer.sources.publishers.lists:RemoteLists",
)
"""Module and class of each adapter; for a bare name, the first that has the year is asked."""

ENTRY_POINTS = "swimmer.sources"
"""The group under which other packages register adapters of their own."""

NAMED_BY_YEAR = ("virtual", "pmlr", "acl", "cvf", "openreview")


@lru_cache(maxsize=1)
def adapters() -> dict[str, Adapter]:
    """Return the adapters by scheme: those of swimmer, then those of other packages.

    Raises:
        SourceError: another package's adapter cannot be loaded, or takes a scheme twice.
    """
    found: dict[str, Adapter] = {}
    for line in ADAPTERS:
        module, _, name = line.partition(":")
        adapter = cast(Adapter, getattr(importlib.import_module(module), name)())
        found[adapter.scheme] = adapter
    from importlib.metadata import entry_points

    for point in entry_points(group=ENTRY_POINTS):
        try:
            adapter = cast(Adapter, point.load()())
            scheme = adapter.scheme
        except (ImportError, AttributeError, TypeError) as error:
            raise SourceError(
                f"the source {point.name!r} ({point.value}) cannot be loaded: {error}"
            ) from None
        if scheme in found:
            raise SourceError(f"the source {point.name!r} takes the scheme {scheme!r} again")
        found[scheme] = adapter
    return found


def open_source(what: str | Path, options: SourceOptions | None = None) -> Source:
    """Return the source that a path, a venue's name or an address stands for.

    Accepted: the path of a file, or of a folder of shards (`ShardSource`); `iclr2025`;
    `scheme:what` (`arxiv:cs.LG`, `pmlr:v244`, `openreview:ICLR.cc/2025/Conference`); the address of
    a known publisher or of a list file.
    Nothing is fetched yet.

    Raises:
        SourceError: it is none of these; near names stand in the message.
    """
    options = options or SourceOptions()
    source = _open(what, options)
    if not isinstance(source, RemoteSource) or (options.client and not options.cache):
        return source
    from swimmer.sources.kept import KeptSource

    folder = (options.cache or default_cache()) / "lists"
    return KeptSource(source, folder, fresh=options.fresh, offline=options.offline)


def _open(what: str | Path, options: SourceOptions) -> Source:
    from swimmer.sources.files import FileSource

    if isinstance(what, Path):
        if what.is_dir():
            return _shards(what, options)
        return FileSource(what, columns=options.columns, status=options.status or "all")
    text = what.strip()
    if not text:
        raise SourceError(
            "no source given", hint="name a venue (iclr2025) or the path of a paper list"
        )
    if "://" in text and not text.partition("://")[0].count(":"):
        return _from_url(text, options)
    scheme, colon, rest = text.partition(":")
    if colon and scheme.casefold() in adapters():
        adapter = adapters()[scheme.casefold()]
        # arxiv:https://arxiv.org/abs/… says the same twice.
        inner = adapter.from_url(rest) if rest.startswith(("http://", "https://")) else ""
        return adapter.open(inner or rest, options)
    if os.path.isdir(text):  # noqa: PTH112  Path.is_dir raises for a name that is too long
        return _shards(Path(text), options)
    if os.path.exists(text):  # noqa: PTH110  Path.exists raises for a name that is too long
        return FileSource(text, columns=options.columns, status=options.status or "all")
    if colon and not Path(text).suffix and len(scheme) > 1 and "/" not in scheme:
        raise SourceError(f"{text}: unknown source {scheme!r}", hint=near(scheme, adapters()))
    name, _ = split_name(text)
    if "/" in text or "\\" in text or (Path(text).suffix and name not in known_names()):
        return FileSource(text, columns=options.columns, status=options.status or "all")
    return _by_name(text, options)


def _shards(folder: Path, options: SourceOptions) -> Source:
    from swimmer.sources.shards import ShardSource

    return ShardSource(folder, status=options.status or "all")


def _by_name(text: str, options: SourceOptions) -> Source:
    name, year = split_name(text.casefold().replace("nips", "neurips").replace("neuneur", "neur"))
    keys = adapters()
    if options.venue_status != "accepted":
        return keys["openreview"].open(text, options)
    spans: list[str] = []
    for scheme in (*NAMED_BY_YEAR, *(key for key in keys if key not in NAMED_BY_YEAR)):
        for venue in keys[scheme].venues():
            if venue.name == name and venue.years:
                if year in venue.years:
                    return keys[scheme].open(f"{name}{year}", options)
                spans.append(f"{venue.years[0]}–{venue.years[-1]} ({scheme})")
    if spans:
        asked = f"has no year {year}" if year else "needs a year, as in " + name + "2024"
        raise SourceError(f"{text}: {name} {asked}", hint=f"there is {', '.join(spans)}")
    raise SourceError(
        f"{text}: no such file, and no venue of that name",
        hint=f"{near_names(name)} List all with: swimmer venues",
    )


def known_names() -> dict[str, Venue]:
    """Return every venue that has a name and years, by name."""
    return {
        venue.name: venue
        for adapter in adapters().values()
        for venue in adapter.venues()
        if venue.years
    }


def near_names(name: str) -> str:
    """Return a hint, `did you mean …?`, for the venues whose names are near, else what is known."""
    return near(name, known_names())


def _from_url(url: str, options: SourceOptions) -> Source:
    try:
        scheme = urlsplit(url).scheme.casefold()
    except ValueError as error:
        raise SourceError(
            f"{url[:200]!r}: not an address ({error})",
            hint="give an address that begins with https://",
        ) from None
    if scheme not in ("http", "https"):
        raise SourceError(
            f"{url[:200]}: {scheme} addresses cannot be downloaded",
            hint="give an address that begins with https://",
        )
    for adapter in adapters().values():
        if what := adapter.from_url(url):
            return adapter.open(what, options)
    raise SourceError(
        f"{url}: neither a known publisher nor a list (.json, .jsonl, .csv, .tsv, .bib, .ris, "
        ".md, also .gz)",
        hint="list the publishers with: swimmer venues",
    )
