"""Rows of tables that publishers export with several values joined in one column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from swimmer.papers import written_doi

_SOURCE = re.compile(
    r"(?P<venue>[^()]{1,200}?)\s?\((?P<year>\d{4})\)"
    r"(?:\s(?P<volume>[\w-]{1,12}))?(?::(?P<number>[\w-]{1,20}))?(?:\s\((?P<pages>[^()]{1,30})\))?"
)
_GLUED = re.compile(
    r"(?<=[^\W\d_A-ZÀ-Þ])(?<!\bMc)(?<!\bMac)(?<!\bDe)(?<!\bDi)(?<!\bDu)(?<!\bLa)(?<!\bLe)(?<!\bVan)"
    r"(?<!\bVon)(?<!\bFitz)(?=[A-ZÀ-Þ])|(?<=\.)(?=[A-ZÀ-Þ][^\W\d_A-ZÀ-Þ])"
)
"""Where a name of Springer's export ends and the next begins: nothing stands between them."""
_OTHER = ("Source", "Open URL Link", "Copyright", "Correspondence Address", "Author Names")


def embase_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a row of Embase: `Endoscopic Ultrasound (2014) 3:3 (152-160). Date of …: 2014`."""
    found = _SOURCE.match(str(row.get("Source") or "")[:500])
    fields = found.groupdict() if found else {}
    pages = fields.pop("pages", None) or ""
    link = str(row.get("Open URL Link") or "")
    return {
        **{name: value for name, value in row.items() if name not in _OTHER},
        **{name: value for name, value in fields.items() if value},
        "pages": pages.replace("-", "–"),
        "authors": row.get("Author Names"),
        "doi": written_doi(unquote(link[:2_000]).partition("&")[0])
        or written_doi(unquote(link[:2_000]).replace("&", " ")),
        "url": "",
        "entry_type": "article",
    }


def springer_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a row of SpringerLink's search results, where `Ada LeeBo Chen` are two authors."""
    people = str(row.get("Authors") or "")[:20_000]
    separated = ";" in people or "," in people
    return {**row, "Authors": people if separated else _GLUED.split(people)}
