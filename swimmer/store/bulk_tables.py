"""What the tables beside `papers` hold, gathered as a new database is filled with papers."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence

from swimmer.papers import Paper
from swimmer.store.lookup_tables import Lookups, add_segments, has_segments
from swimmer.store.word_counting import WordCounts

_BATCH = 1000


class BulkTables:
    """Look-ups, segmented texts and words of the papers of a database that is being filled.

    Each paper is at hand when it is put; to read all of them once more for these tables would
    take as long as to make them.

    Args:
        connection: the database.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lookups, self._words = Lookups(connection), WordCounts()
        self._segmented: set[int] = set()
        self._replaced: set[int] = set()

    def add(self, papers: Sequence[tuple[int, Paper]]) -> list[bytes]:
        """Gather what is derived from papers; return the packed words of each."""
        for row, paper in papers:
            self._lookups.add(row, paper)
            if has_segments(paper):
                self._segmented.add(row)
        return self._words.add([paper for _, paper in papers])

    def replace(self, row: int, paper: Paper) -> None:
        """Take note that the paper of a row, which was added, is about to give way to another."""
        self._words.remove([paper])
        self._replaced.add(row)
        self._segmented.discard(row)

    def write(self, papers_of: Callable[[Sequence[int]], list[Paper]]) -> None:
        """Write the tables.

        Args:
            papers_of: returns the papers of rows.
        """
        replaced = sorted(self._replaced)
        # Of a row that was put twice, both papers were gathered.
        self._lookups.forget(self._replaced)
        for row, paper in _numbered(replaced, papers_of):
            self._lookups.add(row, paper)
        self._lookups.write()
        add_segments(self._connection, _numbered(sorted(self._segmented), papers_of))
        self._words.write(self._connection)


def _numbered(
    rows: Sequence[int], papers_of: Callable[[Sequence[int]], list[Paper]]
) -> Iterable[tuple[int, Paper]]:
    for start in range(0, len(rows), _BATCH):
        part = rows[start : start + _BATCH]
        yield from zip(part, papers_of(part), strict=True)
