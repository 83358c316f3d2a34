"""Words of a text: folded, split, without plurals, and which of them are stop words."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

from swimmer.text.cleaning import readable
from swimmer.text.patterns import pattern

WORD = pattern(r"(?<![\\])(?<![^\W_])(?=\d*[^\W\d_])[^\W_]+")
"""A word as it is written, with digits before its letters (`3D`); a LaTeX command is none."""

COMMON_WORDS = Path(__file__).parent.parent / "data" / "common_words.txt"
"""Words that are common in abstracts and rare in titles; made by `training/common_words.py`."""

_STOP_WORDS = frozenset(
    "a an and are as at by for from in is of on or the to with without via using towards toward "
    "how what why when where do does can not its it be we learning deep neural network data task "
    "based new model large".split()
)


_ASCII_WORD = pattern("[a-zA-Z0-9]+")


def folded(text: str) -> str:
    """Return a text in lower case, without accents, LaTeX or compatibility characters."""
    decomposed = unicodedata.normalize("NFKD", readable(text)).casefold()
    if decomposed.isascii():
        return decomposed
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words_of(folded_text: str) -> list[str]:
    """Return the runs of letters and digits of a folded text, in order.

    The full-text index splits text in the same places, and no word can hold one of its operators.
    """
    if folded_text.isascii():
        return _ASCII_WORD.findall(folded_text)
    return "".join(char if char.isalnum() else " " for char in folded_text).split()


@lru_cache(maxsize=50_000)
def singular(word: str) -> str:
    """Return a word in lower case, without the s of an English plural (Harman, 1991).

    Less than a stemmer: `general` and `generative`, which have one stem, stay two words.
    `swimmer.store.stems` gives the stems of the full-text index.
    """
    word = word.casefold()
    # In bytes: the numbers of words in stores depend on it.
    length = len(word.encode())
    if length > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if length > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


def singular_words(text: str) -> set[str]:
    """Return the words of a text, each as `singular` gives it."""
    return {singular(word) for word in WORD.findall(text)}


def is_topic_word(word: str) -> bool:
    """Return whether a word may name a topic: it is no stop word, and no abbreviation of two."""
    return len(singular(word)) > 2 and singular(word) not in stop_words()


@lru_cache(maxsize=1)
def stop_words() -> frozenset[str]:
    """Return the stop words of English, and of titles and abstracts of papers, in singular."""
    return _STOP_WORDS | set(COMMON_WORDS.read_text(encoding="utf-8").split())
