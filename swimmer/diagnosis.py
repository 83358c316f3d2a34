"""What this machine and this installation can do: processor, memory, packages, models, stores."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from swimmer.embeddings import CachedModel, cached_models, obstacle, usable_cores
from swimmer.errors import REBUILD
from swimmer.store import StoreInfo, list_stores


@dataclass(frozen=True)
class Extra:
    """An extra of the package: what it is for, and the distributions that it installs."""

    name: str
    purpose: str
    packages: tuple[str, ...]


EXTRAS = (
    Extra("onnx", "models of Hugging Face, without torch", ("onnxruntime",)),
    Extra(
        "huggingface",
        "models of Hugging Face, with torch",
        ("langchain-huggingface", "sentence-transformers"),
    ),
    Extra("community", "to and from LangChain's FAISS", ("langchain-community",)),
    Extra("agents", "agents of LangChain", ("langchain", "langchain-core")),
    Extra("mcp", "the MCP server", ("mcp",)),
    Extra("web", "the page in the browser", ("jinja2", "python-multipart", "starlette", "uvicorn")),
    Extra("map", "the map of a store", ("matplotlib", "openTSNE", "scikit-learn")),
    Extra("pdf", "queries from PDF files", ("cryptography", "pypdf")),
    Extra("tables", "Excel and Parquet", ("openpyxl", "pyarrow")),
    Extra("graph", "the graph of nearest papers", ("networkx",)),
    Extra("milvus", "stores on Milvus", ("milvus-lite", "pymilvus")),
    Extra("ray", "builds on a Ray cluster", ("ray", "grpcio")),
    Extra("calendar", "a plan as a calendar", ("icalendar",)),
)
"""The extras that a user may want, the most used ones first."""

_SETS = {
    "AVX2": r"avx2",
    "AVX-512": r"avx512f",
    "AMX": r"amx_tile",
    "NEON": r"asimd",
    "bfloat16": r"avx512_bf16|amx_bf16|bf16",
}
_NVIDIA = ("--query-gpu=name,memory.total", "--format=csv,noheader")


@dataclass(frozen=True)
class ExtraState:
    """An extra, the versions of its packages that are installed, and those that are missing."""

    name: str
    purpose: str
    versions: dict[str, str]
    missing: tuple[str, ...]

    @property
    def install(self) -> str:
        """The line that installs what is missing, "" if nothing is."""
        return f'pip install "swimmer[{self.name}]"' if self.missing else ""


@dataclass(frozen=True)
class StoreState:
    """A store, its model, and what keeps it from being opened or its model from being loaded."""

    name: str
    folder: str
    model: str
    problem: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """What `diagnose` found.

    `cores` are those that this process may use, `memory` and `free` are bytes (0 where the system
    does not tell), `instruction_sets` is None where it does not tell.
    """

    swimmer: str
    python: str
    system: str
    cores: int
    instruction_sets: tuple[str, ...] | None
    memory: int
    free: int
    gpus: tuple[str, ...]
    gpu_note: str
    extras: list[ExtraState] = field(default_factory=list)
    models: list[CachedModel] = field(default_factory=list)
    stores: list[StoreState] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether every store can be opened and its model loaded."""
        return not any(store.problem for store in self.stores)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values, the install line beside each extra that lacks something."""
        found = asdict(self)
        for raw, extra in zip(found["extras"], self.extras, strict=True):
            raw["install"] = extra.install
        return found | {"sound": self.sound}


def diagnose() -> Diagnosis:
    """Find out what this machine and installation can do; nothing is loaded or downloaded."""
    from swimmer import __version__

    memory, free = _memory()
    gpus = _gpus()
    return Diagnosis(
        swimmer=__version__,
        python=f"{platform.python_version()} ({sys.executable})",
        system=f"{platform.system()} {platform.machine()}",
        cores=usable_cores(),
        instruction_sets=_instruction_sets(),
        memory=memory,
        free=free,
        gpus=gpus,
        gpu_note=_gpu_note(gpus),
        extras=[_extra(extra) for extra in EXTRAS],
        models=cached_models(),
        stores=[_store(info) for info in list_stores()],
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _extra(extra: Extra) -> ExtraState:
    names = list(extra.packages)
    if extra.name == "onnx" and _version("onnxruntime-gpu"):
        names = ["onnxruntime-gpu"]
    found = {name: _version(name) for name in names}
    missing = tuple(name for name, number in found.items() if not number)
    there = {name: number for name, number in found.items() if number}
    return ExtraState(extra.name, extra.purpose, there, missing)


def _store(info: StoreInfo) -> StoreState:
    folder = str(info.folder)
    if info.manifest is None:
        return StoreState(info.name, folder, "", info.problem, REBUILD)
    identity = info.manifest.model
    return StoreState(info.name, folder, identity.name, *obstacle(identity))


# ---------------------------------------------------------------------- the machine


def _instruction_sets() -> tuple[str, ...] | None:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").lower()
    except OSError:
        return ("NEON",) if platform.machine() == "arm64" else None
    line = re.search(r"^(?:flags|features)\s*:(.*)$", text, re.MULTILINE)
    flags = set(line[1].split()) if line else set()
    return tuple(
        name for name, wanted in _SETS.items() if any(re.fullmatch(wanted, f) for f in flags)
    )


def _memory() -> tuple[int, int]:
    try:
        text = Path("/proc/meminfo").read_text(encoding="utf-8")
        found = dict(re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE))
        return 1024 * int(found["MemTotal"]), 1024 * int(found["MemAvailable"])
    except (OSError, KeyError, ValueError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), 0
    except (AttributeError, OSError, ValueError):
        return 0, 0


def _gpus() -> tuple[str, ...]:
    """The GPUs that a back end could use: of NVIDIA by its own tool, and Apple's."""
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return ("Apple GPU",)
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    try:
        done = subprocess.run([tool, *_NVIDIA], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError, ValueError):
        return ()
    return tuple(line.strip() for line in done.stdout.splitlines()[:64] if not done.returncode)


def _gpu_note(gpus: tuple[str, ...]) -> str:
    """What keeps a GPU from being used, "" for nothing."""
    torch, runtime = _version("torch"), _version("onnxruntime-gpu")
    if not gpus or runtime or (torch and "+cpu" not in torch):
        return ""
    if torch:
        return f"torch {torch} cannot use it: install torch with CUDA (pytorch.org)"
    return 'nothing installed can use it: pip install "swimmer[huggingface]"'
