"""The words of a query that say something."""

from __future__ import annotations

from swimmer.text import folded, words_of

STOP_WORDS = frozenset(
    "a an and are as at be by can do does for from how i in into is it its not of on or that the "
    "this to towards toward under using via was we what when where which who why with "
    "without".split()
)
"""Words that are left out where the words of a query must all be found."""


def content_words(text: str) -> list[str]:
    """Return the distinct folded words of a text that are no stop words, in order."""
    words = words_of(folded(text))
    return list(dict.fromkeys(word for word in words if word not in STOP_WORDS))
