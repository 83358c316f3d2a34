"""Titles of a store as they are typed: what the prompt and the page complete with."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from swimmer.text import TITLE_LIMIT, clean

if TYPE_CHECKING:
    from swimmer.store import PaperStore

_MOST_WORDS = 24


def complete_titles(
    store: PaperStore, typed: str, limit: int = 20, *, anywhere: bool = True
) -> list[str]:
    """Return titles that begin with what was typed, then those that hold its words anywhere.

    The last word counts as the beginning of one, unless a space follows it. Case and accents do
    not count. Fewer than two letters complete to nothing.

    Args:
        store: an open store.
        typed: the text so far.
        limit: titles wanted.
        anywhere: whether titles that only hold the words count too.
    """
    words = _words(typed)
    if not words or len("".join(words)) < 2:
        return []
    quoted = [f'"{word}"' for word in words]
    last = "" if re.search(r"\W$", typed) else " *"
    found = _matching(store, f"^ {' + '.join(quoted)}{last}", limit)
    if anywhere and len(found) < limit:
        # Titles already found come again among these; the limit is stretched to make up for them.
        more = _matching(store, f"{' '.join(quoted)}{last}", limit + len(found))
        found = list(dict.fromkeys([*found, *more]))[:limit]
    return found


def _words(typed: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", clean(typed, TITLE_LIMIT)).casefold()
    # No word can hold a quote, so none can end the quotes that it is put into.
    return re.findall(r"[^\W_]+", plain)[:_MOST_WORDS]


def _matching(store: PaperStore, match: str, limit: int) -> list[str]:
    return list(dict.fromkeys(store.database.matching_titles(match, limit)))
