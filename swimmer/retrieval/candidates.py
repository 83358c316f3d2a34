"""What a ranking needs of a query, and the candidates that it ranks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swimmer.store import Vectors, WordVector


@dataclass(frozen=True)
class Query:
    """What a ranking needs of one query, its positive examples included.

    `vector` is (dimension,), zeros for none; `words` are for keyword search, `text` is for a
    reranker; `excluded` are rows that must not be hits. `lexical` are the words as a vector, and
    `weight` is what they count for beside the vector; None and 0 for nothing.
    """

    vector: Vectors
    words: str
    text: str
    excluded: frozenset[int] = frozenset()
    lexical: WordVector | None = None
    weight: float = 0.0


@dataclass(slots=True)
class Candidate:
    """A row that may be a hit: its scores, its cosine, and the rows of its other versions."""

    row: int
    score: float
    cosine: float | None = None
    relevance: float | None = None
    versions: tuple[int, ...] = ()
