"""LangChain documents from papers and back; nothing is lost on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from langchain_core.documents import Document

from swimmer.errors import InputError
from swimmer.papers import DOCUMENT_RECORD as RECORD, Paper, plain_value
from swimmer.retrieval import Hit
from swimmer.text import ABSTRACT_LIMIT, TITLE_LIMIT, clean, clean_url

_PIECE = ABSTRACT_LIMIT // 2
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_CHANGED_BY_CLEANING = re.compile(r"[&<\x7f]| (?= )")
_TEXTS = ("title", "abstract", "url", "venue", "status")
_LISTS = ("authors", "keywords")
_FIELDS = frozenset((*_TEXTS, *_LISTS, "year"))
_OWN = frozenset(("id", "score", "rank"))
_KNOWN, _NOT_EXTRA = _FIELDS | _OWN, _FIELDS | {RECORD}


def paper_document(paper: Paper) -> Document:
    """Return a paper as a document: `page_content`, its id, every field in the metadata.

    A document that was not a paper's comes back with the content and metadata that it had.
    """
    kept = paper.document
    if kept is None:
        metadata = paper.to_dict()
        return Document(id=paper.id, page_content=paper.page_content, metadata=metadata)
    content, metadata = kept
    return Document(id=paper.id, page_content=content, metadata=metadata)


def hit_document(hit: Hit) -> Document:
    """Return a hit as the document of its paper, with `Hit.facts` in the metadata."""
    document = paper_document(hit.paper)
    document.metadata.update(hit.facts())
    return document


def document_paper(content: str, metadata: Mapping[str, Any], identifier: str) -> Paper:
    """Return a document as a paper with the id given.

    Fields of a paper in the metadata (`title`, `url`, `authors` …) become the paper's, all others
    its `extra`, so that a filter finds both; so do those whose value no field of a paper can hold,
    such as a year in text. Without a title in the metadata, the first line is the title, the rest
    the abstract. Values that JSON does not know become what `plain_value` says.

    Raises:
        InputError: the content is blank, the metadata is not JSON, or the id is not one line of
            1 to 500 characters.
    """
    if not isinstance(content, str) or not content.strip():
        raise InputError(f"a document needs text, got {content!r:.60}")
    if (
        not isinstance(identifier, str)
        or not 0 < len(identifier) <= 500
        or (clean(identifier) != identifier)
    ):
        raise InputError(f"an id is one line of 1 to 500 characters, got {identifier!r:.80}")
    metadata = _plain(metadata)
    if _KNOWN.isdisjoint(metadata):
        extra = {name: value for name, value in metadata.items() if name != RECORD}
        record = _pieces(content, metadata)
        return Paper.of_document(content, _from_lines(content), identifier, extra, record)
    fields = {k: v for k, v in metadata.items() if k not in _OWN}
    named = _named(fields)
    extra = {k: v for k, v in fields.items() if k not in _NOT_EXTRA}
    if "title" in named:
        paper = Paper(**named, id=identifier, extra=extra)
        if paper.page_content == content and _same(paper.to_dict(), fields):
            return paper
    lines = _from_lines(content)
    extra[RECORD] = _pieces(content, metadata)
    paper = Paper(**{**lines, **named}, id=identifier, extra=extra)
    kept = {
        name: metadata[name]
        for name in _KNOWN & metadata.keys()
        if not _holds(paper, name, metadata[name])
    }
    # What no field of a paper can hold, a filter finds in the other fields.
    return replace(paper, extra={**extra, **kept}) if kept else paper


def _plain(metadata: Mapping[str, Any]) -> dict[str, Any]:
    try:
        plain = plain_value(metadata)
    except RecursionError as error:
        raise InputError(f"the metadata of a document: {error}") from None
    assert isinstance(plain, dict)
    return plain


def _holds(paper: Paper, name: str, value: object) -> bool:
    if name not in _FIELDS and name != "id":
        return False
    held = getattr(paper, name)
    return bool((list(held) if isinstance(held, tuple) else held) == value)


def _named(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata that a paper has a field for, if they have the field's type."""
    named: dict[str, Any] = {}
    for name in _TEXTS:
        value = metadata.get(name)
        if isinstance(value, str) and (name != "title" or clean(value, TITLE_LIMIT)):
            named[name] = value
    year = metadata.get("year")
    if isinstance(year, int) and not isinstance(year, bool):
        named["year"] = year
    for name in _LISTS:
        value = metadata.get(name)
        if isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value):
            named[name] = tuple(value)
    return named


def _same(fields: dict[str, Any], given: Mapping[str, Any]) -> bool:
    fields.pop("id")
    return fields == given


def _from_lines(content: str) -> dict[str, str]:
    lines = content[: 2 * ABSTRACT_LIMIT].splitlines()
    cleaned = [clean(line) for line in lines]
    shown = [place for place, line in enumerate(cleaned) if line]
    if not shown:
        raise InputError(f"a document needs text, got {content!r:.60}")
    first, last = cleaned[shown[0]], lines[shown[-1]]
    url = clean_url(last) if len(shown) > 1 and " " not in last.strip() else ""
    body = [lines[place] for place in shown[1 : -1 if url else None]]
    # Of one long line, the first part is the title and the rest the abstract.
    rest = first[TITLE_LIMIT:]
    abstract = clean(" ".join([rest, *body])) if rest or body else ""
    title = clean(first, TITLE_LIMIT) if rest else first
    return {"title": title, "abstract": abstract, "url": url}


def _pieces(content: str, metadata: Mapping[str, Any]) -> list[str]:
    """Return a document as JSON, in pieces that cleaning a paper does not change."""
    try:
        text = _ENCODER.encode([content, dict(metadata)])
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"the metadata of a document must be JSON values (text, numbers, true, false, null, "
            f"lists, mappings by text): {error}"
        ) from None
    # The cleaning would read & and < as markup, and reduce runs of spaces to one.
    if any(part in text for part in ("&", "<", "\x7f", "  ")):
        text = _CHANGED_BY_CLEANING.sub(_escaped, text)
    pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
    return [
        re.sub(r"^ | $", r"\\u0020", piece) if piece[0] == " " or piece[-1] == " " else piece
        for piece in pieces
    ]


def _escaped(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
