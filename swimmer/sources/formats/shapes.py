"""The record shapes of known publishers, each turned into the plain names of `records`.

One function per shape, from the publisher's JSON object to a flat mapping with the names
`title`, `abstract`, `authors`, `url`, `id`, `venue`, `year`, `keywords`, `status`, and what else
is worth keeping. Adapters and files share them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from swimmer.errors import SourceError
from swimmer.papers import arxiv_id, doi, openreview_id

Record = Mapping[str, Any]

_NAMES = {"NeurIPS.cc": "NeurIPS", "ICLR.cc": "ICLR", "ICML.cc": "ICML"}


def need(record: Any, field: str, kind: type, where: str) -> Any:
    """Return `record[field]`.

    Raises:
        SourceError: the field is missing or of another type, as when a publisher changes its
            format; the message names the field.
    """
    if not isinstance(record, Mapping):
        raise SourceError(
            f"{where}: expected an object with the field {field!r}, got "
            f"{type(record).__name__}; the format may have changed"
        )
    value = record.get(field)
    if not isinstance(value, kind):
        found = ", ".join(sorted(map(str, record))[:8]) or "nothing"
        what = "is missing" if field not in record else f"is {type(value).__name__}"
        raise SourceError(
            f"{where}: the field {field!r} {what}, expected {kind.__name__} "
            f"(found: {found}); the format may have changed"
        )
    return value


def need_in_some(records: Iterable[Any], fields: Iterable[str], where: str) -> None:
    """Raise SourceError, naming the field, when not one of the records has it."""
    objects = [record for record in records if isinstance(record, Mapping)]
    for field in fields if objects else ():
        if not any(field in record for record in objects):
            found = ", ".join(sorted(map(str, objects[0]))[:8])
            raise SourceError(
                f"{where}: no record has the field {field!r} (found: {found}); "
                "the format may have changed"
            )


def unwrapped(content: Any) -> dict[str, Any]:
    """Return an OpenReview content with the `{"value": …}` of API v2 taken off."""
    if not isinstance(content, Mapping):
        return {}
    return {
        str(name): value["value"] if isinstance(value, Mapping) and "value" in value else value
        for name, value in content.items()
    }


def openreview_note(note: Record) -> dict[str, Any]:
    """Turn a note of OpenReview's API v1 or v2; the forum is its id and its address."""
    content = unwrapped(note.get("content"))
    forum = note.get("forum") or note.get("id")
    group = str(content.get("venueid") or note.get("domain") or note.get("invitation") or "")
    name, year = venue_of_group(group)
    shown = content.get("venue") if isinstance(content.get("venue"), str) else ""
    return {
        "title": content.get("title"),
        "abstract": content.get("abstract"),
        "authors": content.get("authors"),
        "keywords": content.get("keywords"),
        "primary_area": content.get("primary_area") or content.get("subject_areas"),
        "tldr": content.get("TLDR") or content.get("TL;DR") or content.get("tl;dr"),
        "id": forum,
        "url": f"https://openreview.net/forum?id={forum}" if isinstance(forum, str) else "",
        "venue": name or shown,
        "year": year,
        "status": openreview_status(note, content),
        "decision": shown,
    }


def venue_of_group(group: str) -> tuple[str, str]:
    """Return (short name, year) of an OpenReview group: `ICLR.cc/2025/…` gives `ICLR`, `2025`."""
    parts = group.split("/")
    year = next((part for part in parts if re.fullmatch(r"(19|20)\d{2}", part)), "")
    head = parts[0]
    before = parts[parts.index(year) - 1] if year else ""
    name = _NAMES.get(head) or (before if before and "." not in before else "")
    if head == "TMLR":
        name = "TMLR"
    workshop = parts[parts.index("Workshop") + 1 :][:1] if "Workshop" in parts else []
    return " ".join([name, "Workshop", *workshop]) if workshop else name, year


def openreview_status(note: Record, content: Record) -> str:
    """Return `Oral`, `Poster`, `Rejected`, `Withdrawn` …, from wherever the note says it."""
    invitations = " ".join(
        str(i) for i in [note.get("invitation"), *(note.get("invitations") or [])] if i
    )
    group = f"{content.get('venueid') or ''} {invitations}"
    for word, status in (
        ("Desk_Reject", "Desk rejected"),
        ("Withdrawn", "Withdrawn"),
        ("Rejected", "Rejected"),
    ):
        if word in group:
            return status
    shown = str(content.get("venue") or "")
    if re.match(r"submitted to\b", shown, re.IGNORECASE):
        return "Rejected"
    decision = _decision(note)
    text = f"{shown} {decision}".casefold()
    for word, status in (
        ("reject", "Rejected"),
        ("invite to workshop", "Rejected"),
        ("withdraw", "Withdrawn"),
        ("oral", "Oral"),
        ("talk", "Oral"),
        ("spotlight", "Spotlight"),
        ("notable", "Spotlight"),
        ("poster", "Poster"),
        ("accept", "Accepted"),
    ):
        if word in text:
            return status
    if not shown and not decision:
        return ""
    return "Under review" if "submission" in text else "Accepted"


