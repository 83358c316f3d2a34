"""Hugging Face models through LangChain's `HuggingFaceEmbeddings`: found, pinned, made fast."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import re
import time
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from swimmer.embeddings.batches import encode
from swimmer.embeddings.model import Model
from swimmer.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    from langchain_huggingface import HuggingFaceEmbeddings

    from swimmer.embeddings.model import Vectors

TOKEN_LIMIT = 512
"""Tokens of a text that are read; a title with 500 characters of abstract needs about 200."""

CPU_BATCH = 32
"""Texts in a batch on a CPU; smaller ones lose more to threads that wait for each other."""

AMX_BATCH = 8
"""Texts in a batch in half precision on a CPU with AMX, where 8 beats 32 to 128."""

GPU_BATCH = 64

HALF = "SWIMMER_HALF"
"""The environment variable that chooses the precision in place of the probe: 0 or 1."""

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_NOT_NEEDED = [
    "onnx/*",
    "openvino/*",
    "coreml/*",
    "imgs/*",
    "*.onnx",
    "*.h5",
    "*.msgpack",
    "*.ot",
    "*.gguf",
]
_DOCUMENT_PROMPTS = ("document", "passage", "corpus")
_E5 = re.compile(r"(^|[/_-])(multilingual-)?e5-(small|base|large)(-v2)?$")


@dataclass(frozen=True)
class Named:
    """A model with a short name: its id, and the recipe of the text it embeds."""

    id: str
    text: str = "title_abstract"


# The reference output for bge-m3 was made from title, abstract and URL, and is compared with.
NAMED = {"bge-m3": Named("BAAI/bge-m3", "page_content")}


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
        batch_size: texts in a batch; what suits the caches on a CPU, 64 elsewhere.
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
        raise _unknown(name)
    for package in ("sentence_transformers", "langchain_huggingface"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(f"the model {name}", "huggingface")
    if isinstance(max_tokens, bool) or not isinstance(max_tokens, int) or max_tokens < 8:
        raise ModelError(f"max_tokens is a whole number of at least 8, got {max_tokens!r:.40}")
    folder, commit = _find(named.id, revision, named_by_store)
    chosen = _device(device)
    if half is None:
        half = _half_of_environment()
    if half is None:
        half = gains_by_half(chosen)
    usual = (AMX_BATCH if half else CPU_BATCH) if chosen == "cpu" else GPU_BATCH
    size = usual if batch_size is None else batch_size
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise ModelError(f"batch_size is a whole number from 1, got {size!r:.40}")
    embeddings = _open(name, folder, chosen, _dtype(chosen, half), size)
    client = _sentence_transformer(embeddings)
    # A table of word vectors has no limit, and takes none: its text was cut by characters before.
    if client.max_seq_length != math.inf:
        client.max_seq_length = min(max_tokens, client.max_seq_length or max_tokens)
    if query_prompt is None:
        query_prompt = _own_prompt(client.prompts, ("query",), named.id, "query: ", client)
    if document_prompt is None:
        document_prompt = _own_prompt(
            client.prompts, _DOCUMENT_PROMPTS, named.id, "passage: ", client
        )
    embeddings.query_encode_kwargs = embeddings.encode_kwargs | {"prompt": query_prompt}
    embeddings.encode_kwargs = embeddings.encode_kwargs | {"prompt": document_prompt}
    shown = name if commit or name in NAMED else str(folder)
    return _model(embeddings, shown, commit, named.text, batch_size)


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
    revision = (embeddings.model_kwargs or {}).get("revision") or ""
    size = (embeddings.encode_kwargs or {}).get("batch_size")
    return _model(embeddings, name, str(revision), "title_abstract", size)


def _model(
    embeddings: HuggingFaceEmbeddings, name: str, revision: str, text: str, batch_size: int | None
) -> Model:
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


def _own_prompt(
    prompts: dict[str, str | None], names: tuple[str, ...], model_id: str, of_e5: str, client: Any
) -> str:
    """The prompt that a model brings, or that its card demands though its files lack it."""
    for name in names:
        if prompt := prompts.get(name):
            return prompt
    if prompt := prompts.get(client.default_prompt_name or ""):
        return prompt
    return of_e5 if _E5.search(model_id.rstrip("/").lower()) else ""


# ---------------------------------------------------------------------- finding the files


def _unknown(name: str) -> ModelError:
    near = get_close_matches(name, ("static", *NAMED), n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    return ModelError(
        f"unknown model {name[:120]!r}",
        hint=f"{meant}Give static, {', '.join(NAMED)}, a Hugging Face id such as "
        "intfloat/e5-base-v2, the folder of a model, or, in Python, an object with "
        "embed_documents and embed_query",
    )


def is_hub_id(name: str) -> bool:
    """Return whether a name is one that a model on the Hugging Face hub can have."""
    return _ID.fullmatch(name) is not None


def is_cached(name: str, revision: str) -> bool:
    """Return whether the local cache holds a model of the hub at a revision; asks nobody."""
    if importlib.util.find_spec("huggingface_hub") is None:
        return False
    return _cached(name, revision) is not None


def _find(name: str, revision: str, named_by_store: bool) -> tuple[Path, str]:
    """Return the folder of a model and the commit it is at, "" for a folder of the user's own."""
    folder = Path(name) if named_by_store else Path(name).expanduser()
    if name and (folder.is_absolute() or not named_by_store) and folder.is_dir():
        _check_folder(folder, name)
        _check_modules(folder, name)
        return folder.resolve(), ""
    if not is_hub_id(name):
        raise _unknown(name)
    cached = _cached(name, revision)
    if cached is None:
        # The user's token opens what is private to him; a store must not choose that.
        cached = (
            _download(name, revision, token=False) if named_by_store else _download(name, revision)
        )
        _check_folder(cached, name)
    _check_modules(cached, name)
    return cached, cached.name


