"""The XML of the ACL Anthology, as records.

Source of the format: https://github.com/acl-org/acl-anthology (`data/xml/schema.rnc`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from swimmer.errors import FORMAT_CHANGED, SourceError
from swimmer.sources.formats.records import NotAPaper
from swimmer.sources.formats.xml import flat_text

SITE = "https://aclanthology.org"


def collection_records(
    root: Any, where: str, title: str = ""
) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    """Yield (place, record) of a collection of the Anthology; mixed content is flattened.

    Raises:
        SourceError: the root is no collection, or the papers have no titles.
    """
    if root.tag != "collection":
        raise SourceError(f"{where}: the root is {root.tag!r:.60}, expected 'collection'")
    papers = root.findall("volume/paper")
    if papers and not any(paper.find("title") is not None for paper in papers):
        raise SourceError(f"{where}: no paper has the field 'title'", hint=FORMAT_CHANGED)
    for volume in root.findall("volume"):
        meta = volume.find("meta")
        year = (meta.findtext("year") if meta is not None else "") or ""
        venue = title or (meta.findtext("venue") if meta is not None else "") or ""
        if (volume.get("id") or "").startswith("tutorial"):
            for paper in volume.findall("paper"):
                yield f"paper {paper.get('id')}", NotAPaper("not a paper but a tutorial")
            continue
        for paper in volume.findall("paper"):
            number = f"{root.get('id')}-{volume.get('id')}.{paper.get('id')}"
            if re.fullmatch(r"[A-Z]\d{2}", root.get("id") or ""):
                number = paper.findtext("url") or number
            yield number, _record(paper, number, venue, year, volume.get("id") or "")


def _record(paper: Any, number: str, venue: str, year: str, volume: str) -> dict[str, Any]:
    link = (paper.findtext("url") or number).strip()
    return {
        "title": flat_text(paper.find("title")),
        "abstract": flat_text(paper.find("abstract")),
        "authors": [_person(author) for author in paper.findall("author")],
        "id": number,
        "url": link if "://" in link else f"{SITE}/{link}/",
        "venue": venue,
        "year": year,
        "status": "" if volume.isdigit() else volume,
        "doi": paper.findtext("doi"),
        "acl": number,
    }


def _person(author: Any) -> str:
    first, last = (flat_text(author.find(tag)).strip() for tag in ("first", "last"))
    return f"{first} {last}".strip()
