"""The vocabulary of a database: the words by which a misspelt one may be corrected."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections import Counter

from swimmer.papers import Paper

VOCABULARY_TABLE = """
CREATE TABLE vocabulary (word TEXT PRIMARY KEY, papers INTEGER NOT NULL) WITHOUT ROWID;
"""
"""The words of titles, abstracts and authors that may correct a misspelt one; since schema 2."""

_SHORTEST_KEPT = 4
LONGEST = 30
"""Letters of the longest word that is kept."""
_ASCII_WORDS = bytes(c if c < 128 and chr(c).isalpha() else 32 for c in range(256))
_WORDS = re.compile(r"[^\W\d_]+")
_ACCENTS = re.compile("[\u0300-\u036f]")


class Vocabulary:
    """The words of papers, counted, of which those are written that may correct a misspelt one.

    A word of one abstract alone may be misspelt itself: it is left out.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._sure: set[str] = set()

    def add(self, paper: Paper) -> None:
        """Count the words of a paper."""
        named = folded_words(
            f"{paper.display_title} {' '.join(paper.keywords)} {' '.join(paper.authors)}"
        )
        self._sure |= named
        words = folded_words(paper.abstract)
        words |= named
        self._counts.update(words)

    def write(self, connection: sqlite3.Connection) -> None:
        """Write the words, in place of what was there."""
        connection.execute("DELETE FROM vocabulary")
        connection.executemany(
            "INSERT INTO vocabulary VALUES (?, ?)",
            sorted(
                (word, count)
                for word, count in self._counts.items()
                if _SHORTEST_KEPT <= len(word) <= LONGEST and (count > 1 or word in self._sure)
            ),
        )


def folded_words(text: str) -> set[str]:
    """Return the words of letters in a text, in lower case and without accents."""
    if text.isascii():
        return set(text.lower().encode().translate(_ASCII_WORDS).decode().split())
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    return set(_WORDS.findall(plain))
