"""A long text of many records, read part by part."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from swimmer.errors import SourceError

PART_LIMIT = 16 << 20
"""Characters of a text that is held at once; a longer one is cut where records begin."""


def read_whole(head: str, stream: IO[str], name: str, limit: int) -> str:
    """Return a text that begins with `head` and can only be read whole.

    Raises:
        SourceError: it has more than `limit` characters.
    """
    rest = stream.read(max(0, limit - len(head)) + 1)
    if len(head) + len(rest) > limit:
        raise SourceError(
            f"{name}: has more than {limit >> 20} million characters and this format is read whole",
            hint="split the list into several files",
        )
    return head + rest


def parts_of(
    head: str, stream: IO[str], name: str, begins: re.Pattern[str]
) -> Iterator[tuple[str, int]]:
    """Yield (part, number of lines before it) of a text; each part but the first begins a record.

    Args:
        head: how the text begins.
        stream: the rest of it.
        name: for messages.
        begins: matches where a record begins, at the beginning of a line.

    Raises:
        SourceError: there is a record longer than PART_LIMIT.
    """
    text, lines = head, 0
    while True:
        text += stream.read(max(0, PART_LIMIT - len(text)) + 1)
        if len(text) <= PART_LIMIT:
            yield text, lines
            return
        cut = 0
        for found in begins.finditer(text):
            cut = found.start()
        if not cut:
            raise SourceError(
                f"{name}: line {lines + 1}: a record of more than {PART_LIMIT >> 20} million "
                "characters; refused"
            )
        yield text[:cut], lines
        lines += text.count("\n", 0, cut)
        text = text[cut:]
