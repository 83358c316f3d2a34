"""The ONNX files of a model: which one is meant, what it names, and whether it may be loaded."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from swimmer.embeddings.model_files import (
    cached_snapshot,
    download,
    is_hub_id,
    own_folder,
    stays_inside,
    unknown_model,
)
from swimmer.embeddings.onnx_graph import AGAIN, OnnxGraph, read_graph
from swimmer.errors import ModelError
from swimmer.files import read_bounded, target_of

FOLDERS = ("onnx", "")
"""Where a repository keeps its ONNX files, in the order in which they are looked for."""

_SETTINGS = (
    "config.json",
    "modules.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "sentence_*_config.json",
    "config_sentence_transformers.json",
    "*_Pooling/config.json",
)
_OTHER_NAMES = {
    "": ("model",),
    "fp32": ("model",),
    "int8": ("model_int8", "model_quantized"),
    "q8": ("model_q8", "model_quantized"),
    "quantized": ("model_quantized",),
}
_SETTING_LIMIT = 4 << 20


@dataclass(frozen=True)
class OnnxFiles:
    """Where the files of a model are.

    `commit` is that of the hub, "" for the user's own folder; `model` is the ONNX file.
    """

    folder: Path
    commit: str
    model: Path


def find_onnx(name: str, revision: str, named_by_store: bool, variant: str = "") -> OnnxFiles:
    """Return the files of a model: a folder's, else the local cache's, else downloaded once.

    Args:
        name: the id of a model on the Hugging Face hub, or the folder of a model.
        revision: branch, tag or commit on the hub; the newest for "".
        named_by_store: the name comes from a manifest, not from the user.
        variant: which of its ONNX files: `fp16`, `int8` …; the usual one for "".

    Raises:
        ModelError: there is no such model or no such file, it names files that are missing, cut
            off or outside its folder, or operators that ONNX Runtime lacks.
    """
    folder = own_folder(name, named_by_store)
    if folder is not None:
        path = _in_folder(folder, variant)
        if path is None:
            raise _no_file(name, _listed(folder), variant)
        _check(folder, path, read_graph(path), name)
        return OnnxFiles(folder, "", path)
    if not is_hub_id(name):
        raise unknown_model(name)
    folder = cached_snapshot(name, revision)
    path = folder and _in_folder(folder, variant)
    if folder is None or path is None or not _whole(folder, read_graph(path), path):
        folder, path = _downloaded(name, revision, named_by_store, variant)
    _check(folder, path, read_graph(path), name)
    return OnnxFiles(folder, folder.name, path)


def has_onnx(folder: Path, variant: str = "") -> bool:
    """Return whether a folder holds the ONNX file of a variant."""
    return _in_folder(folder, variant) is not None


def read_setting(folder: Path, name: str) -> dict[str, Any]:
    """Return a JSON object among a model's files, {} where there is none.

    Raises:
        ModelError: the file holds something else, or more than 4 MB.
    """
    found = _read_json(folder / name)
    if not isinstance(found, (dict, type(None))):
        raise ModelError(f"{folder / name}: is not a JSON object", hint=AGAIN)
    return found or {}


def read_limit(folder: Path) -> int:
    """Return how many tokens of a text a model can read, by its own files.

    Raises:
        ModelError: one of them cannot be read.
    """
    named = next(iter(sorted(folder.glob("sentence_*_config.json"))), folder / "-")
    config = read_setting(folder, "config.json")
    limits = [
        read_setting(folder, named.name).get("max_seq_length"),
        read_setting(folder, "tokenizer_config.json").get("model_max_length"),
        config.get("max_position_embeddings"),
    ]
    if isinstance(limits[2], int) and "roberta" in str(config.get("model_type")):
        # Its positions begin after that of the padding.
        limits[2] -= 2
    counts = [int(n) for n in limits if isinstance(n, (int, float)) and n >= 1]
    return min(counts, default=1 << 30)


def read_modules(folder: Path) -> list[dict[str, Any]]:
    """Return the entries of a model's `modules.json`, which `check_modules` has seen."""
    found: list[dict[str, Any]] = _read_json(folder / "modules.json")
    return found


def _read_json(path: Path) -> Any:
    try:
        return json.loads(read_bounded(target_of(path), _SETTING_LIMIT))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: cannot be read ({error})", hint=AGAIN) from None


# ---------------------------------------------------------------------- which file


def _candidates(variant: str) -> list[str]:
    stems = _OTHER_NAMES.get(variant, (f"model_{variant}",))
    return [str(PurePosixPath(at, f"{stem}.onnx")) for at in FOLDERS for stem in stems]


