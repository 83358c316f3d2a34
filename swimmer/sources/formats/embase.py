"""Rows of Embase's CSV export, in which one column holds journal, year, volume and pages."""

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
_OTHER = ("Source", "Open URL Link", "Copyright", "Correspondence Address", "Author Names")


def embase_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Turn a row: `Endoscopic Ultrasound (2014) 3:3 (152-160). Date of Publication: 2014`."""
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
