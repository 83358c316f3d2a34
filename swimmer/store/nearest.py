"""The nearest papers of every paper, found when a store is built, scored as a search does.

What is kept for a paper is what a search by its title gives, to the last digit: the RESCORED
nearest by their vectors, in the order of scores that count words too.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from swimmer.errors import REBUILD, StoreDamagedError
from swimmer.store.database import PaperDatabase
from swimmer.store.indexes import pair_cosines
from swimmer.store.kept_nearest import RECALL, VALUE_SIZE, count_kept, inflated
from swimmer.store.lexical import LexicalPairs
from swimmer.store.schema import NEAREST_TABLE
from swimmer.store.similarity import Similarity, combined_score
from swimmer.store.smoothing import EXACT_LIMIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from swimmer.progress import Progress
    from swimmer.store.index import Rows, VectorIndex, Vectors

RECALL_WANTED = 0.98
"""Share of the nearest that an approximate search must find, measured on a sample."""

_SPARE = 5
_TIE = 1e-6
"""Difference of cosines below which two papers may be equally near.

A product of matrices and a sum of products differ in the last digit.
"""
_BLOCK = 2_048
_CELLS = 2 << 20
_SAMPLE = 200
_PROBES = 16


@dataclass(frozen=True)
class Nearest:
    """The nearest others of each paper, ascending by row.

    Attributes:
        rows: int32 (n, count); a row of -1 is a paper of which they are not known.
        cosines: float32 (n, count).
        recall: the measured share of the true ones; 1 where all papers were compared.
    """

    rows: NDArray[np.int32]
    cosines: Vectors
    recall: float = 1.0

    @classmethod
    def none(cls, papers: int) -> Nearest:
        """Return what is not known yet."""
        shape = papers, count_kept(papers)
        return cls(np.full(shape, -1, np.int32), np.zeros(shape, np.float32))

    @property
    def known(self) -> NDArray[np.bool_]:
        """Of which papers the nearest are known: (n,)."""
        return self.rows[:, 0] >= 0 if self.rows.shape[1] else np.zeros(len(self.rows), bool)


def keep_nearest(
    database: PaperDatabase,
    index: VectorIndex,
    similarity: Similarity,
    *,
    wanted: bool | None,
    before: VectorIndex | None,
    origin: Rows | None,
    progress: Progress | None = None,
) -> None:
    """Write the nearest papers of every paper into a database, or remove them from it.

    Args:
        database: the papers; it may hold the nearest of an earlier state.
        index: their vectors, as they are searched.
        similarity: how the store compares.
        wanted: whether they are kept; None for what the store had, at first for those of at most
            EXACT_LIMIT papers. They serve known titles: where a store holds documents that were
            not a paper's, none are kept without being wanted.
        before: the vectors of the earlier state, None where there was none.
        origin: for each paper its row in that state, -1 for one that is new or has changed.
        progress: called as they are found.
    """
    had = database.meta(RECALL)
    if wanted is None:
        small = index.rows <= EXACT_LIMIT and had != "none"
        wanted = (small or had not in ("", "none")) and not database.holds_documents
    old = _read(database, before.rows) if wanted and before is not None else None
    database.run("DROP TABLE IF EXISTS nearest")
    database.set_meta(RECALL, "none")
    if not wanted:
        return
    vectors = index.vectors()
    if old is not None and before is not None and origin is not None:
        nearest = update_nearest(vectors, old, before, origin, progress)
    else:
        nearest = find_nearest(vectors, progress)
    database.run(NEAREST_TABLE)
    database.set_meta(RECALL, f"{nearest.recall:.4g}")
    database.write("INSERT INTO nearest VALUES (?, ?)", _packed(database, nearest, similarity))


def find_nearest(vectors: Vectors, progress: Progress | None = None) -> Nearest:
    """Return the nearest others of every paper.

    Exactly up to EXACT_LIMIT papers; above, by an inverted file of a measured recall.

    Args:
        vectors: float32 (n, dimension), of unit length or zero.
        progress: called as they are found.
    """
    nearest = Nearest.none(len(vectors))
    rows = np.arange(len(vectors))
    if len(vectors) <= EXACT_LIMIT:
        _find(vectors, rows, nearest, _exact(vectors), progress)
        return nearest
    search, recall = _approximate(vectors)
    _find(vectors, rows, nearest, search, progress)
    return Nearest(nearest.rows, nearest.cosines, recall)


def update_nearest(
    vectors: Vectors,
    old: Nearest,
    before: VectorIndex,
    origin: Rows,
    progress: Progress | None = None,
) -> Nearest:
    """Return what `find_nearest` would, searching only where something has changed.

    That is, for papers whose vector is another one now, that have lost one of their nearest, or
    that another vector has come nearer to than the last of these.

    Args:
        vectors: float32 (n, dimension), all of them.
        old: the nearest in the state before.
        before: the vectors of that state.
        origin: for each paper its row in it, -1 for one that is new: (n,).
        progress: called as they are found.
    """
    same = _unchanged(vectors, before, origin)
    kept = np.flatnonzero(same)
    count = count_kept(len(vectors))
    if not count or 2 * len(kept) < len(vectors) or old.rows.shape[1] != count:
        return find_nearest(vectors, progress)
    place = np.full(len(old.rows) + 1, -1, np.int32)
    place[origin[kept]] = kept
    nearest = Nearest.none(len(vectors))
    # A row of -1 reads the last place, which is -1 again.
    nearest.rows[kept] = place[old.rows[origin[kept]]]
    nearest.cosines[kept] = old.cosines[origin[kept]]
    again = np.any(nearest.rows < 0, axis=1)
    last = nearest.cosines.min(axis=1)
    changed = np.flatnonzero(~same)
    block = min(_BLOCK, max(16, _CELLS // max(1, len(changed))))
    for start in range(0, len(kept), block):
        rows = kept[start : start + block]
        best = (vectors[rows] @ vectors[changed].T).max(axis=1, initial=-2)
        again[rows] |= best > last[rows] - 2 * _TIE
    nearest.rows[again] = -1
    wanted, recall = np.flatnonzero(again), old.recall
    search = _exact(vectors)
    if len(vectors) > EXACT_LIMIT and len(wanted) > EXACT_LIMIT // 10:
        search, recall = _approximate(vectors)
    _find(vectors, wanted, nearest, search, progress)
    return Nearest(nearest.rows, nearest.cosines, min(recall, old.recall))


def _unchanged(vectors: Vectors, before: VectorIndex, origin: Rows) -> NDArray[np.bool_]:
    same = origin >= 0
    kept = np.flatnonzero(same)
    for start in range(0, len(kept), _BLOCK):
        rows = kept[start : start + _BLOCK]
        same[rows] = (vectors[rows] == before.vectors(origin[rows])).all(axis=1)
    return same


def _exact(vectors: Vectors) -> Callable[[Rows, int], Rows]:
    def search(rows: Rows, depth: int) -> Rows:
        scores = vectors[rows] @ vectors.T
        found: Rows = np.argpartition(scores, len(vectors) - depth, axis=1)[:, -depth:]
        return found

    return search


def _approximate(vectors: Vectors) -> tuple[Callable[[Rows, int], Rows], float]:
    """Return a search by an inverted file, and its recall; lists are added until it is enough."""
    from swimmer.store.faiss_index import inverted_file

    index = inverted_file(vectors)
    count = count_kept(len(vectors))
    sample = np.random.default_rng(2).choice(len(vectors), _SAMPLE, replace=False)
    exact = _exact(vectors)
    true = np.vstack([exact(rows, count + 1) for rows in np.split(sample, 10)])
    index.nprobe = _PROBES
    while True:
        found = index.search(vectors[sample], count + 1)[1]
        hits = sum(len(np.intersect1d(a, b)) for a, b in zip(found, true, strict=True))
        recall = hits / true.size
        if recall >= RECALL_WANTED or index.nprobe >= index.nlist:
            break
        index.nprobe *= 2

    def search(rows: Rows, depth: int) -> Rows:
        found: Rows = index.search(vectors[rows], depth)[1]
        return found

    return search, recall


def _find(
    vectors: Vectors,
    wanted: Rows,
    nearest: Nearest,
    search: Callable[[Rows, int], Rows],
    progress: Progress | None,
) -> None:
    """Write the nearest of the wanted papers into `nearest`.

    Left out are those without a vector, and those for which it is not certain which papers are
    among the nearest, because the last of them and the next are equally near.
    """
    count = nearest.rows.shape[1]
    if not count:
        return
    wanted = wanted[vectors[wanted].any(axis=1)]
    depth = min(len(vectors), count + 1 + _SPARE)
    block = min(_BLOCK, max(16, _CELLS // len(vectors)))
    for start in range(0, len(wanted), block):
        rows = wanted[start : start + block]
        found = np.sort(search(rows, depth), axis=1)
        cosines = pair_cosines(vectors, rows, np.maximum(found, 0))
        # The paper itself stands first.
        cosines[found == rows[:, None]] = 2
        cosines[found < 0] = -2
        order = np.argsort(-cosines, axis=1, kind="stable")
        found = np.take_along_axis(found, order, 1)
        cosines = np.take_along_axis(cosines, order, 1)
        certain = (found[:, 0] == rows) & (cosines[:, count] >= -1)
        if depth > count + 1:
            certain &= cosines[:, count] > cosines[:, count + 1]
        if depth < len(vectors):
            certain &= cosines[:, count] > cosines[:, -1] + _TIE
        nearest.rows[rows[certain]] = found[certain, 1 : count + 1]
        nearest.cosines[rows[certain]] = cosines[certain, 1 : count + 1]
        if progress is not None:
            progress("neighbours", start + len(rows), len(wanted))


def scored(
    database: PaperDatabase, nearest: Nearest, similarity: Similarity
) -> Iterator[tuple[Rows, NDArray[np.int32], Vectors, Vectors]]:
    """Yield rows, their nearest, the scores and the cosines of these, best first, in blocks.

    Papers of which the nearest are not known are left out.
    """
    pairs = None
    index = database.lexical_index() if similarity.lexical else None
    if index is not None:
        words = database.packed_words(range(len(nearest.rows)))
        pairs = LexicalPairs(index, [words.get(row, b"") for row in range(len(nearest.rows))])
    known = np.flatnonzero(nearest.known)
    for start in range(0, len(known), _BLOCK):
        rows = known[start : start + _BLOCK]
        near, cosines = nearest.rows[rows].astype(np.int64), nearest.cosines[rows]
        scores = cosines
        if pairs is not None and similarity.paper:
            lexical = np.stack(
                [pairs.scores(row, others) for row, others in zip(rows.tolist(), near, strict=True)]
            )
            # A paper without words is compared by its vector alone.
            worded = pairs.has_words(rows)[:, None]
            both = combined_score(cosines, lexical, similarity.paper)
            scores = np.where(worded, both, cosines)
        order = np.lexsort((near, -scores), axis=1)
        yield (
            rows,
            np.take_along_axis(near, order, 1).astype(np.int32),
            np.take_along_axis(scores, order, 1),
            np.take_along_axis(cosines, order, 1),
        )


def _packed(
    database: PaperDatabase, nearest: Nearest, similarity: Similarity
) -> Iterator[tuple[int, bytes]]:
    # To compress takes as long as to compare all words, and saves a store of few papers little.
    level = 1 if len(nearest.rows) > EXACT_LIMIT else 0
    for rows, near, scores, cosines in scored(database, nearest, similarity):
        numbers = np.stack([part.view(np.uint32) for part in (near, scores, cosines)], axis=1)
        numbers[:, 2] -= numbers[:, 1]
        numbers[:, 1, 1:] -= numbers[:, 1, :-1].copy()
        count = 3 * numbers.shape[2]
        octets = numbers.astype("<u4").reshape(len(rows), count).view(np.uint8)
        planes = octets.reshape(len(rows), count, 4).transpose(0, 2, 1)
        for row, plane in zip(rows.tolist(), planes, strict=True):
            yield row, zlib.compress(plane.tobytes(), level)


def _unpacked(packed: Sequence[bytes], count: int) -> tuple[Rows, Vectors]:
    """Return the rows and the cosines that are kept for some papers, both (n, count).

    Raises:
        ValueError: they are not what `_packed` gives.
    """
    planes = b"".join([inflated(one, VALUE_SIZE * count) for one in packed])
    octets = np.frombuffer(planes, np.uint8).reshape(len(packed), 4, 3 * count)
    numbers = np.ascontiguousarray(octets.transpose(0, 2, 1)).view("<u4").astype(np.uint32)
    rows, steps, differences = numbers.reshape(len(packed), 3, count).transpose(1, 0, 2)
    cosines = np.cumsum(steps, axis=1, dtype=np.uint32) + differences
    return rows.astype(np.int64), cosines.view(np.float32)


def _read(database: PaperDatabase, papers: int) -> Nearest | None:
    """Return what a database keeps of an earlier state of so many papers, None for nothing.

    Raises:
        StoreDamagedError: it is not of so many papers, or names others.
    """
    if "nearest" not in database.tables:
        return None
    nearest = Nearest.none(papers)
    found = database.query("SELECT row, packed FROM nearest", (), (int, bytes))
    count = nearest.rows.shape[1]
    try:
        if found:
            rows = np.array([row for row, _ in found])
            near, cosines = _unpacked([packed for _, packed in found], count)
            if not 0 <= rows.min() <= rows.max() < papers:
                raise ValueError("a row that is not there")
            together = np.sort(np.column_stack([rows, near]), axis=1)
            if together[:, -1].max() >= papers or not np.diff(together).all():
                raise ValueError("not other papers of the store")
            if not (np.abs(cosines) <= 1).all():
                raise ValueError("a value that is no cosine")
            nearest.rows[rows], nearest.cosines[rows] = near, cosines
        recall = float(database.meta(RECALL))
    except ValueError as error:
        raise StoreDamagedError(
            f"{database.path or 'the papers in memory'}: its nearest papers cannot be read "
            f"({error})",
            hint=REBUILD,
        ) from None
    return Nearest(nearest.rows, nearest.cosines, recall)
