"""The static model and the vectors of a store, small enough for a browser: 8 bits a number."""

from __future__ import annotations

import base64
import json
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from swimmer.errors import InputError
from swimmer.store import PaperStore
from swimmer.text import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from swimmer.embeddings import StaticEmbeddings

COMMON = 8_000
"""Tokens that a site has besides those of its papers, the commonest of the model first."""

_BLOCK = 2_000


def static_model(store: PaperStore) -> StaticEmbeddings:
    """Return the static model of a store.

    Raises:
        InputError: the store was built with another model, which no browser can run.
    """
    from swimmer.embeddings import StaticEmbeddings

    identity = store.identity
    if identity.name == "static":
        model = StaticEmbeddings()
        if identity.revision == model.revision:
            return model
    raise InputError(
        f"the store {printable(store.name)} was built with the model {printable(identity.name)}, "
        "which no browser can run",
        hint="build it again with the static model: swimmer build … --model static",
    )


def packed(data: bytes) -> str:
    """Return bytes compressed and as text (zlib, base64)."""
    return base64.b64encode(zlib.compress(data, 9)).decode()


def packed_json(value: Any) -> str:
    """Return a value as JSON in UTF-8, compressed and as text."""
    return packed(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def quantised(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """Return unit vectors at 8 bits, each scaled so that its largest number is 127."""
    largest = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-30)
    rounded: NDArray[np.int8] = np.rint(vectors * (127 / largest)).astype(np.int8)
    return rounded


def model_parts(store: PaperStore, model: StaticEmbeddings) -> dict[str, Any]:
    """Return the parts of the model that a site has: every token's text, and the rows of some.

    With all texts a word is split exactly as the whole model splits it. A token without a row is
    left out of a query's vector.
    """
    used = np.zeros(len(model.weights), np.bool_)
    for start in range(0, len(store), _BLOCK):
        papers = store.papers(range(start, min(start + _BLOCK, len(store))))
        for tokens in model.token_ids([paper.whole_text for paper in papers]):
            used[tokens] = True
    spoken = np.flatnonzero(model.weights)
    # A vocabulary of word pieces is learnt commonest first.
    others = spoken[~used[spoken]][:COMMON]
    rows = np.sort(np.concatenate([np.flatnonzero(used), others])).astype(np.uint32)
    tables = model.rows[rows]
    if tables.dtype != np.int8:
        raise InputError("the static model has no rows of 8 bits")
    return {
        "dimension": model.dimension,
        "longest": model.longest_word,
        "tokens": packed("\n".join(model.vocabulary).encode()),
        "kept": packed(rows.astype("<u4").tobytes()),
        "weights": packed(model.weights[rows].astype("<f4").tobytes()),
        "rows": packed(np.ascontiguousarray(tables).tobytes()),
    }
