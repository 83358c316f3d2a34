"""The values of BibTeX fields: braces, quotes, numbers, names of strings, joined by `#`.

Source of the grammar: the file `btxdoc` of the BibTeX distribution. A comma that is missing
between two fields is put in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

LONGEST = 200_000
"""Characters of a field's value that are read."""

_NEXT_FIELD = re.compile(r"\s{0,99}([A-Za-z][\w-]{0,40})\s{0,99}=\s{0,99}")
_BARE = re.compile(r"[^\s{}\"#,=]{1,2000}")
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()


class Strings:
    """The abbreviations that `@string` defines, whatever the case of their names."""

    def __init__(self) -> None:
        self._values = {month: month for month in _MONTHS}

    def define(self, name: str, value: str) -> None:
        """Take note of an abbreviation; its value may be made of others defined before."""
        self._values[name.casefold()] = value_of(value, self)

    def __getitem__(self, name: str) -> str:
        """Return what an abbreviation stands for, or its own name where it is not defined."""
        return self._values.get(name.casefold(), name)


def field_values(fields: Iterable[tuple[str, str]], strings: Strings) -> dict[str, str]:
    """Return the values of fields by name in lower case; of two fields of one name the first."""
    values: dict[str, str] = {}
    for name, raw in fields:
        value, rest = _first_value(raw[:LONGEST], strings)
        values.setdefault(name.casefold(), value)
        while following := _NEXT_FIELD.match(rest):
            value, rest = _first_value(rest[following.end() :], strings)
            values.setdefault(following[1].casefold(), value)
    return values


def value_of(raw: str, strings: Strings) -> str:
    """Return what a value as it is written stands for: `"a" # b` is one text."""
    return _first_value(raw[:LONGEST], strings)[0]


def _first_value(raw: str, strings: Strings) -> tuple[str, str]:
    """Return the value at the start of a text, and what stands behind it."""
    parts: list[str] = []
    at = 0
    while True:
        at = _past_space(raw, at)
        if at >= len(raw):
            break
        if raw[at] == "{":
            end = _closing(raw, at)
            parts.append(raw[at + 1 : end])
            at = end + 1
        elif raw[at] == '"':
            end = _closing_quote(raw, at)
            parts.append(raw[at + 1 : end])
            at = end + 1
        elif bare := _BARE.match(raw, at):
            parts.append(strings[bare[0]])
            at = bare.end()
        else:
            break
        at = _past_space(raw, at)
        if at >= len(raw) or raw[at] != "#":
            break
        at += 1
    rest = raw[at:]
    if rest.strip() and not _NEXT_FIELD.match(rest):
        # Neither a value nor a field: what was written is kept, without its outer marks.
        return raw.strip().strip('{}"').strip(), ""
    return "".join(parts), rest


def _past_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _closing(text: str, start: int) -> int:
    """Return where the brace that opens at `start` closes, or the end of the text."""
    depth = 0
    for index in range(start, len(text)):
        if text[index] in "{}":
            depth += 1 if text[index] == "{" else -1
            if not depth:
                return index
    return len(text)


def _closing_quote(text: str, start: int) -> int:
    """Return where the quote that opens at `start` closes; quotes in braces are text."""
    depth = 0
    for index in range(start + 1, len(text)):
        char = text[index]
        depth += (char == "{") - (char == "}")
        if char == '"' and depth <= 0:
            return index
    return len(text)
