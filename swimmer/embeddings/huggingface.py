"""Hugging Face models through LangChain's `HuggingFaceEmbeddings`: found, pinned, made fast."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swimmer.embeddings.batches import encode
from swimmer.embeddings.model import Model
from swimmer.embeddings.model_files import (
    NAMED,
    Named,
    cached_snapshot,
    find_model,
    is_hub_id,
    own_folder,
    unknown_model,
)
from swimmer.embeddings.precision import (
    gains_by_half,
    half_of_environment,
    torch_device,
    torch_dtype,
)
from swimmer.embeddings.prompts import TOKEN_LIMIT, own_prompts
from swimmer.embeddings.sparse_head import SparseHead, find_sparse_file
from swimmer.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    from langchain_huggingface import HuggingFaceEmbeddings

    from swimmer.embeddings.model import Vectors
    from swimmer.embeddings.token_weights import Weighed

CPU_BATCH = 32
"""Texts in a batch on a CPU; smaller ones lose more to threads that wait for each other."""

AMX_BATCH = 8
"""Texts in a batch in half precision on a CPU with AMX, where 8 beats 32 to 128."""

GPU_BATCH = 128
"""Texts in a batch on a GPU: at bge-m3's size an H200 embeds 1.3 times as fast as with 64; 256
are a tenth faster again and take twice the memory."""


def load_huggingface(
    name: str,
    *,
    device: str | None = None,
    revision: str = "",
    half: bool | None = None,
    batch_size: int | None = None,
    max_tokens: int = TOKEN_LIMIT,
    query_prompt: str | None = None,
    document_prompt: str | None = None,
    named_by_store: bool = False,
) -> Model:
    """Return a sentence-transformers model, from the local cache if it is there, else the hub.

    Args:
        name: `bge-m3`, a Hugging Face id (`intfloat/e5-base-v2`), or the folder of a model.
        device: `cpu`, `cuda`, `mps` …; the fastest there is by default.
        revision: branch, tag or commit on the hub; the newest by default.
        half: half precision; by default what `$SWIMMER_HALF` says (0 or 1), else where the device
            gains by it (CUDA; a CPU with AMX).
        batch_size: texts in a batch; what suits the caches on a CPU, 128 elsewhere.
        max_tokens: where texts are cut, if the model does not cut them earlier.
        query_prompt: put before every query; the model's own by default.
        document_prompt: put before every document; the model's own by default.
        named_by_store: the name comes from a manifest, not from the user: no folder is looked for
            under a relative path, and the hub is asked without the user's token.

    Raises:
        MissingExtraError: langchain-huggingface or sentence-transformers is not installed.
        ModelError: there is no such model or device, the hub cannot be reached, the files are
            damaged, or `$SWIMMER_HALF` is neither 0 nor 1; the message says which, and what to do.
    """
    named = NAMED.get(name, Named(name))
    if not is_hub_id(named.id) and not Path(name).expanduser().is_dir():
        # Before any package is asked for: they would not help.
        raise unknown_model(name)
    for package in ("sentence_transformers", "langchain_huggingface"):
        if importlib.util.find_spec(package) is None:
            other = "" if importlib.util.find_spec("onnxruntime") else "onnx"
            raise MissingExtraError(f"the model {name}", "huggingface", or_else=other)
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or max_tokens < 8:
        raise ModelError(f"max_tokens is a whole number of at least 8, got {max_tokens!r:.40}")
    folder, commit = find_model(named.id, revision, named_by_store)
    chosen = torch_device(device)
    if half is None:
        half = half_of_environment()
    if half is None:
        half = gains_by_half(chosen)
    usual = (AMX_BATCH if half else CPU_BATCH) if chosen == "cpu" else GPU_BATCH
    size = usual if batch_size is None else batch_size
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ModelError(f"batch_size is a whole number from 1, got {size!r:.40}")
    embeddings = _open(name, folder, chosen, torch_dtype(chosen, half), size)
    client = _sentence_transformer(embeddings)
    # A table of word vectors has no limit, and takes none: its text was cut by characters before.
    if client.max_seq_length != math.inf:
        client.max_seq_length = min(max_tokens, client.max_seq_length or max_tokens)
    own = own_prompts(client.prompts, client.default_prompt_name, named.id)
    query_prompt = own[0] if query_prompt is None else query_prompt
    document_prompt = own[1] if document_prompt is None else document_prompt
    embeddings.query_encode_kwargs = embeddings.encode_kwargs | {"prompt": query_prompt}
    embeddings.encode_kwargs = embeddings.encode_kwargs | {"prompt": document_prompt}
    shown = name if commit or name in NAMED else str(folder)

    def find() -> Path:
        return find_sparse_file(folder, named.id, commit, anonymous=named_by_store)

    return _model(embeddings, shown, commit, named.text, batch_size, find, size)


def wrap_huggingface(embeddings: Any) -> Model:
    """Return a user's `HuggingFaceEmbeddings` as a model, its settings as they are.

    Its vectors are taken as arrays, which spares lists of Python floats ten times the size, and on
    a CPU in batches of a size of our own where its `encode_kwargs` name none.
    """
    client = getattr(embeddings, "_client", None)
    if client is None or not hasattr(client, "encode"):
        name = getattr(embeddings, "model_name", None) or getattr(embeddings, "model", "") or ""
        return Model(embeddings, str(name))
    name = str(embeddings.model_name)
    if Path(name).is_dir():
        # A manifest is read from any working folder.
        name = str(Path(name).resolve())
    revision = str((embeddings.model_kwargs or {}).get("revision") or "")
    size = (embeddings.encode_kwargs or {}).get("batch_size")

    def find() -> Path:
        folder = own_folder(name, False) or cached_snapshot(name, revision)
        commit = folder.name if folder and is_hub_id(name) else ""
        return find_sparse_file(folder or Path(name), name, commit, anonymous=False)

    return _model(embeddings, name, revision, "title_abstract", size, find, size)


def _model(
    embeddings: HuggingFaceEmbeddings,
    name: str,
    revision: str,
    text: str,
    batch_size: int | None,
    find_sparse: Callable[[], Path],
    sparse_batch: int | None,
) -> Model:
    head = SparseHead(lambda: _sentence_transformer(embeddings), find_sparse, sparse_batch)

    def weigh(texts: list[str], query: bool) -> Weighed:
        return head.weigh(texts, _prompt_used(embeddings, query=query), query=query)

    def embed_array(texts: list[str], *, query: bool = False) -> Vectors:
        # HuggingFaceEmbeddings does the same to each text, and makes a list of lists of it.
        lines = [text.replace("\n", " ") for text in texts]
        used = (embeddings.query_encode_kwargs if query else None) or embeddings.encode_kwargs
        return encode(_sentence_transformer(embeddings), lines, used, batch_size)

    return Model(
        embeddings,
        name,
        revision=revision,
        text=text,
        query_prompt=_prompt_used(embeddings, query=True),
        document_prompt=_prompt_used(embeddings, query=False),
        embed_array=None if embeddings.multi_process else embed_array,
        embed_queries=None if embeddings.multi_process else partial(embed_array, query=True),
        weigh=None if embeddings.multi_process else weigh,
    )


def _sentence_transformer(embeddings: HuggingFaceEmbeddings) -> Any:
    # LangChain's class has no public name for it.
    return embeddings._client  # noqa: SLF001


def _prompt_used(embeddings: HuggingFaceEmbeddings, *, query: bool) -> str:
    used = (embeddings.query_encode_kwargs if query else None) or embeddings.encode_kwargs
    client = _sentence_transformer(embeddings)
    prompt = used.get("prompt")
    if prompt is None:
        name = used.get("prompt_name") or client.default_prompt_name
        prompt = client.prompts.get(name) if name else None
    return prompt or ""


def _open(
    name: str, folder: Path, device: str, dtype: Any, batch_size: int
) -> HuggingFaceEmbeddings:
    from langchain_huggingface import HuggingFaceEmbeddings
    from safetensors import SafetensorError
    from transformers.utils import logging as untyped

    logging: Any = untyped
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        return HuggingFaceEmbeddings(
            model_name=str(folder),
            model_kwargs={
                "device": device,
                "local_files_only": True,
                "trust_remote_code": False,
                "model_kwargs": {"dtype": dtype},
            },
            encode_kwargs={"normalize_embeddings": True, "batch_size": batch_size},
        )
    except (
        OSError,
        ValueError,
        RuntimeError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        ImportError,
        SafetensorError,
    ) as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelError(
            f"the model {name} in {folder} cannot be loaded ({type(error).__name__}: {reason})",
            hint="download its files again",
        ) from None
    finally:
        if bars:
            logging.enable_progress_bar()
