"""How near two papers are in a store: smoothed vectors, and the words that they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from swimmer.embeddings import RECIPES, ModelIdentity

if TYPE_CHECKING:
    from swimmer.store.index import Vectors


RESCORED = 100
"""Candidates, the nearest by their vectors, that are scored by their words too; at least."""

TFIDF, SPARSE = "tfidf", "sparse"
LEXICAL = (TFIDF, SPARSE)
"""What papers are compared by beside their vectors: the words that they share, weighted by how rare
these are, or the tokens that they share, weighted by the model itself (bge-m3)."""

CLOSENESS = ("very close", "related", "loosely related")
"""The words for the scores of hits, the highest first."""


def closeness_key(kind: str, word: str) -> str:
    """Return under which name a store keeps the least score of a word.

    Args:
        kind: `paper` or `text`: what the query is.
        word: one of CLOSENESS.
    """
    return f"{kind} {word}"


@dataclass(frozen=True)
class Similarity:
    """The weights by which a store compares; all 0 for cosines of the vectors as they are.

    Attributes:
        smoothing: what the mean of a vector's neighbours counts for, against the vector itself.
        paper: what the lexical cosine counts for, against that of the vectors, when a paper is
            asked about (its words are known).
        text: the same when a text is.
    """

    smoothing: float = 0.0
    paper: float = 0.0
    text: float = 0.0

    @classmethod
    def of(cls, model: ModelIdentity, lexical: str = TFIDF) -> Similarity:
        """Return the weights for a model: for a static one, or for a transformer.

        They were chosen on five sets together (`benchmarks/quality.py`, `docs/model.md`); that of
        a model's own weights of tokens is the one which its authors use beside its vectors (Chen
        et al., arXiv:2402.03216).

        Args:
            model: the model.
            lexical: what is compared beside the vectors, one of LEXICAL.
        """
        if lexical == SPARSE:
            return cls(0.4, 0.3, 0.3)
        recipe = RECIPES.get(model.text)
        static = model.name == "static" or (recipe is not None and recipe.apart)
        return cls(0.4, 0.6, 0.3) if static else cls(0.4, 1.0, 0.3)

    @classmethod
    def read(cls, kept: Mapping[str, float]) -> Similarity:
        """Return the weights that a manifest names; those of an older store are all 0."""
        names = {one.name for one in fields(cls)}
        return cls(**{name: float(value) for name, value in kept.items() if name in names})

    @property
    def lexical(self) -> bool:
        """Whether words count at all."""
        return self.paper > 0 or self.text > 0

    def to_dict(self) -> dict[str, float]:
        """Return the weights by name, as a manifest keeps them."""
        return asdict(self)


def combined_score(cosine: Vectors, lexical: Vectors, weight: float) -> Vectors:
    """Return (cosine + weight x lexical) / (1 + weight): one number in [-1, 1], float32 (n,)."""
    score: Vectors = ((cosine + weight * lexical) / (1 + weight)).astype("float32")
    return score