def _cached(name: str, revision: str) -> Path | None:
    """The whole snapshot of a model in the local cache, or None; asks nobody."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, revision=revision or None, local_files_only=True))
        _check_folder(folder, name)
    except (LocalEntryNotFoundError, ModelError):
        return None
    return folder


def _download(name: str, revision: str, token: Literal[False] | None = None) -> Path:
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    def unreachable(why: str) -> ModelError:
        return ModelError(
            f"the model {name} is not in the local cache ({constants.HF_HUB_CACHE}) and the "
            f"Hugging Face hub cannot be reached ({why})",
            hint=f"download it once with a network (hf download {name}), or give the folder of a "
            "model",
        )

    if constants.HF_HUB_OFFLINE:
        raise unreachable("HF_HUB_OFFLINE is set")
    try:
        # One short question first: without a network the download itself tries for minutes.
        api = HfApi(token=token)
        files = api.model_info(name, revision=revision or None, timeout=10).siblings or []
        names = [file.rfilename for file in files]
        skipped = list(_NOT_NEEDED)
        if any(file.endswith(".safetensors") and "/" not in file for file in names):
            skipped.append("pytorch_model*.bin")
        return Path(
            snapshot_download(name, revision=revision or None, ignore_patterns=skipped, token=token)
        )
    except RevisionNotFoundError:
        raise ModelError(
            f"the model {name} has no revision {revision!r} on the hub",
            hint="look for its revisions on its page of the Hugging Face hub",
        ) from None
    except GatedRepoError:
        raise ModelError(
            f"the model {name} needs your agreement to its terms",
            hint="agree on its page of the Hugging Face hub, then log in with: hf auth login",
        ) from None
    except RepositoryNotFoundError:
        raise ModelError(
            f"the Hugging Face hub has no model {name}, or it is private",
            hint=(
                "check the spelling, or fetch it with your account: hf auth login, then hf "
                f"download {name}"
            ),
        ) from None
    except HfHubHTTPError as error:
        raise unreachable(f"{type(error).__name__}: {error!s:.200}") from None
    except (OSError, _network_error()) as error:
        raise unreachable(f"{error!s:.200}") from None


def _network_error() -> type[Exception]:
    # huggingface_hub speaks through httpx from its version 1, before through requests, whose
    # errors are OSErrors.
    if importlib.util.find_spec("httpx") is None:
        return OSError
    import httpx

    return httpx.HTTPError


def _check_folder(folder: Path, name: str) -> None:
    """Raise ModelError unless a folder holds a whole sentence-transformers model."""
    modules = folder / "modules.json"
    if not modules.is_file():
        raise ModelError(
            f"{name}: is not a sentence-transformers model (no modules.json in {folder}), so that "
            "its pooling is unknown",
            hint="save it with SentenceTransformer(modules=[…]).save(folder)",
        )
    try:
        entries = json.loads(modules.read_text(encoding="utf-8"))
        paths = [folder / entry["path"] for entry in entries]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(
            f"{modules}: cannot be read ({error})", hint="download the model again"
        ) from None
    weights = [
        file
        for path in {folder, *paths}
        for pattern in ("*.safetensors", "*.bin")
        for file in path.glob(pattern)
    ]
    if not any(file.stat().st_size for file in weights):
        raise ModelError(f"{name}: {folder} holds no weights", hint="download the model again")


_TYPE = re.compile(r"sentence_transformers(\.[A-Za-z_]\w*)+", re.ASCII)


def _check_modules(folder: Path, name: str) -> None:
    """Raise ModelError unless every module of a model is one of sentence-transformers itself.

    The loader imports the class that a model names, and older ones import it out of the model's
    own folder: code that whoever made the model has written.
    """
    # A Router lists the modules of its routes in a file of its own.
    for path in (folder / "modules.json", *sorted(folder.glob("**/router_config.json"))):
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
            if path.name == "modules.json":
                types = [entry["type"] for entry in raw]
                places = [entry["path"] for entry in raw]
            else:
                types, places = list(raw["types"].values()), list(raw["types"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ModelError(
                f"{path}: cannot be read ({error})", hint="download the model again"
            ) from None
        for kind in types:
            if not isinstance(kind, str) or not _TYPE.fullmatch(kind):
                raise ModelError(
                    f"{name[:300]}: its {path.name} names a module {kind!r:.80}, which is not "
                    "one of sentence-transformers",
                    hint="choose another model; swimmer runs no code that comes with a model",
                )
        for place in places:
            if not isinstance(place, str) or not _stays_inside(place):
                raise ModelError(
                    f"{name[:300]}: its {path.name} names {place!r:.80}, which is outside the "
                    "model's folder",
                    hint="download the model again",
                )


def _stays_inside(place: str) -> bool:
    return not place.startswith(("/", "\\")) and ".." not in Path(place.replace("\\", "/")).parts


# ---------------------------------------------------------------------- opening it


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


def _device(wanted: str | None) -> str:
    import torch

    if wanted is None or wanted == "auto":
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        # A device exists when it can hold a number; its name alone says little.
        torch.zeros(1, device=wanted)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        reason = str(error).splitlines()[0][:160]
        raise ModelError(
            f"the device {wanted!r:.40} is not available ({reason})",
            hint="give cpu, cuda or mps, or leave it out for the fastest one here",
        ) from None
    return wanted


def _dtype(device: str, half: bool) -> Any:
    import torch

    if not half:
        return torch.float32
    if device.startswith("cuda") and not torch.cuda.is_bf16_supported():
        return torch.float16
    return torch.bfloat16


def _half_of_environment() -> bool | None:
    value = os.environ.get(HALF, "")
    if value not in ("", "0", "1"):
        raise ModelError(
            f"{HALF} is {value!r:.40}",
            hint=(
                "set it to 1 (half precision) or 0 (float32), or unset it: swimmer then takes "
                "the faster one"
            ),
        )
    return value == "1" if value else None


def gains_by_half(device: str) -> bool:
    """Return whether half precision is faster on a device."""
    if device.startswith("cuda"):
        return True
    return device == "cpu" and has_amx() and _bfloat16_is_faster()


def has_amx() -> bool:
    """Whether this processor has AMX, and the system lets it be used."""
    import torch

    probe = getattr(torch.cpu, "_is_amx_tile_supported", None)
    if probe is not None:
        return bool(probe())
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False


def _bfloat16_is_faster() -> bool:
    """Whether a product of matrices of a transformer's size is quicker in half precision.

    A library built without AMX, or a virtual machine that emulates it, would be slower.
    """
    import torch

    def fastest(dtype: Any) -> float:
        left, right = torch.ones(512, 768, dtype=dtype), torch.ones(768, 3072, dtype=dtype)
        best = float("inf")
        for _ in range(5):
            start = time.perf_counter()
            torch.mm(left, right)
            best = min(best, time.perf_counter() - start)
        return best

    return fastest(torch.float32) > 1.3 * fastest(torch.bfloat16)
