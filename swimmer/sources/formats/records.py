"""From one record of a list (JSON object, CSV row, API item) to a `Paper`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from swimmer.errors import InputError
from swimmer.papers import ABSTRACT_CUT, AUTHORS_ORDER, Paper, arxiv_id, written_doi
from swimmer.sources.formats.blanks import is_blank, is_placeholder
from swimmer.sources.formats.fields import (
    END_PAGE,
    EXTRA_ALIASES,
    OTHER_TYPES,
    START_PAGE,
    could_be_title,
    field_names,
    most_trusted,
    page_range,
    published_date,
    slot_of,
)
from swimmer.sources.formats.kinds import entry_kind
from swimmer.sources.formats.people import keywords_of, names_of_people
from swimmer.text import clean, clean_url

PAPER_EVENTS = ("poster", "oral", "spotlight", "paper", "highlight", "journal track")
OTHER_EVENTS = (
    "workshop",
    "tutorial",
    "invited talk",
    "expo",
    "social",
    "keynote",
    "panel",
    "break",
    "town hall",
    "mentorship",
    "affinity",
    "competition",
    "demonstration",
    "remarks",
    "reception",
    "registration",
    "session",
    "award",
    "meal",
    "test of time",
)

_VIRTUAL = re.compile(
    r"(?:https?://(?P<host>[a-z0-9.-]{1,253}))?/{1,9}virtual/(?P<year>\d{4})/(?P<kind>[a-z-]{1,40})/(?P<id>\d{1,20})",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<!\d)((?:19|20)[0-9]{2})(?!\d)")
_SHORT_VENUE = re.compile(r"[a-z]{2,8}")
_NEXT_ADDRESS = re.compile(r"[;,|\s]{1,9}(?=https?://)")
_PDF_FIELDS = ("pdf", "pdf_url", "pdf url", "pdf link", "pdf_link")
_PDF_NAMES = frozenset(_PDF_FIELDS)
_ELLIPSIS = re.compile(r"\s?(?:…|\.{3})$")
_STAGES = re.compile(
    r"final|article in press|published|epublish|ppublish|aheadofprint", re.IGNORECASE
)
_NOT_KEPT = frozenset(
    {
        "email",
        "emails",
        "authorids",
        "orcid",
        "gender",
        "homepage",
        "dblp",
        "google_scholar",
        "linkedin",
        "bibtex",
        "speakers/authors",
        "type",
        *_PDF_FIELDS,
        *START_PAGE,
        *END_PAGE,
    }
)


class NotAPaper(Exception):
    """A record is left out; the text is the reason that the report counts it under."""


def paper_from_record(record: Mapping[str, Any], *, base: str = "") -> Paper:
    """Return the paper that a record of any usual shape describes.

    `base` is the address relative URLs stand under. Fields are found by their usual names (see
    `fields`); values wrapped as `{"value": …}` (OpenReview API v2) are unwrapped, also one level
    down in `content`. Small fields that are not known are kept in `Paper.extra`.

    Raises:
        NotAPaper: the record is an event that is no paper, has no title, or holds a field of an
            unusable type; the text says which.
    """
    flat = _flatten(record)
    found = most_trusted(flat)
    title = found.get("title") or _title_of_another_name(flat)
    if title is not None and not isinstance(title, str):
        raise NotAPaper(f"title is not text ({type(title).__name__})")
    # A letter or digit at the start outlasts all cleaning, which would run twice.
    if not title or not (title[0].isalnum() or clean(title)):
        raise NotAPaper("no title")
    extra = _extra_fields(found, flat)
    status = _status(found.get("status"), flat.get("type"), extra, bool(flat.get("_paper")))
    url, virtual_id = _address(flat, found.get("url"), base)
    if not url and isinstance(extra.get("doi"), str) and extra["doi"].startswith("10."):
        url = clean_url(f"https://doi.org/{extra['doi']}")
    _keep_pdf(flat, url, extra)
    venue, year = _venue_and_year(found, url)
    abstract = _text(found.get("abstract"))
    if abstract.endswith(("…", "...")):
        # A list that says itself that it has only the beginning.
        abstract, extra[ABSTRACT_CUT] = _ELLIPSIS.sub("", abstract), True
    try:
        return Paper(
            title=title,
            abstract=abstract,
            url=url,
            id=virtual_id or _identifier(found.get("id")),
            authors=names_of_people(found.get("authors")),
            venue=venue,
            year=year,
            keywords=keywords_of(found.get("keywords")),
            status=status,
            extra=extra,
        )
    except InputError as error:
        raise NotAPaper(str(error).removeprefix("paper: ")) from None


def _title_of_another_name(flat: Mapping[str, Any]) -> Any:
    return next((v for name, v in flat.items() if could_be_title(name) and not is_blank(v)), None)


def _extra_fields(found: Mapping[str, Any], flat: Mapping[str, Any]) -> dict[str, Any]:
    extra = {name: value for name, value in found.items() if name in EXTRA_ALIASES and value}
    if isinstance(extra.get("doi"), str):
        extra["doi"] = written_doi(extra["doi"]) or extra["doi"]
    if "entry_type" in extra:
        extra["entry_type"] = entry_kind(extra["entry_type"]) or "misc"
    if flat.get(AUTHORS_ORDER) == "unknown":
        # Elsewhere the word stands for nothing.
        extra[AUTHORS_ORDER] = "unknown"
    if "pages" not in extra and (pages := page_range(flat)):
        extra["pages"] = pages
    if published := published_date(flat):
        extra["published"] = published
    extra.update(_small_fields(flat))
    return extra


def _keep_pdf(flat: Mapping[str, Any], url: str, extra: dict[str, Any]) -> None:
    if _PDF_NAMES.isdisjoint(flat):
        return
    for name in _PDF_FIELDS:
        value = flat.get(name)
        if isinstance(value, str) and (address := clean_url(value)) and address != url:
            extra["pdf"] = address
            return


def _status(value: Any, kind: Any, extra: dict[str, Any], listed: bool) -> str:
    """Return the status of a record; a kind of document is kept in `extra` instead.

    `listed` says that the record is a paper whatever its status is called.
    """
    if is_blank(value) and isinstance(kind, str):
        if named := entry_kind(kind):
            extra.setdefault("entry_type", named)
        elif kind.strip().casefold() not in OTHER_TYPES:
            value = kind
    status = clean(value.replace("{location}", ""), 200) if isinstance(value, str) else ""
    if not status or _STAGES.fullmatch(status):
        return ""
    event = status.casefold()
    paper_event = listed or any(word in event for word in PAPER_EVENTS)
    if any(word in event for word in OTHER_EVENTS) and not paper_event:
        raise NotAPaper(f"not a paper but {event}")
    return status


def _flatten(record: Mapping[str, Any]) -> dict[str, Any]:
    content = record.get("content")
    merged = record
    if content is not None and isinstance(content, Mapping):
        merged = {**record, **content}
    try:
        names = field_names(tuple(merged))
    except (TypeError, AttributeError):
        # YAML has names that are numbers or dates.
        names = field_names(tuple(map(str, merged)))
    flat = dict(zip(names, merged.values(), strict=True))
    for name, value in flat.items():
        if isinstance(value, dict) and "value" in value and set(value) <= {"value", "readers"}:
            flat[name] = value["value"]
    return flat


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
        return " ".join(value)
    return ""


def _identifier(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    text = clean(str(value), 500)
    # The version of a preprint changes; the paper stays the same.
    return arxiv_id(text) or text


def _address(flat: Mapping[str, Any], url: Any, base: str) -> tuple[str, str]:
    """Return the paper's address and, from a virtual site, the number in it."""
    virtual = flat.get("virtualsite_url")
    if isinstance(virtual, str) and (match := _VIRTUAL.search(virtual[:2_000])):
        address = clean_url(virtual, base)
        # A relative address whose host is not known leads nowhere; the paper's own page does.
        return address or clean_url(_text(flat.get("paper_url")), base), match["id"]
    text = _text(url)
    if text.count("://") > 1:
        # Several addresses in one cell: the first is the paper's.
        text = _NEXT_ADDRESS.split(text[:4_000])[0]
    address = clean_url(text, base)
    match = _virtual(address)
    return address, match["id"] if match else ""


