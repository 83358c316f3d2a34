"""The vectors of a large store, or of few bits: a FAISS index, mapped from its file.

Vectors of 16 or 8 bits (`store.vector_formats`) are decoded and brought to unit length whenever
they leave the index, and the best of a search are scored again so: a score is always the cosine of
the vectors that `vectors` returns.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import faiss
import numpy as np

from swimmer.errors import REBUILD, StoreDamagedError
from swimmer.store import index as base
from swimmer.store.index_file import checked_index_file
from swimmer.store.rounded_vectors import ALIGNED, RoundedVectors
from swimmer.store.vector_formats import FLOAT32, QUANTISER, format_of, set_quantiser, unit_vectors

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.store.index import Rows, VectorIndex, Vectors

GATHER_LIMIT = 50_000
"""Allowed rows up to which a filtered search over an inverted file scores them one by one."""

_PROBES = 48
_INNER_PRODUCT = faiss.METRIC_INNER_PRODUCT
_SHARED_FROM, _THREADS = 50_000, 4
"""Vectors from which the search for one query is shared among threads, and how many at most."""

_ROUNDED_FROM, _ROUNDED_AFTER = 50_000, 2
"""Vectors from which a rounded copy of them is searched, and queries before it is made.

To make it takes as long as twenty searches; a process that asks once does without.
"""

_BLOCK = 50_000
_SAMPLE = 200

_SPARE = 20
"""Candidates of vectors of few bits that are scored again beyond those wanted, and half as many."""
_MANY = 16
"""Queries from which on blocks of vectors are decoded and compared with all of them."""


class FaissIndex:
    """Unit vectors by row number, ranked by inner product (cosine similarity).

    Exact (flat) up to EXACT_LIMIT vectors; above it an inverted file whose lists are mapped from
    disk, so that opening costs nothing and a query reads about `_PROBES` lists.
    """

    def __init__(
        self, index: Any, list_sizes: NDArray[np.int64] | None = None, path: Path | None = None
    ) -> None:
        self._index = index
        self._list_sizes, self._path = list_sizes, path
        self._flat = isinstance(index, (faiss.IndexFlat, faiss.IndexScalarQuantizer))
        self._plain = format_of(index) == FLOAT32
        self._spread: Vectors | None = None
        self._rounded: RoundedVectors | None = None
        self._asked, self._rounding = 0, threading.Lock()
        if not self._flat:
            index.nprobe = min(_PROBES, index.nlist)

    @classmethod
    def of(
        cls,
        vectors: Vectors,
        *,
        exact: bool = True,
        form: str = FLOAT32,
        like: VectorIndex | None = None,
    ) -> FaissIndex:
        """Return an index of float32 unit vectors (n, dimension).

        Args:
            vectors: what it will hold.
            exact: False for an inverted file above EXACT_LIMIT vectors.
            form: how the vectors are kept, one of `vector_formats.FORMATS`.
            like: an index of an earlier state, whose codes are kept where they can be.
        """
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        rows, dimension = vectors.shape
        earlier = like._index if isinstance(like, FaissIndex) else None  # noqa: SLF001  same class
        if exact or rows <= base.EXACT_LIMIT:
            if form == FLOAT32:
                flat = faiss.IndexFlatIP(dimension)
            else:
                flat = faiss.IndexScalarQuantizer(dimension, QUANTISER[form], _INNER_PRODUCT)
                set_quantiser(flat, vectors, earlier)
            flat.add(vectors)
            return cls(flat)
        ivf = inverted_file(vectors, form, earlier)
        ivf.make_direct_map()
        return cls(ivf)

    @classmethod
    def open(
        cls,
        path: Path,
        rows: int,
        dimension: int,
        opened: BinaryIO | None = None,
        form: str = FLOAT32,
    ) -> FaissIndex:
        """Map the index at `path`, which must hold `rows` vectors of `dimension`.

        `opened` is the file, where it is open already: it may have been replaced since. `form` is
        how the vectors must be kept.

        Raises:
            StoreDamagedError: it is not such an index, or not of that shape.
        """
        try:
            sizes = checked_index_file(path, rows, dimension, opened, form).list_sizes
            # Each kind of index has its own flag to be mapped; with the other's it is read whole.
            flag = faiss.IO_FLAG_MMAP_IFC if sizes is None else faiss.IO_FLAG_MMAP
            index = faiss.read_index(_name_of(path, opened), flag)
        except OSError as error:
            raise base.unreadable(path, error) from None
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

    @property
    def form(self) -> str:
        """How the vectors are kept: one of `vector_formats.FORMATS`."""
        return format_of(self._index)

    def vectors(self, rows: Rows | None = None) -> Vectors:
        """Return the vectors of `rows`, or of all rows, as float32 (n, dimension), a copy."""
        return self.decoded(rows) if self._plain else unit_vectors(self.decoded(rows))

    def codes(self, rows: Rows) -> list[bytes]:
        """Return what is kept of the vectors of `rows`, each as bytes."""
        decoded = self.decoded(rows)
        if self._plain:
            return [vector.astype("<f4").tobytes() for vector in decoded]
        codes = self._index.sq.compute_codes(decoded)
        return [code.tobytes() for code in codes]

    def decoded(self, rows: Rows | None = None) -> Vectors:
        """Return vectors as `vectors` does, but as they are kept: of nearly unit length.

        An index that is made of them `like` this one has the same codes.
        """
        if rows is not None:
            rows = self._checked_rows(np.asarray(rows, np.int64))
        if self._flat and self._plain:
            view = self._view()
            return view.copy() if rows is None else view[rows]
        if self._flat and rows is None:
            whole: Vectors = self._index.reconstruct_n(0, self.rows)
            return whole
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
        """Return the k best rows of each query; see `VectorIndex.search`."""
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        if allowed is not None:
            allowed = self._checked_rows(allowed)
        k = min(k, self.rows if allowed is None else len(allowed))
        if k < 1:
            return np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
        # One query walks the flat vectors faster than it copies a fraction of them; many queries
        # are worth the copy, which they multiply as one matrix.
        rarity = 4 if len(queries) >= _MANY else 64
        if (
            allowed is not None
            and len(allowed) <= GATHER_LIMIT
            and (not self._flat or len(allowed) * rarity < self.rows)
        ):
            return self._search_gathered(queries, k, allowed)
        if self._flat and len(queries) < _MANY:
            rounded = self._rounded_copy(len(queries))
            if rounded is not None:
                return self._search_rounded(rounded, queries, k, allowed)
        return self._search_kept(queries, k, allowed)

    def _search_kept(self, queries: Vectors, k: int, allowed: Rows | None) -> tuple[Vectors, Rows]:
        if self._plain:
            return self._ranked(*self._search_codes(queries, k, allowed))
        if self._flat and allowed is None and len(queries) >= _MANY:
            return self.search_exactly(queries, k)
        most = self.rows if allowed is None else len(allowed)
        found = self._search_codes(queries, min(most, k + max(_SPARE, k // 2)), allowed)[1]
        scores, rows = self._ranked(self._scored_again(queries, found), found)
        return scores[:, :k], rows[:, :k]

    def _rounded_copy(self, asked: int) -> RoundedVectors | None:
        """Return the rounded copy of the vectors, which is made after a few queries."""
        if (rounded := self._rounded) is not None:
            return rounded
        self._asked += asked
        if (
            self._asked <= _ROUNDED_AFTER
            or self.rows < _ROUNDED_FROM
            or self.dimension % ALIGNED
            or not self._rounding.acquire(blocking=False)
        ):
            return None
        # Whoever asks meanwhile scans the vectors. Where no copy can be made, none is tried again:
        # the lock is not released.
        rounded = self._rounded = RoundedVectors.of(self._blocks, self.rows, self.dimension)
        return rounded

    def _blocks(self) -> Iterator[Vectors]:
        if self._plain:
            yield self._view()
            return
        for start in range(0, self.rows, _BLOCK):
            yield self.vectors(np.arange(start, min(start + _BLOCK, self.rows)))

    def _search_rounded(
        self, rounded: RoundedVectors, queries: Vectors, k: int, allowed: Rows | None
    ) -> tuple[Vectors, Rows]:
        chosen = None if allowed is None else faiss.SearchParameters(sel=self._selector(allowed))
        scores = np.empty((len(queries), k), np.float32)
        rows = np.empty((len(queries), k), np.int64)
        for place, query in enumerate(queries):
            near = rounded.candidates(query, k, chosen)
            one = queries[place : place + 1]
            if near is None:
                scores[place], rows[place] = self._search_kept(one, k, allowed)
                continue
            found = self._ranked(self._scored_again(one, near[None, :]), near[None, :])
            scores[place], rows[place] = found[0][0, :k], found[1][0, :k]
        return scores, rows

    def _search_codes(self, queries: Vectors, k: int, allowed: Rows | None) -> tuple[Vectors, Rows]:
        """Return the k best by what is kept of the vectors, in any order."""
        if not self._flat:
            return self._search_lists(queries, k, allowed)
        if allowed is not None:
            parameters = faiss.SearchParameters(sel=self._selector(allowed))
            found: tuple[Vectors, Rows] = self._index.search(queries, k, params=parameters)
            return found
        if self._plain and len(queries) == 1 and self.rows >= _SHARED_FROM:
            return self._search_in_parts(queries, k)
        found = self._index.search(queries, k)
        return found

    def _scored_again(self, queries: Vectors, found: Rows) -> Vectors:
        scores = np.empty(found.shape, np.float32)
        for query, rows, out in zip(queries, found, scores, strict=True):
            near = self.vectors(rows)
            if base.is_small(self.rows, self.dimension):
                np.vecdot(near, query, out=out)
                continue
            faiss.fvec_inner_products_ny(
                *map(faiss.swig_ptr, (out, query, near)), self.dimension, len(near)
            )
        if not np.isfinite(scores).all():
            raise StoreDamagedError(
                f"{self._path or 'the vectors in memory'}: a vector holds no numbers", hint=REBUILD
            )
        return scores

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
                return scores, rows
            probes = min(4 * probes, self._index.nlist)

    def search_exactly(self, queries: Vectors, k: int) -> tuple[Vectors, Rows]:
        """Return the k best rows of each query by comparing it with every vector, in blocks.

        Args and returned arrays are those of `search`.
        """
        if self._flat and self._plain:
            return self.search(queries, k)
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        scores = np.empty((len(queries), 0), np.float32)
        rows = np.empty((len(queries), 0), np.int64)
        for start in range(0, self.rows, _BLOCK):
            block = self._index.reconstruct_n(start, min(_BLOCK, self.rows - start))
            block = block if self._plain else unit_vectors(block)
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
        if step == 1 and self._flat and self._plain:
            return self._view() @ query, rows
        # Rows that lie apart are gathered once: each product would copy them again, which costs
        # more than the search itself.
        if self._spread is None or len(self._spread) != len(rows):
            self._spread = self.vectors(rows)
        # Not `@`: the threads of a matrix product go on spinning, and halve FAISS' next search.
        return np.vecdot(self._spread, query), rows

    def recall(self, vectors: Vectors, k: int = 10) -> float:
        """Return the recall@k of this index against exact search, over a sample of its rows.

        Args:
            vectors: what the index was made of, float32 (n, dimension).
            k: the nearest that are looked for.
        """
        if (self._flat and self._plain) or not self.rows:
            return 1.0
        sample = np.random.default_rng(2).choice(self.rows, min(self.rows, _SAMPLE), replace=False)
        queries = np.ascontiguousarray(vectors[np.sort(sample)])
        found = self.search(queries, k)[1]
        exact = faiss.knn(queries, vectors, min(k, self.rows), metric=_INNER_PRODUCT)[1]
        hits = sum(len(np.intersect1d(a, b)) for a, b in zip(found, exact, strict=True))
        return hits / int(exact.size)

    def save(self, path: Path) -> None:
        """Write the index to `path`; OSError when the disk refuses."""
        try:
            faiss.write_index(self._index, str(path))
        except RuntimeError as error:
            raise OSError(f"{path}: the vectors could not be written ({error})") from None

    def close(self) -> None:
        """Let go of the file that the index is mapped from."""
        self._index = faiss.IndexFlatIP(self.dimension)
        self._rounded = None


def _name_of(path: Path, opened: BinaryIO | None) -> str:
    """Return a name by which a file can be opened again, be it that its own was removed."""
    if opened is None or os.fstat(opened.fileno()).st_nlink:
        return str(path)
    opened.seek(0)
    return f"/dev/fd/{opened.fileno()}"


def pair_cosines(vectors: Vectors, rows: Rows, others: Rows) -> Vectors:
    """Return the cosine of each row of `rows` with those of `others`, as a search finds it."""
    queries, others = np.ascontiguousarray(vectors[rows]), np.ascontiguousarray(others)
    found = np.empty(others.shape, np.float32)
    faiss.fvec_inner_products_by_idx(
        *map(faiss.swig_ptr, (found, queries, vectors, others)), vectors.shape[1], *others.shape
    )
    return np.clip(found, -1.0, 1.0, out=found)


def inverted_file(vectors: Vectors, form: str = FLOAT32, like: Any = None) -> Any:
    """Return a FAISS inverted file over unit vectors, float32 (n, dimension), by inner product.

    Args:
        vectors: what it holds.
        form: how they are kept, one of `vector_formats.FORMATS`.
        like: an index of an earlier state, as `set_quantiser` takes it.
    """
    rows, dimension = vectors.shape
    lists = int(2 ** np.ceil(np.log2(np.sqrt(rows) * 2)))
    centres = faiss.IndexFlatIP(dimension)
    if form == FLOAT32:
        ivf = faiss.IndexIVFFlat(centres, dimension, lists, _INNER_PRODUCT)
    else:
        # Of the vectors themselves, not of their differences from the centres: a code then stays
        # what it is when the lists are others.
        ivf = faiss.IndexIVFScalarQuantizer(
            centres, dimension, lists, QUANTISER[form], _INNER_PRODUCT, False
        )
    ivf.cp.spherical, ivf.cp.niter, ivf.cp.seed = True, 8, 1
    ivf.cp.max_points_per_centroid = 64
    rng = np.random.default_rng(1)
    ivf.train(vectors[np.sort(rng.choice(rows, min(rows, lists * 64), replace=False))])
    if form != FLOAT32:
        set_quantiser(ivf, vectors, like)
    ivf.add(vectors)
    return ivf
