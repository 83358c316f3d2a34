"""Records of Semantic Scholar, OpenAlex, Crossref, DBLP and Hugging Face."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from swimmer.papers import arxiv_id, doi, written_doi
from swimmer.sources.formats.kinds import entry_kind


def semantic_scholar(paper: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a paper of the Semantic Scholar Graph; arXiv id and DOI are kept."""
    outside = paper.get("externalIds")
    outside = outside if isinstance(outside, Mapping) else {}
    tldr = paper.get("tldr")
    fields = paper.get("fieldsOfStudy")
    return {
        "title": paper.get("title"),
        "abstract": paper.get("abstract"),
        "authors": paper.get("authors"),
        "url": paper.get("url")
        or f"https://www.semanticscholar.org/paper/{paper.get('paperId') or ''}",
        "id": paper.get("paperId"),
        "venue": paper.get("venue"),
        "year": paper.get("year"),
        "keywords": fields if isinstance(fields, list) else [],
        "tldr": tldr.get("text") if isinstance(tldr, Mapping) else tldr,
        "arxiv": arxiv_id(outside.get("ArXiv")),
        "doi": doi(outside.get("DOI")),
        "acl": outside.get("ACL"),
        "citations": paper.get("citationCount"),
        "published": paper.get("publicationDate"),
        "pdf": _pdf_of(paper.get("openAccessPdf"), "url"),
    }


