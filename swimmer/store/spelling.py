"""Misspelt words: the nearest word of a store's vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
    begun = database.kept(f"words with {word[0]}", lambda: _by_length(database, word[0]))
    return _nearest_of(word, begun, lengths, most) or _nearest_of(
        word, database.kept("words by length", lambda: _by_length(database)), lengths, most
    )


def _by_length(database: PaperDatabase, start: str = "") -> dict[int, dict[str, int]]:
    """Return the words that begin so, by their length: how many papers hold each."""
    sql = "SELECT word, papers FROM vocabulary WHERE word >= ? AND word < ?"
    words: dict[int, dict[str, int]] = {}
    for word, papers in database.query(sql, (start, start + _AFTER), (str, int)):
        words.setdefault(len(word), {})[word] = papers
    return words


def _nearest_of(
    word: str, by_length: Mapping[int, Mapping[str, int]], lengths: Iterable[int], most: int
) -> str | None:
    found = [(length, _nearest(word, by_length.get(length, {}), most)) for length in lengths]
    return _nearest(word, {one: by_length[n][one] for n, one in found if one is not None}, most)


def _nearest(word: str, near: Mapping[str, int], most: int) -> str | None:
    """Return the word of the fewest edits, at most `most`; of several the commonest."""
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    found = process.extract(word, [*near], scorer=OSA.distance, score_cutoff=most, limit=None)
    ranked = [(edits, -near[one], one) for one, edits, _ in found]
    return min(ranked)[2] if ranked else None
