"""The rounded copy of a large index: its answers are those of the whole scan, digit for digit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

import faiss
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from swimmer.errors import StoreDamagedError
from swimmer.store import FORMATS, faiss_index, index as index_module
from swimmer.store.faiss_index import FaissIndex
from swimmer.store.index import Vectors
from swimmer.store.rounded_vectors import RoundedVectors

D = 32


@pytest.fixture(autouse=True)
def always_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_index, "_ROUNDED_FROM", 1)
    monkeypatch.setattr(faiss_index, "_ROUNDED_AFTER", 0)
    # As in a large index, scores are FAISS' own.
    monkeypatch.setattr(index_module, "SMALL", 0)


def unit(vectors: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    made: np.ndarray = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
    return made


def corpus(rows: int, spread: float, shared: float, copies: int, seed: int) -> np.ndarray:
    """Unit vectors around a few centres, all drawn towards one point, some of them repeated."""
    rng = np.random.default_rng(seed)
    made = rng.standard_normal((4, D))[rng.integers(4, size=rows)]
    made = unit(made + spread * rng.standard_normal(made.shape))
    made = unit(made + shared * rng.standard_normal(D))
    made = np.repeat(made, copies, axis=0)
    made[rng.random(len(made)) < 0.02] = 0
    return made


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by the number of vectors whenever a copy is made of some."""
    made: list[int] = []
    make = RoundedVectors.of

    def of(blocks: Callable[[], Iterable[Vectors]], rows: int, dimension: int) -> object:
        made.append(rows)
        return make(blocks, rows, dimension)

    monkeypatch.setattr(RoundedVectors, "of", of)
    return made


def by_hand(
    index: FaissIndex, query: np.ndarray, k: int, allowed: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """The k best of all scores, equal ones in row order."""
    vectors = index.vectors()
    scores = np.empty(len(vectors), np.float32)
    faiss.fvec_inner_products_ny(
        *map(faiss.swig_ptr, (scores, query, vectors)), vectors.shape[1], len(vectors)
    )
    rows = np.arange(len(vectors)) if allowed is None else allowed
    order = rows[np.lexsort((rows, -scores[rows]))][:k]
    return np.clip(scores[order], -1, 1), order


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 270),
    st.sampled_from([0.01, 0.3, 1.0]),
    st.sampled_from([0.0, 0.5, 5.0]),
    st.integers(1, 3),
    st.sampled_from(FORMATS),
    st.integers(1, 60),
    st.sampled_from([None, 0.9, 0.3]),
    st.integers(0, 10_000),
)
def test_answers_are_those_of_all_scores(
    rows: int,
    spread: float,
    shared: float,
    copies: int,
    form: str,
    k: int,
    share: float | None,
    seed: int,
) -> None:
    """Also of copies, of vectors that are nearly one, of few bits, and with a filter."""
    index = FaissIndex.of(corpus(rows, spread, shared, copies, seed), form=form)
    vectors = index.vectors()
    rng = np.random.default_rng(seed + 1)
    queries = unit(vectors[rng.integers(len(vectors), size=3)] + 0.1 * rng.standard_normal((3, D)))
    queries[1] = vectors[0]
    allowed = None if share is None else np.flatnonzero(rng.random(len(vectors)) < share)
    scores, found = index.search(queries, k, allowed)
    for query, own_scores, own_rows in zip(queries, scores, found, strict=True):
        expected_scores, expected_rows = by_hand(index, query, k, allowed)
        assert np.array_equal(own_scores, expected_scores)
        assert np.array_equal(own_rows, expected_rows)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(1, 3_000),
    st.integers(1, 4),
    st.sampled_from([1e-6, 0.01, 1.0]),
    st.floats(0, 2),
    st.integers(1, 40),
    st.integers(0, 10_000),
)
def test_the_best_are_among_the_candidates(
    rows: int, sixteens: int, scale: float, offset: float, k: int, seed: int
) -> None:
    """Whatever the vectors are: far from 0, hardly different in a component, not of unit length."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((rows, 16 * sixteens)) * rng.choice(
        [0, 1e-7, scale], 16 * sixteens
    )
    vectors = np.clip(vectors + offset * rng.choice([-1, 0, 1], 16 * sixteens), -2, 2)
    vectors = vectors.astype(np.float32)
    made = RoundedVectors.of(lambda: [vectors[:7], vectors[7:]], rows, vectors.shape[1])
    assert made is not None
    query = rng.standard_normal(vectors.shape[1]).astype(np.float32)
    near = made.candidates(query, min(k, rows))
    if near is None:
        return
    scores = vectors @ query
    best = np.sort(scores)[-min(k, rows) :]
    assert len(set(near.tolist())) == len(near)
    assert np.array_equal(np.sort(scores[near])[-len(best) :], best)


def test_few_candidates_of_a_large_index_are_scored_again(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = corpus(20_000, 0.5, 0.0, 1, 1)
    index = FaissIndex.of(vectors)
    made = RoundedVectors.of(lambda: [vectors], *vectors.shape)
    assert made is not None
    near = made.candidates(vectors[5], 10)
    assert near is not None
    assert 10 <= len(near) < 100
    expected = by_hand(index, vectors[5], 10, None)
    monkeypatch.setattr(FaissIndex, "_search_kept", None)
    assert np.array_equal(index.search(vectors[5:6], 10)[1][0], expected[1])


def test_the_copy_is_made_after_a_few_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_index, "_ROUNDED_AFTER", 2)
    made = counted(monkeypatch)
    vectors = corpus(300, 0.5, 0.0, 1, 2)
    index = FaissIndex.of(vectors)
    for asked in range(1, 5):
        index.search(vectors[:1], 5)
        assert made == ([] if asked <= 2 else [300])
    monkeypatch.setattr(faiss_index, "_ROUNDED_FROM", 301)
    small = FaissIndex.of(vectors)
    odd = FaissIndex.of(np.ascontiguousarray(vectors[:, :30]))
    for _ in range(5):
        small.search(vectors[:1], 5)
        odd.search(np.ascontiguousarray(vectors[:1, :30]), 5)
    assert made == [300]


def test_too_many_equal_scores_are_left_to_the_scan() -> None:
    vectors = np.repeat(corpus(1, 0.5, 0.0, 1, 3), 5_000, axis=0)
    made = RoundedVectors.of(lambda: [vectors], *vectors.shape)
    assert made is not None
    assert made.candidates(vectors[0], 10) is None
    scores, rows = FaissIndex.of(vectors).search(vectors[:1], 10)
    assert np.allclose(scores, 1, atol=1e-6)
    assert len(set(rows[0].tolist())) == 10


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e30])
def test_no_copy_of_what_are_no_unit_vectors(number: float) -> None:
    vectors = corpus(100, 0.5, 0.0, 1, 4)
    vectors[50, 3] = number
    assert RoundedVectors.of(lambda: [vectors], *vectors.shape) is None
    index = FaissIndex.of(vectors)
    if np.isnan(number):
        for _ in range(3):
            with pytest.raises(StoreDamagedError):
                index.search(vectors[:1], 100)
    assert index.search(vectors[:1], 5)[1].shape == (1, 5)


def test_several_threads_make_one_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = corpus(5_000, 0.5, 0.0, 1, 5)
    index = FaissIndex.of(vectors)
    expected = [by_hand(index, vectors[row], 10, None)[1] for row in range(20)]
    made = counted(monkeypatch)
    wrong: list[int] = []

    def ask() -> None:
        for row in range(20):
            if not np.array_equal(index.search(vectors[row : row + 1], 10)[1][0], expected[row]):
                wrong.append(row)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (made, wrong) == ([5_000], [])
