"""What computes a transformer: torch (through sentence-transformers) or ONNX Runtime."""

from __future__ import annotations

import importlib.util
import os

from swimmer.embeddings.identity import is_quantised, split_variant
from swimmer.embeddings.model_files import (
    NAMED,
    cached_snapshot,
    has_weights,
    is_hub_id,
    own_folder,
)
from swimmer.errors import ModelError

BACKENDS = ("onnx", "torch")

BACKEND = "SWIMMER_BACKEND"
"""The environment variable that chooses the back end where the program does not: onnx or torch."""


def choose_backend(
    name: str, wanted: str | None = None, revision: str = "", named_by_store: bool = False
) -> str:
    """Return the back end of a model, one of BACKENDS.

    That is the one wanted, else what `$SWIMMER_BACKEND` says, else torch where it is installed.
    ONNX Runtime is chosen where torch is not installed, where a quantised variant is named, and
    where of this model only the ONNX files are here.

    Args:
        name: the model: an id, a folder or a short name, with its variant.
        wanted: what the user asks for.
        revision: branch, tag or commit on the hub.
        named_by_store: the name comes from a manifest, not from the user.

    Raises:
        ModelError: there is no such back end.
    """
    asked = wanted or os.environ.get(BACKEND, "")
    if asked:
        if asked not in BACKENDS:
            raise ModelError(
                f"there is no back end {asked!r:.40}" + f" ({BACKEND})" * (not wanted),
                hint=f"choose one of {', '.join(BACKENDS)}, or leave it out",
            )
        return asked
    if not has_package("onnxruntime"):
        return "torch"
    base, variant = split_variant(name)
    if (
        is_quantised(variant)
        or not has_torch()
        or _only_onnx(base, variant, revision, named_by_store)
    ):
        return "onnx"
    return "torch"


def has_torch() -> bool:
    """Return whether the packages of the back end torch are installed; loads none of them."""
    return has_package("sentence_transformers") and has_package("langchain_huggingface")


def has_package(name: str) -> bool:
    """Return whether a package is installed; does not load it."""
    return importlib.util.find_spec(name) is not None


def _only_onnx(name: str, variant: str, revision: str, named_by_store: bool) -> bool:
    from swimmer.embeddings.onnx_files import has_onnx

    model = NAMED[name].id if name in NAMED else name
    folder = own_folder(model, named_by_store)
    if folder is None and is_hub_id(model):
        folder = cached_snapshot(model, revision)
    return folder is not None and not has_weights(folder) and has_onnx(folder, variant)
