"""The layers of the package, what is public, and what a bare import loads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import swimmer

from .conftest import REPOSITORY

PACKAGE = Path(swimmer.__file__).parent
HEAVY = "{'numpy', 'faiss', 'torch', 'langchain_core', 'click', 'sqlite3', 'tokenizers', 'httpx'}"
PACKAGES = sorted(
    f"swimmer.{init.parent.relative_to(PACKAGE).as_posix().replace('/', '.')}"
    for init in PACKAGE.glob("*/__init__.py")
    if init.parent.name != "cli"
)


def test_modules_import_only_what_their_layer_may() -> None:
    """The contracts stand in pyproject.toml; they also see imports inside functions."""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports; "
            "raise SystemExit(lint_imports(no_cache=True))",
        ],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]


@pytest.mark.parametrize("package", ["swimmer", *PACKAGES])
def test_importing_a_package_loads_nothing_heavy(package: str) -> None:
    code = (
        f"import sys, {package}; print(sorted({{m.split('.')[0] for m in sys.modules}} & {HEAVY}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("package", ["swimmer", *PACKAGES])
def test_every_exported_name_exists(package: str) -> None:
    code = (
        f"import {package} as p\n"
        "assert p.__all__, 'exports nothing'\n"
        "for name in p.__all__: assert getattr(p, name, None) is not None, name\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_nothing_imports_pickle() -> None:
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(r"import pickle\b(?!tools)", path.read_text(encoding="utf-8"))
    }
    assert not users


def test_known_title_loads_no_model_and_no_langchain(sample_store: Path) -> None:
    code = (
        "import sys; from swimmer import open_store, search; "
        f"s = open_store({str(sample_store)!r}); title = next(iter(s)).title; "
        "assert search(s, title); "
        "print(sorted({m.split('.')[0] for m in sys.modules} & "
        "{'torch', 'langchain_core', 'tokenizers', 'safetensors', 'rapidfuzz', 'tqdm', "
        "'platformdirs', 'filelock', 'httpx'}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_the_public_names_are_these() -> None:
    assert swimmer.__all__ == [
        "Answer",
        "BuildReport",
        "BuildResult",
        "Hit",
        "Paper",
        "PaperRetriever",
        "PaperStore",
        "PaperVectorStore",
        "SwimmerEmbeddings",
        "SwimmerError",
        "ask",
        "build_store",
        "list_stores",
        "load_model",
        "load_retriever",
        "open_source",
        "open_store",
        "paper_map",
        "paper_tools",
        "related_work_chain",
        "run_build",
        "search",
    ]
    assert set(swimmer.__all__) <= set(dir(swimmer))
    with pytest.raises(AttributeError, match="serch"):
        _ = swimmer.serch  # type: ignore[attr-defined]


def test_search_is_the_function_whatever_was_imported_first() -> None:
    code = "import swimmer.retrieval.query; from swimmer import search; print(callable(search))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "True"
