"""Every snippet of docs/langchain.md is run, in order, in one process; printed results are met."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("langchain", reason='needs pip install "swimmer[test]"')
pytest.importorskip("langchain_huggingface", reason='needs pip install "swimmer[test]"')
pytest.importorskip("langchain_community", reason='needs pip install "swimmer[test]"')

from .onnx_models import export_onnx
from .random_models import bge_layout
from .test_huggingface import hub_cache

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "langchain.md"
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

BEFORE = """
import contextlib, io, sys, warnings
warnings.filterwarnings("ignore", category=DeprecationWarning)
sys.path.insert(0, ROOT)
import torch
torch.set_num_threads(1)
from tests.scripted import ScriptedChat, calling
llm = ScriptedChat(script=[
    lambda messages: "Told " + str(messages[0].content.count("[")) + " papers.",
    calling("similar_papers", query="Bi-Factorial Preference Optimization"),
    lambda messages: f"The nearest is {messages[-1].artifact[0].metadata['title']}.",
])
from langchain_community.vectorstores import FAISS
from swimmer import SwimmerEmbeddings
FAISS.from_texts(["graph attention", "safe agents"], SwimmerEmbeddings()).save_local("faiss_index")
del FAISS, SwimmerEmbeddings
"""


def program() -> str:
    """The page as one program that checks what every snippet prints."""
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    lines = [f"ROOT = {str(ROOT)!r}", BEFORE]
    for number, (kind, body) in enumerate(blocks):
        if kind == "text":
            continue
        expected = (
            blocks[number + 1][1]
            if blocks[number + 1 :][:1] and (blocks[number + 1][0] == "text")
            else None
        )
        lines.append(
            f"printed = io.StringIO()\nwith contextlib.redirect_stdout(printed):\n"
            f"    exec(compile({body!r}, 'snippet {number + 1}', 'exec'), globals())\n"
        )
        if expected is not None:
            lines.append(f"assert printed.getvalue() == {expected!r}, printed.getvalue()")
        lines.append(f"print({number + 1}, 'ran:', printed.getvalue().strip()[:200])")
    return "\n".join(lines)


def test_every_snippet_of_the_page_runs(
    home: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for package in ("onnxruntime", "onnx"):
        pytest.importorskip(package, reason="a snippet loads a model through ONNX Runtime")
    folder = bge_layout(tmp_path_factory.mktemp("bge"))
    export_onnx(folder)
    hub_cache(home, folder, "BAAI/bge-m3")
    env = os.environ | {"HF_HOME": str(home / "hf"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program()],
        env=env,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.count(" ran:") == sum(
        kind == "python" for kind, _ in BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    )
    assert "The nearest is " in done.stdout
    assert "Told 5 papers." in done.stdout


def test_a_snippet_that_prints_something_else_is_found_out(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = home / "page.md"
    page.write_text("```python\nprint(1)\n```\n\n```text\n2\n```\n", encoding="utf-8")
    monkeypatch.setattr(sys.modules[__name__], "PAGE", page)
    monkeypatch.setattr(sys.modules[__name__], "BEFORE", "import contextlib, io")
    done = subprocess.run([sys.executable, "-c", program()], capture_output=True, text=True)
    assert done.returncode == 1
    assert "AssertionError: 1" in done.stderr
