"""Misspelt words: the nearest word of a store's vocabulary."""

from __future__ import annotations

from swimmer.store.database import PaperDatabase
from swimmer.store.vocabulary import LONGEST

SHORTEST = 5
"""Letters of a word below which it is not corrected: too many words lie one edit away."""

_LONG = 9
"""Letters of a word from which two edits are corrected."""

_AFTER = "\U0010ffff"


def correction(database: PaperDatabase, word: str) -> str | None:
    """Return the word of a store that a folded word, which no paper holds, was meant to be.

    One letter more, less or other, or two side by side swapped (optimal string alignment); in
    long words two such edits. Of the nearest words the commonest; None where there is none, or
    the word is short or not made of letters.
    """
    if not SHORTEST <= len(word) <= LONGEST or not word.isalpha():
        return None
    if not database.prepare_vocabulary():
        return None
    most = 2 if len(word) >= _LONG else 1
    # Nearly every misspelt word begins as it should: a range of the index holds those words.
    bounds = ((word[0], word[0] + _AFTER), ("", _AFTER))
    for low, high in bounds:
        sql = (
            "SELECT word, papers FROM vocabulary WHERE word >= ? AND word < ? "
            "AND length(word) BETWEEN ? AND ?"
        )
        bounds_of_length = (len(word) - most, len(word) + most)
        near = database.query(sql, (low, high, *bounds_of_length), (str, int))
        if (best := _nearest(word, near, most)) is not None:
            return best
    return None


def _nearest(word: str, near: list[tuple[str, int]], most: int) -> str | None:
    from rapidfuzz.distance import OSA

    best: tuple[int, int, str] | None = None
    for other, papers in near:
        edits = OSA.distance(word, other, score_cutoff=most)
        if edits <= most and (best is None or (edits, -papers, other) < best):
            best, most = (edits, -papers, other), edits
    return best[2] if best is not None else None
