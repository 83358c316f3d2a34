"""What is typed, completed: titles, names, authors and topics, for the prompt and the page."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from swimmer.papers import name_words
from swimmer.store import people_starting, rows_of_name_start
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

    `kind` is `paper` (a title), `name` (short, of a paper), `author` or `topic` (a keyword);
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
    share = max(1, limit // 4)
    found = [Completion(name, "name") for name in _names(store, typed, 2)]
    people = people_starting(store.database, name_words(typed), share)
    found += [Completion(one.name, "author", one.papers) for one in people]
    found += [Completion(*one) for one in _topics(store, " ".join(words), share)]
    titles = complete_titles(store, typed, limit)
    return [*found, *(Completion(title, "paper") for title in titles)][:limit]


def _names(store: PaperStore, typed: str, limit: int) -> list[str]:
    rows = rows_of_name_start(store.database, typed, limit)
    return [paper.display_title.partition(":")[0].strip() for paper in store.papers(rows)]


def _topics(store: PaperStore, start: str, limit: int) -> list[tuple[str, str, int]]:
    topics = store.database.kept("topics", lambda: _counted_topics(store))
    at = bisect_left(topics, (start,))
    found = []
    while at < len(topics) and topics[at][0].startswith(start):
        found.append(topics[at])
        at += 1
    found.sort(key=lambda topic: -topic[2])
    return [(text, "topic", papers) for _, text, papers in found[:limit]]


def _counted_topics(store: PaperStore) -> list[tuple[str, str, int]]:
    """Return (folded, as written, papers) of the keywords of several papers, sorted."""
    counts: Counter[str] = Counter()
    written: dict[str, str] = {}
    for _, keyword in store.database.values("keywords"):
        folded = " ".join(_words(keyword))
        counts[folded] += 1
        written.setdefault(folded, keyword)
    return sorted((key, written[key], n) for key, n in counts.items() if n > 1 and key)
