"""Topics of papers: their keywords, folded and counted."""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from swimmer.papers import Paper

_LETTERS_AND_DIGITS = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Topic:
    """A topic, and how many papers have it."""

    name: str
    papers: int


class TopicCounts:
    """The keywords of papers, counted."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}
        self._papers: Counter[str] = Counter()
        self._spellings: Counter[str] = Counter()

    def add(self, papers: Sequence[Paper], times: int = 1) -> None:
        """Count the keywords of papers; with -1, take back what was counted of them."""
        for paper in papers:
            for keyword in paper.keywords:
                self._spellings[keyword] += times
                if keyword not in self._keys:
                    self._keys[keyword] = topic_key(keyword)
            for key in {self._keys[keyword] for keyword in paper.keywords}:
                self._papers[key] += times

    def write(self, connection: sqlite3.Connection) -> None:
        """Write the topics, in place of what was there."""
        names: dict[str, str] = {}
        for keyword in sorted(self._spellings, key=lambda one: (-self._spellings[one], one)):
            names.setdefault(self._keys[keyword], keyword)
        connection.execute("DELETE FROM topics")
        connection.executemany(
            "INSERT INTO topics VALUES (?, ?, ?)",
            sorted(
                (key, names[key], papers)
                for key, papers in self._papers.items()
                if key and papers > 1
            ),
        )


def topic_key(text: str) -> str:
    """Return a keyword, or the beginning of one, folded: words with one space between them."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_LETTERS_AND_DIGITS.findall(plain))
