"""DBLP's XML: its whole list, the page of a person, and the answer of its search.

Source of the format: https://dblp.org/xml/docu/dblpxml.pdf
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from swimmer.sources.formats.indexes import dblp_hit
from swimmer.sources.formats.xml import flat_text

DBLP_ROOTS = frozenset({"dblp", "dblpperson", "result"})

_NOT_PAPERS = frozenset({"person", "homonyms", "coauthors", "www", "cite", "data"})
_PERSON_PAPER = "r"


def dblp_records(root: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, record) of a document of DBLP; people and pages are no papers."""
    papers = root.iter("info") if root.tag == "result" else _publications(root)
    for number, element in enumerate(papers, 1):
        yield f"record {number}", dblp_hit(_info(element))


def _publications(root: Any) -> Iterator[Any]:
    for element in root:
        found = element if element.tag != _PERSON_PAPER else next(iter(element), None)
        if found is not None and found.tag not in _NOT_PAPERS:
            yield found


def _info(element: Any) -> dict[str, Any]:
    """Return a publication under the names that the search has for its parts."""

    def of(*names: str) -> str:
        found = (flat_text(child) for name in names for child in element.iter(name))
        return next((" ".join(text.split()) for text in found if text.strip()), "")

    return {
        "title": of("title"),
        "authors": {"author": [flat_text(author).strip() for author in element.iter("author")]},
        "venue": of("venue", "booktitle", "journal"),
        "year": of("year"),
        "ee": of("ee"),
        "url": of("url") if element.tag == "info" else "",
        "doi": of("doi"),
        "key": of("key") or element.get("key", ""),
        "volume": of("volume"),
        "number": of("number"),
        "pages": of("pages"),
        "publisher": of("publisher"),
        "type": of("type") or element.tag,
    }
