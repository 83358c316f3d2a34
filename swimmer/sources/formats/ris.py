"""RIS, as reference managers and publishers export it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from swimmer.papers import arxiv_id, doi, openreview_id
from swimmer.sources.formats.bibtex import note_marks
from swimmer.sources.formats.kinds import entry_kind
from swimmer.sources.formats.people import turned
from swimmer.sources.formats.records import NotAPaper

FIRST = re.compile(r"(?m)^[ \t]{0,3}TY[ \t]{1,3}-[ \t]{0,3}[A-Z]{3,8}\s{0,9}$")
"""The line by which a record begins; headings and numbers may stand before the first."""

_RECORD = re.compile(r"(?m)^(?=[ \t]{0,3}TY[ \t]{1,3}-)")
_LINE = re.compile(r"[ \t]{0,3}([A-Z][A-Z0-9])[ \t]{1,3}-(?:[ \t]|$)")
_CALLED = re.compile(r",.{1,100}\([A-ZÀ-Þ][a-zß-ÿ]{1,20}\)\s?$")
_NOT_PAPERS = frozenset({"WEB", "COMP", "DATA", "VIDEO", "SOUND", "MAP", "PAT"})
_LISTS = ("AU", "A1", "A2", "A3", "A4", "KW", "UR", "L1", "L2", "N1", "ID")


def ris_records(text: str) -> Iterator[tuple[str, Mapping[str, Any] | NotAPaper]]:
    """Yield (place, record) of an RIS text; entries without an end are counted.

    Numbers and headings between records, and one space where two belong, do no harm.
    """
    number = 0
    for chunk in _RECORD.split(text):
        if not _LINE.match(chunk) or chunk.split("-")[0].strip() != "TY":
            continue
        number += 1
        place = f"record {number}"
        tagged = _regular(chunk)
        if "\nER  -" not in tagged:
            yield place, NotAPaper("RIS without an end (no ER line); is the file cut off?")
            continue
        fields = _fields(tagged)
        if fields is None:
            yield place, NotAPaper("RIS that cannot be read")
            continue
        kind = str(fields.get("TY", ""))
        yield (
            place,
            NotAPaper(f"not a paper but {kind}") if kind in _NOT_PAPERS else _record(fields),
        )


def _regular(chunk: str) -> str:
    """Return a record with two spaces between each tag and its hyphen, as the format has it."""
    lines = []
    for line in chunk.splitlines():
        found = _LINE.match(line)
        lines.append(f"{found[1]}  - {line[found.end() :]}" if found else line)
    return "\n".join(lines) + "\n"


def _fields(tagged: str) -> Mapping[str, Any] | None:
    import rispy
    from rispy.config import TAG_KEY_MAPPING

    # The tags themselves: several of them share a name in the library's own mapping.
    same = {tag: tag for tag in TAG_KEY_MAPPING}
    try:
        found = rispy.loads(tagged, mapping=same, list_tags=list(_LISTS), skip_unknown_tags=False)
    except (ValueError, OSError, KeyError, IndexError):
        return None
    return found[0] if found else None


def _pages(start: str, end: str) -> str:
    """Return the pages of a record; "No – Specified" is what some programs write."""
    whole = start if "-" in start or not end else f"{start}–{end}"
    return whole if any(char.isdigit() for char in whole) else ""


def _named(name: str) -> str:
    """Return "Morrison, Alex (Carmen)" as "Alex (Carmen) Morrison": behind, it says a place."""
    return turned(name) if _CALLED.search(name) else name


def _record(fields: Mapping[str, Any]) -> dict[str, Any]:
    def first(*tags: str) -> str:
        for tag in tags:
            value = fields.get(tag)
            value = next(iter(value), "") if isinstance(value, list) else value
            if isinstance(value, str) and value.strip():
                return value
        return ""

    urls = [str(url) for tag in ("UR", "L2", "L1") for url in fields.get(tag) or []]
    url = next((u for u in urls if "://" in u), "")
    found = doi(fields.get("DO")) or (doi(url) if "doi.org/" in url else "")
    arxiv = arxiv_id(url) or arxiv_id(first("AN"))
    return {
        "title": first("TI", "T1", "CT", "BT"),
        "abstract": first("AB", "N2"),
        "authors": [_named(one) for tag in ("A1", "AU") for one in fields.get(tag) or []],
        "url": url or (f"https://doi.org/{found}" if found else ""),
        "id": first("ID", "AN") or found,
        "venue": first("T2", "JF", "JO", "JA", "J2", "BT", "C3"),
        "year": first("PY", "Y1", "DA"),
        "keywords": fields.get("KW"),
        "volume": first("VL"),
        "number": first("IS"),
        "pages": _pages(first("SP"), first("EP")),
        "publisher": first("PB"),
        "doi": found,
        "arxiv": arxiv,
        "openreview": openreview_id(url),
        "entry_type": entry_kind(str(fields.get("TY", ""))),
        **note_marks(" ".join(map(str, fields.get("N1") or []))),
    }
