"""Events of virtual conference sites."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from swimmer.papers import openreview_id
from swimmer.sources.formats.openreview import venue_of_group

_KEPT = (
    "tldr",
    "doi",
    "citations",
    "citation_count",
    "gs_citation",
    "upvotes",
    "ratings",
    "code",
    "code_url",
    "github",
    "published",
    "updated",
)
"""Fields that a list of events may have besides, from other programs than the site's own."""


def event_kind(event: Mapping[str, Any]) -> str:
    """Return the kind of a virtual site's event, such as `Poster`, `Oral` or `Workshop`."""
    for name in ("eventtype", "event_type", "type"):
        value = event.get(name)
        if isinstance(value, str) and value.strip():
            return value.replace("{location}", "").strip()
    return ""


def virtual_event(
    event: Mapping[str, Any], venue: str = "", year: int | str = ""
) -> dict[str, Any]:
    """Turn an event of a virtual conference site; the paper's OpenReview id is kept."""
    paper_url = event.get("paper_url") or event.get("url")
    group = re.search(r"openreview\.net/group\?id=([^&]+)", str(event.get("sourceurl") or ""))
    named = venue_of_group(group[1]) if group else ("", "")
    people = event.get("authors") or event.get("speakers/authors")
    presented = event_of(event)
    return {
        "title": event.get("name"),
        "abstract": event.get("abstract"),
        "authors": people,
        "virtualsite_url": event.get("virtualsite_url"),
        "paper_url": paper_url,
        "id": event.get("id"),
        "venue": venue or named[0],
        "year": year or named[1],
        "keywords": event.get("keywords"),
        "topic": event.get("topic"),
        "decision": event.get("decision"),
        "status": event_kind(event),
        "openreview": openreview_id(paper_url),
        "pdf": event.get("paper_pdf_url") or event.get("pdf_url") or event.get("pdf"),
        **{name: event[name] for name in _KEPT if event.get(name)},
        "institutions": institutions_of(people),
        "events": [presented],
        # Also one by one: a filter compares single values.
        **{name: value for name, value in presented.items() if name != "kind"},
    }


def event_of(event: Mapping[str, Any]) -> dict[str, str]:
    """Return when and where a paper is presented, without what the site does not say."""
    found = {"kind": event_kind(event)}
    for name in ("session", "starttime", "endtime", "room_name", "poster_position"):
        value = event.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
            found[name] = str(value).strip()[:200]
    return {name: value for name, value in found.items() if value}


def institutions_of(people: Any) -> list[str]:
    """Return the institution of each author, in the order of the authors; [] when none is named."""
    if not isinstance(people, list):
        return []
    named = [person.get("institution") for person in people if isinstance(person, Mapping)]
    found = [name.strip() if isinstance(name, str) else "" for name in named]
    return found if any(found) else []
