"""The papers and vectors of a store while it is changed, before they are written to its folder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from swimmer.errors import InputError
from swimmer.papers import Paper
from swimmer.store.database import PaperDatabase, text_hash
from swimmer.store.index import Rows, VectorIndex, Vectors
from swimmer.store.indexes import index_of
from swimmer.store.smoothing import (
    Neighbours,
    find_neighbours,
    rounded,
    smoothed,
    update_neighbours,
)
from swimmer.store.vector_formats import FLOAT32, checked_format, unit_vectors

_LEAST_ROWS = 64


class WorkingCopy:
    """Papers and vectors that can be changed; the store that owns it lets one thread in at a time.

    Attributes:
        database: the papers, writable.
        form: how the vectors are kept: `float32`, `float16` or `int8`.
        before: the vectors of the state on disk, None where there is none.
    """

    def __init__(
        self, database: PaperDatabase, vectors: Vectors, form: str, smoothing: float = 0.0
    ) -> None:
        """Begin with papers and their vectors before smoothing, float32 (n or more, dimension)."""
        self.database = database
        self.form = form
        self.before: VectorIndex | None = None
        self._own = vectors
        self._smoothing = smoothing
        self._neighbours: Neighbours | None = None
        # How each row was numbered when the neighbours of smoothing were found, and in the state
        # on disk; -1: it is new, or another one now. int64 (n or more, 2).
        self._origin: Rows | None = None
        self._searched: Vectors | None = None
        self._index: VectorIndex | None = None

    def follows(self, before: VectorIndex, origin: Rows, neighbours: Neighbours | None) -> None:
        """Say from which state this one is made, so that only what has changed is computed anew.

        Args:
            before: the vectors of that state.
            origin: the row of each paper in it, int64 (n,); -1 where it has another vector, or is
                new.
            neighbours: those of its smoothing.
        """
        self.before, self._neighbours = before, neighbours
        self._origin = np.stack([origin, origin], axis=1)

    def set_format(self, form: str | None) -> None:
        """Choose how the vectors are kept; None for as they are."""
        if form is None or checked_format(form) == self.form:
            return
        if self.form != FLOAT32:
            self._own = unit_vectors(self._own)
        self.form = form
        self._has_changed()

    def put(
        self,
        papers: Sequence[Paper],
        texts: Sequence[str],
        vectors: Vectors,
        tokens: Sequence[bytes] = (),
        *,
        replace: bool,
    ) -> None:
        """Add papers, or put them in the place of those that have their ids.

        Args:
            papers: what to add; of two with one id the later counts.
            texts: what was embedded of each.
            vectors: float32 (n, dimension).
            tokens: the packed tokens of each, where the store compares these.
            replace: whether a paper whose id is there already takes the place of the old one.

        Raises:
            InputError: an id is there already and `replace` is False; nothing is added then.
        """
        rows = self.database.rows_of_ids([paper.id for paper in papers])
        if rows and not replace:
            first = next(paper.id for paper in papers if paper.id in rows)
            raise InputError(f"the id {first!r} is in the store already; nothing was added")
        total = len(self.database)
        places = []
        with self.database.transaction():
            for paper, text in zip(papers, texts, strict=True):
                row = rows.get(paper.id)
                new = row is None
                if row is None:
                    row = rows[paper.id] = total
                    total += 1
                self.database.put(row, paper, text_hash(text), new=new)
                places.append(row)
            if tokens:
                self.database.keep_token_weights(dict(zip(places, tokens, strict=True)))
        self._put_vectors(places, vectors)
        self._has_changed()

    def remove(self, rows: Sequence[int]) -> None:
        """Delete papers by row number; the last rows take the numbers that become free."""
        with self.database.transaction():
            moves = self.database.remove(rows)
        if moves:
            places, sources = list(moves), list(moves.values())
            self._own[places] = self._own[sources]
            if self._origin is not None:
                self._origin[places] = self._origin[sources]
        self._has_changed()

    def own_vectors(self) -> tuple[Vectors, Neighbours | None]:
        """Return the vectors before smoothing, not copied, and the neighbours of smoothing.

        The neighbours are None in a store that does not smooth its vectors.
        """
        self.searched_vectors()
        own = self._own[: len(self.database)]
        return own, self._neighbours if self._smoothing else None

    def searched_vectors(self) -> Vectors:
        """Return the vectors that are searched: those of the papers, drawn to their neighbours."""
        if self._searched is None:
            own = self._own[: len(self.database)]
            self._searched = self._drawn_to_neighbours(own) if self._smoothing else own
        return self._searched

    @property
    def index(self) -> VectorIndex:
        """The vectors, as they are searched."""
        if self._index is None:
            self._index = index_of(self.searched_vectors(), form=self.form, like=self.before)
        return self._index

    def rows_before(self) -> Rows | None:
        """Return the row of each paper in the state on disk, -1 where it has none; int64 (n,)."""
        if self._origin is None or self.before is None:
            return None
        return self._origin[: len(self.database), 1]

    def close(self) -> None:
        """Let go of papers and vectors."""
        self.database.close()
        if self._index is not None:
            self._index.close()

    def _has_changed(self) -> None:
        self._index = self._searched = None

    def _drawn_to_neighbours(self, own: Vectors) -> Vectors:
        # In the precision in which they are kept: an update begins with the same numbers.
        kept, near = rounded(own), self._neighbours
        if near is not None and self._origin is not None:
            near = update_neighbours(kept, near, self._origin[: len(kept), 0])
        self._neighbours = near = near or find_neighbours(kept)
        if self._origin is not None:
            self._origin[:, 0] = np.arange(len(self._origin))
        return smoothed(kept, near, self._smoothing) if near.count else own

    def _put_vectors(self, rows: Sequence[int], vectors: Vectors) -> None:
        needed = max(rows, default=-1) + 1
        if needed > len(self._own):
            length = max(_LEAST_ROWS, needed, 2 * len(self._own))
            grown = np.zeros((length, vectors.shape[1]), np.float32)
            grown[: len(self._own)] = self._own
            self._own = grown
        if self._origin is None or len(self._origin) < len(self._own):
            origin = np.full((len(self._own), 2), -1)
            if self._origin is not None:
                origin[: len(self._origin)] = self._origin
            self._origin = origin
        # Of two for one row the later counts.
        last = dict(zip(rows, range(len(rows)), strict=True))
        places, sources = list(last), list(last.values())
        self._own[places], self._origin[places] = vectors[sources], -1
