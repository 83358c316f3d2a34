"""Notes of OpenReview, of its API v1 and v2."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from swimmer.sources.formats.records import NotAPaper

_NAMES = {"NeurIPS.cc": "NeurIPS", "ICLR.cc": "ICLR", "ICML.cc": "ICML"}
_SHOWN_VENUE = re.compile(r"(?:submitted to )?(\S[^\d]*?) ((?:19|20)\d{2})\b", re.IGNORECASE)
"""The venue that a note shows, such as `ICLR 2025 Oral` or `Submitted to ICLR 2024`."""
_LONGEST_VENUE = 200


def unwrapped(content: Any) -> dict[str, Any]:
    """Return an OpenReview content with the `{"value": …}` of API v2 taken off."""
    if not isinstance(content, Mapping):
        return {}
    return {
        str(name): value["value"] if isinstance(value, Mapping) and "value" in value else value
        for name, value in content.items()
    }


def openreview_note(note: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a note of OpenReview's API v1 or v2; the forum is its id and its address.

    Raises:
        NotAPaper: the note is a reply (a review, a comment, a decision), or deleted.
    """
    if note.get("ddate"):
        raise NotAPaper("a deleted note of OpenReview")
    if note.get("replyto"):
        raise NotAPaper("a reply of OpenReview (a review, a comment or a decision)")
    content = unwrapped(note.get("content"))
    forum = note.get("forum") or note.get("id")
    group = str(content.get("venueid") or note.get("domain") or note.get("invitation") or "")
    name, year = venue_of_group(group)
    shown = content.get("venue", "")
    shown = shown if isinstance(shown, str) else ""
    if not name and (said := _SHOWN_VENUE.match(shown[:_LONGEST_VENUE])):
        name, year = said[1], year or said[2]
    if not year and name == "TMLR":
        # A journal's group has no year: the day of publication has.
        year = _year(note.get("pdate") or note.get("odate"))
    pdf = content.get("pdf")
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
        "ratings": _ratings(note),
        "code": content.get("code") or content.get("code_URL"),
        "pdf": f"https://openreview.net{pdf}" if isinstance(pdf, str) and pdf[:1] == "/" else pdf,
    }


def _year(milliseconds: Any) -> str:
    try:
        return str(datetime.fromtimestamp(float(milliseconds) / 1_000, timezone.utc).year)
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def _ratings(note: Mapping[str, Any]) -> list[float]:
    """Return the reviewers' ratings that came with a note, in the order of its replies."""
    ratings = []
    for reply in _replies(note):
        rating = unwrapped(reply.get("content")).get("rating")
        found = (
            re.match(r"\s{0,9}(\d{1,2}(?:\.\d{1,2})?)", str(rating)) if rating is not None else None
        )
        if found:
            ratings.append(float(found[1]))
    return ratings


def _replies(note: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    details = note.get("details")
    if not isinstance(details, Mapping):
        return []
    replies = details.get("directReplies") or details.get("replies") or []
    return [r for r in replies if isinstance(r, Mapping)] if isinstance(replies, list) else []


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


def openreview_status(note: Mapping[str, Any], content: Mapping[str, Any]) -> str:
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


def _decision(note: Mapping[str, Any]) -> str:
    for reply in _replies(note):
        where = " ".join(map(str, [reply.get("invitation"), *(reply.get("invitations") or [])]))
        if re.search(r"(decision|acceptance|meta_review)\b", where, re.IGNORECASE):
            content = unwrapped(reply.get("content"))
            for name in ("decision", "recommendation", "Decision"):
                if isinstance(content.get(name), str):
                    return str(content[name])
    return ""