def scholar_bulk(paper: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a paper of the bulk files of Semantic Scholar, whose names are in lower case."""
    number = paper.get("corpusid")
    names = {"externalids": "externalIds", "publicationdate": "publicationDate"}
    found = semantic_scholar({names.get(name, name): value for name, value in paper.items()})
    fields = paper.get("s2fieldsofstudy")
    kinds = [
        one["category"]
        for one in (fields if isinstance(fields, list) else [])
        if isinstance(one, Mapping) and isinstance(one.get("category"), str)
    ]
    return found | {
        "id": f"CorpusId:{number}",
        "url": paper.get("url") or f"https://api.semanticscholar.org/CorpusID:{number}",
        "keywords": list(dict.fromkeys(kinds)),
        "citations": paper.get("citationcount"),
    }


def daily_paper(item: Mapping[str, Any]) -> dict[str, Any]:
    """Turn an entry of Hugging Face's daily papers; upvotes are kept."""
    paper = item.get("paper") if isinstance(item.get("paper"), Mapping) else item
    assert isinstance(paper, Mapping)
    number = arxiv_id(paper.get("id"))
    return {
        "title": paper.get("title") or item.get("title"),
        "abstract": paper.get("summary") or item.get("summary"),
        "authors": paper.get("authors"),
        "id": number or paper.get("id"),
        "url": f"https://huggingface.co/papers/{number}" if number else "",
        "keywords": paper.get("ai_keywords") or [],
        "year": paper.get("publishedAt") or item.get("publishedAt"),
        "venue": "Hugging Face daily papers",
        "upvotes": paper.get("upvotes"),
        "published": paper.get("publishedAt") or item.get("publishedAt"),
        "code": paper.get("githubRepo"),
        "project": paper.get("projectPage"),
        "arxiv": number,
        "featured": str(paper.get("submittedOnDailyAt") or "")[:10],
    }


def openalex_work(work: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a work of OpenAlex; its abstract is an index of words to their places."""
    place = work.get("primary_location")
    place = place if isinstance(place, Mapping) else {}
    source = place.get("source")
    host = source if isinstance(source, Mapping) else work.get("host_venue")
    host = host if isinstance(host, Mapping) else {}
    biblio = work.get("biblio")
    biblio = biblio if isinstance(biblio, Mapping) else {}
    authorships = work.get("authorships")
    authorships = authorships if isinstance(authorships, list) else []
    number = str(work.get("id") or "").rpartition("/")[2]
    found = written_doi(work.get("doi"))
    pages = [str(biblio[name]) for name in ("first_page", "last_page") if biblio.get(name)]
    return {
        "title": work.get("title") or work.get("display_name"),
        "abstract": text_of_index(work.get("abstract_inverted_index")) or work.get("abstract"),
        "authors": authorships,
        "url": (f"https://doi.org/{found}" if found else "")
        or place.get("landing_page_url")
        or work.get("id"),
        "id": number,
        "venue": host.get("display_name"),
        "year": work.get("publication_year") or work.get("publication_date"),
        "keywords": work.get("keywords") or work.get("concepts"),
        "doi": found,
        "arxiv": arxiv_id(place.get("landing_page_url")),
        "volume": biblio.get("volume"),
        "number": biblio.get("issue"),
        "pages": "–".join(pages),
        "publisher": host.get("host_organization_name"),
        "citations": work.get("cited_by_count"),
        "published": work.get("publication_date"),
        "pdf": _pdf_of(work.get("best_oa_location"), "pdf_url") or _pdf_of(place, "pdf_url"),
        "entry_type": entry_kind(str(work.get("type_crossref") or work.get("type"))),
        "institutions": [name for a in authorships if (name := _institution(a))],
    }


_WORDS = 100_000


def _pdf_of(place: Any, name: str) -> str:
    address = place.get(name) if isinstance(place, Mapping) else None
    return address if isinstance(address, str) else ""


def _institution(authorship: Any) -> str:
    places = authorship.get("institutions") if isinstance(authorship, Mapping) else None
    first = places[0] if isinstance(places, list) and places else None
    name = first.get("display_name") if isinstance(first, Mapping) else None
    return name if isinstance(name, str) else ""


def text_of_index(index: Any) -> str:
    """Return the text that an inverted index stands for: {word: its places}."""
    if not isinstance(index, Mapping):
        return ""
    words = [
        (place, word)
        for word, places in index.items()
        if isinstance(places, list) and isinstance(word, str)
        for place in places
        if isinstance(place, int)
    ]
    return " ".join(word for _, word in sorted(words[:_WORDS]))


def crossref_work(work: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a work of Crossref's API; the abstract is JATS."""
    found = written_doi(work.get("DOI"))
    pages = work.get("page")
    dates = [
        work.get(name) for name in ("published-print", "published-online", "published", "issued")
    ]
    return {
        "title": _titled(work),
        "abstract": jats_text(work.get("abstract")),
        "authors": work.get("author"),
        "url": f"https://doi.org/{found}" if found else work.get("URL"),
        "id": found,
        "venue": _first(work.get("container-title")) or _name_of(work.get("event")),
        "year": next((year for date in dates if (year := csl_year(date))), ""),
        "published": next((day for date in dates if (day := _csl_date(date))), ""),
        "keywords": work.get("subject"),
        "doi": found,
        "volume": work.get("volume"),
        "number": work.get("issue"),
        "pages": pages.replace("-", "–") if isinstance(pages, str) else "",
        "publisher": work.get("publisher"),
        "citations": work.get("is-referenced-by-count"),
        "entry_type": entry_kind(str(work.get("type"))),
    }


def _titled(work: Mapping[str, Any]) -> str:
    title, subtitle = _first(work.get("title")), _first(work.get("subtitle"))
    if not subtitle or subtitle.casefold() in title.casefold():
        return title
    return f"{title}: {subtitle}"


def _first(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    return value if isinstance(value, str) else ""


def _name_of(value: Any) -> str:
    return _first(value.get("name")) if isinstance(value, Mapping) else ""


def jats_text(value: Any) -> str:
    """Return the text of an abstract in JATS without its heading "Abstract"."""
    if not isinstance(value, str):
        return ""
    return re.sub(
        r"<(?:jats:)?title>\s{0,9}abstract\s{0,9}</(?:jats:)?title>",
        " ",
        value,
        flags=re.IGNORECASE,
    )


def csl_year(date: Any) -> str:
    """Return the year of a date of CSL or Crossref, in any of its forms, else ""."""
    if isinstance(date, Mapping):
        parts = date.get("date-parts")
        if isinstance(parts, list) and parts and isinstance(parts[0], list) and parts[0]:
            return str(parts[0][0] or "")
        return next((str(date[n]) for n in ("raw", "literal", "date-time") if date.get(n)), "")
    return str(date) if isinstance(date, (str, int)) else ""


def _csl_date(date: Any) -> str:
    """Return a date of Crossref that names a month, as 2020-01 or 2020-01-31, else ""."""
    parts = date.get("date-parts") if isinstance(date, Mapping) else None
    first = parts[0] if isinstance(parts, list) and parts else None
    if not isinstance(first, list) or len(first) < 2:
        return ""
    if not all(type(part) is int and 0 < part < 10_000 for part in first[:3]):
        return ""
    return "-".join([f"{first[0]:04}", *(f"{part:02}" for part in first[1:3])])


def dblp_hit(hit: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a hit of DBLP's search API; the numbers behind equal names are taken off."""
    info = hit.get("info") if isinstance(hit.get("info"), Mapping) else hit
    assert isinstance(info, Mapping)
    people = info.get("authors")
    people = people.get("author") if isinstance(people, Mapping) else people
    people = people if isinstance(people, list) else [people]
    names = [person.get("text") if isinstance(person, Mapping) else person for person in people]
    ee = _first(info.get("ee"))
    title = info.get("title")
    venue = info.get("venue")
    pages = info.get("pages")
    return {
        "title": title.removesuffix(".") if isinstance(title, str) else title,
        "authors": [re.sub(r" \d{4}$", "", name) for name in names if isinstance(name, str)],
        "url": ee or info.get("url"),
        "id": info.get("key"),
        "venue": _first(venue),
        "year": info.get("year"),
        "doi": written_doi(info.get("doi")) or written_doi(ee),
        "arxiv": arxiv_id(ee),
        "volume": info.get("volume"),
        "number": info.get("number"),
        "pages": pages.replace("-", "–") if isinstance(pages, str) else "",
        "publisher": info.get("publisher"),
        "entry_type": entry_kind(str(info.get("type"))),
    }
