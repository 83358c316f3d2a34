"""Misspelt words of a query, put right by the words of the store."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from swimmer.errors import ModelError
from swimmer.store import correction, is_written
from swimmer.text import TITLE_LIMIT, folded

if TYPE_CHECKING:
    from swimmer.store import PaperStore

_CORRECTED = 64
"""Words of a query that are looked up."""


def corrected(store: PaperStore, text: str) -> str:
    """Return a text with the words that no paper holds put right by the store's own words."""
    if len(text) > TITLE_LIMIT:
        return text
    parts: list[str] = []
    at = 0
    known: Callable[[str], bool] | None = None
    for start, end in _word_spans(text)[:_CORRECTED]:
        word = folded(text[start:end])
        if not word.isalpha() or is_written(store.database, word):
            continue
        # A word that the model knows is spelt right, though no paper of the store holds it.
        known = known or knows_word(store)
        better = None if known(word) else correction(store.database, word)
        if better is not None:
            parts += [text[at:start], better]
            at = end
    return "".join([*parts, text[at:]])


def knows_word(store: PaperStore) -> Callable[[str], bool]:
    """Return a function that says whether the store's model knows a word as one of its own."""
    try:
        return store.model().knows
    except ModelError:
        # The words can be looked up all the same.
        return lambda word: False


def _word_spans(text: str) -> list[tuple[int, int]]:
    spans = []
    start = None
    for i, char in enumerate(f"{text} "):
        if char.isalnum() and start is None:
            start = i
        elif not char.isalnum() and start is not None:
            spans.append((start, i))
            start = None
    return spans
