"""JSON: a document that holds a list of records, or one record a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any

from swimmer.errors import SourceError
from swimmer.sources.formats.fields import slot_of
from swimmer.sources.formats.json_text import WHOLE_LIMIT, parse_json, streamed_records

LINE_LIMIT = 32 << 20
"""Characters of one line of a list."""

LISTS = (
    "results",
    "papers",
    "notes",
    "data",
    "items",
    "entries",
    "records",
    "articles",
    "works",
    "docs",
    "hit",
    "entry",
)
"""Names under which an envelope keeps its list."""

_ENVELOPES = ("message", "result", "hits", "response", "data", "search-results", "resultList")
_PYTHON_REPR = re.compile(r"\{\s{0,99}'[^']{0,500}'\s{0,99}:")


def json_records(head: str, stream: IO[str], name: str) -> Iterator[tuple[str, Any]]:
    """Yield (place, record) of a text that begins with `head`, without leading space.

    Raises:
        SourceError: it is no JSON, or holds no list.
    """
    if _PYTHON_REPR.match(head):
        raise SourceError(
            f"{name}: line 1 is a Python dict in single quotes, not JSON",
            hint="write it with json.dumps and try again",
        )
    first_line, newline, rest = head.partition("\n")
    if head[0] == "{" and newline and rest.lstrip()[:1] == "{" and _is_json(first_line):
        yield from _json_lines(lines_of(head, stream), name)
        return
    text = head + stream.read(max(0, WHOLE_LIMIT - len(head)) + 1)
    if len(text) > WHOLE_LIMIT:
        yield from streamed_records(text, stream, name, LISTS)
    else:
        yield from _json_document(text, name)


def _is_json(text: str) -> bool:
    try:
        parse_json(text)
    except (ValueError, RecursionError):
        return False
    return True


def lines_of(head: str, stream: IO[str]) -> Iterator[str]:
    """Yield the lines of a text that begins with `head`, without their ends.

    Raises:
        SourceError: a line has more than LINE_LIMIT characters.
    """
    pending = head
    while True:
        *lines, pending = pending.split("\n")
        yield from lines
        if len(pending) > LINE_LIMIT:
            raise SourceError(f"a line of more than {LINE_LIMIT >> 20} million characters; refused")
        chunk = stream.read(1 << 20)
        if not chunk:
            yield pending
            return
        pending += chunk


def _json_lines(lines: Iterator[str], name: str) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield f"line {number}", parse_json(line)
            except (ValueError, RecursionError) as error:
                raise SourceError(
                    f"{name}: line {number} is not JSON ({error})",
                    hint="check whether the file was cut off",
                ) from None


def _json_document(text: str, name: str) -> Iterator[tuple[str, Any]]:
    try:
        value = parse_json(text)
    except RecursionError:
        raise SourceError(
            f"{name}: JSON nested too deep to be a paper list",
            hint="the file is no list of papers; export it again, as JSON, CSV or BibTeX",
        ) from None
    except json.JSONDecodeError as error:
        ended = error.pos >= len(text.rstrip()) - 1 or error.msg.startswith("Unterminated string")
        cut = "; the file seems to be cut off" if ended else ""
        raise SourceError(
            f"{name}: not valid JSON at line {error.lineno}, column {error.colno} "
            f"({error.msg}){cut}"
        ) from None
    except ValueError as error:
        raise SourceError(
            f"{name}: not valid JSON ({error})",
            hint="download or export the file again; it may be cut off or of another format",
        ) from None
    if isinstance(value, dict):
        value = list_in(value, name)
    if not isinstance(value, list):
        raise SourceError(
            f"{name}: JSON holds {type(value).__name__}, expected a list of papers",
            hint="give the file that holds the papers, or a text with one title a line",
        )
    lines = _line_numbers(text)
    for number, record in enumerate(value, 1):
        yield lines.get(number, f"record {number}"), record


def _line_numbers(text: str) -> Mapping[int, str]:
    """Return where records stand, for lists written one record a line; else nothing."""
    places: dict[int, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line[:1] == "{" or line.lstrip()[:2] in ('{"', "{}"):
            if not line.rstrip().rstrip(",]").endswith("}"):
                return {}
            places[len(places) + 1] = f"line {number}"
    return places


def list_in(value: dict[str, Any], name: str, depth: int = 3) -> list[Any]:
    """Return the list that an object holds, or is keyed as, or the object alone if it is a paper.

    Raises:
        SourceError: there is none.
    """
    for key in LISTS:
        if isinstance(value.get(key), list):
            return list(value[key])
    if any(_is_title(str(key)) for key in value) or isinstance(value.get("content"), dict):
        return [value]
    for key in _ENVELOPES:
        if depth and isinstance(value.get(key), dict):
            return list_in(value[key], name, depth - 1)
    if value and all(isinstance(item, dict) for item in value.values()):
        return [
            {**item, "url": item.get("url") or key}
            if "://" in key
            else {**item, "id": item.get("id") or key}
            for key, item in value.items()
        ]
    keys = ", ".join(repr(str(key)[:30]) for key in list(value)[:6])
    raise SourceError(
        f"{name}: JSON of another shape: an object with the keys {keys or '(none)'}",
        hint=(
            f"give a list of papers, an object with one under {', '.join(LISTS[:4])}, or "
            "one keyed by URL"
        ),
    )


def _is_title(key: str) -> bool:
    slot = slot_of(key.casefold())
    return slot is not None and slot[0] == "title"
