"""One question to an order of rows: by vector, by words or by both; then looked at again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from swimmer.retrieval.diversity import spread, versions
from swimmer.retrieval.fusion import fused
from swimmer.store import PaperStore, keyword_search

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.papers import Paper
    from swimmer.store import Rows, Vectors

UNLIKE = 0.5
"""What an example of what is not wanted counts for, against one of what is (Rocchio)."""

KEYWORD_WEIGHT = 0.25
"""What a rank by words counts for in a hybrid ranking, against a rank by vectors."""

POOL = 100
"""Candidates at least that a fusion, a grouping or a choice for diversity draws from."""

Rerank = Callable[[str, "list[Paper]"], Sequence[float]]


@dataclass(frozen=True)
class Manner:
    """How a question is answered; the arguments of `swimmer.search` of the same names."""

    mode: str = "dense"
    diversity: float = 0.0
    group: bool = False
    rerank: Rerank | None = None
    rerank_depth: int = 50

    @property
    def as_ranked(self) -> bool:
        """Whether the first of the ranking are the answer as they stand."""
        return not self.diversity and not self.group and self.rerank is None


@dataclass(frozen=True)
class Question:
    """What is asked: a vector (zeros for none), its words, and the rows that are no answer."""

    vector: Vectors
    words: str
    text: str
    without: frozenset[int] = frozenset()


@dataclass(slots=True)
class Found:
    """A row that answers, its score, the score of a second look, and other versions of it."""

    row: int
    score: float
    relevance: float | None = None
    versions: tuple[int, ...] = ()


def combined(likes: Vectors, unlikes: Vectors) -> Vectors:
    """Return the unit vector nearer to some vectors and farther from others: (dimension,)."""
    wanted = likes.mean(axis=0)
    if len(unlikes):
        wanted = wanted - np.float32(UNLIKE) * unlikes.mean(axis=0)
    length = np.linalg.norm(wanted)
    unit: Vectors = (wanted / length if length > 1e-6 else 0 * wanted).astype(np.float32)
    return unit


def nearest(
    store: PaperStore,
    vectors: Vectors,
    k: int,
    allowed: Rows | None,
    without: Sequence[int | Collection[int] | None],
) -> list[list[tuple[int, float]]]:
    """Return, for each vector, the (row, score) of its k nearest rows but for those left out."""
    left_out = [() if own is None else (own,) if isinstance(own, int) else own for own in without]
    extra = max(map(len, left_out), default=0)
    scores, rows = store.index.search(vectors, k + extra, allowed)
    known = np.any(vectors, axis=1)
    answers: list[list[tuple[int, float]]] = []
    for own, some, row_list, score_list in zip(
        left_out, known, rows.tolist(), scores.tolist(), strict=True
    ):
        if not some:
            answers.append([])
            continue
        pairs = zip(row_list, score_list, strict=True)
        answers.append([(row, score) for row, score in pairs if row >= 0 and row not in own][:k])
    return answers


def ranked(
    store: PaperStore, question: Question, k: int, allowed: NDArray[np.bool_] | None, manner: Manner
) -> list[Found]:
    """Return the k best rows for one question, best first."""
    rows = None if allowed is None else np.flatnonzero(allowed)
    available = len(store) if rows is None else len(rows)
    depth = k if manner.mode != "hybrid" and manner.as_ranked else max(POOL, 5 * k)
    depth = min(depth, available)
    found = _by_mode(store, question, depth, rows, allowed, manner.mode)
    if manner.group:
        works = _grouped(store, found)
        # Versions of a work may have taken the places: look deeper until k works are there.
        while len(works) < k and len(found) >= depth < available:
            depth = min(4 * depth, available)
            found = _by_mode(store, question, depth, rows, allowed, manner.mode)
            works = _grouped(store, found)
        found = works
    if manner.rerank is not None:
        found = _looked_at_again(store, question, found, manner)
    if manner.diversity:
        found = _diverse(store, question, found, k, manner)
    return found[:k]


def _by_mode(
    store: PaperStore,
    question: Question,
    depth: int,
    rows: Rows | None,
    allowed: NDArray[np.bool_] | None,
    mode: str,
) -> list[Found]:
    if mode == "keyword":
        by_words = _by_words(store, question, depth, allowed)
        return [Found(row, score) for row, score in by_words]
    (by_vector,) = nearest(store, question.vector[None, :], depth, rows, [question.without])
    if mode == "dense":
        return [Found(row, score) for row, score in by_vector]
    by_words = _by_words(store, question, depth, allowed)
    order = fused(
        [[row for row, _ in by_vector], [row for row, _ in by_words]], [1.0, KEYWORD_WEIGHT]
    )[:depth]
    cosines = _cosines(store, question.vector, [row for row, _ in order])
    return [Found(row, cosine) for (row, _), cosine in zip(order, cosines, strict=True)]


def _by_words(
    store: PaperStore, question: Question, depth: int, allowed: NDArray[np.bool_] | None
) -> list[tuple[int, float]]:
    wanted = depth + len(question.without)
    found = keyword_search(store.database, question.words, wanted, allowed)
    return [pair for pair in found if pair[0] not in question.without][:depth]


def _cosines(store: PaperStore, vector: Vectors, rows: list[int]) -> list[float]:
    vectors = store.index.vectors(np.asarray(rows, np.int64))
    cosines: list[float] = np.clip(vectors @ vector, -1.0, 1.0).tolist()
    return cosines


def _looked_at_again(
    store: PaperStore, question: Question, found: list[Found], manner: Manner
) -> list[Found]:
    """Put the first of the candidates into the order of a second judge; the rest stay behind."""
    assert manner.rerank is not None
    first, rest = found[: manner.rerank_depth], found[manner.rerank_depth :]
    papers = store.papers([one.row for one in first])
    scores = manner.rerank(question.text, papers) if papers else []
    for one, score in zip(first, scores, strict=True):
        one.relevance = float(score)
    return sorted(first, key=lambda one: -(one.relevance or 0.0)) + rest


def _grouped(store: PaperStore, found: list[Found]) -> list[Found]:
    vectors = store.index.vectors(np.asarray([one.row for one in found], np.int64))
    keys = store.database.keys_of_rows([one.row for one in found])
    leads = []
    for lead, *others in versions(vectors, keys):
        found[lead].versions = tuple(found[other].row for other in others)
        leads.append(found[lead])
    return leads


def _diverse(
    store: PaperStore, question: Question, found: list[Found], k: int, manner: Manner
) -> list[Found]:
    vectors = store.index.vectors(np.asarray([one.row for one in found], np.int64))
    relevance = [one.score for one in found]
    if found and (manner.mode != "dense" or manner.rerank is not None):
        # The order was made from ranks or by another judge: it is spread evenly over the cosines
        # of the candidates, so that one knob means the same in every mode.
        asked = question.vector if question.vector.any() else vectors.mean(axis=0)
        cosines = vectors @ asked
        relevance = np.linspace(cosines.max(), cosines.min(), len(found)).tolist()
    return [found[i] for i in spread(relevance, vectors, k, manner.diversity)]
