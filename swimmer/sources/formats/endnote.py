"""EndNote's XML, as EndNote, Bookends and Zotero export it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from swimmer.papers import arxiv_id, written_doi
from swimmer.sources.formats.kinds import entry_kind
from swimmer.sources.formats.xml import flat_text


def endnote_records(root: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, record) of an EndNote XML document."""
    for number, record in enumerate(root.iter("record"), 1):
        yield f"record {number}", _record(record)


def _text(record: Any, *paths: str) -> str:
    for path in paths:
        if found := " ".join(flat_text(record.find(path)).split()):
            return found
    return ""


def _record(record: Any) -> dict[str, Any]:
    kind = record.find("ref-type")
    name = (kind.get("name") or "") if kind is not None else ""
    url = _text(record, "urls/related-urls/url", "urls/web-urls/url")
    doi = written_doi(_text(record, "electronic-resource-num"))
    return {
        "title": _text(record, "titles/title"),
        "abstract": _text(record, "abstract"),
        "authors": [flat_text(a).strip() for a in record.findall("contributors/authors/author")],
        "id": _text(record, "accession-num") or doi,
        "url": url if "://" in url else "",
        "venue": _text(
            record,
            "periodical/full-title",
            "titles/secondary-title",
            "periodical/abbr-1",
            "alt-periodical/full-title",
        ),
        "year": _text(record, "dates/year", "dates/pub-dates/date"),
        "keywords": [flat_text(word).strip() for word in record.findall("keywords/keyword")],
        "volume": _text(record, "volume"),
        "number": _text(record, "number", "issue"),
        "pages": _text(record, "pages"),
        "publisher": _text(record, "publisher"),
        "doi": doi,
        "arxiv": arxiv_id(url),
        "entry_type": entry_kind(name),
    }
