"""The words of a text against those of a store: what the model cannot tell, they can."""

from __future__ import annotations

from swimmer.retrieval.correction import knows_word
from swimmer.retrieval.query_words import content_words
from swimmer.store import PaperDatabase, PaperStore, frequency, rows_with_words
from swimmer.text import TITLE_LIMIT

RARE = 5
"""Papers in which a word may occur for a model to have learnt nothing of it."""

SHORT = 3
"""Words of a text that is led by its rarest one."""

CLEAR = 0.25
"""How far a score must lie above the threshold for the words not to matter."""

_MOST = 50
_PAPERS_PER_RARE = 200
_LOOKED_UP = 12


def rows_by_words(store: PaperStore, text: str) -> list[int]:
    """Return the rows that a short text with a rare word asks for, best first; often none.

    A name or an acronym that the model reads in pieces asks for the papers that write it.
    """
    words = content_words(text[:TITLE_LIMIT])
    if not 0 < len(words) <= SHORT:
        return []
    most = min(RARE, max(1, len(store) // _PAPERS_PER_RARE))
    counts = {word: frequency(store.database, word, most + 1) for word in words}
    rare = [word for word, count in counts.items() if 0 < count <= most]
    if not rare or not all(counts.values()):
        return []
    known = knows_word(store)
    rare = [word for word in rare if not known(word)]
    if not rare:
        return []
    return rows_with_words(store.database, words, _MOST) or rows_with_words(
        store.database, rare, RARE
    )


def holds_content(text: str) -> bool:
    """Return whether a text holds more than stop words and single letters.

    Other scripts than Latin have words of one character.
    """
    return not text.isascii() or any(len(word) > 1 for word in content_words(text[:TITLE_LIMIT]))


def are_foreign(database: PaperDatabase, text: str, title: str) -> bool:
    """Return whether most words of a text are none that the papers of a store use.

    Words of one paper count as little as words of none, except in a `title` that holds at least
    half of them: that of the nearest paper.
    """
    words = content_words(text[:TITLE_LIMIT])[:_LOOKED_UP]
    named = set(content_words(title))
    if words and 2 * sum(word in named for word in words) >= len(words):
        return False
    used = sum(frequency(database, word, 2) == 2 for word in words)
    return 2 * used <= len(words)
