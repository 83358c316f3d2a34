"""Whether a model can be loaded on this machine, found out without loading it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from swimmer.embeddings.backends import choose_backend, has_package, has_torch
from swimmer.embeddings.identity import GIVEN, ModelIdentity, split_variant
from swimmer.embeddings.model_files import (
    NAMED,
    cached_snapshot,
    has_weights,
    is_hub_id,
    own_folder,
)
from swimmer.embeddings.onnx_files import has_onnx
from swimmer.embeddings.trust import why_untrusted
from swimmer.errors import ModelError


@dataclass(frozen=True)
class CachedModel:
    """A model of the Hugging Face hub in the local cache, at one commit."""

    name: str
    revision: str
    backends: tuple[str, ...]
    bytes: int


def obstacle(identity: ModelIdentity) -> tuple[str, str]:
    """Return why the model of a store cannot be loaded here and what to do, ("", "") if it can.

    Packages and files are looked for; nothing is loaded or downloaded.
    """
    if identity.name == "static":
        return "", ""
    if identity.name.startswith(GIVEN):
        return "its model was an object in Python", "give it with embeddings="
    if would := why_untrusted(identity):
        return f"you have not allowed this model; {would}", "allow it once with --trust-model"
    try:
        backend = choose_backend(identity.name, None, identity.revision, named_by_store=True)
    except ModelError as error:
        return str(error), error.hint
    if backend == "torch" and not has_torch():
        hint = 'pip install "swimmer[huggingface]", or pip install "swimmer[onnx]"'
        return "no package that computes it is installed", hint
    if backend == "onnx" and not has_package("onnxruntime"):
        return "ONNX Runtime is not installed", 'pip install "swimmer[onnx]"'
    return _missing_files(identity, backend)


def _missing_files(identity: ModelIdentity, backend: str) -> tuple[str, str]:
    short, variant = split_variant(identity.name)
    name = NAMED[short].id if short in NAMED else short
    folder = own_folder(name, named_by_store=True)
    own = folder is not None
    if folder is None:
        if not is_hub_id(name):
            return f"the folder {name} is not there", "put the model there again"
        folder = cached_snapshot(name, identity.revision)
    if folder is not None and (
        has_onnx(folder, variant) if backend == "onnx" else has_weights(folder)
    ):
        return "", ""
    if own:
        return f"{folder} has no files for the back end {backend}", "put the model there again"
    at = f" --revision {identity.revision}" if identity.revision else ""
    return (
        "its files are not in the local cache; the first use downloads them",
        f"hf download {name}{at}",
    )


def cached_models() -> list[CachedModel]:
    """Return the models in the local cache that swimmer can load, by name."""
    if not has_package("huggingface_hub"):
        return []
    from huggingface_hub import constants

    found = []
    for snapshot in sorted(Path(constants.HF_HUB_CACHE).glob("models--*/snapshots/*")):
        kinds = {"torch": has_weights(snapshot), "onnx": has_onnx(snapshot)}
        backends = tuple(kind for kind, there in kinds.items() if there)
        name = snapshot.parent.parent.name.removeprefix("models--").replace("--", "/")
        if backends and is_hub_id(name):
            size = sum(path.stat().st_size for path in snapshot.rglob("*") if path.is_file())
            found.append(CachedModel(name, snapshot.name, backends, size))
    return found
