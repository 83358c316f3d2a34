"""Which model made a vector: its name, its revision and a fingerprint."""

from __future__ import annotations

import base64
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
    """Raise ModelMismatchError unless `model` makes the vectors that a store was built with."""
    if store.dimension == model.dimension:
        kept, now = (_probe_vectors(identity) for identity in (store, model))
        if kept.shape == now.shape and float((kept * now).sum(axis=1).min()) >= SAME_MODEL:
            return
    how = "" if model.name.startswith(GIVEN) else f": swimmer build ITS_FOLDER --model {model.name}"
    raise ModelMismatchError(
        f"{where} was built with the model {describe(store)}; {describe(model)} makes other "
        "vectors",
        hint=f"search with the store's own model, or rebuild the store with this one{how}",
    )


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