def _virtual(address: str) -> re.Match[str] | None:
    # The search costs more than all else about an address, and few are of a virtual site.
    return _VIRTUAL.search(address) if "/virtual/" in address.lower() else None


def _venue_and_year(found: Mapping[str, Any], url: str) -> tuple[str, int | None]:
    venue = _text(found.get("venue"))
    year = year_of(found.get("year"))
    if match := _virtual(url):
        host = (match["host"] or "").removeprefix("www.").split(".")[0]
        venue = venue or host.upper()
        year = year or int(match["year"])
    if _SHORT_VENUE.fullmatch(venue):
        venue = venue.upper()
    if year is None:
        year = year_of(venue)
    return venue, year


def year_of(value: Any) -> int | None:
    """Return the four-digit year that a value starts with or holds, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        # Compared before anything is computed: a number of 400 digits fits no float.
        return int(value) if 1900 <= value < 2100 and value == int(value) else None
    if isinstance(value, str) and (match := _YEAR.search(value[:200])):
        return int(match[1])
    return None


@lru_cache(maxsize=1024)
def _other_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of a record's fields that stand for nothing known and may be kept."""
    return tuple(
        name
        for name in names
        if not (slot_of(name) or name in _NOT_KEPT or name.startswith("_") or len(name) > 40)
    )


def _small_fields(flat: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name in _other_names(tuple(flat)):
        value = flat[name]
        if isinstance(value, str) and is_placeholder(value):
            continue
        number = isinstance(value, int) and abs(value) < 1 << 63
        small = number or (isinstance(value, str) and 0 < len(value) <= 200)
        finite = isinstance(value, float) and math.isfinite(value)
        if (small or finite) and len(kept) < 20:
            kept[name] = value
    return kept
