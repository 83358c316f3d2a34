"""Words of a text: split, and folded so that case, accents and width do not count."""

from __future__ import annotations

import unicodedata

from swimmer.text.cleaning import readable


def folded(text: str) -> str:
    """Return a text in lower case, without accents, LaTeX or compatibility characters."""
    decomposed = unicodedata.normalize("NFKD", readable(text)).casefold()
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words_of(folded_text: str) -> list[str]:
    """Return the runs of letters and digits of a folded text, in order.

    The full-text index splits text in the same places, and no word can hold one of its operators.
    """
    return "".join(char if char.isalnum() else " " for char in folded_text).split()
