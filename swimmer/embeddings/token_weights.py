"""What each token of a text counts for, as a model with lexical weights learnt it (bge-m3).

Chen et al., M3-Embedding (arXiv:2402.03216), section 3.2: the weight of a token is ReLU(w · h + b)
for its last hidden state h, the largest of its positions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from swimmer.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

MOST_TOKENS = 1 << 18
"""Tokens of a vocabulary whose weights can be kept, at most; bge-m3 has 250,002."""


ROLES = ("cls_token", "bos_token", "sep_token", "eos_token", "pad_token", "unk_token")
"""The special tokens whose weight is left out, by the names that a tokenizer has for them."""


@dataclass(frozen=True)
class TokenWeights:
    """The tokens of a text that count, ascending, each once, and the weight of each, above 0."""

    tokens: NDArray[np.int64]
    weights: Vectors


@dataclass(frozen=True)
class Weighed:
    """The vectors of texts, float32 (n, dimension), and what the tokens of each count for."""

    vectors: Vectors
    weights: list[TokenWeights]


NO_TOKENS = TokenWeights(np.empty(0, np.int64), np.empty(0, np.float32))
"""A text of which no token counts."""


def largest_weights(
    tokens: NDArray[np.int64], weights: Vectors, left_out: Sequence[int], counted: Sequence[int]
) -> list[TokenWeights]:
    """Return what the tokens of each text count for, from their weights by position.

    Args:
        tokens: the token at each position, (texts, positions).
        weights: its weight, of the same shape; below 0 counts as 0.
        left_out: special tokens, which never count, whatever fills a text up among them.
        counted: how many positions of each text count, from the first.

    Raises:
        ModelError: the vocabulary has more than MOST_TOKENS tokens, or a weight is not finite.
    """
    if tokens.size and int(tokens.max()) >= MOST_TOKENS:
        raise ModelError(
            f"the vocabulary has more than {MOST_TOKENS:,} tokens, whose weights cannot be kept",
            hint="build the store with --lexical tfidf",
        )
    if not np.isfinite(weights).all():
        raise ModelError("the model answered with weights of tokens that are not finite")
    counts = np.arange(tokens.shape[1]) < np.asarray(counted)[:, None]
    counts &= (weights > 0) & ~np.isin(tokens, np.asarray(left_out, np.int64))
    texts, _ = np.nonzero(counts)
    found, values = tokens[counts], weights[counts].astype(np.float32)
    order = np.lexsort((found, texts))
    texts, found, values = texts[order], found[order], values[order]
    first = np.flatnonzero(np.diff(texts * MOST_TOKENS + found, prepend=-1))
    if len(first):
        values = np.maximum.reduceat(values, first)
    texts, found = texts[first], found[first]
    bounds = np.searchsorted(texts, np.arange(1, len(tokens)))
    return [
        TokenWeights(*pair)
        for pair in zip(np.split(found, bounds), np.split(values, bounds), strict=True)
    ]


def without_address(text: str) -> str:
    """Return a text without its last line where that is an address, or empty.

    The pieces of an address are in every paper of a site, or in one by chance.
    """
    start, newline, last = text.rpartition("\n")
    address = "://" in last and not any(map(str.isspace, last.strip()))
    return start if newline and (address or not last.strip()) else text
