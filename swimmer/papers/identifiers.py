"""The identifiers of papers: arXiv, DOI, OpenReview, ACL Anthology, in text, addresses and papers.

Sources: https://info.arxiv.org/help/arxiv_identifier.html (both forms of arXiv ids),
https://www.doi.org/doi-handbook (a DOI is `10.`, a registrant, a slash and any suffix, and its
case does not matter).
"""

from __future__ import annotations

import re
from typing import Any

from swimmer.papers.paper import Paper

LONGEST = 2_000
"""Characters of a text that are searched for an identifier; no address is longer."""

_ARXIV = re.compile(
    r"(?:^|(?:arxiv|alphaxiv)[:./]|huggingface\.co/papers/|10\.48550/arxiv\.)(?:org/)?"
    r"(?:abs/|pdf/|html/|e-print/)?"
    r"(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?(?:\.pdf)?/?(?:[?#].*)?$",
    re.IGNORECASE,
)
_FORUM = re.compile(r"openreview\.net/(?:forum|pdf|attachment)/?\?(?:[^#]*&)?id=([A-Za-z0-9_-]+)")
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>{}\\]+")


def arxiv_id(text: Any) -> str:
    """Return the arXiv id, without version, that a text is or an address leads to, else ""."""
    match = _ARXIV.search(text.strip()[:LONGEST]) if isinstance(text, str) else None
    return match[1] if match else ""


def openreview_id(text: Any) -> str:
    """Return the forum id in an OpenReview address, else ""."""
    match = _FORUM.search(text[:LONGEST]) if isinstance(text, str) else None
    return match[1] if match else ""


def doi(text: Any) -> str:
    """Return the first DOI in a text or address, in lower case, else ""."""
    return written_doi(text).casefold()


def written_doi(text: Any) -> str:
    """Return the first DOI in a text or address, as it is written there, else ""."""
    match = _DOI.search(text[:LONGEST]) if isinstance(text, str) else None
    return match[0].rstrip(".,;") if match else ""


def arxiv_of(paper: Paper) -> str:
    """Return the arXiv id of a paper without its version, or ""."""
    for named in (paper.extra.get("arxiv"), paper.extra.get("arxiv_id")):
        if found := arxiv_id(named):
            return found
    if "://" in paper.url and (found := arxiv_id(paper.url)):
        return found
    return arxiv_id(paper.id) if paper.venue == "arXiv" else ""


def doi_of(paper: Paper) -> str:
    """Return the DOI of a paper as it is written there, or ""."""
    return written_doi(paper.extra.get("doi")) or (
        written_doi(paper.url) if "doi.org/" in paper.url else ""
    )


def identifiers(paper: Paper) -> frozenset[tuple[str, str]]:
    """Return what names a paper across publishers, as (kind, value)."""
    extra = paper.extra
    found = {
        "arxiv": arxiv_of(paper),
        "doi": doi_of(paper).casefold(),
        "openreview": openreview_id(paper.url) or str(extra.get("openreview") or ""),
        "acl": str(extra.get("acl") or ""),
        "url": paper.url.partition("://")[2].rstrip("/").casefold(),
    }
    return frozenset((kind, value) for kind, value in found.items() if value)
