"""PubMed's XML, as its site and E-utilities give it.

Source of the format: https://dtd.nlm.nih.gov/ncbi/pubmed/doc/out/250101/index.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from swimmer.sources.formats.xml import flat_text


def pubmed_records(root: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, record) of a `PubmedArticleSet`."""
    for number, article in enumerate(root.iter("PubmedArticle"), 1):
        yield f"record {number}", _record(article)


def _text(element: Any, path: str) -> str:
    return " ".join(flat_text(element.find(path)).split())


def _record(article: Any) -> dict[str, Any]:
    citation = article.find("MedlineCitation")
    citation = article if citation is None else citation
    number = _text(citation, "PMID")
    ids = article.findall("PubmedData/ArticleIdList/ArticleId")
    ids += citation.findall("Article/ELocationID")
    doi = next(
        (flat_text(i).strip() for i in ids if "doi" in (i.get("IdType"), i.get("EIdType"))), ""
    )
    issue = "Article/Journal/JournalIssue"
    return {
        "title": _text(citation, "Article/ArticleTitle")
        or _text(citation, "Article/VernacularTitle"),
        "abstract": " ".join(map(_part, citation.findall("Article/Abstract/AbstractText"))),
        "authors": [_person(a) for a in citation.findall("Article/AuthorList/Author")],
        "id": f"pmid:{number}" if number else "",
        "url": f"https://pubmed.ncbi.nlm.nih.gov/{number}/" if number else "",
        "venue": _text(citation, "Article/Journal/Title"),
        "year": _text(citation, f"{issue}/PubDate/Year")
        or _text(citation, f"{issue}/PubDate/MedlineDate")
        or _text(citation, "Article/ArticleDate/Year"),
        "keywords": [flat_text(word).strip() for word in citation.findall("KeywordList/Keyword")],
        "volume": _text(citation, f"{issue}/Volume"),
        "number": _text(citation, f"{issue}/Issue"),
        "pages": _text(citation, "Article/Pagination/MedlinePgn"),
        "doi": doi,
        "pmid": number,
        "entry_type": "article",
    }


def _part(text: Any) -> str:
    """Return a part of a structured abstract with its heading."""
    label = (text.get("Label") or "").strip()
    said = " ".join(flat_text(text).split())
    return f"{label}: {said}" if label else said


def _person(author: Any) -> str:
    names = (_text(author, "ForeName") or _text(author, "Initials"), _text(author, "LastName"))
    whole = " ".join(filter(None, (*names, _text(author, "Suffix"))))
    return whole or _text(author, "CollectiveName")
