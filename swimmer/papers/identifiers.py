"""The identifiers of papers: arXiv, DOI, OpenReview, ACL Anthology, in text, addresses and papers.

Sources: https://info.arxiv.org/help/arxiv_identifier.html (both forms of arXiv ids),
https://www.doi.org/doi-handbook (a DOI is `10.`, a registrant, a slash and any suffix, and its
case does not matter).
"""

from __future__ import annotations

import re
from typing import Any

from swimmer.papers.paper import Paper
from swimmer.text import pattern

LONGEST = 2_000
"""Characters of a text that are searched for an identifier; no address is longer."""

_ARXIV = pattern(
    r"(?:^|(?:arxiv|alphaxiv)[:./]|huggingface\.co/papers/|10\.48550/arxiv\.)(?:org/)?"
    r"(?:abs/|pdf/|html/|e-print/)?"
    r"(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?(?:\.pdf)?/?(?:[?#].*)?$",
    re.IGNORECASE,
)
_FORUM = pattern(r"openreview\.net/(?:forum|pdf|attachment)/?\?(?:[^#]*&)?id=([A-Za-z0-9_-]+)")
_SCHEME = pattern(r"^\s*(?:https?:)?/*(?:www\.)?", re.IGNORECASE)
_ADDRESS = pattern(
    r"https?:/|www\.|(?:arxiv|openreview|doi):\S|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}/\S*$",
    re.IGNORECASE,
)
_ANTHOLOGY = pattern(r"aclanthology\.(?:org|info)/(?:papers?/)?([^/?]+)")
_DOI = pattern(r"\b10\.\d{4,9}/[^\s\"<>{}\\]+")


def arxiv_id(text: Any) -> str:
    """Return the arXiv id, without version, that a text is or an address leads to, else ""."""
    if not isinstance(text, str):
        return ""
    text = text.strip()[:LONGEST]
    if text.isascii() and text.startswith(("http://", "https://")):
        # Most addresses lead elsewhere, which takes a tenth of the pattern's time to see.
        lower = text.lower()
        if "arxiv" not in lower and "huggingface.co/papers/" not in lower:
            return ""
    match = _ARXIV.search(text)
    return match[1] if match else ""


def openreview_id(text: Any) -> str:
    """Return the forum id in an OpenReview address, else ""."""
    if not isinstance(text, str) or "openreview.net/" not in text:
        return ""
    match = _FORUM.search(text[:LONGEST])
    return match[1] if match else ""


def doi(text: Any) -> str:
    """Return the first DOI in a text or address, in lower case, else ""."""
    return written_doi(text).casefold()


def written_doi(text: Any) -> str:
    """Return the first DOI in a text or address, as it is written there, else ""."""
    if not isinstance(text, str) or "10." not in text:
        return ""
    match = _DOI.search(text[:LONGEST])
    return match[0].rstrip(".,;") if match else ""


def arxiv_of(paper: Paper) -> str:
    """Return the arXiv id of a paper without its version, or ""."""
    for name in ("arxiv", "arxiv_id"):
        if name in paper.extra and (found := arxiv_id(paper.extra[name])):
            return found
    if "://" in paper.url and (found := arxiv_id(paper.url)):
        return found
    return arxiv_id(paper.id) if paper.venue == "arXiv" else ""


def doi_of(paper: Paper) -> str:
    """Return the DOI of a paper as it is written there, or ""."""
    return written_doi(paper.extra.get("doi")) or (
        written_doi(paper.url) if "doi.org/" in paper.url else ""
    )


def address_key(url: str) -> str:
    """Return what is left of a URL whose spelling does not count, "" for none.

    The scheme, `www.`, doubled and trailing slashes, `.pdf` at the end, the fragment and case do
    not count.
    """
    rest = _SCHEME.sub("", url.strip()[:LONGEST].partition("#")[0])
    path, mark, query = rest.partition("?")
    if "//" in path:
        path = re.sub("/{2,}", "/", path)
    path = path.rstrip("/")
    path = path[:-4] if path[-4:].lower() == ".pdf" else path
    return f"{path}{mark if query else ''}{query}".casefold()


def identifiers_in(text: str) -> list[tuple[str, str]]:
    """Return what a text may name a paper by, as (kind, value) of `identifiers`, surest first.

    The text is an identifier or an address and nothing else; a text of several words gives none.
    """
    text = text.strip().strip("<>()[]").rstrip(".,;")
    if not text or len(text) > LONGEST or len(text.split()) > 1:
        return []
    prefix, _, rest = text.partition(":")
    kind = prefix.casefold()
    found = [("arxiv", arxiv_id(text)), ("openreview", openreview_id(text)), ("doi", doi(text))]
    if kind == "openreview":
        found.append((kind, rest))
    elif kind == "doi":
        found.append((kind, doi(rest)))
    if "/" in text or "." in text:
        key = address_key(text)
        found += [("url", key), ("url", key.partition("?")[0])]
        if (anthology := _ANTHOLOGY.search(key)) is not None:
            found.append(("acl", anthology[1]))
    return list(dict.fromkeys(pair for pair in found if pair[1]))


def is_address(text: str) -> bool:
    """Return whether a text can only be an address or an identifier, whatever it leads to."""
    text = text.strip()
    if len(text.split()) != 1 or len(text) > LONGEST:
        return False
    return bool(_ADDRESS.match(text)) or bool(arxiv_id(text)) or bool(_DOI.fullmatch(text))


def identifiers(paper: Paper) -> frozenset[tuple[str, str]]:
    """Return what names a paper across publishers, as (kind, value)."""
    extra = paper.extra
    found = {
        "arxiv": arxiv_of(paper),
        "doi": doi_of(paper).casefold(),
        "openreview": openreview_id(paper.url) or str(extra.get("openreview") or ""),
        "acl": str(extra.get("acl") or ""),
        "url": address_key(paper.url),
    }
    return frozenset((kind, value) for kind, value in found.items() if value)
