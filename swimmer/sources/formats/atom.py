"""arXiv's Atom feed, as records.

Source of the format: https://info.arxiv.org/help/api/user-manual.html.
"""

from __future__ import annotations

from typing import Any

from swimmer.errors import FORMAT_CHANGED, SourceError
from swimmer.papers import arxiv_id

ATOM = "{http://www.w3.org/2005/Atom}"
ARXIV = "{http://arxiv.org/schemas/atom}"
SEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"


def feed(root: Any, where: str) -> tuple[list[Any], int]:
    """Return (entries, number of all papers) of an Atom feed.

    Raises:
        SourceError: the root is no feed, or arXiv answers with an error, which is passed on.
    """
    if root.tag != f"{ATOM}feed":
        raise SourceError(
            f"{where}: the root is {root.tag!r:.60}, expected an Atom 'feed'",
            hint="XML of arXiv, DBLP, EndNote, PubMed and the ACL Anthology can be read; "
            "export another list as BibTeX, RIS or CSV",
        )
    entries = root.findall(f"{ATOM}entry")
    for entry in entries:
        if "/api/errors" in (entry.findtext(f"{ATOM}id") or ""):
            raise SourceError(f"arXiv: {(entry.findtext(f'{ATOM}summary') or 'error').strip()}")
    total = root.findtext(f"{SEARCH}totalResults")
    total = total.strip() if total is not None else None
    if total is not None and not (total.isascii() and total.isdecimal() and len(total) < 10):
        raise SourceError(f"{where}: 'totalResults' is {total!r:.40}, expected a number")
    if entries and not any(entry.find(f"{ATOM}title") is not None for entry in entries):
        raise SourceError(f"{where}: no entry has the field 'title'", hint=FORMAT_CHANGED)
    return entries, int(total) if total else len(entries)


def entry_record(entry: Any) -> dict[str, Any]:
    """Turn an Atom entry of arXiv into a record; ids lose their version."""
    number = arxiv_id(entry.findtext(f"{ATOM}id") or "")
    primary = entry.find(f"{ARXIV}primary_category")
    return {
        "title": entry.findtext(f"{ATOM}title"),
        "abstract": entry.findtext(f"{ATOM}summary"),
        "authors": [a.findtext(f"{ATOM}name") for a in entry.findall(f"{ATOM}author")],
        "id": number,
        "url": f"https://arxiv.org/abs/{number}" if number else "",
        "venue": "arXiv",
        "year": entry.findtext(f"{ATOM}published"),
        "keywords": [c.get("term") for c in entry.findall(f"{ATOM}category")],
        "area": primary.get("term") if primary is not None else None,
        "comment": (entry.findtext(f"{ARXIV}comment") or "")[:200],
        "journal": (entry.findtext(f"{ARXIV}journal_ref") or "")[:200],
        "doi": entry.findtext(f"{ARXIV}doi"),
        "arxiv": number,
        "published": (entry.findtext(f"{ATOM}published") or "")[:10],
    }
