"""How the body of an HTTP answer is read: as bytes, text, JSON or XML."""

from __future__ import annotations

import json
from typing import Any

from swimmer.errors import SITE_CHANGED, TRY_LATER, IncompleteError, SourceError
from swimmer.sources.formats.json_text import parse_json
from swimmer.sources.formats.xml import parse_xml
from swimmer.sources.http.pages import Page


def as_bytes(page: Page) -> bytes:
    """Read a page as it is."""
    return page.body


def as_text(page: Page) -> str:
    """Read a page as UTF-8, what is not UTF-8 replaced."""
    return page.body.decode("utf-8-sig", "replace")


def as_json(page: Page) -> Any:
    """Read a page as JSON."""
    text = as_text(page)
    if text.lstrip()[:1] == "<":
        raise SourceError(
            f"{page.url}: answered HTML instead of JSON ({text.strip()[:60]!r})",
            hint="check the address in a browser; the page may have moved, or need a login",
        )
    try:
        return parse_json(text)
    except json.JSONDecodeError as error:
        if ends_too_early(error, text):
            raise IncompleteError(
                f"{page.url}: the JSON is cut off",
                hint=TRY_LATER,
            ) from None
        raise SourceError(
            f"{page.url}: answered no valid JSON ({error})",
            hint=SITE_CHANGED,
        ) from None
    except RecursionError:
        raise SourceError(f"{page.url}: answered JSON nested too deep to be a list") from None


def ends_too_early(error: json.JSONDecodeError, text: str) -> bool:
    """Return whether a text is no JSON because its end is missing."""
    at_the_end = error.pos >= len(text.rstrip()) - 1
    return not text.strip() or at_the_end or "Unterminated" in error.msg


def as_xml(page: Page) -> Any:
    """Read a page as XML without a document type, as its root `Element`."""
    if page.body[:200].lstrip().lower().startswith((b"<!doctype html", b"<html")):
        raise SourceError(
            f"{page.url}: answered HTML instead of XML ({page.body[:60]!r})",
            hint=SITE_CHANGED,
        )
    return parse_xml(page.body, page.url)
