"""The vectors of a store: a FAISS index whose row numbers are the papers' row numbers."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import faiss
import numpy as np

from swimmer.errors import REBUILD, StoreDamagedError
from swimmer.store.index_file import checked_index_file

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

Vectors: TypeAlias = "NDArray[np.float32]"
Rows: TypeAlias = "NDArray[np.int64]"

EXACT_LIMIT = 300_000
"""Vectors up to which a flat scan (about 10 ms per 100,000 × 256) is the fastest right answer."""

GATHER_LIMIT = 50_000
"""Allowed rows up to which a filtered search over an inverted file scores them one by one."""

_PROBES = 48
_INNER_PRODUCT = faiss.METRIC_INNER_PRODUCT
_SHARED_FROM, _THREADS = 50_000, 4
"""Vectors from which the search for one query is shared among threads, and how many at most."""

_BLOCK = 50_000
_SAMPLE = 200


class VectorIndex:
    """Unit vectors by row number, ranked by inner product (cosine similarity).

    Exact (flat) up to EXACT_LIMIT vectors; above it an inverted file whose lists are mapped from
    disk, so that opening costs nothing and a query reads about `_PROBES` lists.
    """

    def __init__(
        self, index: Any, list_sizes: NDArray[np.int64] | None = None, path: Path | None = None
    ) -> None:
        self._index = index
        self._list_sizes, self._path = list_sizes, path
        self._flat = isinstance(index, faiss.IndexFlat)
        self._spread: Vectors | None = None
        if not self._flat:
            index.nprobe = min(_PROBES, index.nlist)

    @classmethod
    def of(cls, vectors: Vectors, *, exact: bool = True) -> VectorIndex:
        """Return an index of float32 unit vectors (n, dimension); `exact=False` may approximate."""
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        rows, dimension = vectors.shape
        if exact or rows <= EXACT_LIMIT:
            flat = faiss.IndexFlatIP(dimension)
            flat.add(vectors)
            return cls(flat)
        ivf = inverted_file(vectors)
        ivf.make_direct_map()
        return cls(ivf)

    @classmethod
    def open(
        cls, path: Path, rows: int, dimension: int, opened: BinaryIO | None = None
    ) -> VectorIndex:
        """Map the index at `path`, which must hold `rows` vectors of `dimension`.

        `opened` is the file, where it is open already: it may have been replaced since.

        Raises:
            StoreDamagedError: it is not such an index, or not of that shape.
        """
        try:
            sizes = checked_index_file(path, rows, dimension, opened).list_sizes
            # Each kind of index has its own flag to be mapped; with the other's it is read whole.
            flag = faiss.IO_FLAG_MMAP_IFC if sizes is None else faiss.IO_FLAG_MMAP
            index = faiss.read_index(_name_of(path, opened), flag)
        except OSError as error:
            raise StoreDamagedError(
                f"{path}: cannot be read ({error.strerror or error})", hint=REBUILD
            ) from None
        except RuntimeError as error:
            reason = str(error).splitlines()[-1][:120]
            raise StoreDamagedError(
                f"{path}: is not a readable FAISS index ({reason})", hint=REBUILD
            ) from None
        return cls(index, sizes, path)

    @property
    def rows(self) -> int:
        """The number of vectors."""
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """The number of components of a vector."""
        return int(self._index.d)

    @property
    def exact(self) -> bool:
        """Whether a search looks at every vector."""
        return self._flat

    def vectors(self, rows: Rows | None = None) -> Vectors:
        """Return the vectors of `rows`, or of all rows, as float32 (n, dimension), a copy."""
        if rows is not None:
            rows = self._checked_rows(np.asarray(rows, np.int64))
        if self._flat:
            view = self._view()
            return view.copy() if rows is None else view[rows]
        if rows is None and self._list_sizes is None:
            out: Vectors = self._index.reconstruct_n(0, self.rows)
            return out
        if rows is None:
            # By the direct map: the lists of a file may leave rows out, whose memory nobody set.
            rows = np.arange(self.rows, dtype=np.int64)
        if not len(rows):
            return np.empty((0, self.dimension), np.float32)
        if self._list_sizes is not None:
            self._check_places(rows)
        picked: Vectors = self._index.reconstruct_batch(rows)
        return picked

    def _checked_rows(self, rows: Rows) -> Rows:
        """Check row numbers, which may come from the database of a store that somebody sent."""
        if rows.size and not 0 <= int(rows.min()) <= int(rows.max()) < self.rows:
            raise StoreDamagedError(
                f"{self._path or 'the vectors in memory'}: row {int(rows.min())} or "
                f"{int(rows.max())} is not there, or a vector holds no numbers",
                hint=REBUILD,
            )
        return rows

    def _check_places(self, rows: Rows) -> None:
        """Check where the direct map of a file says that rows lie; FAISS would read anywhere."""
        assert self._list_sizes is not None
        places = faiss.rev_swig_ptr(self._index.direct_map.array.data(), self.rows)[rows]
        lists, offsets = places >> 32, places & 0xFFFFFFFF
        if not (
            (lists >= 0).all()
            and (lists < len(self._list_sizes)).all()
            and (offsets < self._list_sizes[np.minimum(lists, len(self._list_sizes) - 1)]).all()
        ):
            raise StoreDamagedError(
                f"{self._path}: its direct map names rows that are not there", hint=REBUILD
            )

    def _view(self) -> Vectors:
        size = self.rows * self.dimension
        if not size:
            return np.empty((0, self.dimension), np.float32)
        flat: Vectors = faiss.rev_swig_ptr(self._index.get_xb(), size)
        return flat.reshape(self.rows, self.dimension)

    def search(self, queries: Vectors, k: int, allowed: Rows | None = None) -> tuple[Vectors, Rows]:
        """Return the k best rows of each query, best first.

        Args:
            queries: float32 (n, dimension), unit vectors.
            k: answers wanted; fewer come back where there are fewer rows.
            allowed: the rows that may be answered, ascending; None for all.

        Returns:
            scores and rows, both (n, min(k, rows that may be answered)).
        """
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if allowed is not None:
            allowed = self._checked_rows(allowed)
        k = min(k, self.rows if allowed is None else len(allowed))
        if k < 1:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        if allowed is None:
            if self._flat and len(queries) == 1 and self.rows >= _SHARED_FROM:
                return self._search_in_parts(queries, k)
            if self._flat:
                return self._ranked(*self._index.search(queries, k))
            return self._search_lists(queries, k, None)
        # One query walks the flat vectors faster than it copies a fraction of them; many queries
        # are worth the copy, which they multiply as one matrix.
        rarity = 4 if len(queries) >= 16 else 64
        if len(allowed) <= GATHER_LIMIT and (not self._flat or len(allowed) * rarity < self.rows):
            return self._search_gathered(queries, k, allowed)
        if self._flat:
            parameters = faiss.SearchParameters(sel=self._selector(allowed))
            return self._ranked(*self._index.search(queries, k, params=parameters))
        return self._search_lists(queries, k, allowed)

    def _search_in_parts(self, query: Vectors, k: int) -> tuple[Vectors, Rows]:
        """Search for one query by several threads; FAISS would use one."""
        view = self._view()
        count = min(_THREADS, faiss.omp_get_max_threads())
        starts = [self.rows * i // count for i in range(count + 1)]

        def search(start: int, end: int) -> tuple[Vectors, Rows]:
            part = view[start:end]
            near, places = faiss.knn(query, part, min(k, len(part)), metric=_INNER_PRODUCT)
            return near, self._checked_rows(places) + start

        # FAISS would start further threads for each part, which wait for work by spinning: the
        # search would take twice the processor time.
        one = (faiss.omp_set_num_threads, (1,))
        with ThreadPoolExecutor(count, initializer=one[0], initargs=one[1]) as threads:
            found = [*threads.map(search, starts[:-1], starts[1:])]
        scores, rows = self._ranked(*(np.hstack(parts) for parts in zip(*found, strict=True)))
        return scores[:, :k], rows[:, :k]

    def _selector(self, allowed: Rows) -> Any:
        bits = np.zeros(self.rows, bool)
        bits[allowed] = True
        return faiss.IDSelectorBitmap(np.packbits(bits, bitorder="little"))

    def _search_gathered(self, queries: Vectors, k: int, allowed: Rows) -> tuple[Vectors, Rows]:
        scores, positions = faiss.knn(queries, self.vectors(allowed), k, metric=_INNER_PRODUCT)
        return self._ranked(scores, allowed[self._checked_rows(positions)])

    def _search_lists(self, queries: Vectors, k: int, allowed: Rows | None) -> tuple[Vectors, Rows]:
        selector = None if allowed is None else self._selector(allowed)
        probes = min(_PROBES, self._index.nlist)
        while True:
            parameters = faiss.SearchParametersIVF(nprobe=probes, sel=selector)
            scores, rows = self._index.search(queries, k, params=parameters)
            # A list may hold fewer than k rows that match: look into more until k are found.
            if probes >= self._index.nlist or bool((rows >= 0).all()):
                return self._ranked(scores, rows)
            probes = min(4 * probes, self._index.nlist)

    def search_exactly(self, queries: Vectors, k: int) -> tuple[Vectors, Rows]:
        """Return the k best rows of each query by comparing it with every vector, in blocks.

        Args and returned arrays are those of `search`.
        """
        if self._flat:
            return self.search(queries, k)
        scores = np.empty((len(queries), 0), np.float32)
        rows = np.empty((len(queries), 0), np.int64)
        for start in range(0, self.rows, _BLOCK):
            block = self._index.reconstruct_n(start, min(_BLOCK, self.rows - start))
            near, places = faiss.knn(queries, block, min(k, len(block)), metric=_INNER_PRODUCT)
            scores, rows = self._ranked(
                np.hstack([scores, near]), np.hstack([rows, self._checked_rows(places) + start])
            )
            scores, rows = scores[:, :k], rows[:, :k]
        return scores, rows

    def _ranked(self, scores: Vectors, rows: Rows) -> tuple[Vectors, Rows]:
        # FAISS answers -1 where vectors are not numbers, and what the lists of a file call a row.
        self._checked_rows(rows)
        # Equal scores are answered in row order, so that an answer can be repeated exactly.
        order = np.lexsort((rows, -scores), axis=1)
        scores = np.clip(np.take_along_axis(scores, order, 1), -1.0, 1.0)
        return scores, np.take_along_axis(rows, order, 1)

    def spread_scores(self, query: Vectors, most: int = 20_000) -> tuple[Vectors, Rows]:
        """Return the scores of one query with at most `most` evenly spread rows, and the rows."""
        step = max(1, -(-self.rows // most))
        rows = np.arange(0, self.rows, step)
        if step == 1 and self._flat:
            return self._view() @ query, rows
        # Rows that lie apart are gathered once: each product would copy them again, which costs
        # more than the search itself.
        if self._spread is None or len(self._spread) != len(rows):
            self._spread = self.vectors(rows)
        # Not `@`: the threads of a matrix product go on spinning, and halve FAISS' next search.
        return np.einsum("ij,j->i", self._spread, query), rows

    def recall(self, k: int = 10) -> float:
        """Return the recall@k of this index against exact search, over a sample of its rows."""
        if self._flat or not self.rows:
            return 1.0
        sample = np.random.default_rng(2).choice(self.rows, min(self.rows, _SAMPLE), replace=False)
        queries = self.vectors(np.sort(sample))
        found = self.search(queries, k)[1]
        exact = self.search_exactly(queries, k)[1]
        hits = sum(len(np.intersect1d(a, b)) for a, b in zip(found, exact, strict=True))
        return hits / exact.size

    def save(self, path: Path) -> None:
        """Write the index to `path`; OSError when the disk refuses."""
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise OSError(f"{path}: the vectors could not be written ({error})") from None

    def close(self) -> None:
        """Let go of the file that the index is mapped from."""
        self._index = faiss.IndexFlatIP(self.dimension)


def _name_of(path: Path, opened: BinaryIO | None) -> str:
    """Return a name by which a file can be opened again, be it that its own was removed."""
    if opened is None or os.fstat(opened.fileno()).st_nlink:
        return str(path)
    opened.seek(0)
    return f"/dev/fd/{opened.fileno()}"


def pair_cosines(vectors: Vectors, rows: Rows, others: Rows) -> Vectors:
    """Return the cosine of each row of `rows` with those of `others`: float32 (n, count).

    To the last digit what a search for one vector gives, which a product of matrices is not.

    Args:
        vectors: float32 (all, dimension), of unit length, contiguous.
        rows: int64 (n,).
        others: int64 (n, count).
    """
    queries, others = np.ascontiguousarray(vectors[rows]), np.ascontiguousarray(others)
    found = np.empty(others.shape, np.float32)
    faiss.fvec_inner_products_by_idx(
        *map(faiss.swig_ptr, (found, queries, vectors, others)), vectors.shape[1], *others.shape
    )
    return np.clip(found, -1.0, 1.0, out=found)


def inverted_file(vectors: Vectors) -> Any:
    """Return a FAISS IndexIVFFlat over unit vectors, float32 (n, dimension), by inner product."""
    rows, dimension = vectors.shape
    lists = int(2 ** np.ceil(np.log2(np.sqrt(rows) * 2)))
    ivf = faiss.IndexIVFFlat(
        faiss.IndexFlatIP(dimension), dimension, lists, faiss.METRIC_INNER_PRODUCT
    )
    ivf.cp.spherical, ivf.cp.niter, ivf.cp.seed = True, 8, 1
    ivf.cp.max_points_per_centroid = 64
    rng = np.random.default_rng(1)
    ivf.train(vectors[np.sort(rng.choice(rows, min(rows, lists * 64), replace=False))])
    ivf.add(vectors)
    return ivf
