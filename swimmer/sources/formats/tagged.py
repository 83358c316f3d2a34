"""Formats with a tag at the start of each line: PubMed's nbib, EndNote's enw, Web of Science.

Sources of the tags: https://www.nlm.nih.gov/bsd/mms/medlineelements.html (nbib),
https://support.clarivate.com (EndNote import format; Web of Science field tags).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from swimmer.papers import arxiv_id, written_doi
from swimmer.sources.formats.kinds import entry_kind
from swimmer.sources.formats.records import NotAPaper

Fields = Mapping[str, list[str]]

STARTS_NBIB = re.compile(r"PMID\s?-\s")
STARTS_ENW = re.compile(r"%0(?:\s|$)")
STARTS_WOS = re.compile(r"FN [^\n]{0,200}\n(?:VR [^\n]{0,40}\n)?|PT [A-Z]\s*\n")

_NBIB_LINE = re.compile(r"([A-Z]{2,4})\s{0,3}- ?(.*)")
_ENW_LINE = re.compile(r"(%[0-9A-Z@^~!&$#*()+-])(?:\s+|$)(.*)")
_WOS_LINE = re.compile(r"([A-Z][A-Z0-9])(?: (.*))?$")
_WOS_LISTS = frozenset({"AU", "AF", "BA", "BF", "CR"})
_AID = re.compile(r"(\S{3,300}) \[doi\]")


def nbib_records(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, record) of PubMed's citation format."""
    yield from _records(text, _NBIB_LINE, lambda tag: tag == "PMID", _nbib_record)


def enw_records(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, record) of EndNote's import format."""
    yield from _records(text, _ENW_LINE, lambda tag: tag == "%0", _enw_record)


def wos_records(text: str) -> Iterator[tuple[str, dict[str, Any] | NotAPaper]]:
    """Yield (place, record) of Web of Science's plain text export; a record without ER counts."""
    yield from _records(text, _WOS_LINE, lambda tag: tag == "PT", _wos_record, _WOS_LISTS)


def _records(
    text: str,
    line_form: re.Pattern[str],
    starts: Callable[[str], bool],
    record_of: Callable[[Fields], dict[str, Any]],
    lists: frozenset[str] = frozenset(),
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a record for each group of lines; an indented line continues the field before it."""
    fields: dict[str, list[str]] = {}
    place, tag = "", ""
    for number, line in enumerate(text.splitlines(), 1):
        if line[:1].isspace() or not (found := line_form.match(line)):
            if line.strip() and tag in fields:
                if tag in lists:
                    fields[tag].append(line.strip())
                else:
                    fields[tag][-1] += f" {line.strip()}"
            continue
        tag, value = found[1], (found[2] or "").strip()
        if starts(tag):
            if place:
                yield place, record_of(fields)
            fields, place = {}, f"line {number}"
        if place:
            fields.setdefault(tag, []).append(value)
    if place:
        yield place, record_of(fields)


def _first(fields: Fields, *tags: str) -> str:
    return next((fields[tag][0] for tag in tags if fields.get(tag) and fields[tag][0]), "")


def _nbib_record(fields: Fields) -> dict[str, Any]:
    ids = [m[1] for tag in ("LID", "AID") for v in fields.get(tag, ()) if (m := _AID.match(v))]
    number = _first(fields, "PMID")
    return {
        "title": _first(fields, "TI", "BTI", "TT").rstrip(),
        "abstract": _first(fields, "AB"),
        "authors": fields.get("FAU") or fields.get("AU"),
        "id": f"pmid:{number}" if number else "",
        "url": f"https://pubmed.ncbi.nlm.nih.gov/{number}/" if number else "",
        "venue": _first(fields, "JT", "TA"),
        "year": _first(fields, "DP", "DEP"),
        "keywords": [k.strip("*") for k in (fields.get("OT") or fields.get("MH") or [])],
        "volume": _first(fields, "VI"),
        "number": _first(fields, "IP"),
        "pages": _first(fields, "PG"),
        "doi": ids[0] if ids else "",
        "pmid": number,
        "entry_type": "article",
    }


def _enw_record(fields: Fields) -> dict[str, Any]:
    doi = written_doi(" ".join(fields.get("%R", ())))
    url = _first(fields, "%U")
    return {
        "title": _first(fields, "%T"),
        "abstract": _first(fields, "%X"),
        "authors": fields.get("%A"),
        "id": _first(fields, "%M") or doi,
        "url": url,
        "venue": _first(fields, "%J", "%B"),
        "year": _first(fields, "%D", "%8"),
        "keywords": [k for value in fields.get("%K", ()) for k in re.split(r"[;,]\s?", value)],
        "volume": _first(fields, "%V"),
        "number": _first(fields, "%N"),
        "pages": _first(fields, "%P"),
        "publisher": _first(fields, "%I"),
        "doi": doi,
        "arxiv": arxiv_id(url),
        "entry_type": entry_kind(_first(fields, "%0")),
    }


def _wos_record(fields: Fields) -> dict[str, Any]:
    first, last = _first(fields, "BP"), _first(fields, "EP")
    conference = bool(_first(fields, "CT")) and _first(fields, "PT") != "J"
    return {
        "title": _first(fields, "TI"),
        "abstract": _first(fields, "AB"),
        "authors": fields.get("AF") or fields.get("AU") or fields.get("BF") or fields.get("BA"),
        "id": _first(fields, "UT") or _first(fields, "DI"),
        "url": "",
        "venue": _first(fields, "SO"),
        "year": _first(fields, "PY") or _first(fields, "EA"),
        "keywords": _first(fields, "DE") or _first(fields, "ID"),
        "volume": _first(fields, "VL"),
        "number": _first(fields, "IS"),
        "pages": "–".join(filter(None, (first, last))) or _first(fields, "AR"),
        "publisher": _first(fields, "PU"),
        "doi": _first(fields, "DI"),
        "citations": int(cited) if (cited := _first(fields, "Z9", "TC")).isdecimal() else None,
        "entry_type": "inproceedings" if conference else "article",
    }


WOS_COLUMNS = {
    "PT": "publication type",
    "AU": "authors",
    "AF": "author full names",
    "TI": "article title",
    "SO": "source title",
    "DE": "author keywords",
    "ID": "keywords plus",
    "AB": "abstract",
    "DI": "doi",
    "PY": "publication year",
    "VL": "volume",
    "IS": "issue",
    "BP": "start page",
    "EP": "end page",
    "PU": "publisher",
    "DT": "document type",
    "CT": "conference title",
    "UT": "ut (unique wos id)",
    "TC": "times cited",
}
"""The names of the columns of Web of Science's tab-delimited export, whose header has tags."""
