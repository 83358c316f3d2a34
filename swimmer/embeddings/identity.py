"""Which model made a vector: its name, its revision and a fingerprint."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from swimmer.errors import ModelMismatchError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

PROBES = (
    "Attention is all you need",
    "Variance reduction for policy gradient methods in reinforcement learning",
    "A large dataset of images labelled by experts",
)
"""The sentences whose vectors are a model's fingerprint."""

SAME_MODEL = 0.97
"""Cosine above which two fingerprints are one model's; half precision moves it by 0.001."""

GIVEN = "python:"
"""What the name of a model starts with that was given as an object and has no name of its own."""

_VARIANT = re.compile(
    r"(.+):(fp32|fp16|u?int8|q8|q4(?:f16)?|bnb4|quantized|qu?int8_\w{1,40}|O[1-4])", re.ASCII
)


def split_variant(name: str) -> tuple[str, str]:
    """Return a model's name without its variant, and the variant: "bge-m3:int8" has int8."""
    found = None if name.startswith(GIVEN) else _VARIANT.fullmatch(name)
    return (found[1], found[2]) if found else (name, "")


def is_quantised(variant: str) -> bool:
    """Return whether a variant of a model's files has weights that were rounded to integers."""
    return variant not in ("", "fp32", "fp16", "O1", "O2", "O3", "O4")


@dataclass(frozen=True)
class ModelIdentity:
    """Which model made the vectors of a store, and what it was given.

    `fingerprint` holds its vectors for `swimmer.embeddings.PROBES`, base64 of float16, so that
    another model of the same dimension is recognised. `text` names the recipe that made a paper
    into text (`swimmer.embeddings.RECIPES`).
    """

    name: str
    revision: str
    dimension: int
    query_prompt: str = ""
    document_prompt: str = ""
    text: str = "title_abstract"
    normalized: bool = True
    languages: tuple[str, ...] = ()
    fingerprint: str = ""


def check_same(store: ModelIdentity, model: ModelIdentity, where: str) -> None:
    """Raise ModelMismatchError unless `model` makes the vectors that a store was built with.

    Quantised weights make another model of it, however near its vectors are.
    """
    if store.dimension == model.dimension and _quantised(store) == _quantised(model):
        kept, now = (_probe_vectors(identity) for identity in (store, model))
        if kept.shape == now.shape and float((kept * now).sum(axis=1).min()) >= SAME_MODEL:
            return
    how = "" if model.name.startswith(GIVEN) else f": swimmer build ITS_FOLDER --model {model.name}"
    raise ModelMismatchError(
        f"{where} was built with the model {describe(store)}; {describe(model)} makes other "
        "vectors",
        hint=f"search with the store's own model, or rebuild the store with this one{how}",
    )


def _quantised(identity: ModelIdentity) -> str:
    variant = split_variant(identity.name)[1]
    return variant if is_quantised(variant) else ""


def describe(identity: ModelIdentity) -> str:
    """Return a model's name, revision and dimension in words."""
    revision = f" @ {identity.revision[:12]}" if identity.revision else ""
    return f"{identity.name}{revision} ({identity.dimension} dimensions)"


def _probe_vectors(identity: ModelIdentity) -> Vectors:
    import numpy as np

    try:
        flat = np.frombuffer(base64.b64decode(identity.fingerprint), dtype="<f2")
        return flat.astype(np.float32).reshape(len(PROBES), identity.dimension)
    except ValueError:
        return np.empty((0, identity.dimension), np.float32)