def _in_folder(folder: Path, variant: str) -> Path | None:
    return next((folder / n for n in _candidates(variant) if (folder / n).is_file()), None)


def _listed(folder: Path) -> list[str]:
    found = (path for pattern in ("*", "onnx/*") for path in folder.glob(pattern))
    return sorted(path.relative_to(folder).as_posix() for path in found if path.is_file())


def _no_file(name: str, names: Iterable[str], variant: str) -> ModelError:
    of_onnx = [file for file in names if file.endswith(".onnx")]
    weights = [file for file in names if file.endswith((".safetensors", ".bin", ".gguf"))]
    shown = of_onnx or weights
    there = ", ".join(shown[:6]) + ", …" * (len(shown) > 6) or "no weights at all"
    if of_onnx:
        return ModelError(
            f"the model {name[:300]} has no ONNX file {' or '.join(_candidates(variant))}; it has "
            f"{there}",
            hint=f"name one of them by its ending, as in {name[:120]}:int8 for model_int8.onnx",
        )
    return ModelError(
        f"the model {name[:300]} has no ONNX file ({_candidates(variant)[0]}); it has {there}",
        hint='use --backend torch (pip install "swimmer[huggingface]"), or export it: pip install '
        f'"optimum[onnx]", then optimum-cli export onnx --model {name[:120]} FOLDER, and give '
        "FOLDER as the model",
    )


def _downloaded(name: str, revision: str, named_by_store: bool, variant: str) -> tuple[Path, Path]:
    """Download the ONNX file and the settings, then the external data that the file names."""

    def wanted(names: list[str]) -> dict[str, Any]:
        model = next((n for n in _candidates(variant) if n in names), None)
        if model is None:
            raise _no_file(name, names, variant)
        # In the usual case its external data come with it, and nothing is asked twice.
        return {"allow_patterns": [*_SETTINGS, model, f"{model}_data", f"{model}.data"]}

    folder = download(name, revision, anonymous=named_by_store, wanted=wanted)
    path = _in_folder(folder, variant)
    if path is None:
        raise ModelError(f"the model {name} was not downloaded whole", hint=AGAIN)
    graph = read_graph(path)
    at = path.parent.relative_to(folder)
    missing = [
        (at / place).as_posix()
        for place in graph.locations
        if stays_inside(place) and not (path.parent / place).is_file()
    ]
    if missing:
        download(
            name,
            folder.name,
            anonymous=named_by_store,
            wanted=lambda names: {"allow_patterns": [n for n in missing if n in names]},
        )
    return folder, path


# ---------------------------------------------------------------------- whether it may be loaded


def _whole(folder: Path, graph: OnnxGraph, path: Path) -> bool:
    """Whether the cache holds the file, all that it names, and a tokenizer."""
    data = [path.parent / place for place in graph.locations if stays_inside(place)]
    return all(file.is_file() for file in data) and (folder / "tokenizer.json").is_file()


def _check(folder: Path, path: Path, graph: OnnxGraph, name: str) -> None:
    if graph.custom_domains:
        domains = ", ".join(repr(domain)[:60] for domain in graph.custom_domains[:5])
        raise ModelError(
            f"{path}: needs custom operators ({domains}), which are code that comes with a model; "
            "swimmer loads none",
            hint="use another ONNX file of it, or --backend torch",
        )
    for place in graph.locations:
        _check_place(folder, path, place)
    for data in graph.external:
        file = path.parent / data.location
        try:
            size = file.stat().st_size
        except OSError:
            raise ModelError(
                f"{path}: its external data {data.location[:200]} are missing",
                hint=f"put the file beside {path.name}, or {AGAIN}",
            ) from None
        if data.offset + data.length > size:
            raise ModelError(
                f"{file}: is cut off ({size:,} bytes, but {path.name} names "
                f"{data.offset + data.length:,})",
                hint=AGAIN,
            )


def _check_place(folder: Path, path: Path, place: str) -> None:
    """Raise ModelError unless a file of external data is inside the model's folder."""
    inside = bool(place) and stays_inside(place) and ":" not in place and "\0" not in place
    if inside:
        allowed = [folder.resolve(), path.parent.resolve()]
        if folder.parent.name == "snapshots":
            # The local cache keeps the files of all revisions once, and links to them.
            allowed.append((folder.parent.parent / "blobs").resolve())
        real = (path.parent / place).resolve()
        inside = any(real.is_relative_to(there) for there in allowed)
    if not inside:
        raise ModelError(
            f"{path}: names external data {place[:200]!r}, which are outside the model's folder",
            hint="do not use this file: whoever made it can have your files read",
        )
