"""Which records are one paper: copies within a list, and a paper that a store holds already."""

from __future__ import annotations

from dataclasses import replace

from swimmer.papers import Paper
from swimmer.store import PaperDatabase
from swimmer.text import title_key


class KnownPapers:
    """Which rows the papers of one list have, by id, URL and title key."""

    def __init__(self) -> None:
        self.count = 0
        self._ids: dict[str, int] = {}
        self._urls: dict[str, int] = {}
        self._keys: dict[str, int] = {}

    def find(self, paper: Paper, database: PaperDatabase) -> int | None:
        """Return the row of a paper that is a copy of one learnt before, or None.

        By id, else by URL, else by title key where `database` names no other authors.
        """
        row = self._ids.get(paper.id)
        if row is None and paper.url:
            row = self._urls.get(paper.url)
        if row is None and (same := self._keys.get(paper.key)) is not None:
            kept = database.papers([same])[0]
            row = same if one_work(kept, paper) else None
        return row

    def learn(self, row: int, paper: Paper) -> None:
        """Take note that a paper, or a copy of it, stands in `row`; what is known already stays."""
        self.count = max(self.count, row + 1)
        self._ids.setdefault(paper.id, row)
        if paper.url:
            self._urls.setdefault(paper.url, row)
        self._keys.setdefault(paper.key, row)


def one_work(a: Paper, b: Paper) -> bool:
    """Whether two papers of one title are one work: authors in common, or not known of one."""
    first, second = ({title_key(name) for name in paper.authors} for paper in (a, b))
    return not first or not second or bool(first & second)


def merge_copies(a: Paper, b: Paper) -> Paper:
    """Return one paper for two records of it in one list, such as its oral and its poster.

    The poster's id and URL stand (every paper has a poster), with the other's status, which says
    more; the longer abstract and the first known of everything else.
    """
    first, second = (b, a) if _is_poster(b) and not _is_poster(a) else (a, b)
    merged = first.filled_from(second)
    status = second.status if _is_poster(first) and second.status else merged.status
    abstract = max(first.abstract, second.abstract, key=len)
    return replace(merged, status=status, abstract=abstract)


def _is_poster(paper: Paper) -> bool:
    return paper.status.casefold() == "poster" or "/poster/" in paper.url


def find_stored(database: PaperDatabase, paper: Paper, seen: bytearray) -> int | None:
    """Return the row that holds a paper already: by id, else by URL, else by title key."""
    by_id = database.row_of_id(paper.id)
    if by_id is not None:
        return by_id
    by_url = database.row_of_url(paper.url)
    if by_url is not None and not seen[by_url]:
        return by_url
    for row in database.rows_of_key(paper.key):
        if not seen[row] and one_work(database.papers([row])[0], paper):
            return row
    return None
