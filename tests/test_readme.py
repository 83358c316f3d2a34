"""The README is true: its snippets run, its commands are those that CI runs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .conftest import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
JAPANESE = (REPOSITORY / "README.ja.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("text", [README, JAPANESE], ids=["README", "README.ja"])
def test_python_snippets_run(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("langchain_core")
    names: dict[str, object] = {}
    snippets = blocks(text, "python")
    assert len(snippets) >= 3
    for snippet in snippets:
        exec(compile(snippet, "README", "exec"), names)
    assert "https://iclr.cc/virtual/2025/poster/" in capsys.readouterr().out


@pytest.mark.parametrize("marker", ["first-result", "tests"])
def test_both_languages_give_the_same_commands_and_ci_runs_them(marker: str) -> None:
    found = [
        re.search(rf"<!-- {marker} -->\n```sh\n(.*?)\n```", text, re.DOTALL)
        for text in (README, JAPANESE)
    ]
    assert all(found)
    commands = {match[1] for match in found if match}
    assert len(commands) == 1 and "\n" not in commands.pop()
    assert f"command_of {marker}" in (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["swimmer serve", "swimmer map iclr2025 -o", "--plot"])
def test_both_languages_show_the_page_and_the_map(command: str) -> None:
    assert command in README and command in JAPANESE


def test_the_pasted_answer_is_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    from swimmer.cli import main

    command = re.search(r"swimmer search \"(.*?)\"\n```\n\n```text\n(.*?)\n```", README, re.DOTALL)
    assert command is not None
    with pytest.raises(SystemExit):
        main(["search", command[1]])
    answer = capsys.readouterr().out.split()
    pasted = command[2].split("…")[0].split()
    assert answer[: len(pasted)] == pasted and len(pasted) > 40


@pytest.mark.parametrize("text", [README, JAPANESE], ids=["README", "README.ja"])
def test_links_lead_somewhere(text: str) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (REPOSITORY / target).exists(), target


def test_nothing_that_is_not_ours_is_tracked() -> None:
    if not (REPOSITORY / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split()
    large = [name for name in listed if (REPOSITORY / name).stat().st_size > 16_000_000]
    assert not large
    assert {Path(name).parts[0] for name in listed} <= {
        ".ci",
        ".gitattributes",
        ".github",
        ".gitignore",
        ".pre-commit-config.yaml",
        "CHANGELOG.md",
        "CITATION.cff",
        "CONTRIBUTING.md",
        "LICENSE",
        "README.ja.md",
        "README.md",
        "benchmarks",
        "constraints.txt",
        "docs",
        "mkdocs.yml",
        "notebooks",
        "pyproject.toml",
        "SECURITY.md",
        "swimmer",
        "tests",
        "training",
        "vectorstores",
    }
