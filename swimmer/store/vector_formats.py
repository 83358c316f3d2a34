"""How many bits a store keeps of each component of its vectors: 32, 16 or 8.

The codes are those of FAISS' scalar quantisers: `float16` keeps IEEE half precision, `int8` 255
equal steps between the least and the greatest value of each component (Jegou, Douze and Johnson,
`faiss/impl/ScalarQuantizer.h`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swimmer.errors import InputError

if TYPE_CHECKING:
    from typing import TypeAlias

    import numpy as np
    from numpy.typing import NDArray

    Vectors: TypeAlias = "NDArray[np.float32]"

FORMATS = ("float32", "float16", "int8")
"""The formats of vectors by name."""

FLOAT32, FLOAT16, INT8 = FORMATS

COMPONENT_SIZE = {FLOAT32: 4, FLOAT16: 2, INT8: 1}
"""The bytes of one component."""

QUANTISER = {FLOAT16: 4, INT8: 0}
"""The number by which the file of an index names each quantiser (FAISS' QuantizerType)."""

_MARGIN = 1 / 16
_NO_VECTOR = 0.5
"""Length below which decoded components stand for a vector of zeros; all others have length 1."""


def checked_format(name: object) -> str:
    """Return the name of a format of vectors.

    Raises:
        InputError: there is none of this name.
    """
    if not isinstance(name, str) or name not in FORMATS:
        raise InputError(
            f"unknown format of vectors {name!r:.60}", hint=f"choose one of {', '.join(FORMATS)}"
        )
    return name


def format_of(index: Any) -> str:
    """Return the format in which a FAISS index keeps its vectors."""
    quantiser = getattr(index, "sq", None)
    if quantiser is None:
        return FLOAT32
    return next(name for name, number in QUANTISER.items() if number == quantiser.qtype)


def set_quantiser(index: Any, vectors: Vectors, like: Any = None) -> None:
    """Choose the steps of an index with a scalar quantiser.

    Args:
        index: a FAISS index with a quantiser, that holds no vector yet.
        vectors: all that it will hold, float32 (n, dimension).
        like: an index of an earlier state: its steps are kept if the vectors lie within them, so
            that a vector that has not changed keeps its code.
    """
    import faiss
    import numpy as np

    quantiser = index.sq
    if format_of(index) == INT8:
        low, high = _extremes(vectors)
        chosen: Vectors | None = None
        if like is not None and format_of(like) == INT8:
            steps = faiss.vector_to_array(like.sq.trained).reshape(2, -1)
            if (low >= steps[0]).all() and (high <= steps[0] + steps[1]).all():
                chosen = steps
        if chosen is None:
            # A few later vectors may lie a little outside of the first ones.
            spread = np.maximum(high - low, np.float32(1e-6))
            margin = np.float32(_MARGIN)
            chosen = np.stack([low - margin * spread, (1 + 2 * margin) * spread])
        trained = np.ascontiguousarray(chosen, np.float32).ravel()
        faiss.copy_array_to_vector(trained, quantiser.trained)
    index.is_trained = True


def _extremes(vectors: Vectors) -> tuple[Vectors, Vectors]:
    import numpy as np

    if not len(vectors):
        none = np.zeros(vectors.shape[1], np.float32)
        return none, none
    return vectors.min(axis=0), vectors.max(axis=0)


def unit_vectors(decoded: Vectors) -> Vectors:
    """Return decoded vectors brought to unit length, in place; the length of 0 stays."""
    import faiss
    import numpy as np

    # FAISS' own function: it treats each row alike, wherever it stands among others.
    squares = np.empty(len(decoded), np.float32)
    faiss.fvec_norms_L2sqr(
        faiss.swig_ptr(squares), faiss.swig_ptr(decoded), decoded.shape[1], len(decoded)
    )
    decoded[squares < _NO_VECTOR**2] = 0
    faiss.normalize_L2(decoded)
    return decoded
