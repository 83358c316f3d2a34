"""Misspelt words: the nearest word of a store's vocabulary."""

from __future__ import annotations

from collections.abc import Mapping

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
    lengths = range(len(word) - most, len(word) + most + 1)
    # Nearly every misspelt word begins as it should: a range of the index holds those words.
    sql = (
        "SELECT word, papers FROM vocabulary WHERE word >= ? AND word < ? "
        "AND length(word) BETWEEN ? AND ?"
    )
    bounds = (word[0], word[0] + _AFTER, lengths[0], lengths[-1])
    begun = dict(database.query(sql, bounds, (str, int)))
    if (best := _nearest(word, begun, most)) is not None:
        return best
    by_length = database.kept("words by length", lambda: _by_length(database))
    found = [(length, _nearest(word, by_length.get(length, {}), most)) for length in lengths]
    near = {one: by_length[length][one] for length, one in found if one is not None}
    return _nearest(word, near, most)


def _by_length(database: PaperDatabase) -> dict[int, dict[str, int]]:
    words: dict[int, dict[str, int]] = {}
    for word, papers in database.query("SELECT word, papers FROM vocabulary", (), (str, int)):
        words.setdefault(len(word), {})[word] = papers
    return words


def _nearest(word: str, near: Mapping[str, int], most: int) -> str | None:
    """Return the word of the fewest edits, at most `most`; of several the commonest."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    found = process.extract(word, [*near], scorer=OSA.distance, score_cutoff=most, limit=None)
    ranked = [(edits, -near[one], one) for one, edits, _ in found]
    return min(ranked)[2] if ranked else None
