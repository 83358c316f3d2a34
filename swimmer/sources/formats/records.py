"""From one record of a list (JSON object, CSV row, API item) to a `Paper`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from swimmer.errors import InputError
from swimmer.papers import Paper, arxiv_id
from swimmer.text import clean, clean_url

ALIASES: dict[str, tuple[str, ...]] = {
    "title": ("title", "name", "paper_title", "papertitle"),
    "abstract": ("abstract", "abstract note", "summary", "abs_text", "description"),
    "url": ("url", "virtualsite_url", "site", "link", "paper_url", "abs", "href", "forum", "pdf"),
    "authors": ("authors", "author", "speakers/authors", "speakers", "author_site", "creators"),
    "year": ("year", "publication_year", "publication year", "date", "published", "publishedat"),
    "venue": ("venue", "conference", "booktitle", "journal", "publication title"),
    "keywords": ("keywords", "keyword", "tags", "manual tags", "categories"),
    "id": ("id", "paper_id", "paperid", "pid", "arxiv_id", "uid", "key"),
    "status": ("status", "type", "eventtype", "event_type", "volume"),
}
"""Usual field names of the wild, most trusted first; compared in lower case."""

EXTRA_ALIASES: dict[str, tuple[str, ...]] = {
    "area": ("area", "primary_area", "topic"),
    "tldr": ("tldr", "tl;dr", "tl_dr"),
    "decision": ("decision",),
    "doi": ("doi",),
    "session": ("session",),
    "abstract_translated": ("abstract_translated",),
    "reading_notes": ("reading_notes",),
}

_SLOTS = {
    alias: (name, rank)
    for name, aliases in (*ALIASES.items(), *EXTRA_ALIASES.items())
    for rank, alias in enumerate(aliases)
}
"""The plain name that a field of the wild stands for, and how many are trusted more for it."""

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
    }
)
_YEAR = re.compile(r"(?<!\d)((?:19|20)[0-9]{2})(?!\d)")
_SHORT_VENUE = re.compile(r"[a-z]{2,8}")
_SINGLE_NAME = re.compile(r"[^,;]+,[^,;]+")


class NotAPaper(Exception):
    """A record is left out; the text is the reason that the report counts it under."""


def paper_from_record(record: Mapping[str, Any], *, base: str = "") -> Paper:
    """Return the paper that a record of any usual shape describes.

    `base` is the address relative URLs stand under. Fields are found by `ALIASES`; values
    wrapped as `{"value": …}` (OpenReview API v2) are unwrapped, also one level down in
    `content`. Small fields that are not known are kept in `Paper.extra`.

    Raises:
        NotAPaper: the record is an event that is no paper, has no title, or holds a field of an
            unusable type; the text says which.
    """
    flat = _flatten(record)
    found = _most_trusted(flat)
    title = found.get("title")
    if title is not None and not isinstance(title, str):
        raise NotAPaper(f"title is not text ({type(title).__name__})")
    if not title or not clean(title):
        raise NotAPaper("no title")
    status = _status(found.get("status"))
    url, virtual_id = _address(flat, found.get("url"), base)
    venue, year = _venue_and_year(found, url)
    extra = {name: found[name] for name in EXTRA_ALIASES if found.get(name)}
    extra.update(_small_fields(flat))
    try:
        return Paper(
            title=title,
            abstract=_text(found.get("abstract")),
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


def _status(value: Any) -> str:
    status = clean(value.replace("{location}", ""), 200) if isinstance(value, str) else ""
    if not status:
        return ""
    kind = status.casefold()
    paper_event = any(word in kind for word in PAPER_EVENTS)
    if any(word in kind for word in OTHER_EVENTS) and not paper_event:
        raise NotAPaper(f"not a paper but {kind}")
    return status


@lru_cache(maxsize=4096)
def _field_name(name: str) -> str:
    return name.strip().lstrip("\ufeff").casefold()


def _flatten(record: Mapping[str, Any]) -> dict[str, Any]:
    content = record.get("content")
    merged = {**record, **content} if isinstance(content, Mapping) else record
    flat: dict[str, Any] = {}
    for name, value in merged.items():
        if isinstance(value, dict) and "value" in value and set(value) <= {"value", "readers"}:
            value = value["value"]
        flat[_field_name(str(name)[:200])] = value
    return flat


def _most_trusted(flat: Mapping[str, Any]) -> dict[str, Any]:
    """Return by plain name the value of its most trusted field that is not blank."""
    found: dict[str, Any] = {}
    ranks: dict[str, int] = {}
    # A pass over the few fields of a record, not over the many names that one could have.
    for alias, value in flat.items():
        slot = _SLOTS.get(alias)
        if slot is None or _is_blank(value):
            continue
        name, rank = slot
        if rank < ranks.get(name, len(_SLOTS)):
            found[name], ranks[name] = value, rank
    return found


def _is_blank(value: Any) -> bool:
    if isinstance(value, float):
        return math.isnan(value)
    return not value and (value is None or value == "" or value == [] or value == {})


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
    address = clean_url(_text(url), base)
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


def names_of_people(value: Any) -> tuple[str, ...]:
    """Return names in order, from a list of names, a list of objects, or one joined string.

    A string is split at semicolons, else at " and " (BibTeX, whose "Last, First" is turned
    round), else at commas.
    """
    if isinstance(value, str):
        text = clean(value, 20_000)
        if ";" in text:
            parts = [_name(part) for part in text.split(";")]
        elif re.search(r"\sand\s", text) and (
            all(_SINGLE_NAME.fullmatch(p.strip()) for p in re.split(r"\sand\s", text))
            or "," not in text
        ):
            parts = [_turned(part) for part in re.split(r"\sand\s", text)]
        else:
            parts = re.split(r",\s*(?:and\s+)?|\s+and\s+", text)
    elif isinstance(value, (list, tuple)):
        parts = [_name(person) for person in value]
    elif isinstance(value, Mapping):
        parts = [_name(value)]
    else:
        return ()
    return tuple(name for part in parts if (name := clean(part, 500)))


def _turned(name: str) -> str:
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else name


def _name(person: Any) -> str:
    if isinstance(person, str):
        return _turned(person) if person.count(",") == 1 else person
    if isinstance(person, Mapping):
        for key in ("fullname", "name", "full_name", "display_name"):
            if isinstance(person.get(key), str) and person[key].strip():
                return str(person[key])
        first = person.get("first") or person.get("first_name") or person.get("given")
        last = person.get("last") or person.get("last_name") or person.get("family")
        return " ".join(part for part in (first, last) if isinstance(part, str))
    return ""


def keywords_of(value: Any) -> tuple[str, ...]:
    """Return keywords, split where several stand in one string ("a; b; c", also in a list)."""
    values = value if isinstance(value, (list, tuple)) else [value]
    out: dict[str, None] = {}
    for item in values:
        if isinstance(item, Mapping):
            item = item.get("name") or item.get("tag") or item.get("keyword")
        if not isinstance(item, str):
            continue
        separator = ";" if ";" in item else "," if "," in item else None
        for part in item.split(separator) if separator else [item]:
            if keyword := clean(part, 500):
                out.setdefault(keyword)
    return tuple(out)


def _small_fields(flat: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for name, value in flat.items():
        if name in _SLOTS or name in _NOT_KEPT or name.startswith("_") or len(name) > 40:
            continue
        number = isinstance(value, int) and abs(value) < 1 << 63
        small = number or (isinstance(value, str) and 0 < len(value) <= 200)
        finite = isinstance(value, float) and math.isfinite(value)
        if (small or finite) and len(kept) < 20:
            kept[name] = value
    return kept
