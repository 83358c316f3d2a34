"""Values that stand for nothing: blanks, and the placeholders that programs and people write."""

from __future__ import annotations

import math
import re
from typing import Any

_PLACEHOLDER = re.compile(
    r"[\[(<]?(?:no abstract(?: is)?(?: available| provided| found)?|abstract (?:missing|unavailable"
    r"|(?:is )?not available)|not available|n/?a|nan|none|null|nil|missing|unknown|tba|tbd|todo"
    r"|withheld|\?+|-+|—|\.+|…)[\])>]?\.?",
    re.IGNORECASE,
)
_FIRST = frozenset("[(<NnAaMmUuTtWw?-—.…")
LONGEST_BLANK = 40
"""Characters of the longest text that may stand for nothing."""


def is_placeholder(text: str) -> bool:
    """Whether a text says only that there is none: "nan", "N/A", "[No abstract available]"."""
    # Most values are none, which their first letter says at less cost than the pattern.
    first = text[:1]
    if len(text) > LONGEST_BLANK or not (first in _FIRST or first.isspace()):
        return False
    return bool(_PLACEHOLDER.fullmatch(text.strip()))


def is_blank(value: Any) -> bool:
    """Whether a value is empty, not a number, or a placeholder."""
    if isinstance(value, str):
        return not value or (len(value) <= LONGEST_BLANK and is_placeholder(value))
    if isinstance(value, float):
        return math.isnan(value)
    return not value and (value is None or value == [] or value == {})
