"""The floors of the house: what may import what, what is public, what a bare import loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import swimmer

PACKAGE = Path(swimmer.__file__).parent

# Modules from the ground up; a module may import its own floor and those below. A module that is
# not named here is a face, on the top floor.
FLOORS = [
    {"errors", "files", "text"},
    {"paper", "language"},
    {
        "manifest",
        "sources",
        "embedding",
        "trust",
        "static",
        "huggingface",
        "cores",
        "fetch",
        "locate",
    },
    {"schema", "database", "index", "report"},
    {"folder", "copies", "checkpoint", "staging", "filters", "keyword", "mapfile", "verify"},
    {"store"},
    {"stored", "identity", "diversity", "fusion"},
    {"build"},
    {"ranking", "seeds", "where"},
    {"query"},
]
LANGCHAIN = {"retriever", "vectorstore", "community", "tools", "huggingface"}


def floor_of(module: str) -> int:
    for number, names in enumerate(FLOORS):
        if module in names:
            return number
    return len(FLOORS)


def imports(path: Path) -> set[str]:
    """The modules that a file imports when it is loaded (not inside its functions)."""
    found: set[str] = set()
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        pending += ast.iter_child_nodes(node)
    return found


def modules() -> list[Path]:
    return sorted(
        p for p in PACKAGE.rglob("*.py") if p.name != "__main__.py" and p != PACKAGE / "__init__.py"
    )


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_module_imports_from_a_floor_above(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for name in imports(path):
        if name.startswith("swimmer."):
            other = name.split(".")[1]
            assert floor_of(other) <= floor_of(own), f"{own} imports {other} from above"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_engine_knows_no_langchain_and_no_web(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if floor_of(own) == len(FLOORS) or own in LANGCHAIN:
        return
    outside = {name.split(".")[0] for name in imports(path)}
    assert not {n for n in outside if n.startswith("langchain")}
    assert not outside & {"click", "torch", "transformers", "sentence_transformers", "pickle"}


def test_nothing_but_the_guarded_bridge_imports_pickle() -> None:
    users = {
        path.name
        for path in modules()
        if "pickle" in {n.split(".")[0] for n in imports(path)}
        or "import pickle" in path.read_text(encoding="utf-8")
    }
    assert users <= {"community.py"}


def test_bare_import_loads_nothing_heavy() -> None:
    code = (
        "import sys, swimmer; "
        "print(sorted({m.split('.')[0] for m in sys.modules} & "
        "{'numpy', 'faiss', 'torch', 'langchain_core', 'click', 'sqlite3', 'tokenizers'}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


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


def test_every_public_name_can_be_had_and_is_declared_once() -> None:
    assert sorted(swimmer.__all__) == sorted(swimmer._HOMES)
    assert swimmer.__all__ == sorted(swimmer.__all__)
    for name in ("Paper", "PaperStore", "open_store", "build_store", "search", "ask"):
        assert name in swimmer.__all__
        assert callable(getattr(swimmer, name))
    assert set(swimmer.__all__) <= set(dir(swimmer))
    with pytest.raises(AttributeError, match="no attribute 'serch'"):
        _ = swimmer.serch  # type: ignore[attr-defined]


def test_search_is_the_function_whatever_was_imported_first() -> None:
    code = "import swimmer.query, swimmer; from swimmer import search; print(callable(search))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "True"
