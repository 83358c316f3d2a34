"""Words of papers, counted: those that each paper has, and in how many papers each word stands.

A store needs both, of the same texts, so each text is split once for the two.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from array import array
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from swimmer.papers import Paper
from swimmer.store.lexical import (
    LIMIT,
    TITLE_TIMES,
    ascii_runs,
    ascii_words,
    other_words,
    pack_numbers,
    pack_words,
    word_number,
)
from swimmer.store.topics import TopicCounts
from swimmer.store.vocabulary import LONGEST, SHORTEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]

_LETTERS = re.compile(rb"[a-z]+")
_WORDS = re.compile(r"[^\W\d_]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
_TITLE, _ABSTRACT, _NAMES = range(3)
_NOT_ASKED = -9


class WordCounts:
    """The words of papers, counted for the vocabulary and for the comparison of papers by words.

    In the vocabulary are words of letters, in lower case and without accents. A word of one
    abstract alone may be misspelt itself: it is not written. Keywords are counted beside them.
    """

    def __init__(self) -> None:
        self._tokens, self._topics = _Tokens(), TopicCounts()
        self._papers = np.zeros(0, np.int64)
        self._named = np.zeros(0, np.int64)

    def add(self, papers: Sequence[Paper]) -> list[bytes]:
        """Count the words of papers; return what `lexical.pack_words` gives for each."""
        split = _Split(papers, self._tokens)
        self._count(split, 1)
        self._topics.add(papers)
        return split.packed(papers)

    def remove(self, papers: Sequence[Paper]) -> None:
        """Take back what `add` has counted of papers."""
        self._count(_Split(papers, self._tokens), -1)
        self._topics.add(papers, -1)

    def _count(self, split: _Split, step: int) -> None:
        words, named = split.distinct()
        size = len(self._tokens)
        # Room for more words than there are: it is not made anew for each batch.
        if size > len(self._papers):
            self._papers, self._named = (
                np.concatenate([part, np.zeros(2 * size - len(part), np.int64)])
                for part in (self._papers, self._named)
            )
        self._papers[:size] += step * np.bincount(words, minlength=size)
        self._named[:size] += step * np.bincount(words[named], minlength=size)

    def write(self, connection: sqlite3.Connection) -> None:
        """Write the vocabulary and the topics, in place of what was there."""
        texts, papers = self._tokens.texts, self._papers
        kept = np.flatnonzero((papers > 1) | (self._named > 0)).tolist()
        records = sorted((texts[i].decode(), int(papers[i])) for i in kept)
        connection.execute("DELETE FROM vocabulary")
        connection.executemany("INSERT INTO vocabulary VALUES (?, ?)", records)
        self._topics.write(connection)


class _Tokens(dict[bytes, int]):
    """The number of each token that was met, runs of ASCII letters and digits in lower case.

    A word of the vocabulary is a token too, as UTF-8.

    Attributes:
        texts: the tokens in the order of their numbers.
        words: of each token the number of its word in the vocabulary, -1 for one without.
        more: further words of a token, such as `graph2text`.
        lexical: of each token what `lexical.word_number` gives, _NOT_ASKED before it is needed.
    """

    def __init__(self) -> None:
        self.texts: list[bytes] = []
        self.words, self.lexical = array("q"), array("q")
        self.more: dict[int, list[int]] = {}

    def __missing__(self, token: bytes) -> int:
        if token.isalpha():
            return self._add(token, SHORTEST <= len(token) <= LONGEST)
        kept = [self[run] for run in _LETTERS.findall(token) if SHORTEST <= len(run) <= LONGEST]
        number = self._add(token, False)
        if kept:
            self.words[number] = kept[0]
        if len(kept) > 1:
            self.more[number] = kept[1:]
        return number

    def _add(self, token: bytes, is_word: bool) -> int:
        number = self[token] = len(self)
        self.texts.append(token)
        self.words.append(number if is_word else -1)
        self.lexical.append(_NOT_ASKED)
        return number

    def word(self, word: bytes) -> int:
        """Return the number of a word of the vocabulary."""
        number = self.get(word)
        return self._add(word, True) if number is None else number

    def lexical_numbers(self, tokens: Numbers, wanted: NDArray[np.bool_]) -> Numbers:
        """Return what `lexical.word_number` gives for those of some tokens that are wanted."""
        numbers = np.array(self.lexical, np.int64)
        for token in np.unique(tokens[wanted & (numbers[tokens] == _NOT_ASKED)]).tolist():
            self.lexical[token] = numbers[token] = word_number(self.texts[token])
        found: Numbers = numbers[tokens]
        return found


class _Split:
    """The words of some papers as arrays: of each word its paper, its part of it and its number."""

    def __init__(self, papers: Sequence[Paper], tokens: _Tokens) -> None:
        self._tokens, self._count = tokens, len(papers)
        pieces: list[bytes] = []
        sizes: list[int] = []
        # Beside what is ASCII: words of the vocabulary, and numbers of `lexical`.
        more: list[tuple[int, int, int]] = []
        self._other: list[tuple[int, int, int]] = []
        # Of a long abstract, the beginning is compared; of its paper, packed words are made apart.
        self._apart: list[int] = []
        for owner, paper in enumerate(papers):
            names = " ".join([*paper.keywords, *paper.authors])
            for kind, text in enumerate((paper.display_title, paper.abstract, names)):
                plain, other = ascii_runs(text)
                words = ascii_words(plain)
                pieces += words
                sizes.append(len(words))
                if other:
                    more += [(owner, kind, tokens.word(word)) for word in _encoded(other)]
                    if kind != _NAMES:
                        numbers = map(word_number, other_words(other))
                        self._other += [(owner, kind, number) for number in numbers]
            if len(paper.abstract) > LIMIT:
                self._apart.append(owner)
        self._numbers = np.fromiter(map(tokens.__getitem__, pieces), np.int64, len(pieces))
        parts = np.repeat(np.arange(len(sizes)), sizes)
        self._owners, self._kinds = np.divmod(parts, 3)
        for place in np.flatnonzero(np.isin(self._numbers, [*tokens.more])).tolist():
            owner, kind = int(self._owners[place]), int(self._kinds[place])
            token = int(self._numbers[place])
            more += [(owner, kind, word) for word in tokens.more[token]]
        self._more = np.array(more, np.int64).reshape(-1, 3)

    def distinct(self) -> tuple[Numbers, NDArray[np.bool_]]:
        """Return the words of the vocabulary that each paper has, once for each paper, (n,).

        And of each whether it stands in the title, the keywords or the authors: (n,).
        """
        words = np.array(self._tokens.words, np.int64)[self._numbers]
        owners, kinds, words = (
            np.concatenate(pair)
            for pair in zip((self._owners, self._kinds, words), self._more.T, strict=True)
        )
        size = max(1, len(self._tokens))
        # In the order of the keys, what is named comes first.
        keys = 2 * (owners * size + words) + (kinds == _ABSTRACT)
        keys = np.sort(keys[words >= 0])
        first = np.flatnonzero(np.diff(keys >> 1, prepend=-1))
        return (keys[first] >> 1) % size, (keys[first] & 1) == 0

    def packed(self, papers: Sequence[Paper]) -> list[bytes]:
        """Return what `lexical.pack_words` gives for each paper."""
        numbers = self._tokens.lexical_numbers(self._numbers, self._kinds != _NAMES)
        other = np.array(self._other, np.int64).reshape(-1, 3)
        owners, kinds, numbers = (
            np.concatenate(pair)
            for pair in zip((self._owners, self._kinds, numbers), other.T, strict=True)
        )
        titles, abstracts = (np.flatnonzero(kinds == kind) for kind in (_TITLE, _ABSTRACT))
        order = np.concatenate([*[titles] * TITLE_TIMES, abstracts])
        packed = pack_numbers(owners[order], numbers[order], self._count)
        texts = [(papers[owner].display_title, papers[owner].abstract) for owner in self._apart]
        for owner, words in zip(self._apart, pack_words(texts), strict=True):
            packed[owner] = words
        return packed


def _encoded(text: str) -> Iterable[bytes]:
    """Yield the words of letters of a text that is not ASCII, that the vocabulary may keep."""
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    for word in set(_WORDS.findall(plain)):
        if SHORTEST <= len(word) <= LONGEST:
            yield word.encode()
