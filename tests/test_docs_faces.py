"""docs/cli.md says what --help says; the snippets of agents.md and exports.md run."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from .conftest import REPOSITORY, Outcome
from .scripted import ScriptedChat, calling
from .test_mcp import adapters_python as adapters_python

CLI = REPOSITORY / "docs" / "cli.md"
AGENTS = REPOSITORY / "docs" / "agents.md"
EXPORTS = REPOSITORY / "docs" / "exports.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TITLE = "Bi-Factorial Preference Optimization: Balancing Safety-Helpfulness in Language Models"
SWIMMER = f'command={sys.executable!r}, args=["-m", "swimmer", "mcp"]'


def test_the_page_of_the_command_line_is_current() -> None:
    generated = runpy.run_path(str(REPOSITORY / "docs" / "generate_cli.py"))["page"]()
    written = CLI.read_text(encoding="utf-8")
    # click wraps and words its own parts differently between versions; ours must be the same.
    assert written.split() == generated.split() or not version("click").startswith("8.5"), (
        "run: python docs/generate_cli.py"
    )


def test_the_check_of_the_generator_finds_an_old_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "generate_cli.py"
    script.write_text((REPOSITORY / "docs" / "generate_cli.py").read_text(encoding="utf-8"))
    run = [sys.executable, str(script)]
    assert subprocess.run([*run, "--check"], capture_output=True).returncode == 1
    assert subprocess.run(run, capture_output=True).returncode == 0
    assert subprocess.run([*run, "--check"], capture_output=True).returncode == 0


def test_every_verb_has_examples_or_says_what_it_does(swimmer: Callable[..., Outcome]) -> None:
    from swimmer.cli import VERBS

    for verb in VERBS:
        shown = swimmer(verb, "--help")
        assert shown.code == 0
        assert "Usage: swimmer" in shown.out


def blocks(kind: str, page: Path = AGENTS) -> list[str]:
    return [body for found, body in BLOCK.findall(page.read_text("utf-8")) if found == kind]


def printed(code: str, names: dict[str, Any]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "docs/agents.md", "exec"), names)
    return out.getvalue()


def test_the_snippets_for_langchain_run() -> None:
    pytest.importorskip("langchain.agents", reason="needs langchain")
    first, agent, chain, guard = blocks("python")[:4]
    names: dict[str, Any] = {
        "llm": ScriptedChat(
            script=[
                calling("find_similar_papers", title=TITLE, k=2),
                lambda _: "Two papers.",
                lambda _: "Losses differ [1], and so do data [2, 3].",
            ]
        )
    }
    assert printed(first, names) == blocks("text")[0]
    assert re.fullmatch(r"1 .+\n2 .+\n", printed(agent, names))
    said = printed(chain, names).splitlines()
    assert said[0] == "Losses differ [1], and so do data [2, 3]."
    assert [line[:3] for line in said[1:]] == ["[1]", "[2]", "[3]"]
    printed(guard, names)
    assert names["bibliography"].count("@inproceedings{") == 3


def test_the_snippet_for_the_sdk_runs() -> None:
    pytest.importorskip("mcp.server.mcpserver", reason="needs the extra 'mcp'")
    code = blocks("python")[4].replace('command="swimmer", args=["mcp"]', SWIMMER)
    # A known title needs no model, whichever the sample was built with.
    code = code.replace(
        '"search_papers", {"query": "safe exploration", "k": 3}',
        f'"find_similar_papers", {{"title": {TITLE!r}, "k": 3}}',
    )
    names: dict[str, Any] = {}
    exec(compile(code, "docs/agents.md", "exec"), names)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        asyncio.run(names["main"]())
    assert re.fullmatch(r"1 .+\n2 .+\n3 .+\n", out.getvalue())


def test_the_snippet_for_the_adapters_runs(adapters_python: str) -> None:
    code = blocks("python")[5].replace(
        '"command": "swimmer", "args": ["mcp"]',
        f'"command": {sys.executable!r}, "args": ["-m", "swimmer", "mcp"]',
    )
    code += "\nimport asyncio\nprint([tool.name for tool in asyncio.run(tools())])\n"
    run = subprocess.run([adapters_python, "-c", code], capture_output=True, text=True, timeout=120)
    assert "find_similar_papers" in run.stdout, run.stderr[-2_000:]


def test_the_configurations_start_the_server() -> None:
    """Each starts uvx with the package in a clone and then the same verb that the tests start."""
    lines = []
    for body in blocks("json"):
        (servers,) = json.loads(body).values()
        lines.append([servers["swimmer"]["command"], *servers["swimmer"]["args"]])
    for body in blocks("sh"):
        lines += [
            shlex.split(line.partition(" -- ")[2]) for line in body.splitlines() if " -- " in line
        ]
        lines += [shlex.split(line) for line in body.splitlines() if line.startswith("uvx")]
    assert len(lines) == 5
    for line in lines:
        assert line == ["uvx", "--from", "/path/to/swimmer[mcp]", "swimmer", "mcp"]


def test_every_verb_and_option_in_the_page_exists(swimmer: Callable[..., Outcome]) -> None:
    text = AGENTS.read_text("utf-8")
    known = swimmer("mcp", "--help").out
    for option in set(re.findall(r"swimmer mcp[^`\n]*?(--[a-z-]+)", text)):
        assert option in known, option


def test_the_snippets_for_exports_run(swimmer: Callable[..., Outcome]) -> None:
    from swimmer.export import SUFFIXES, WRITERS

    names: dict[str, Any] = {"llm": ScriptedChat(script=[lambda _: "要約"] * 3)}
    for body in blocks("python", EXPORTS)[:3]:
        assert printed(body, names) == ""
    assert names["bibliography"].count("@inproceedings{") == 3
    assert names["records"].count("TY  - CONF") == 3
    assert "same data as ours" in Path("list.md").read_text("utf-8")
    assert names["text"].count("### Abstract (Japanese)") == 3
    printed(blocks("python", EXPORTS)[3], names)
    assert "<table>" in names["answer"]._repr_html_()
    page = EXPORTS.read_text("utf-8")
    assert all(f"`{name}`" in page for name in (*WRITERS, *SUFFIXES))
    for line in blocks("sh", EXPORTS)[0].splitlines():
        assert swimmer(*shlex.split(line.partition(" > ")[0])[1:]).code == 0
    assert Path("similar.bib").is_file()
    assert Path("list.md").read_text("utf-8").startswith("# Reading list")
