"""One title a line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_MARK = re.compile(r"\s{0,9}(?:[-*•]\s+|\d{1,4}[.)]\s+|\[\d{1,4}\]\s+)?")
_LONGEST = 350
_SAMPLE = 50


def looks_like_titles(text: str) -> bool:
    """Whether a text is a list of titles: two lines or more, each of the length of a title."""
    lines = [line for line in text.splitlines() if line.strip()][:_SAMPLE]
    if len(lines) < 2:
        return False
    titles = [_MARK.sub("", line, count=1).strip() for line in lines]
    likely = [
        title
        for title in titles
        if len(title) <= _LONGEST
        and sum(char.isalpha() or char.isspace() for char in title) >= 0.7 * len(title)
        and (len(title.split()) >= 2 or any(ord(char) > 0x2E80 for char in title))
        and not title.endswith((",", ";", "{", "<"))
    ]
    return len(likely) >= 0.8 * len(titles)


def title_records(text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (place, record) for each line that is not blank; bullets and numbers are no part."""
    for number, line in enumerate(text.splitlines(), 1):
        if title := _MARK.sub("", line, count=1).strip():
            yield f"line {number}", {"title": title}
