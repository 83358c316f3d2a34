"""Which records are one paper: copies within a list, and a paper that a store holds already.

An id or an address alone proves nothing: citation keys clash, rows are numbered, and a whole
programme may have one address. Titles, or authors and abstracts, must agree too.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from rapidfuzz import fuzz, utils

from swimmer.papers import (
    ABSTRACT_CUT,
    AUTHORS_ORDER,
    EVENTS,
    FIRST_SEEN,
    Paper,
    derived_id,
    same_numbers,
    shared_phrases,
)
from swimmer.store import PaperDatabase
from swimmer.text import title_key

LIKE_TITLES = 90.0
"""Likeness of two titles, in percent, from which they agree where an id or an address does."""

SAME_ABSTRACT = 0.5
"""Share of common phrases from which two abstracts of common authors are one."""


_COMPARED = 20


class KnownPapers:
    """Which rows the papers of one list have, by id, URL and title key."""

    def __init__(self) -> None:
        self.count = 0
        self._ids: dict[str, int] = {}
        self._urls: dict[str, list[int]] = {}
        self._keys: dict[str, int] = {}

    def find(self, paper: Paper, database: PaperDatabase) -> int | None:
        """Return the row of a paper that is a copy of one learnt before, or None.

        By id or URL where the papers agree, else by title key where `database` names no other
        authors.
        """
        named = [row] if (row := self._ids.get(paper.id)) is not None else []
        if paper.url:
            named += self._urls.get(paper.url, ())[:_COMPARED]
        for row in dict.fromkeys(named):
            if agree(database.papers([row])[0], paper):
                return row
        same = self._keys.get(paper.key)
        if same is not None and authors_agree(database.papers([same])[0], paper):
            return same
        return None

    def has_id(self, identifier: str) -> bool:
        """Whether a paper of this id was learnt."""
        return identifier in self._ids

    def learn(self, row: int, paper: Paper) -> None:
        """Take note that a paper, or a copy of it, stands in `row`; what is known already stays."""
        self.count = max(self.count, row + 1)
        self._ids.setdefault(paper.id, row)
        if paper.url:
            rows = self._urls.setdefault(paper.url, [])
            # What very many share tells nothing: it is not compared with all of them.
            if len(rows) < _COMPARED and row not in rows:
                rows.append(row)
        self._keys.setdefault(paper.key, row)


def agree(a: Paper, b: Paper) -> bool:
    """Whether two papers of one id or URL are one: by their titles, or by authors and abstracts."""
    if a.key == b.key:
        return True
    if not authors_agree(a, b):
        return False
    titles = [utils.default_process(paper.display_title) for paper in (a, b)]
    if same_numbers(a, b) and fuzz.token_set_ratio(*titles) >= LIKE_TITLES:
        return True
    known = bool(a.authors) and bool(b.authors)
    return known and shared_phrases(a.abstract, b.abstract) >= SAME_ABSTRACT


def authors_agree(a: Paper, b: Paper) -> bool:
    """Whether the authors of two papers have one in common, or are not known of one."""
    first, second = ({title_key(name) for name in paper.authors} for paper in (a, b))
    return not first or not second or bool(first & second)


def with_distinct_id(paper: Paper) -> Paper:
    """Return a paper whose id another one has, with an id that its title makes its own."""
    if not paper.has_own_id:
        return replace(paper, id=derived_id("", f"{paper.title} {paper.id}"))
    digest = hashlib.blake2b(paper.key.encode(), digest_size=4).hexdigest()
    return replace(paper, id=f"{paper.id[:480]}-{digest}")


def merge_copies(a: Paper, b: Paper) -> Paper:
    """Return one paper for two records of it in one list, such as its oral and its poster.

    The poster's id and URL stand (every paper has a poster), with the other's status, which says
    more; the longer abstract and the first known of everything else; all events.
    """
    first, second = (b, a) if _is_poster(b) and not _is_poster(a) else (a, b)
    if len(second.abstract) > len(first.abstract) and not second.abstract_is_cut:
        first = replace(first, abstract="")
    merged = first.filled_from(second)
    status = second.status if _is_poster(first) and second.status else merged.status
    return replace(merged, status=status)


def _is_poster(paper: Paper) -> bool:
    return paper.status.casefold() == "poster" or "/poster/" in paper.url


def brought_up_to_date(kept: Paper, new: Paper, *, same_source: bool) -> Paper:
    """Return a stored paper with what a list says of it now; what the list leaves out stays.

    Where the store was built from this list, what the list says of its own author order and
    abstracts is right: another source that could know better has not been asked.
    """
    extra = dict(kept.extra)
    if new.extra.get(EVENTS):
        extra.pop(EVENTS, None)
    if same_source and kept.authors == new.authors and not new.authors_ordered:
        extra[AUTHORS_ORDER] = "unknown"
    if same_source and kept.abstract == new.abstract and new.abstract_is_cut:
        extra[ABSTRACT_CUT] = True
    if FIRST_SEEN in new.extra:
        # Another store's time, in a list that was written from it.
        new = replace(new, extra={k: v for k, v in new.extra.items() if k != FIRST_SEEN})
    return new.filled_from(replace(kept, extra=extra))


def find_stored(
    database: PaperDatabase, paper: Paper, seen: bytearray, *, same_source: bool
) -> int | None:
    """Return the row that holds a paper already, or None.

    By id or URL where the papers agree, else by title key; else by id alone, where the list is
    the one that the store was built from: there an id stays one paper when its title changes.

    Args:
        database: the papers of the store.
        paper: the paper of the list.
        seen: by row, whether a paper of the list was found there.
        same_source: whether the store was built from this list.
    """
    by_id = database.row_of_id(paper.id)
    by_url = database.row_of_url(paper.url)
    for row in dict.fromkeys((by_id, by_url)):
        if row is not None and not seen[row] and agree(database.papers([row])[0], paper):
            return row
    for row in database.rows_of_key(paper.key):
        if not seen[row] and authors_agree(database.papers([row])[0], paper):
            return row
    if by_id is not None and not seen[by_id] and same_source and paper.has_own_id:
        return by_id
    return None
