"""From a name, a folder or an object to a model."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from swimmer.embeddings.backends import choose_backend
from swimmer.embeddings.identity import (
    GIVEN,
    ModelIdentity,
    check_same,
    is_quantised,
    split_variant,
)
from swimmer.embeddings.model import Embeddings, Model
from swimmer.embeddings.recipes import RECIPES
from swimmer.embeddings.trust import check_trusted
from swimmer.errors import ModelError


def load_model(model: str | Embeddings | Model, **options: Any) -> Model:
    """Return a model by name, or wrap an object that has LangChain's `Embeddings` methods.

    Args:
        model: `static` (the embedded default), `bge-m3`, a Hugging Face id
            (`intfloat/e5-base-v2`), the folder of a model, or an object. An id or a folder may
            name a variant of its ONNX files: `bge-m3:int8`.
        options: of a Hugging Face model: `backend` (`torch` or `onnx`; see `choose_backend`), and
            as `load_huggingface` takes them: `device`, `revision`, `half` (torch only),
            `batch_size`, `max_tokens`, `query_prompt`, `document_prompt`. An object has its own
            settings and takes none.

    Raises:
        ModelError: the name is not known, the model cannot be loaded, or the object has not the
            two methods.
        MissingExtraError: the model needs a package that is not installed.
    """
    if not isinstance(model, (str, Path)):
        if options:
            raise ModelError(
                f"a model given as an object has its own settings, got {', '.join(options)}",
                hint="set them on the object, or give the name of a model",
            )
        return model if isinstance(model, Model) else _wrap(model)
    if model == "static":
        if options:
            raise ModelError(f"the model static takes no options, got {', '.join(options)}")
        from swimmer.embeddings.static import StaticEmbeddings

        static = StaticEmbeddings()
        return Model(
            static,
            "static",
            revision=static.revision,
            text=static.paper_text,
            languages=("en",),
            pads=False,
            embed_array=partial(static.embed, on_unknown="zero"),
            embed_queries=partial(static.embed, on_unknown="zero"),
            embed_apart=static.embed_papers,
        )
    return _load_transformer(str(model), **options)


def _load_transformer(name: str, *, backend: str | None = None, **options: Any) -> Model:
    base, variant = split_variant(name)
    by_store = options.get("named_by_store", False)
    chosen = choose_backend(name, backend, options.get("revision", ""), by_store)
    if chosen == "onnx":
        if options.pop("half", None):
            raise ModelError(
                "half=True is for the back end torch",
                hint=f"name the variant of the ONNX files: {base}:fp16",
            )
        from swimmer.embeddings.onnx import load_onnx

        return load_onnx(name, **options)
    if is_quantised(variant):
        raise ModelError(
            f"the variant {variant} of {base[:300]} is an ONNX file, which the back end torch does "
            "not read",
            hint="use --backend onnx",
        )
    from swimmer.embeddings.huggingface import load_huggingface

    return load_huggingface(base, **options)


def load_own(
    identity: ModelIdentity, where: str, *, trust: bool = False, weighing: bool = False
) -> Model:
    """Return the model that `where` was built with, loaded by its name and checked.

    Args:
        identity: the model, as a manifest names it.
        where: the store, in words.
        trust: load it though the user has not named it before; see `swimmer.embeddings.trust`.
        weighing: its weights of tokens will be asked for: both are recognised by one pass.

    Raises:
        UntrustedModelError: only the store names it, and `trust` is False.
        ModelError: it cannot be loaded, or was an object in Python, which has no name.
        ModelMismatchError: what has its name now makes other vectors.
    """
    if identity.name.startswith(GIVEN):
        raise ModelError(
            f"{where} was built with the model {identity.name.removeprefix(GIVEN)}, an object "
            "in Python",
            hint="give it with embeddings=, or rebuild the store with a model that has a name",
        )
    if identity.name != "static":
        check_trusted(identity, where, trust=trust)
    return load_again(identity, where, named_by_store=True, weighing=weighing)


def load_again(
    identity: ModelIdentity, where: str, *, named_by_store: bool, weighing: bool = False
) -> Model:
    """Return a model loaded by the name, revision and prompts of its identity, and checked.

    Args:
        identity: the model.
        where: what was made with it, in words.
        named_by_store: the name comes from a manifest, not from the user.
        weighing: its weights of tokens will be asked for: both are recognised by one pass.

    Raises:
        ModelError: it cannot be loaded.
        ModelMismatchError: what has its name now makes other vectors.
    """
    options: dict[str, Any] = {}
    if identity.name != "static":
        options = {
            "named_by_store": named_by_store,
            "revision": identity.revision,
            "query_prompt": identity.query_prompt,
            "document_prompt": identity.document_prompt,
        }
    try:
        model = load_model(identity.name, **options)
    except ModelError as error:
        if type(error) is not ModelError:
            raise
        raise ModelError(
            f"{where} was built with the model {identity.name}, which cannot be loaded: {error}",
            hint=error.hint,
        ) from None
    if weighing:
        model.gives_weights  # noqa: B018  embeds the probes, and so tells the identity too
    check_same(identity, model.identity, where)
    return model.with_text(identity.text)


def _wrap(embeddings: object) -> Model:
    if not isinstance(embeddings, Embeddings) or isinstance(embeddings, type):
        raise ModelError(
            f"{embeddings!r:.80} is not a model",
            hint="give the name of a model, or an object with embed_documents and embed_query",
        )
    kind = type(embeddings)
    inner = getattr(embeddings, "swimmer_model", None)
    if isinstance(inner, Model):
        return inner
    if kind.__module__.startswith("langchain_huggingface."):
        from swimmer.embeddings.huggingface import wrap_huggingface

        return wrap_huggingface(embeddings)
    wanted = getattr(embeddings, "paper_text", None)
    recipe = wanted if isinstance(wanted, str) and wanted in RECIPES else "title_abstract"
    named = getattr(embeddings, "model_name", None) or getattr(embeddings, "model", None)
    if not isinstance(named, str) or not named:
        named = f"{GIVEN}{kind.__module__}.{kind.__qualname__}"
    apart = getattr(embeddings, "embed_papers", None)
    if RECIPES[recipe].apart and not callable(apart):
        recipe = "title_abstract"
    return Model(embeddings, named, text=recipe, embed_apart=apart)
