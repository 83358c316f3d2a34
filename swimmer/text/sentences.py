"""Sentences of a text."""

from __future__ import annotations

from swimmer.text.patterns import pattern

_SENTENCE = pattern(r"(?<=[.!?])\s+(?=[A-Z0-9“\"(])|(?<=[。！？])")
_NO_END = pattern(r"\b(?:e\.g|i\.e|et al|cf|vs|resp|Fig|Eq|Sec|[A-Z])\.$")


def sentences(text: str) -> list[str]:
    """Return the sentences of a text; abbreviations and initials end none."""
    found: list[str] = []
    for piece in _SENTENCE.split(text):
        if found and _NO_END.search(found[-1]):
            found[-1] += f" {piece}"
        elif piece.strip():
            found.append(piece.strip())
    return found
