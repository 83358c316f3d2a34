"""What is typed, completed: titles, names, authors and topics, for the prompt and the page."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from swimmer.papers import name_words
from swimmer.retrieval.remote import titles_starting
from swimmer.store import (
    kept_topics,
    people_starting,
    rows_of_name_start,
    topic_key,
    topics_starting,
)
from swimmer.text import TITLE_LIMIT, clean

if TYPE_CHECKING:
    from swimmer.store import PaperStore

_MOST_WORDS = 24


def complete_titles(
    store: PaperStore, typed: str, limit: int = 20, *, anywhere: bool = True
) -> list[str]:
    """Return titles that begin with what was typed, then titles with its words anywhere.

    The last word may be incomplete, unless a space follows it. Case and accents do not count.
    Fewer than two letters give no titles.

    Args:
        store: an open store.
        typed: the text so far.
        limit: titles wanted.
        anywhere: whether titles with the words elsewhere are returned too.
    """
    words = _words(typed)
    if not words or len("".join(words)) < 2:
        return []
    if store.remote:
        return titles_starting(store, typed, limit)
    quoted = [f'"{word}"' for word in words]
    last = "" if re.search(r"\W$", typed) else " *"
    found = _matching(store, f"^ {' + '.join(quoted)}{last}", limit)
    if anywhere and len(found) < limit:
        # Titles already found are among these, so the limit is raised by their number.
        more = _matching(store, f"{' '.join(quoted)}{last}", limit + len(found))
        found = list(dict.fromkeys([*found, *more]))[:limit]
    return found


def _words(typed: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", clean(typed, TITLE_LIMIT)).casefold()
    # A word contains no quote, so it cannot end the quotes around it.
    return re.findall(r"[^\W_]+", plain)[:_MOST_WORDS]


def _matching(store: PaperStore, match: str, limit: int) -> list[str]:
    return list(dict.fromkeys(store.database.matching_titles(match, limit)))


@dataclass(frozen=True)
class Completion:
    """What may be meant by what was typed so far: a text, and its kind.

    `kind` is `paper` (a title), `name` (short, of a paper), `author` or `topic` (of the map, or a
    keyword);
    `papers` says how many papers it stands for.
    """

    text: str
    kind: str
    papers: int = 1


def complete(store: PaperStore, typed: str, limit: int = 8) -> list[Completion]:
    """Return names, authors, topics and titles that complete what was typed, the kinds mixed.

    At most two names, a quarter authors and a quarter topics come before titles.

    Args:
        store: an open store.
        typed: the text so far.
        limit: completions wanted.
    """
    words = _words(typed)
    if len("".join(words)) < 2:
        return []
    if store.remote:
        titles = titles_starting(store, typed, limit)
        return [Completion(title, "paper") for title in titles]
    share = max(1, limit // 4)
    found = [Completion(name, "name") for name in _names(store, typed, 2)]
    people = people_starting(store.database, name_words(typed), share)
    found += [Completion(one.name, "author", one.papers) for one in people]
    found += _topics(store, typed, share)
    titles = complete_titles(store, typed, limit)
    return [*found, *(Completion(title, "paper") for title in titles)][:limit]


def _names(store: PaperStore, typed: str, limit: int) -> list[str]:
    rows = rows_of_name_start(store.database, typed, limit)
    return [paper.display_title.partition(":")[0].strip() for paper in store.papers(rows)]


def _topics(store: PaperStore, typed: str, limit: int) -> list[Completion]:
    """Return topics of the kept map, one of whose words begins so, and keywords that begin so."""
    key = topic_key(typed)
    mapped = kept_topics(store)
    found = [] if mapped is None else mapped.starting(key)
    found += topics_starting(store.database, key, limit)
    counted = {topic_key(one.name): one for one in reversed(found)}
    ordered = sorted(counted.values(), key=lambda one: (-one.papers, one.name))
    return [Completion(one.name, "topic", one.papers) for one in ordered[:limit]]
