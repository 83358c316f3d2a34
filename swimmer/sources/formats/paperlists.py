"""Entries of the `paperlists` collection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from swimmer.papers import arxiv_id, doi, openreview_id

_EVENTS = ("poster", "oral", "spotlight", "highlight", "notable")
_FILE_NAME = re.compile(r"(?<![a-z])([a-z]{2,12})[-_]?((?:19|20)\d{2})$")
_BIBTEX_FIELD = re.compile(r"\b(year|booktitle|journal)\s{0,9}=\s{0,9}[{\"]?([^{}\"\n]{1,300})")


def paperlist(item: Mapping[str, Any], list_name: str = "") -> dict[str, Any]:
    """Turn an entry of the `paperlists` collection, in any of its five schemas.

    The schemas are those of OpenReview venues, virtual sites, the ACL Anthology, CVF and
    SIGGRAPH. Venue and year stand in the entry's BibTeX, or in the name of the file (`iclr2025`).
    """
    site = item.get("site") or item.get("url_paper") or item.get("oa") or item.get("pdf")
    bibtex = item.get("bibtex") if isinstance(item.get("bibtex"), str) else ""
    cited = dict(_BIBTEX_FIELD.findall(str(bibtex)[:5_000]))
    named = _FILE_NAME.search(list_name)
    authors = item.get("author") or item.get("author_site")
    status = item.get("status")
    presented = isinstance(status, str) and any(word in status.casefold() for word in _EVENTS)
    return {
        "title": item.get("title"),
        "abstract": item.get("abstract"),
        "authors": once(authors) if isinstance(authors, str) else authors,
        "url": site,
        "id": item.get("id") or item.get("ssid"),
        "venue": item.get("venue")
        or item.get("conference")
        or cited.get("booktitle")
        or cited.get("journal")
        or (named[1] if named else ""),
        "year": item.get("year") or cited.get("year") or (named[2] if named else ""),
        "keywords": item.get("keywords") or item.get("keyword"),
        # Whatever the track is called, what the collection lists are papers.
        "status": status,
        "primary_area": item.get("primary_area"),
        "tldr": item.get("tldr"),
        "track": item.get("track"),
        "doi": doi(item.get("doi")),
        "openreview": openreview_id(item.get("openreview") or site),
        "arxiv": arxiv_id(item.get("arxiv")),
        "institutions": institutions(item.get("aff")),
        "ratings": _numbers(item.get("rating")),
        "citations": _count(item.get("gs_citation")),
        "code": item.get("github"),
        "project": item.get("project"),
        "pdf": item.get("pdf"),
        "events": [{"kind": status}] if presented else [],
        "_paper": True,
    }


def once(joined: str) -> str:
    """Return a list of names, joined by semicolons, once where it stands there twice."""
    names = [name.strip() for name in joined.split(";")]
    half = len(names) // 2
    return "; ".join(names[:half]) if half and names[:half] == names[half:] else joined


def institutions(joined: Any) -> list[str]:
    """Return the institutions of the authors, [] when none is named."""
    if not isinstance(joined, str):
        return []
    found = [name.strip() for name in once(joined).split(";")]
    return found if any(found) else []


def _numbers(joined: Any) -> list[float]:
    parts = str(joined).split(";") if isinstance(joined, (str, int, float)) else []
    return [float(p) for p in parts if re.fullmatch(r"\s?\d{1,2}(?:\.\d{1,3})?\s?", p)]


def _count(value: Any) -> int | None:
    """Return a number of citations; the collection writes -1 where it is not known."""
    text = str(value)
    return int(text) if re.fullmatch(r"\d{1,7}", text) else None
