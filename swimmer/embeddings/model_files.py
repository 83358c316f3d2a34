"""The files of a model: in a folder, in the local cache, or on the Hugging Face hub."""

from __future__ import annotations

import importlib.util
import json
import re
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from swimmer.errors import ModelError

if TYPE_CHECKING:
    pass


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


@dataclass(frozen=True)
class Named:
    """A model with a short name: its id, and the recipe of the text it embeds."""

    id: str
    text: str = "title_abstract"


# The reference output for bge-m3 was made from title, abstract and URL, and is compared with.
NAMED = {"bge-m3": Named("BAAI/bge-m3", "page_content")}


# ---------------------------------------------------------------------- finding the files


def unknown_model(name: str) -> ModelError:
    """Return the error that no model has this name."""
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


def find_model(name: str, revision: str, named_by_store: bool) -> tuple[Path, str]:
    """Return the folder of a model and the commit it is at, "" for a folder of the user's own."""
    folder = Path(name) if named_by_store else Path(name).expanduser()
    if name and (folder.is_absolute() or not named_by_store) and folder.is_dir():
        check_folder(folder, name)
        check_modules(folder, name)
        return folder.resolve(), ""
    if not is_hub_id(name):
        raise unknown_model(name)
    cached = _cached(name, revision)
    if cached is None:
        # The user's token opens what is private to him; a store must not choose that.
        cached = (
            _download(name, revision, token=False) if named_by_store else _download(name, revision)
        )
        check_folder(cached, name)
    check_modules(cached, name)
    return cached, cached.name


def _cached(name: str, revision: str) -> Path | None:
    """The whole snapshot of a model in the local cache, or None; asks nobody."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(name, revision=revision or None, local_files_only=True))
        check_folder(folder, name)
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


def check_folder(folder: Path, name: str) -> None:
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


def check_modules(folder: Path, name: str) -> None:
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
