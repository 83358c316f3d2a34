"""The notebooks run from top to bottom without a network, and were committed as they ran."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("nbclient", reason='needs pip install "swimmer[test]"')
pytest.importorskip("nbformat", reason='needs pip install "swimmer[test]"')
pytest.importorskip("ipykernel", reason='needs pip install "swimmer[test]"')
pytest.importorskip("langchain", reason='needs pip install "swimmer[test]"')

import nbformat

FOLDER = Path(__file__).parent.parent / "notebooks"
NAMES = ["agent.ipynb", "map.ipynb", "own_conference.ipynb", "similar_papers.ipynb"]


def execute(path: Path) -> Any:
    """What notebooks/execute.py makes of a notebook."""
    spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.execute(path)


def printed(notebook: Any) -> str:
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found.append(str(output.get("text", "")) + str(output.get("data", {})))
    return "\n".join(found)


def pictures(notebook: Any) -> int:
    return sum(
        "image/png" in output.get("data", {})
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_offline(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if name == "similar_papers.ipynb":
        pytest.importorskip("matplotlib", reason='needs pip install "swimmer[test]"')
    if name == "map.ipynb":
        pytest.importorskip("openTSNE", reason='needs pip install "swimmer[map]"')
    closed = "http://127.0.0.1:9"
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(variable, closed)
        monkeypatch.setenv(variable.lower(), closed)
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))
    notebook = execute(FOLDER / name)
    text = printed(notebook)
    if name == "similar_papers.ipynb":
        assert pictures(notebook) == 1
        assert "of the ten are also in the reference" in text
        assert text.count("https://iclr.cc/virtual/2025/poster/") >= 10
    elif name == "own_conference.ipynb":
        assert text.count("<table>") == 5
        assert "of 3 in common" in text
        assert "python:__main__.Spelling (512 dimensions) makes other vectors" in text
        assert "embedded 2 of 12; whole: True" in text
        assert "kitchen2026  Preferences of Eaters" in text and "sample       " in text
        assert "5 papers read back from the reading list" in text
    elif name == "map.ipynb":
        assert pictures(notebook) == 3
        assert "preference optimization" in text and "{2024: 47, 2025: 47}" in text
    else:
        assert "Start with these:" in text
        assert "4 papers were given" in text


@pytest.mark.parametrize("name", NAMES)
def test_it_was_committed_as_it_ran(name: str) -> None:
    notebook = nbformat.read(FOLDER / name, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(notebook)
    counts = [c.execution_count for c in notebook.cells if c.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    outputs = [o for c in notebook.cells for o in c.get("outputs", [])]
    assert outputs
    assert not [o for o in outputs if o.output_type == "error"]
    assert "/root/" not in printed(notebook)
