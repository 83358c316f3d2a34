"""JSON of others within bounds: whole where it is small, else record by record."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import IO, Any

from swimmer.errors import SourceError

WHOLE_LIMIT = 32 << 20
"""Characters of a JSON document that is held whole; a longer one is read record by record."""

RECORD_LIMIT = 16 << 20
"""Characters of one record, and of space between two, in a document that is longer."""

MOST_VALUES = 2_000_000
"""Lists and objects of a document that is held whole: an empty one takes thirty times its text."""

_DIGITS = 25
_STEP = 1 << 20
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder(parse_int=lambda digits: _whole_number(digits))


def parse_json(text: str) -> Any:
    """Return the value of a JSON text; a number of more than 25 digits is None.

    Raises:
        json.JSONDecodeError: it is no JSON, or holds more than MOST_VALUES lists and objects.
        RecursionError: it is nested too deep.
    """
    if len(text) > 3 * MOST_VALUES and text.count("[") + text.count("{") > MOST_VALUES:
        raise json.JSONDecodeError(f"more than {MOST_VALUES:,} lists and objects", text, 0)
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # Python refuses to read a number of thousands of digits; the record around it is good.
        return json.loads(text, parse_int=_whole_number)


def _whole_number(digits: str) -> int | None:
    return int(digits) if len(digits) <= _DIGITS else None


def streamed_records(
    head: str, stream: IO[str], name: str, lists: Collection[str], depth: int = 3
) -> Iterator[tuple[str, Any]]:
    """Yield (place, record) of a JSON document of any length that begins with `head`.

    It is a list of records; or an object that holds one under one of the names `lists`, also in
    an object within; or an object whose values are the records, by address or id.

    Raises:
        SourceError: it is no JSON, holds no such list, or one record is longer than RECORD_LIMIT.
    """
    text = _Scanner(head, stream, name)
    number = 0
    for record in _items(text) if text.peek() == "[" else _members(text, lists, depth):
        number += 1
        yield f"record {number}", record
    if text.peek():
        raise text.wrong("more text behind the end")
    if not number:
        raise SourceError(
            f"{name}: JSON without a list of papers",
            hint=(
                f"give a list, an object with one under {', '.join(list(lists)[:4])}, or "
                "one keyed by URL"
            ),
        )


def _items(text: _Scanner) -> Iterator[Any]:
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        yield text.value()
        if text.peek() == "]":
            text.take("]")
            return
        text.take(",")


def _members(text: _Scanner, lists: Collection[str], depth: int) -> Iterator[Any]:
    text.take("{")
    while text.peek() != "}":
        key = text.value()
        text.take(":")
        opens = text.peek()
        if key in lists and opens == "[":
            yield from _items(text)
        elif depth and opens == "{" and key in ("message", "result", "hits", "response", "data"):
            yield from _members(text, lists, depth - 1)
        else:
            value = text.value()
            if isinstance(value, dict):
                kind = "url" if "://" in str(key) else "id"
                yield {**value, kind: value.get(kind) or key}
        if text.peek() != "}":
            text.take(",")
    text.take("}")


class _Scanner:
    """Reads values and marks one after another; holds no more than the one it is at."""

    def __init__(self, head: str, stream: IO[str], name: str) -> None:
        self._text, self._at = head, 0
        self._stream, self._name = stream, name
        self._ended = False

    def peek(self) -> str:
        """Return the next character that is no space, "" at the end."""
        passed = 0
        while True:
            found = _SPACE.match(self._text, self._at)
            assert found is not None
            passed += found.end() - self._at
            self._at = found.end()
            if self._at < len(self._text) or not self._more(_STEP):
                return self._text[self._at : self._at + 1]
            if passed > RECORD_LIMIT:
                raise self.wrong(f"more than {RECORD_LIMIT >> 20} million characters of space")

    def take(self, mark: str) -> None:
        """Go past a mark that must stand here."""
        found = self.peek()
        if found != mark:
            raise self.wrong(f"found {found!r}, expected {mark!r}" if found else "cut off")
        self._at += 1

    def value(self) -> Any:
        """Return the value that stands here."""
        self.peek()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                inside = error.pos < len(self._text) - 64
                if (inside and not error.msg.startswith("Unterminated")) or self._ended:
                    raise self.wrong("cut off" if self._ended else error.msg) from None
            except RecursionError:
                raise self.wrong("nested too deep to be a paper list") from None
            else:
                # A number at the end of what was read may go on.
                if end < len(self._text) or self._ended:
                    self._at = end
                    return value
            held = len(self._text) - self._at
            if held > RECORD_LIMIT:
                raise self.wrong(f"a record of more than {RECORD_LIMIT >> 20} million characters")
            # Twice as much each time: a long record is not read again for every piece of it.
            self._more(max(_STEP, held))

    def wrong(self, what: str) -> SourceError:
        """Return an error that names the document."""
        return SourceError(f"{self._name}: not valid JSON ({what})")

    def _more(self, size: int) -> bool:
        piece = self._stream.read(size)
        self._text, self._at = self._text[self._at :] + piece, 0
        self._ended = not piece
        return not self._ended
