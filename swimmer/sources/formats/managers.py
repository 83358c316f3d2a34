"""Items of reference managers: Zotero, and CSL-JSON, which many write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from swimmer.papers import arxiv_id, doi
from swimmer.sources.formats.indexes import csl_year
from swimmer.sources.formats.kinds import entry_kind
from swimmer.sources.formats.records import NotAPaper

_NOT_PAPERS = frozenset({"attachment", "note", "annotation", "computerProgram", "webpage"})


def csl_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a CSL-JSON item, as Zotero exports it."""
    return {
        "title": item.get("title"),
        "abstract": item.get("abstract"),
        "authors": item.get("author"),
        "url": item.get("URL") or (f"https://doi.org/{item['DOI']}" if item.get("DOI") else ""),
        "id": item.get("citation-key") or item.get("id"),
        "venue": item.get("container-title") or item.get("event-title"),
        "year": csl_year(item.get("issued")),
        "keywords": item.get("keyword"),
        "volume": item.get("volume"),
        "number": item.get("issue"),
        "pages": item.get("page"),
        "publisher": item.get("publisher"),
        "entry_type": entry_kind(str(item.get("type"))),
        "doi": doi(item.get("DOI")),
        "arxiv": arxiv_id(item.get("number")) or arxiv_id(item.get("URL")),
    }


def zotero_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Turn an item of Zotero's API or Better BibTeX JSON; tags become keywords."""
    data = item.get("data") if isinstance(item.get("data"), Mapping) else item
    assert isinstance(data, Mapping)
    kind = str(data.get("itemType") or "")
    if kind in _NOT_PAPERS:
        raise NotAPaper(f"not a paper but Zotero's {kind}")
    creators = data.get("creators") if isinstance(data.get("creators"), list) else []
    return {
        "title": data.get("title"),
        "abstract": data.get("abstractNote"),
        "authors": [
            {"first": c.get("firstName"), "last": c.get("lastName"), "name": c.get("name")}
            for c in creators or []
            if isinstance(c, Mapping) and c.get("creatorType", "author") == "author"
        ],
        "url": data.get("url") or (f"https://doi.org/{data['DOI']}" if data.get("DOI") else ""),
        "id": data.get("key") or data.get("itemKey"),
        "venue": data.get("conferenceName")
        or data.get("proceedingsTitle")
        or data.get("publicationTitle"),
        "year": data.get("date"),
        "keywords": data.get("tags"),
        "volume": data.get("volume"),
        "number": data.get("issue"),
        "pages": data.get("pages"),
        "publisher": data.get("publisher"),
        "entry_type": entry_kind(kind),
        "doi": doi(data.get("DOI")),
        "arxiv": arxiv_id(data.get("archiveID")) or arxiv_id(data.get("url")),
    }
