"""The vectors of a small store: compared by numpy, whatever is asked together, without FAISS."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from swimmer import Paper, build_store, open_store, search
from swimmer.errors import StoreDamagedError
from swimmer.store import index as index_module
from swimmer.store.faiss_index import FaissIndex
from swimmer.store.flat_index import FlatIndex
from swimmer.store.indexes import index_of, open_index, pair_cosines

D = 16


def unit_vectors(rows: int, distinct: int, seed: int = 1) -> np.ndarray:
    """Return rows of unit length, of which at most `distinct` differ; all, where they can."""
    random = np.random.default_rng(seed)
    made = random.standard_normal((distinct, D)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    chosen: np.ndarray = made[random.permutation(rows) % distinct]
    return chosen


@settings(max_examples=60, deadline=None)
@given(
    rows=st.integers(1, 120),
    distinct=st.integers(1, 60),
    k=st.integers(0, 130),
    queries=st.integers(1, 40),
    some=st.booleans(),
)
def test_queries_together_are_answered_as_one_by_one(
    rows: int, distinct: int, k: int, queries: int, some: bool
) -> None:
    vectors = unit_vectors(rows, distinct)
    index = index_of(vectors)
    assert isinstance(index, FlatIndex)
    asked = np.vstack(
        [unit_vectors(queries, queries, seed=2), vectors[:3], np.zeros_like(vectors[:1])]
    )
    allowed = np.flatnonzero(np.random.default_rng(3).random(rows) < 0.5) if some else None
    scores, found = index.search(asked, k, allowed)
    admitted = np.arange(rows) if allowed is None else allowed
    assert scores.shape == found.shape == (len(asked), min(k, len(admitted)))
    for query, near, places in zip(asked, scores, found, strict=True):
        alone = index.search(query[None], k, allowed)
        assert np.array_equal(alone[0][0], near) and np.array_equal(alone[1][0], places)
        # Equal scores stand in the order of the rows, also where only some of them have a place.
        exact = {row: float(np.clip(np.vecdot(vectors[row], query), -1, 1)) for row in admitted}
        assert places.tolist() == sorted(exact, key=lambda row: (-exact[row], row))[: len(places)]
        assert near.tolist() == [exact[row] for row in places]


def test_pairs_are_scored_as_a_search_scores_them() -> None:
    vectors = unit_vectors(300, 280)
    scores, found = index_of(vectors).search(vectors, 20)
    assert np.array_equal(pair_cosines(vectors, np.arange(300), found), scores)


def test_the_file_is_one_of_faiss_and_is_read_whole(tmp_path: Path) -> None:
    vectors = unit_vectors(50, 50)
    path = tmp_path / "x.faiss"
    index_of(vectors).save(path)
    index = open_index(path, 50, D)
    assert isinstance(index, FlatIndex) and index.exact and index.dimension == D
    # What is written over the file later is not seen.
    path.write_bytes(bytes(path.stat().st_size))
    assert np.array_equal(index.vectors(), vectors)
    assert index.codes(np.array([7])) == [vectors[7].tobytes()]
    index_of(vectors).save(path)
    assert np.array_equal(FaissIndex.open(path, 50, D).vectors(), vectors)


def test_a_large_index_is_left_to_faiss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = unit_vectors(50, 50)
    index_of(vectors).save(tmp_path / "x.faiss")
    monkeypatch.setattr(index_module, "SMALL", 50 * D - 1)
    assert isinstance(index_of(vectors), FaissIndex)
    index = open_index(tmp_path / "x.faiss", 50, D)
    assert isinstance(index, FaissIndex)
    found = index.search(vectors, 5)
    assert np.array_equal(found[1], FlatIndex(vectors).search(vectors, 5)[1])
    alone = index.search(vectors[:1], 5)
    assert np.array_equal(alone[0][0], pair_cosines(vectors, np.zeros(1, np.int64), alone[1])[0])


def test_rows_and_numbers_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    vectors = unit_vectors(20, 20)
    index = FlatIndex(vectors)
    for rows in ([20], [-1], [3, 400]):
        with pytest.raises(StoreDamagedError, match="is not there"):
            index.vectors(np.array(rows))
        with pytest.raises(StoreDamagedError, match="is not there"):
            index.search(vectors[:1], 3, np.array(rows))
    vectors[4, 3] = np.nan
    index_of(vectors).save(tmp_path / "x.faiss")
    index = FlatIndex.open(tmp_path / "x.faiss", 20, D)
    for queries in (vectors[:1], np.repeat(vectors[:1], 30, axis=0)):
        with pytest.raises(StoreDamagedError, match=r"x\.faiss: a vector holds no numbers"):
            index.search(queries, 3)


@pytest.mark.parametrize("content", [b"", b"IxF", b"IxFI", b"IxFI" + bytes(60), b"x" * 3_000])
def test_a_file_that_is_no_index_is_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.faiss").write_bytes(content)
    with pytest.raises(StoreDamagedError, match=r"x\.faiss: is not an index as swimmer writes it"):
        open_index(tmp_path / "x.faiss", 20, D)
    with pytest.raises(StoreDamagedError, match=r"none\.faiss: cannot be read"):
        open_index(tmp_path / "none.faiss", 20, D)


def test_a_search_by_a_text_imports_no_faiss(home: Path) -> None:
    papers = [Paper(f"Paper {n} about graphs of {n} nodes") for n in range(30)]
    build_store(papers, "small").close()
    assert len(search(open_store("small"), "networks of nodes", 5)) == 5
    code = (
        "import sys; from swimmer import open_store, search; "
        "found = search(open_store('small'), 'networks of nodes', 5, filter={'title': {'$ne': 'x'}}); "
        "assert len(found) == 5; print('faiss' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["False", "True"]
