"""arXiv's own metadata snapshot, and the results of the package arxiv.py.

Source of the snapshot's format: https://www.kaggle.com/datasets/Cornell-University/arxiv
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from swimmer.papers import arxiv_id, written_doi

_PRINTED = re.compile(r"(?:arxiv\.)?Result\.Author\(([\"'])(.{0,200}?)\1\)")
_YEAR = re.compile(r"\b((?:19|20)\d{2})\b")


def arxiv_metadata(paper: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a paper of arXiv; its year is that of the first version."""
    number = arxiv_id(paper.get("id")) or arxiv_id(paper.get("entry_id"))
    versions = paper.get("versions")
    first = versions[0] if isinstance(versions, list) and versions else {}
    created = first.get("created") if isinstance(first, Mapping) else None
    published = paper.get("published") or created
    categories = paper.get("categories")
    if isinstance(categories, str):
        categories = categories.split()
    journal = paper.get("journal-ref") or paper.get("journal_ref")
    return {
        "title": paper.get("title"),
        "abstract": paper.get("abstract") or paper.get("summary"),
        "authors": _people(paper.get("authors_parsed")) or _named(paper.get("authors")),
        "id": number,
        "url": f"https://arxiv.org/abs/{number}" if number else paper.get("entry_id"),
        "venue": "arXiv",
        "year": _year(published) or _year_of_number(number),
        "keywords": categories,
        "area": paper.get("primary_category"),
        "categories": categories,
        "comment": _short(paper.get("comments") or paper.get("comment")),
        "journal": _short(journal),
        "doi": written_doi(paper.get("doi")),
        "arxiv": number,
        "published": _iso(str(published or "")[:40]),
        "updated": str(paper.get("update_date") or paper.get("updated") or "")[:40],
        "pdf": paper.get("pdf_url"),
    }


def _people(parsed: Any) -> list[str]:
    """Return names from lists of (last, first, suffix, affiliations …)."""
    people = []
    for person in parsed if isinstance(parsed, list) else []:
        parts = [str(part or "") for part in person] if isinstance(person, list) else []
        last, first, suffix = (*parts, "", "", "")[:3]
        people.append(" ".join(filter(None, (first, last, suffix))))
    return [name for name in people if name]


def _named(authors: Any) -> Any:
    """Return authors with the names of arxiv.py's objects, where they were printed as objects."""
    if isinstance(authors, list):
        return [_PRINTED.sub(r"\2", one) if isinstance(one, str) else one for one in authors]
    if isinstance(authors, str) and _PRINTED.search(authors):
        return [found[1] for found in _PRINTED.findall(authors)]
    return authors


def _year(text: Any) -> str:
    found = _YEAR.search(str(text)[:60]) if text else None
    return found[1] if found else ""


def _year_of_number(number: str) -> str:
    """Return the year that an arXiv id of the form since 2007 begins with: 0704.0001 is of 2007."""
    return f"20{number[:2]}" if re.match(r"\d{4}\.", number) else ""


def _iso(date: str) -> str:
    """Return a date of e-mail, as the snapshot writes it, as ISO 8601; any other as it is."""
    try:
        return parsedate_to_datetime(date).date().isoformat()
    except (ValueError, TypeError):
        return date


def _short(value: Any) -> str:
    return value[:200] if isinstance(value, str) else ""
