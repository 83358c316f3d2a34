"""RIS, as reference managers and publishers export it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from swimmer.papers import arxiv_id, doi, openreview_id
from swimmer.sources.formats.records import NotAPaper

STARTS = re.compile(r"TY\s{1,2}-")
_NOT_PAPERS = frozenset({"WEB", "COMP", "DATA", "VIDEO", "SOUND", "MAP", "PAT"})


def ris_records(text: str) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    """Yield (place, record) of an RIS text; entries without an end are counted."""
    import rispy

    number = 0
    for chunk in re.split(r"(?m)^(?=TY\s{1,2}-)", text):
        if not STARTS.match(chunk):
            continue
        number += 1
        place = f"record {number}"
        if not re.search(r"(?m)^ER\s{1,2}-", chunk):
            yield place, NotAPaper("RIS without an end (no ER line); is the file cut off?")
            continue
        try:
            entries = rispy.loads(chunk, skip_unknown_tags=False)
        except (ValueError, OSError, KeyError, IndexError) as error:
            yield place, NotAPaper(f"RIS that cannot be read ({type(error).__name__})")
            continue
        for entry in entries[:1]:
            kind = str(entry.get("type_of_reference", ""))
            reason = NotAPaper(f"not a paper but {kind}") if kind in _NOT_PAPERS else None
            yield place, reason or _record(entry)


def _record(entry: Mapping[str, Any]) -> dict[str, Any]:
    urls = entry.get("urls") or [entry.get("url")]
    url = next((u for u in urls if isinstance(u, str) and "://" in u), "")
    found = doi(entry.get("doi"))
    return {
        "title": entry.get("title") or entry.get("primary_title"),
        "abstract": entry.get("abstract") or entry.get("notes_abstract"),
        "authors": entry.get("authors") or entry.get("first_authors"),
        "url": url or (f"https://doi.org/{found}" if found else ""),
        "id": entry.get("id") or entry.get("accession_number") or found,
        "venue": entry.get("secondary_title")
        or entry.get("journal_name")
        or entry.get("alternate_title1"),
        "year": entry.get("year") or entry.get("publication_year") or entry.get("date"),
        "keywords": entry.get("keywords"),
        "doi": found,
        "arxiv": arxiv_id(url),
        "openreview": openreview_id(url),
    }
