"""What a client has typed of an argument, completed: stores, titles, authors, ids."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import TYPE_CHECKING

from swimmer.toolkit.answers import bounded

if TYPE_CHECKING:
    from swimmer.store import PaperStore

MOST_VALUES = 100
"""Values of one completion; the Model Context Protocol allows no more."""


def complete_argument(
    name: str, typed: str, names: Callable[[], list[str]], store: Callable[[], PaperStore]
) -> list[str]:
    """Return values that complete an argument of a tool, a prompt or a resource.

    Args:
        name: the name of the argument; those that have no values of their own give none.
        typed: its value so far.
        names: gives the names of the stores.
        store: opens the store that the other arguments name.
    """
    typed = typed[:1_000]
    if name == "store":
        found = sorted(names(), key=lambda one: (not one.startswith(typed), one))
        return [one for one in found if typed.casefold() in one.casefold()][:MOST_VALUES]
    if name in ("title", "paper"):
        from swimmer.retrieval import complete_titles

        return _clean(complete_titles(store(), typed, MOST_VALUES))
    if name in ("topic", "query"):
        from swimmer.retrieval import complete

        kinds = ("topic", "paper")
        return _clean([one.text for one in complete(store(), typed, 40) if one.kind in kinds])
    if name == "author":
        from swimmer.papers import name_words
        from swimmer.store import people_starting

        people = people_starting(store().database, name_words(typed), MOST_VALUES)
        return _clean([person.name for person in people])
    if name == "id":
        ids = (str(value) for _, value in store().database.values("id"))
        return _clean(list(islice((one for one in ids if one.startswith(typed)), MOST_VALUES)))
    return []


def _clean(values: list[str]) -> list[str]:
    return list(dict.fromkeys(bounded(value, 500) for value in values))