def _decision(note: Record) -> str:
    details = note.get("details")
    if not isinstance(details, Mapping):
        return ""
    for reply in details.get("directReplies") or details.get("replies") or []:
        if not isinstance(reply, Mapping):
            continue
        where = " ".join(map(str, [reply.get("invitation"), *(reply.get("invitations") or [])]))
        if re.search(r"(decision|acceptance|meta_review)\b", where, re.IGNORECASE):
            content = unwrapped(reply.get("content"))
            for name in ("decision", "recommendation", "Decision"):
                if isinstance(content.get(name), str):
                    return str(content[name])
    return ""


def event_kind(event: Record) -> str:
    """Return the kind of a virtual site's event, such as `Poster`, `Oral` or `Workshop`."""
    for name in ("eventtype", "event_type", "type"):
        value = event.get(name)
        if isinstance(value, str) and value.strip():
            return value.replace("{location}", "").strip()
    return ""


def virtual_event(event: Record, venue: str = "", year: int | str = "") -> dict[str, Any]:
    """Turn an event of a virtual conference site; the paper's OpenReview id is kept."""
    paper_url = event.get("paper_url") or event.get("url")
    group = re.search(r"openreview\.net/group\?id=([^&]+)", str(event.get("sourceurl") or ""))
    named = venue_of_group(group[1]) if group else ("", "")
    return {
        "title": event.get("name"),
        "abstract": event.get("abstract"),
        "authors": event.get("authors") or event.get("speakers/authors"),
        "virtualsite_url": event.get("virtualsite_url"),
        "paper_url": paper_url,
        "id": event.get("id"),
        "venue": venue or named[0],
        "year": year or named[1],
        "keywords": event.get("keywords"),
        "topic": event.get("topic"),
        "decision": event.get("decision"),
        "session": event.get("session"),
        "status": event_kind(event),
        "openreview": openreview_id(paper_url),
    }


def semantic_scholar(paper: Record) -> dict[str, Any]:
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
    }


def daily_paper(item: Record) -> dict[str, Any]:
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
        "arxiv": number,
        "featured": str(paper.get("submittedOnDailyAt") or "")[:10],
    }


def paperlist(item: Record) -> dict[str, Any]:
    """Turn an entry of the `paperlists` collection, in any of its five schemas.

    The schemas are those of OpenReview venues, virtual sites, the ACL Anthology, CVF and
    SIGGRAPH; reviewers' figures and affiliations are left behind.
    """
    site = item.get("site") or item.get("url_paper") or item.get("oa") or item.get("pdf")
    bibtex = item.get("bibtex") if isinstance(item.get("bibtex"), str) else ""
    year = re.search(r"\byear\s*=\s*[{\"]?(\d{4})", bibtex or "")
    return {
        "title": item.get("title"),
        "abstract": item.get("abstract"),
        "authors": item.get("author") or item.get("author_site"),
        "url": site,
        "id": item.get("id") or item.get("ssid"),
        "venue": item.get("venue") or item.get("conference"),
        "year": item.get("year") or (year[1] if year else ""),
        "keywords": item.get("keywords") or item.get("keyword"),
        "status": item.get("status"),
        "primary_area": item.get("primary_area"),
        "tldr": item.get("tldr"),
        "track": item.get("track"),
        "doi": doi(item.get("doi")),
        "openreview": openreview_id(item.get("openreview") or site),
        "arxiv": arxiv_id(item.get("arxiv")),
    }


def csl_item(item: Record) -> dict[str, Any]:
    """Turn a CSL-JSON item, as Zotero exports it."""
    issued = item.get("issued")
    parts = issued.get("date-parts") if isinstance(issued, Mapping) else None
    try:
        year = str(parts[0][0]) if parts else str((issued or {}).get("literal", ""))
    except (TypeError, IndexError, KeyError, AttributeError):
        year = ""
    return {
        "title": item.get("title"),
        "abstract": item.get("abstract"),
        "authors": item.get("author"),
        "url": item.get("URL") or (f"https://doi.org/{item['DOI']}" if item.get("DOI") else ""),
        "id": item.get("citation-key") or item.get("id"),
        "venue": item.get("container-title") or item.get("event-title"),
        "year": year,
        "keywords": item.get("keyword"),
        "doi": doi(item.get("DOI")),
        "arxiv": arxiv_id(item.get("number")) or arxiv_id(item.get("URL")),
    }


def zotero_item(item: Record) -> dict[str, Any]:
    """Turn an item of Zotero's API or Better BibTeX JSON; tags become keywords."""
    data = item.get("data") if isinstance(item.get("data"), Mapping) else item
    assert isinstance(data, Mapping)
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
        "doi": doi(data.get("DOI")),
        "arxiv": arxiv_id(data.get("archiveID")) or arxiv_id(data.get("url")),
    }


def plain(record: Record) -> Record:
    """Return a record of any known shape under the plain names; any other as it is."""
    if "abstractNote" in record or (
        isinstance(record.get("data"), Mapping) and "itemType" in record["data"]
    ):
        return zotero_item(record)
    if isinstance(record.get("content"), Mapping) and ("forum" in record or "invitation" in record):
        return openreview_note(record)
    if "paperId" in record and ("title" in record or "externalIds" in record):
        return semantic_scholar(record)
    if isinstance(record.get("paper"), Mapping) or "submittedOnDailyAt" in record:
        return daily_paper(record)
    if "container-title" in record or isinstance(record.get("issued"), Mapping):
        return csl_item(record)
    if "virtualsite_url" in record and "name" in record:
        return virtual_event(record)
    if "track" in record and "title" in record and ("author" in record or "author_site" in record):
        return paperlist(record)
    return record
