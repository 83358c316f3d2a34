"""The files of a model: in a folder, in the local cache, or on the Hugging Face hub."""

from __future__ import annotations

import errno
import importlib.util
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from swimmer.errors import ModelError

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")
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
    folder = cached_snapshot(name, revision)
    return folder is not None and (has_weights(folder) or any(folder.glob("**/*.onnx")))


def has_weights(folder: Path) -> bool:
    """Return whether a folder holds a whole sentence-transformers model, as `check_folder` does."""
    try:
        check_folder(folder, "")
    except ModelError:
        return False
    return True


def find_model(name: str, revision: str, named_by_store: bool) -> tuple[Path, str]:
    """Return the folder of a model and the commit it is at, "" for a folder of the user's own."""
    folder = own_folder(name, named_by_store)
    if folder is not None:
        check_folder(folder, name)
        check_modules(folder, name)
        return folder, ""
    if not is_hub_id(name):
        raise unknown_model(name)
    cached = cached_snapshot(name, revision)
    if cached is None or not has_weights(cached):
        cached = download(name, revision, anonymous=named_by_store)
        check_folder(cached, name)
    check_modules(cached, name)
    return cached, cached.name


def own_folder(name: str, named_by_store: bool) -> Path | None:
    """Return the folder that a name stands for, None where it is no folder.

    A store's name is a folder only if it is absolute: no other is looked for.
    """
    folder = Path(name) if named_by_store else Path(name).expanduser()
    found = name and (folder.is_absolute() or not named_by_store) and folder.is_dir()
    return folder.resolve() if found else None


def cached_snapshot(name: str, revision: str) -> Path | None:
    """Return the folder of a model in the local cache, whole or not, or None; asks nobody.

    As the cache is laid out, `refs/BRANCH` holds a commit, and `snapshots/COMMIT` the files.
    """
    if importlib.util.find_spec("huggingface_hub") is None:
        return None
    # All but its constants takes longer to import than a small model does to answer.
    from huggingface_hub import constants

    kept = Path(constants.HF_HUB_CACHE, f"models--{name.replace('/', '--')}")
    commit = revision or constants.DEFAULT_REVISION
    if not stays_inside(commit):
        return None
    if not _COMMIT.fullmatch(commit):
        try:
            commit = (kept / "refs" / commit).read_text("utf-8").strip()
        except (OSError, ValueError):
            return None
    snapshot = kept / "snapshots" / commit
    return snapshot if _COMMIT.fullmatch(commit) and snapshot.is_dir() else None


def weights_only(names: list[str]) -> dict[str, Any]:
    """Return which files of a repository sentence-transformers needs, as `download` takes it."""
    skipped = list(_NOT_NEEDED)
    if any(file.endswith(".safetensors") and "/" not in file for file in names):
        skipped.append("pytorch_model*.bin")
    return {"ignore_patterns": skipped}


def download(
    name: str,
    revision: str,
    *,
    anonymous: bool = False,
    wanted: Callable[[list[str]], dict[str, Any]] = weights_only,
) -> Path:
    """Download a model from the Hugging Face hub into the local cache, and return its folder there.

    Args:
        name: the id of the model.
        revision: branch, tag or commit; the newest for "".
        anonymous: do not send the user's token, which opens what is private to him: a store must
            not choose that.
        wanted: gets the names of all files, and returns `allow_patterns` or `ignore_patterns` of
            `huggingface_hub.snapshot_download`.

    Raises:
        ModelError: there is no such model or revision, it needs the user's agreement, the hub
            cannot be reached, or the disk is full.
    """
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
    token: Literal[False] | None = False if anonymous else None
    try:
        # One short question first: without a network the download itself tries for minutes.
        api = HfApi(token=token)
        files = api.model_info(name, revision=revision or None, timeout=10).siblings or []
        patterns = wanted([file.rfilename for file in files])
        return Path(snapshot_download(name, revision=revision or None, token=token, **patterns))
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
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            raise ModelError(
                f"the disk is full: the model {name} was not downloaded whole into "
                f"{constants.HF_HUB_CACHE}",
                hint="free some space, or set HF_HOME to a folder on another disk, and give the "
                "same command again; what is there is kept",
            ) from None
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
            if not isinstance(place, str) or not stays_inside(place):
                raise ModelError(
                    f"{name[:300]}: its {path.name} names {place!r:.80}, which is outside the "
                    "model's folder",
                    hint="download the model again",
                )


def stays_inside(place: str) -> bool:
    """Return whether a relative path, as a file of a model writes it, stays in its folder."""
    return not place.startswith(("/", "\\")) and ".." not in Path(place.replace("\\", "/")).parts
